"""The time to live of IPv4.

Struct: ``struct ipt_ttl_info``, linux/netfilter_ipv4/ipt_ttl.h. Syntax: iptables-extensions(8), "ttl".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.hoplimits import hop_limit
from pyipvsadm.xtables.options import IPV4

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

EXTENSIONS: Final = (hop_limit("ttl", IPV4, "struct ipt_ttl_info", "ttl", "the time to live"),)
