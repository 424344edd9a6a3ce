"""Constants of ``linux/netfilter/nfnetlink.h``, names and values as in C. Made by script/abi; do not edit."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

NFNL_SUBSYS_NFTABLES: Final = 10
