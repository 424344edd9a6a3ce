"""Constants of ``linux/netlink.h``, names and values as in C. Made by script/abi; do not edit."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

NETLINK_NETFILTER: Final = 12
NETLINK_GENERIC: Final = 16
NLM_F_REQUEST: Final = 1
NLM_F_MULTI: Final = 2
NLM_F_ACK: Final = 4
NLM_F_ECHO: Final = 8
NLM_F_DUMP_INTR: Final = 16
NLM_F_DUMP_FILTERED: Final = 32
NLM_F_ROOT: Final = 256
NLM_F_MATCH: Final = 512
NLM_F_ATOMIC: Final = 1024
NLM_F_DUMP: Final = 768
NLM_F_REPLACE: Final = 256
NLM_F_EXCL: Final = 512
NLM_F_CREATE: Final = 1024
NLM_F_APPEND: Final = 2048
NLM_F_NONREC: Final = 256
NLM_F_BULK: Final = 512
NLM_F_CAPPED: Final = 256
NLM_F_ACK_TLVS: Final = 512
NLMSG_NOOP: Final = 1
NLMSG_ERROR: Final = 2
NLMSG_DONE: Final = 3
NLMSG_OVERRUN: Final = 4
NETLINK_CAP_ACK: Final = 10
NETLINK_EXT_ACK: Final = 11
NETLINK_GET_STRICT_CHK: Final = 12
NLA_F_NESTED: Final = 32768
NLA_F_NET_BYTEORDER: Final = 16384
NLMSGERR_ATTR_MSG: Final = 1
NLMSGERR_ATTR_OFFS: Final = 2
