"""IPv4's type of service or IPv6's traffic class, all eight bits or some.

Struct: ``struct xt_tos_match_info``, linux/netfilter/xt_dscp.h. Syntax: iptables-extensions(8), "tos".
Revision 0 (IPv4 alone) is not in kernels any more.
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.diffserv import service, service_name
from pyipvsadm.xtables.layout import Layout, u8
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct xt_tos_match_info", u8("tos_mask"), u8("tos_value"), u8("invert"))


def _show(values: Values, view: View) -> str:
    value, mask = values["tos_value"], values["tos_mask"]
    sign = "!" if values["invert"] else ""
    name = None if view.numeric else service_name(value, mask)
    # Nothing stands between "match" and a number.
    return f" tos match{sign} {name}" if name else f" tos match{sign}0x{value:02x}/0x{mask:02x}"


EXTENSIONS: Final = (
    Extension(
        "match",
        "tos",
        1,
        BOTH,
        LAYOUT,
        (
            Option(
                "tos",
                kind=service(),
                to=("tos_value", "tos_mask"),
                inverts=("invert", 1),
                needed=True,
                when=lambda _: True,
            ),
        ),
        summary="the type of service, or traffic class",
        show=_show,
    ),
)
