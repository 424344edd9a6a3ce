"""The UDP header: ports.

Struct: ``struct xt_udp``, linux/netfilter/xt_tcpudp.h. Syntax: iptables-extensions(8), "udp".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.matches.tcp import show_ports
from pyipvsadm.xtables.extensions.spans import service_span
from pyipvsadm.xtables.kinds import U16
from pyipvsadm.xtables.layout import Layout, u8, u16
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout(
    "struct xt_udp",
    u16.array("spts", 2, (0, U16)),
    u16.array("dpts", 2, (0, U16)),
    u8("invflags"),
)
_SRCPT, _DSTPT = 1, 2  # XT_UDP_INV_*


def _show(values: Values, view: View) -> str:
    return f" udp{show_ports(values, view, 'udp')}"


EXTENSIONS: Final = (
    Extension(
        "match",
        "udp",
        0,
        BOTH,
        LAYOUT,
        (
            Option(
                "sport",
                "source-port",
                kind=service_span,
                to="spts",
                inverts=("invflags", _SRCPT),
                when=lambda values: values["spts"] != (0, U16),
            ),
            Option(
                "dport",
                "destination-port",
                kind=service_span,
                to="dpts",
                inverts=("invflags", _DSTPT),
                when=lambda values: values["dpts"] != (0, U16),
            ),
        ),
        summary="ports of UDP",
        protocols=(17,),
        show=_show,
    ),
)
