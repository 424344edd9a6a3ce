"""The type that the routing tables give an address.

Structs: ``struct xt_addrtype_info`` and ``_v1``, linux/netfilter/xt_addrtype.h.
Syntax: iptables-extensions(8), "addrtype".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.kinds import show_bits
from pyipvsadm.xtables.layout import Layout, u16, u32
from pyipvsadm.xtables.options import BOTH, IPV4, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, Place, View

LAYOUT_0: Final = Layout(
    "struct xt_addrtype_info", u16("source"), u16("dest"), u32("invert_source"), u32("invert_dest")
)
LAYOUT_1: Final = Layout("struct xt_addrtype_info_v1", u16("source"), u16("dest"), u32("flags"))
_SOURCE, _DEST, _IN, _OUT = 1, 2, 4, 8  # XT_ADDRTYPE_*

_NAMES: Final = (
    "UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT", "THROW",
    "NAT", "XRESOLVE",
)  # fmt: skip
_BITS: Final = {name: 1 << place for place, name in enumerate(_NAMES)}


def _read(text: str, draft: Draft) -> int:
    value = 0
    for word in text.split(","):
        # The first letters of a type are enough, and the first type that begins with them is meant.
        found = next((bit for name, bit in _BITS.items() if word and name.startswith(word.upper())), None)
        if found is None:
            raise draft.bad(text, f"no address type {word!r}")
        value |= found
    return value


_types: Final = Kind(_read, lambda value, _: show_bits(value, _BITS, empty=""), "TYPE[,TYPE...]")


def _check(draft: Draft) -> None:
    if not draft.seen & {"src-type", "dst-type"}:
        raise UsageError("addrtype: you must specify --src-type or --dst-type")


def _options(source: tuple[str, int], dest: tuple[str, int]) -> tuple[Option, Option]:
    return (
        Option("src-type", kind=_types, to="source", inverts=source, when=lambda values: values["source"] != 0),
        Option("dst-type", kind=_types, to="dest", inverts=dest, when=lambda values: values["dest"] != 0),
    )


def _show_types(word: str, types: int, *, inverted: bool) -> str:
    return f"{word}{'!' if inverted else ''}{show_bits(types, _BITS, empty='')}" if types else ""


def _show_0(values: Values, _: View) -> str:
    text = _show_types(" src-type ", values["source"], inverted=values["invert_source"])
    # The C tool forgets a space in this revision.
    return " ADDRTYPE match" + text + _show_types(" dst-type", values["dest"], inverted=values["invert_dest"])


def _show_1(values: Values, _: View) -> str:
    flags = values["flags"]
    text = _show_types(" src-type ", values["source"], inverted=flags & _SOURCE)
    text += _show_types(" dst-type ", values["dest"], inverted=flags & _DEST)
    return " ADDRTYPE match" + text + (" limit-in" if flags & _IN else "") + (" limit-out" if flags & _OUT else "")


def _accepts(values: Values, place: Place) -> bool:
    if values["flags"] & _IN and not place.only("PREROUTING", "INPUT", "FORWARD"):
        return False
    return not values["flags"] & _OUT or place.only("FORWARD", "OUTPUT", "POSTROUTING")


EXTENSIONS: Final = (
    Extension(
        "match",
        "addrtype",
        0,
        IPV4,
        LAYOUT_0,
        _options(("invert_source", 1), ("invert_dest", 1)),
        summary="the routing type of addresses",
        check=_check,
        show=_show_0,
    ),
    Extension(
        "match",
        "addrtype",
        1,
        BOTH,
        LAYOUT_1,
        (
            *_options(("flags", _SOURCE), ("flags", _DEST)),
            Option("limit-iface-in", to="flags", bit=_IN, excludes=("limit-iface-out",)),
            Option("limit-iface-out", to="flags", bit=_OUT),
        ),
        summary="the routing type of addresses",
        accepts=_accepts,
        check=_check,
        show=_show_1,
    ),
)
