"""Whom a packet of the link layer is for.

Struct: ``struct xt_pkttype_info``, linux/netfilter/xt_pkttype.h. Syntax: iptables-extensions(8), "pkttype".
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import choice
from pyipvsadm.xtables.layout import Layout, i32
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct xt_pkttype_info", i32("pkttype"), i32("invert"))

# PACKET_* of linux/if_packet.h
_type: Final = choice(
    {"unicast": 0, "broadcast": 1, "multicast": 2, "otherhost": 3, "host": 0, "bcast": 1, "mcast": 2},
    placeholder="unicast|broadcast|multicast|otherhost",
)


def _show(values: Values, view: View) -> str:
    return f" PKTTYPE {'!=' if values['invert'] else '='} {_type.write(values['pkttype'], view)}"


EXTENSIONS: Final = (
    Extension(
        "match",
        "pkttype",
        0,
        BOTH,
        LAYOUT,
        (Option("pkt-type", kind=_type, to="pkttype", inverts=("invert", 1), needed=True, when=lambda _: True),),
        summary="whom a packet of the link layer is for",
        show=_show,
    ),
)
