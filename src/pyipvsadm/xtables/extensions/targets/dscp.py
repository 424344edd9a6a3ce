"""Sets the DSCP of a packet: the upper six bits of the TOS byte, or of the traffic class.

Struct: ``struct xt_DSCP_info``, linux/netfilter/xt_DSCP.h. Syntax: iptables-extensions(8), "DSCP".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.diffserv import codepoint_class
from pyipvsadm.xtables.kinds import number
from pyipvsadm.xtables.layout import Layout, u8
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct xt_DSCP_info", u8("dscp"))
_MAX: Final = 0x3F  # XT_DSCP_MAX

# The code points of RFC 2474, 2597 and 3246.


def _show(values: Values, _: View) -> str:
    return f" DSCP set 0x{values['dscp']:02x}"


EXTENSIONS: Final = (
    Extension(
        "target",
        "DSCP",
        0,
        BOTH,
        LAYOUT,
        (
            Option(
                "set-dscp",
                kind=Kind(number(0, _MAX).read, lambda value, _: f"0x{value:02x}", "NUMBER"),
                to="dscp",
                needed=True,
                when=lambda _: True,
            ),
            Option("set-dscp-class", kind=codepoint_class(), to="dscp", same_as="set-dscp"),
        ),
        summary="set the DSCP",
        tables=("mangle",),
        show=_show,
    ),
)
