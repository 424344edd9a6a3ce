"""Changes the hop limit of an IPv6 packet.

Struct: ``struct ip6t_HL_info``, linux/netfilter_ipv6/ip6t_HL.h. Syntax: iptables-extensions(8), "HL".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.hops import target
from pyipvsadm.xtables.layout import Layout, u8
from pyipvsadm.xtables.options import IPV6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

LAYOUT: Final = Layout("struct ip6t_HL_info", u8("mode"), u8("hop_limit"))

EXTENSIONS: Final = (target("HL", IPV6, LAYOUT, "hop_limit", "change the hop limit"),)
