"""Sends a copy of the packet to another host of the local network.

Struct: ``struct xt_tee_tginfo``, linux/netfilter/xt_TEE.h. Syntax: iptables-extensions(8), "TEE".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.texts import cut_text
from pyipvsadm.xtables.kinds import address, from_inet, show_address
from pyipvsadm.xtables.layout import Layout, chars, private, raw
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct xt_tee_tginfo", raw("gw", 16), chars("oif", 16), private("priv"))


def _show(values: Values, view: View) -> str:
    gateway = from_inet(values["gw"], view)
    text = f" TEE gw:{show_address(gateway) if view.numeric else view.names.host(gateway)}"
    return f"{text} oif={values['oif']}" if values["oif"] else text


EXTENSIONS: Final = (
    Extension(
        "target",
        "TEE",
        1,
        BOTH,
        LAYOUT,
        (
            Option("gateway", kind=address(), to="gw", needed=True, when=lambda _: True),
            Option("oif", kind=cut_text(15, placeholder="INTERFACE"), to="oif"),
        ),
        summary="send a copy to another host",
        show=_show,
    ),
)
