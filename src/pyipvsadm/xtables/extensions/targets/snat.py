"""Gives packets another source: addresses, ports.

Structs: ``struct nf_nat_ipv4_multi_range_compat`` for IPv4, ``struct nf_nat_range`` for IPv6, linux/netfilter/nf_nat.h.
Syntax: iptables-extensions(8), "SNAT".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.nat import translator
from pyipvsadm.xtables.options import IPV4, IPV6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_OPTION: Final = "to-source"
_FLAGS: Final = ("random", "random-fully", "persistent")
_SUMMARY: Final = "change the source"
_HOOKS: Final = ("INPUT", "POSTROUTING")

# A base for ports is read and sets its flag, but there is no member for it.
EXTENSIONS: Final = (
    translator("SNAT", 0, IPV4, _OPTION, _FLAGS, shifts=True, summary=_SUMMARY, hooks=_HOOKS),
    translator("SNAT", 1, IPV6, _OPTION, _FLAGS, shifts=True, summary=_SUMMARY, hooks=_HOOKS),
)
