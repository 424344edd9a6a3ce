"""Sets the packet's mark to a hash of what it is made of.

Struct: ``struct xt_hmark_info``, linux/netfilter/xt_HMARK.h. Syntax: iptables-extensions(8), "HMARK".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.extensions.prefixes import read_mask
from pyipvsadm.xtables.kinds import U16, U32, from_inet, number, show_address
from pyipvsadm.xtables.layout import Layout, be16, raw, u16, u32
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

# The unions of ports have, in place of both ports, the SPI of AH and ESP.
LAYOUT: Final = Layout(
    "struct xt_hmark_info",
    raw("src_mask", 16),
    raw("dst_mask", 16),
    be16.array("port_mask", 2),
    be16.array("port_set", 2),
    u32("flags"),
    u16("proto_mask"),
    u32("hashrnd"),
    u32("hmodulus"),
    u32("hoffset"),
)
# XT_HMARK_FLAG(XT_HMARK_*)
_SADDR_MASK, _DADDR_MASK, _SPI, _SPI_MASK, _SPORT, _DPORT, _SPORT_MASK, _DPORT_MASK = (1 << bit for bit in range(8))
_PROTO_MASK, _RND, _MODULUS, _OFFSET, _CT = (1 << bit for bit in range(8, 13))
_ALL: Final = b"\xff" * 16


# -- kinds -------------------------------------------------------------------------------------------------------------


def _mask_length(mask: bytes) -> int | None:
    """Return how many bits of a mask are set, None where they are not the first ones."""
    bits = f"{int.from_bytes(mask, 'big'):0{len(mask) * 8}b}"
    return None if "01" in bits else bits.count("1")


def _write_mask(mask: bytes, view: View) -> str:
    length = _mask_length(from_inet(mask, view))
    return "-1" if length is None else str(length)


def _show_mask(mask: bytes, view: View) -> str:
    if view.family == 4:
        length = _mask_length(mask[:4])
        return str(U32 if length is None else length)
    if mask == _ALL:
        return ""  # so the peer has it
    return show_address(mask) if _mask_length(mask) is None else _write_mask(mask, view)


def _member(kind: Callable[[str, Draft], Any], member: str, side: int | None) -> Callable[[str, Draft], Any]:
    """Return what reads one side of a pair of ports, both sides as an SPI (-1), or a whole member (None)."""

    def read(text: str, draft: Draft) -> Any:
        value = kind(text, draft)
        if side is None:
            return value
        if side == -1:
            return value >> 16, value & U16
        source, destination = draft.values[member]
        return (value, destination) if side == 0 else (source, value)

    return read


def _number_of(value: Any, side: int | None) -> int:
    if side is None:
        number: int = value
    elif side == -1:
        number = value[0] << 16 | value[1]
    else:
        number = value[side]
    return number


def _option(
    name: str,
    flag: int,
    member: str,
    kind: Kind,
    *,
    side: int | None = None,
    text: str = "",
    needed: bool = False,
    excludes: tuple[str, ...] = (),
) -> Option:
    """Return an option that sets a flag beside its member; ``text`` is how its number is written."""
    read = _member(kind.read, member, side)

    def write(pair: tuple[Any, int], view: View) -> str:
        return format(_number_of(pair[0], side), text) if text else kind.write(pair[0], view)

    return Option(
        f"hmark-{name}",
        kind=Kind(lambda word, draft: (read(word, draft), draft.values["flags"] | flag), write, kind.placeholder),
        to=(member, "flags"),
        when=lambda values: bool(values["flags"] & flag),
        needed=needed,
        excludes=excludes,
    )


# -- the tuple ---------------------------------------------------------------------------------------------------------

# A word of the tuple counts as an option that is given all bits of the mask.
_TUPLE: Final = {
    "src": ("src-prefix", _SADDR_MASK),
    "dst": ("dst-prefix", _DADDR_MASK),
    "sport": ("sport-mask", _SPORT_MASK),
    "dport": ("dport-mask", _DPORT_MASK),
    "spi": ("spi-mask", _SPI_MASK),
    "proto": ("proto-mask", _PROTO_MASK),
    "ct": ("tuple", _CT),
}


def _read_tuple(text: str, draft: Draft) -> tuple[bytes, bytes, tuple[int, int], int, int]:
    values = draft.values
    flags = 0
    for word in text.split(","):
        # The beginning of a word will do.
        found = [known for known in _TUPLE if word and known.startswith(word.lower())]
        if not found:
            raise draft.bad(text, f"{word!r} is none of {', '.join(_TUPLE)}")
        name, flag = _TUPLE[found[0]]
        draft.seen.add(f"hmark-{name}")
        flags |= flag
    source, destination = values["port_mask"]
    return (
        _ALL if flags & _SADDR_MASK else values["src_mask"],
        _ALL if flags & _DADDR_MASK else values["dst_mask"],
        (
            U16 if flags & (_SPORT_MASK | _SPI_MASK) else source,
            U16 if flags & (_DPORT_MASK | _SPI_MASK) else destination,
        ),
        U16 if flags & _PROTO_MASK else values["proto_mask"],
        values["flags"] | flags,
    )


# -- the target --------------------------------------------------------------------------------------------------------


def _check(draft: Draft) -> None:
    if not draft.values["flags"] & ~(_RND | _MODULUS | _OFFSET):
        raise UsageError("HMARK: --hmark-tuple, or a mask, must be specified")


def _show(values: Values, view: View) -> str:
    flags = values["flags"]
    text = f" HMARK mod {values['hmodulus']} "
    if flags & _OFFSET:
        text += f"+ 0x{values['hoffset']:x} "
    if flags & _CT:
        text += "ct, "
    for word, flag, member in (("src-prefix", _SADDR_MASK, "src_mask"), ("dst-prefix", _DADDR_MASK, "dst_mask")):
        if flags & flag:
            text += f"{word} {_show_mask(values[member], view)} "
    for word, flag, member, side in _SHOWN:
        if flags & flag:
            text += f"{word} 0x{_number_of(values[member], side):x} "
    return text


_SHOWN: Final = (
    ("sport-mask", _SPORT_MASK, "port_mask", 0),
    ("dport-mask", _DPORT_MASK, "port_mask", 1),
    ("spi-mask", _SPI_MASK, "port_mask", -1),
    ("sport", _SPORT, "port_set", 0),
    ("dport", _DPORT, "port_set", 1),
    ("spi", _SPI, "port_set", -1),
    ("proto-mask", _PROTO_MASK, "proto_mask", None),
    ("rnd", _RND, "hashrnd", None),
)
_MASK: Final = Kind(read_mask, _write_mask, "LENGTH")
_PORT: Final = number(0, U16)
_NUMBER: Final = number()

EXTENSIONS: Final = (
    Extension(
        "target",
        "HMARK",
        0,
        BOTH,
        LAYOUT,
        (
            _option("src-prefix", _SADDR_MASK, "src_mask", _MASK),
            _option("dst-prefix", _DADDR_MASK, "dst_mask", _MASK),
            _option("sport-mask", _SPORT_MASK, "port_mask", _PORT, side=0, text="#06x"),
            _option("dport-mask", _DPORT_MASK, "port_mask", _PORT, side=1, text="#06x"),
            _option(
                "spi-mask",
                _SPI_MASK,
                "port_mask",
                _NUMBER,
                side=-1,
                text="#010x",
                excludes=("hmark-sport-mask", "hmark-dport-mask"),
            ),
            _option("sport", _SPORT, "port_set", _PORT, side=0, text="#06x"),
            _option("dport", _DPORT, "port_set", _PORT, side=1, text="#06x"),
            _option("spi", _SPI, "port_set", _NUMBER, side=-1, text="#010x"),
            _option("proto-mask", _PROTO_MASK, "proto_mask", _PORT, text="#04x"),
            _option("rnd", _RND, "hashrnd", _NUMBER, text="#010x", needed=True),
            _option("mod", _MODULUS, "hmodulus", number(1), needed=True),
            _option("offset", _OFFSET, "hoffset", _NUMBER),
            Option(
                "hmark-tuple",
                kind=Kind(_read_tuple, lambda *_: "ct", "|".join(_TUPLE)),
                to=("src_mask", "dst_mask", "port_mask", "proto_mask", "flags"),
                when=lambda values: bool(values["flags"] & _CT),
            ),
        ),
        summary="mark the packet with a hash",
        check=_check,
        show=_show,
    ),
)
