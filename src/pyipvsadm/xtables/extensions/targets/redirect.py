"""Sends packets to the machine itself.

Structs: ``struct nf_nat_ipv4_multi_range_compat`` for IPv4, ``struct nf_nat_range`` for IPv6, linux/netfilter/nf_nat.h.
Syntax: iptables-extensions(8), "REDIRECT".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.nat import to_ports
from pyipvsadm.xtables.options import IPV4, IPV6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_FLAGS: Final = ("random",)
_HEADING: Final = "redir ports "
_SUMMARY: Final = "change the destination to our own address"
_HOOKS: Final = ("PREROUTING", "OUTPUT")

EXTENSIONS: Final = (
    to_ports("REDIRECT", IPV4, _FLAGS, shifts=False, heading=_HEADING, summary=_SUMMARY, hooks=_HOOKS),
    to_ports("REDIRECT", IPV6, _FLAGS, shifts=False, heading=_HEADING, summary=_SUMMARY, hooks=_HOOKS),
)
