"""Gives packets another destination: addresses, ports.

Structs: ``struct nf_nat_range2``; in earlier revisions ``struct nf_nat_ipv4_multi_range_compat`` for IPv4 and
``struct nf_nat_range`` for IPv6; linux/netfilter/nf_nat.h. Syntax: iptables-extensions(8), "DNAT".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.nat import translator
from pyipvsadm.xtables.options import BOTH, IPV4, IPV6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_OPTION: Final = "to-destination"
_FLAGS: Final = ("random", "persistent")
_SUMMARY: Final = "change the destination"
_HOOKS: Final = ("PREROUTING", "OUTPUT")

EXTENSIONS: Final = (
    translator("DNAT", 2, BOTH, _OPTION, _FLAGS, shifts=True, summary=_SUMMARY, hooks=_HOOKS),
    translator("DNAT", 1, IPV6, _OPTION, _FLAGS, shifts=False, summary=_SUMMARY, hooks=_HOOKS),
    translator("DNAT", 0, IPV4, _OPTION, _FLAGS, shifts=False, summary=_SUMMARY, hooks=_HOOKS),
)
