"""Constants of ``linux/netfilter_ipv6/ip6_tables.h``, names and values as in C. Made by script/abi; do not edit."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

IP6T_SO_SET_REPLACE: Final = 64
IP6T_SO_SET_ADD_COUNTERS: Final = 65
IP6T_SO_GET_INFO: Final = 64
IP6T_SO_GET_ENTRIES: Final = 65
IP6T_SO_GET_REVISION_MATCH: Final = 68
IP6T_SO_GET_REVISION_TARGET: Final = 69
