"""Changes the time to live of an IPv4 packet.

Struct: ``struct ipt_TTL_info``, linux/netfilter_ipv4/ipt_TTL.h. Syntax: iptables-extensions(8), "TTL".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.hops import target
from pyipvsadm.xtables.layout import Layout, u8
from pyipvsadm.xtables.options import IPV4

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

LAYOUT: Final = Layout("struct ipt_TTL_info", u8("mode"), u8("ttl"))

EXTENSIONS: Final = (target("TTL", IPV4, LAYOUT, "ttl", "change the TTL"),)
