"""The differentiated services codepoint: the upper six bits of what was the type of service.

Struct: ``struct xt_dscp_info``, linux/netfilter/xt_dscp.h. Syntax: iptables-extensions(8), "dscp".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.diffserv import codepoint, codepoint_class
from pyipvsadm.xtables.layout import Layout, u8
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct xt_dscp_info", u8("dscp"), u8("invert"))


def _show(values: Values, _: View) -> str:
    return f" DSCP match {'!' if values['invert'] else ''}0x{values['dscp']:02x}"


EXTENSIONS: Final = (
    Extension(
        "match",
        "dscp",
        0,
        BOTH,
        LAYOUT,
        (
            Option("dscp", kind=codepoint(), to="dscp", inverts=("invert", 1), needed=True, when=lambda _: True),
            Option("dscp-class", kind=codepoint_class(), to="dscp", inverts=("invert", 1), same_as="dscp"),
        ),
        summary="the differentiated services codepoint",
        show=_show,
    ),
)
