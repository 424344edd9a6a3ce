"""How often something may happen: ``3/hour``, kept in a struct as the time between two, in fractions of a second."""

from __future__ import annotations

from pyipvsadm.xtables.extensions.scan import split_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.options import Draft

_WORDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_SHOWN: Final = (("day", 86400), ("hour", 3600), ("min", 60), ("sec", 1))


def read_rate(text: str, draft: Draft, scale: int, *, bits: int) -> tuple[int, int]:
    """Return the time between two, in 1/``scale`` seconds, and the seconds in the unit that was named.

    A unit is any beginning of its word, in any case of letters. The count has ``bits`` bits, higher ones are lost; what
    stands between the count and the "/" is passed over.
    """
    number, slash, unit = text.partition("/")
    seconds = 1
    if slash:
        found = [length for word, length in _WORDS.items() if unit and word.startswith(unit.lower())]
        if not found:
            raise draft.bad(text, "no such unit of time")
        seconds = found[0]
    count = split_number(number)[0] % (1 << bits)
    if not count:
        raise draft.bad(text, "not a rate")
    if count > scale * seconds:
        raise draft.bad(text, "too fast")
    return scale * seconds // count, seconds


def show_rate(period: int, scale: int) -> str:
    """Return a rate in the shortest unit that no longer one tells more exactly."""
    if not period:
        return "inf"
    word, seconds = _SHOWN[0]
    for shorter, length in _SHOWN[1:]:
        ticks = scale * length
        if period > ticks or ticks // period < ticks % period:
            break
        word, seconds = shorter, length
    return f"{scale * seconds // period}/{word}"
