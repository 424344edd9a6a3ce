"""The Hop-by-Hop Options header of IPv6.

Struct: ``struct ip6t_opts``, linux/netfilter_ipv6/ip6t_opts.h. Syntax: iptables-extensions(8), "hbh".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.headers import options_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

EXTENSIONS: Final = (options_header("hbh", "the Hop-by-Hop Options header"),)
