"""Netlink messages: struct nlmsghdr and what follows it (linux/netlink.h)."""

from __future__ import annotations

import struct

from pyipvsadm.abi import netlink as abi
from pyipvsadm.errors import WireError
from pyipvsadm.netlink.attrs import iterate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

HEADER: Final = struct.Struct("=IHHII")  # nlmsg_len, nlmsg_type, nlmsg_flags, nlmsg_seq, nlmsg_pid


def split(data: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield (type, flags, sequence, payload start, payload end) of each message in what one receive gave.

    Raises WireError where a length leads outside.
    """
    start, end = 0, len(data)
    while start < end:
        if end - start < HEADER.size:
            raise WireError("nlmsghdr", start, f"{HEADER.size} bytes", f"{end - start}")
        length, kind, flags, sequence, _ = HEADER.unpack_from(data, start)
        if not HEADER.size <= length <= end - start:
            raise WireError("nlmsghdr", start, f"a length of {HEADER.size} to {end - start}", f"{length}")
        yield kind, flags, sequence, start + HEADER.size, start + length
        start += length + 3 & ~3


def error(data: bytes, flags: int, start: int, end: int) -> tuple[int, str]:
    """Return (errno, extended acknowledgement) of an NLMSG_ERROR payload; errno 0 acknowledges.

    Layout: i32 -errno, the request's header, the request's payload unless NLM_F_CAPPED, then NLMSGERR_ATTR_*.
    """
    if end - start < 4 + HEADER.size:
        raise WireError("nlmsgerr", start, f"{4 + HEADER.size} bytes", f"{end - start}")
    number, request_length = struct.unpack_from("=iI", data, start)
    text = ""
    if flags & abi.NLM_F_ACK_TLVS:
        attributes = start + 4 + (HEADER.size if flags & abi.NLM_F_CAPPED else request_length + 3 & ~3)
        for kind, at, to in iterate(data, attributes, end, "nlmsgerr"):
            if kind == abi.NLMSGERR_ATTR_MSG:
                text = data[at:to].rstrip(b"\0").decode("utf-8", "replace")
    return -number, text
