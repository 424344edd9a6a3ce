"""Constants of ``linux/netfilter/nf_tables.h``, names and values as in C. Made by script/abi; do not edit."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

NFT_MSG_GETRULE: Final = 7
NFTA_LIST_ELEM: Final = 1
NFTA_RULE_TABLE: Final = 1
NFTA_RULE_CHAIN: Final = 2
NFTA_RULE_EXPRESSIONS: Final = 4
NFTA_EXPR_NAME: Final = 1
NFTA_EXPR_DATA: Final = 2
NFT_NAT_SNAT: Final = 0
NFT_NAT_DNAT: Final = 1
NFTA_NAT_TYPE: Final = 1
