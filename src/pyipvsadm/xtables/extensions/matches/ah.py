"""The SPI in the authentication header of IPsec; for IPv6 also that header's length and reserved field.

Structs: ``struct ipt_ah``, linux/netfilter_ipv4/ipt_ah.h; ``struct ip6t_ah``, linux/netfilter_ipv6/ip6t_ah.h.
Syntax: iptables-extensions(8), "ah (IPv4-specific)" and "ah (IPv6-specific)".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.spans import show_spis, spi_option
from pyipvsadm.xtables.kinds import U32, number
from pyipvsadm.xtables.layout import Layout, u8, u32
from pyipvsadm.xtables.options import IPV4, IPV6, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct ipt_ah", u32.array("spis", 2, (0, U32)), u8("invflags"))
LAYOUT6: Final = Layout(
    "struct ip6t_ah",
    u32.array("spis", 2, (0, U32)),
    u32("hdrlen"),
    u8("hdrres"),
    u8("invflags"),
)
_LEN: Final = 2  # IP6T_AH_INV_LEN


def _show(values: Values, _: View) -> str:
    return f" ah {show_spis(values)}"


def _show6(values: Values, _: View) -> str:
    text = f" ah {show_spis(values)}"
    sign = "!" if values["invflags"] & _LEN else ""
    if values["hdrlen"] or sign:
        text += f"length:{sign}{values['hdrlen']}"  # no space between
    return text + (" reserved" if values["hdrres"] else "")


EXTENSIONS: Final = (
    Extension(
        "match",
        "ah",
        0,
        IPV4,
        LAYOUT,
        (spi_option("ahspi"),),
        summary="SPIs of AH",
        protocols=(51,),
        show=_show,
    ),
    Extension(
        "match",
        "ah",
        0,
        IPV6,
        LAYOUT6,
        (
            spi_option("ahspi"),
            Option("ahlen", kind=number(), to="hdrlen", inverts=("invflags", _LEN)),
            Option("ahres", to="hdrres", bit=1, when=lambda values: bool(values["hdrres"])),
        ),
        summary="SPIs, length and reserved field of AH",
        show=_show6,
    ),
)
