"""Constants of ``linux/netfilter/nf_tables_compat.h``, names and values as in C. Made by script/abi; do not edit."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

NFTA_TARGET_NAME: Final = 1
NFTA_MATCH_NAME: Final = 1
