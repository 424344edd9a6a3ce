"""What matches on IPv6's extension headers have in common.

Their structs have a member of flags, with a bit for each option that was given. Numbers are compared where their bit is
set, so an option with the value 0 is not the same as none.
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import U32, U64, number, read_number
from pyipvsadm.xtables.layout import Layout, u8, u16, u32
from pyipvsadm.xtables.options import IPV6, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

WHOLE: Final = (0, U32)


def flagged(kind: Kind, member: str, bit: int) -> Kind:
    """Return a kind that sets a bit in a member, beside the value that goes to the option's own."""

    def read(text: str, draft: Draft) -> Any:
        draft.values[member] |= bit
        return kind.read(text, draft)

    return Kind(read, kind.write, kind.placeholder)


def has(member: str, bit: int) -> Callable[[Values], bool]:
    """Return the test of a bit, for an option's ``when``."""
    return lambda values: bool(values[member] & bit)


def number32(name: str, to: str, bit: int, inverted: int) -> Option:
    """Return an option with a number of 32 bits, and bits for it in ``flags`` and ``invflags``."""
    return Option(
        name, kind=flagged(number(), "flags", bit), to=to, inverts=("invflags", inverted), when=has("flags", bit)
    )


def _read_range(text: str, draft: Draft) -> tuple[int, int]:
    first, colon, last = text.partition(":")
    begin = read_number(first) if first else 0
    end = begin if not colon else (read_number(last) if last else U32)
    if begin is None or end is None:
        raise draft.bad(text, f"not a number or a range within 0:{U32}")
    return begin, end


def show_range(ends: tuple[int, int], separator: str = ":") -> str:
    """Return one number where both ends are the same, else both."""
    first, last = ends
    return str(first) if first == last else f"{first}{separator}{last}"


def range32(name: str, to: str, bit: int, inverted: int) -> Option:
    """Return an option with a number or range of 32 bits; the range of all numbers is not printed, inverted or not.

    An empty text is the number 0, and a range may be upside down; the kernel finds nothing in it.
    """
    kind = Kind(_read_range, lambda ends, _: show_range(ends), "NUMBER[:NUMBER]")
    return Option(
        name,
        kind=flagged(kind, "flags", bit),
        to=to,
        inverts=("invflags", inverted),
        when=lambda values: values[to] != WHOLE,
    )


def show_flagged_range(word: str, ends: tuple[int, int], *, inverted: bool) -> str:
    """Return a range as ``-L`` prints it: "word:1", "words:1:2"; nothing for that of all numbers."""
    if ends == WHOLE and not inverted:
        return ""
    return f"{word}{'' if ends[0] == ends[1] else 's'}:{'!' if inverted else ''}{show_range(ends)}"


# -- headers that hold options -----------------------------------------------------------------------------------------

_LEN, _OPTS = 1, 2  # IP6T_OPTS_*
_INV_LEN = 1  # IP6T_OPTS_INV_LEN
_MOST: Final = 16  # IP6T_OPTS_OPTSNR
_ANY_LENGTH: Final = 0xFF
_OPTIONS_LAYOUT: Final = Layout(
    "struct ip6t_opts",
    u32("hdrlen"),
    u8("flags"),
    u8("invflags"),
    u16.array("opts", _MOST),
    u8("optsnr"),
)


def _read_octet(text: str, whole: str, draft: Draft) -> int:
    """Return the lowest 8 bits of a number that may be negative, as the C tool takes them."""
    digits = text.lstrip(" \t\n\v\f\r")
    negative = digits[:1] == "-"
    digits = digits[1:] if digits[:1] in ("-", "+") else digits
    value = read_number(digits, 0, U64) if digits[:1].isdigit() else None
    if value is None:
        raise draft.bad(whole, f"{text!r} is not a number")
    return (-value if negative else value) & 0xFF


def _read_options(text: str, draft: Draft) -> tuple[tuple[int, ...], int]:
    words = text.split(",")
    found: list[int] = []
    if len(words) > _MOST:
        raise draft.bad(text, f"more than {_MOST} options")
    for word in words:
        type_, colon, length = word.partition(":")
        option = _read_octet(type_, text, draft)
        if colon and option == 0:
            raise draft.bad(text, "Pad1 has no length")
        if colon and len(found) == _MOST - 1:
            raise draft.bad(text, f"the option in place {_MOST} cannot have a length")
        found.append(option << 8 | (_read_octet(length, text, draft) if colon else _ANY_LENGTH))
    return (*found, *[0] * (_MOST - len(found))), len(found)


def _write_options(value: tuple[tuple[int, ...], int], _: View) -> str:
    options, count = value
    return ",".join([
        f"{option >> 8}" + (f":{option & 0xFF}" if option & 0xFF != _ANY_LENGTH else "") for option in options[:count]
    ])  # fmt: skip


def options_header(name: str, summary: str) -> Extension:
    """Return the match ``name`` for a header that holds options."""

    def show(values: Values, view: View) -> str:
        text = f" {name}"
        if values["flags"] & _LEN:
            text += f" length:{'!' if values['invflags'] & _INV_LEN else ''}{values['hdrlen']}"
        if values["flags"] & _OPTS:
            text += f" opts {_write_options((values['opts'], values['optsnr']), view)}"
        return text

    return Extension(
        "match",
        name,
        0,
        IPV6,
        _OPTIONS_LAYOUT,
        (
            number32(f"{name}-len", "hdrlen", _LEN, _INV_LEN),
            Option(
                f"{name}-opts",
                kind=flagged(Kind(_read_options, _write_options, "TYPE[:LENGTH][,...]"), "flags", _OPTS),
                to=("opts", "optsnr"),
                when=has("flags", _OPTS),
            ),
        ),
        summary=summary,
        show=show,
    )
