"""Gives packets the source address of the interface they leave by.

Structs: ``struct nf_nat_ipv4_multi_range_compat`` for IPv4, ``struct nf_nat_range`` for IPv6, linux/netfilter/nf_nat.h.
Syntax: iptables-extensions(8), "MASQUERADE".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.nat import to_ports
from pyipvsadm.xtables.options import IPV4, IPV6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_FLAGS: Final = ("random", "random-fully")
_HEADING: Final = "masq ports: "
_SUMMARY: Final = "change the source to our own address"
_HOOKS: Final = ("POSTROUTING",)

EXTENSIONS: Final = (
    to_ports("MASQUERADE", IPV4, _FLAGS, shifts=True, heading=_HEADING, summary=_SUMMARY, hooks=_HOOKS),
    to_ports("MASQUERADE", IPV6, _FLAGS, shifts=True, heading=_HEADING, summary=_SUMMARY, hooks=_HOOKS),
)
