"""The SPI in the ESP header of IPsec.

Struct: ``struct xt_esp``, linux/netfilter/xt_esp.h. Syntax: iptables-extensions(8), "esp".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.spans import show_spis, spi_option
from pyipvsadm.xtables.kinds import U32
from pyipvsadm.xtables.layout import Layout, u8, u32
from pyipvsadm.xtables.options import BOTH, Extension

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct xt_esp", u32.array("spis", 2, (0, U32)), u8("invflags"))


def _show(values: Values, _: View) -> str:
    spis = show_spis(values)
    return f" esp {spis}" if spis else " esp"


EXTENSIONS: Final = (
    Extension(
        "match",
        "esp",
        0,
        BOTH,
        LAYOUT,
        (spi_option("espspi"),),
        summary="SPIs of ESP",
        protocols=(50,),
        show=_show,
    ),
)
