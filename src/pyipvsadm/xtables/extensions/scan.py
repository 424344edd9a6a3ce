"""Numbers that a text begins with, and what follows them, as strtoul(3) finds them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_SPACE: Final = " \t\n\v\f\r"
_LONG: Final = (1 << 63) - 1  # more is the same
_DIGITS: Final = {8: "01234567", 10: "0123456789", 16: "0123456789abcdefABCDEF"}


def split_number(text: str, base: int = 10) -> tuple[int, str]:
    """Return the number that a text begins with and what follows it; 0 and all of the text where there is none.

    With base 0, 0x… is hexadecimal and 0… is octal.
    """
    rest = text.lstrip(_SPACE)
    sign = rest[:1] if rest[:1] in ("+", "-") else ""
    rest = rest[len(sign) :]
    if not base:
        base = 10 if rest[:1] != "0" else 16 if rest[1:2] in ("x", "X") and rest[2:3] in tuple(_DIGITS[16]) else 8
        rest = rest[2:] if base == 16 else rest
    after = rest.lstrip(_DIGITS[base])
    count = len(rest) - len(after)
    if not count:
        return 0, text
    value = min(int(rest[:count], base), _LONG)
    return (-value if sign == "-" else value), after
