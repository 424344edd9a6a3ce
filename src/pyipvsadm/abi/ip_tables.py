"""Constants of ``linux/netfilter_ipv4/ip_tables.h``, names and values as in C. Made by script/abi; do not edit."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

IPT_SO_SET_REPLACE: Final = 64
IPT_SO_SET_ADD_COUNTERS: Final = 65
IPT_SO_GET_INFO: Final = 64
IPT_SO_GET_ENTRIES: Final = 65
IPT_SO_GET_REVISION_MATCH: Final = 66
IPT_SO_GET_REVISION_TARGET: Final = 67
