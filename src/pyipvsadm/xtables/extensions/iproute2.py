"""Names of numbers in the files of iproute2 (/etc/iproute2), such as routing realms and groups of devices.

A line has a number from 0 to 255, in base 10 or with 0x in base 16, and a name. Other lines are passed over. Of lines
with the same number or name the first one counts.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_known: Final[dict[str, list[tuple[int, str]]]] = {}


def numbered_names(path: str) -> list[tuple[int, str]]:
    """Return the numbers and names of a file in its order, [] where there is none; it is read once."""
    known = _known.get(path)
    if known is None:
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                found = [_parse(line) for line in file]
        except OSError:
            found = []
        known = _known[path] = [pair for pair in found if pair]
    return known


def _parse(line: str) -> tuple[int, str] | None:
    words = line.split()
    if len(words) < 2 or words[1].startswith("#"):
        return None
    if not words[0].isascii() or "_" in words[0]:  # which int() reads, but not the C tool
        return None
    try:
        number = int(words[0], 16 if words[0].startswith("0x") else 10)
    except ValueError:
        return None
    return (number, words[1]) if 0 <= number <= 0xFF else None


def number_of(path: str, name: str) -> int | None:
    """Return the number that a file gives to a name."""
    return next((number for number, own in numbered_names(path) if own == name), None)


def name_of(path: str, number: int) -> str | None:
    """Return the name that a file gives to a number."""
    return next((name for own, name in numbered_names(path) if own == number), None)
