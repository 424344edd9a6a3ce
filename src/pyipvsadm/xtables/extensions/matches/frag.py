"""The Fragment header of IPv6.

Struct: ``struct ip6t_frag``, linux/netfilter_ipv6/ip6t_frag.h. Syntax: iptables-extensions(8), "frag".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.headers import WHOLE, number32, range32, show_flagged_range
from pyipvsadm.xtables.layout import Layout, u8, u32
from pyipvsadm.xtables.options import IPV6, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct ip6t_frag", u32.array("ids", 2, WHOLE), u32("hdrlen"), u8("flags"), u8("invflags"))
_IDS, _LEN, _RES, _FST, _MF, _NMF = 1, 2, 4, 8, 16, 32  # IP6T_FRAG_*
_INV_IDS, _INV_LEN = 1, 2  # IP6T_FRAG_INV_*


def _show(values: Values, _: View) -> str:
    flags, inverted = values["flags"], values["invflags"]
    text = f" frag {show_flagged_range('id', values['ids'], inverted=bool(inverted & _INV_IDS))}"
    if flags & _LEN:
        text += f" length:{'!' if inverted & _INV_LEN else ''}{values['hdrlen']}"
    for bit, word in ((_RES, "reserved"), (_FST, "first"), (_MF, "more"), (_NMF, "last")):
        if flags & bit:
            text += f" {word}"
    return text


EXTENSIONS: Final = (
    Extension(
        "match",
        "frag",
        0,
        IPV6,
        LAYOUT,
        (
            range32("fragid", "ids", _IDS, _INV_IDS),
            number32("fraglen", "hdrlen", _LEN, _INV_LEN),
            Option("fragres", to="flags", bit=_RES),
            Option("fragfirst", to="flags", bit=_FST),
            Option("fragmore", to="flags", bit=_MF, excludes=("fraglast",)),
            Option("fraglast", to="flags", bit=_NMF, excludes=("fragmore",)),
        ),
        summary="the Fragment header",
        show=_show,
    ),
)
