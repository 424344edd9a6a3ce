"""The hop limit of IPv6.

Struct: ``struct ip6t_hl_info``, linux/netfilter_ipv6/ip6t_hl.h. Syntax: iptables-extensions(8), "hl".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.hoplimits import hop_limit
from pyipvsadm.xtables.options import IPV6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

EXTENSIONS: Final = (hop_limit("hl", IPV6, "struct ip6t_hl_info", "hop_limit", "the hop limit"),)
