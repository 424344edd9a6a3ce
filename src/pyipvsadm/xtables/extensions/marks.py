"""Changes of a mark, as MARK and CONNMARK have them: bits that are cleared (a mask), and bits that are then flipped.

Syntax: iptables-extensions(8), "MARK" and "CONNMARK". ``--set-xmark`` says all there is; the others are ways to say it.
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import U32, masked, number
from pyipvsadm.xtables.options import Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from pyipvsadm.xtables.options import Draft, View

    Pair = tuple[int, int]

NAMES: Final = ("set-xmark", "set-mark", "and-mark", "or-mark", "xor-mark")
_MASKED: Final = masked()
_BITS: Final = number()


def show_pair(value: int, mask: int) -> str:
    """Return ``0xVALUE/0xMASK``, whatever the mask."""
    return f"0x{value:x}/0x{mask:x}"


def _write(pair: Pair, _: View) -> str:
    return show_pair(*pair)


def _from_masked(change: Callable[[int, int], Pair]) -> Kind:
    def read(text: str, draft: Draft) -> Pair:
        return change(*_MASKED.read(text, draft))

    return Kind(read, _write, _MASKED.placeholder)


def _from_bits(change: Callable[[int], Pair]) -> Kind:
    def read(text: str, draft: Draft) -> Pair:
        return change(_BITS.read(text, draft))

    return Kind(read, _write, "BITS")


_KINDS: Final = {
    "set-xmark": _from_masked(lambda value, mask: (value, mask)),
    "set-mark": _from_masked(lambda value, mask: (value, value | mask)),
    "and-mark": _from_bits(lambda bits: (0, ~bits & U32)),
    "or-mark": _from_bits(lambda bits: (bits, bits)),
    "xor-mark": _from_bits(lambda bits: (bits, 0)),
}


def _option(name: str, to: tuple[str, str], others: tuple[str, ...]) -> Option:
    excludes = (*[other for other in NAMES if other != name], *others)
    return Option(name, kind=_KINDS[name], to=to, when=lambda _: name == NAMES[0], excludes=excludes)


def options(mark: str, mask: str, *, others: tuple[str, ...] = ()) -> tuple[Option, ...]:
    """Return the options that change a mark, the first as ``-S`` prints it; they exclude each other and ``others``."""
    return tuple([_option(name, (mark, mask), others) for name in NAMES])


def show_change(mark: int, mask: int) -> str:
    """Return a change as ``-L`` words it: by the shortest way to say it."""
    if mark == 0:
        return f"and 0x{~mask & U32:x}"
    if mark == mask:
        return f"or 0x{mark:x}"
    if mask == 0:
        return f"xor 0x{mark:x}"
    return f"set 0x{mark:x}" if mask == U32 else f"xset {show_pair(mark, mask)}"
