"""The SPI (CPI) in the IPComp header of IPsec; 0 unless one is given.

Struct: ``struct xt_ipcomp``, linux/netfilter/xt_ipcomp.h. Syntax: ``iptables -m ipcomp -h``.
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.spans import show_spis, spi_option
from pyipvsadm.xtables.layout import Layout, u8, u32
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct xt_ipcomp", u32.array("spis", 2), u8("invflags"), u8("hdrres"))


def _show(values: Values, _: View) -> str:
    return f" comp {show_spis(values)}{' reserved' if values['hdrres'] else ''}"


EXTENSIONS: Final = (
    Extension(
        "match",
        "ipcomp",
        0,
        BOTH,
        LAYOUT,
        (
            spi_option("ipcompspi"),
            Option("compres", to="hdrres", bit=1, when=lambda values: bool(values["hdrres"])),
        ),
        summary="SPIs of IPComp",
        protocols=(108,),
        show=_show,
    ),
)
