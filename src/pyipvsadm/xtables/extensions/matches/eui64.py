"""Whether the lower half of the IPv6 source address is made from the frame's source MAC address.

Struct: none; the kernel reserves an ``int``. Syntax: iptables-extensions(8), "eui64".
"""

from __future__ import annotations

from pyipvsadm.xtables.layout import Layout, i32
from pyipvsadm.xtables.options import IPV6, Extension

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("int", i32("unused"))


def _show(_: Values, __: View) -> str:
    return "eui64 "  # the one match with its space behind it


EXTENSIONS: Final = (
    Extension(
        "match",
        "eui64",
        0,
        IPV6,
        LAYOUT,
        summary="a source address made from the MAC address",
        hooks=("PREROUTING", "INPUT", "FORWARD"),
        show=_show,
    ),
)
