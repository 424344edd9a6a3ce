"""Gives the source of packets another prefix, without a state (RFC 6296).

Struct: ``struct ip6t_npt_tginfo``, linux/netfilter_ipv6/ip6t_NPT.h. Syntax: iptables-extensions(8), "SNPT".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.npt import npt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

EXTENSIONS: Final = (npt("SNPT", ("INPUT", "POSTROUTING"), "change the source's prefix"),)
