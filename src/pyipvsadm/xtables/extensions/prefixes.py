"""Masks of addresses, as words and as lengths of prefixes.

A mask is the 4 bytes of IPv4, or the 16 of IPv6, in the 16 of ``union nf_inet_addr``.
"""

from __future__ import annotations

from _socket import AF_INET6, AI_NUMERICHOST, getaddrinfo, inet_aton, inet_pton

from pyipvsadm.xtables.kinds import read_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.options import Draft, Family

EVERY_BIT: Final = b"\xff" * 16  # where no mask is given, for IPv4 too


def bits(family: Family) -> int:
    """Return how long an address is, in bits."""
    return 32 if family == 4 else 128


def length_of(mask: bytes, family: Family) -> int | None:
    """Return the length of the prefix that a mask stands for, None where its bits have a hole."""
    whole = bits(family)
    length = int.from_bytes(mask[: whole // 8], "big").bit_count()
    return length if _mask_of(length, family)[: whole // 8] == mask[: whole // 8] else None


def _mask_of(length: int, family: Family) -> bytes:
    whole = bits(family)
    return ((1 << whole) - (1 << (whole - length))).to_bytes(whole // 8, "big").ljust(16, b"\0")


def _read_ipv6(word: str) -> bytes:
    """Return an IPv6 address; it can have the zone of an interface behind it, which does not count."""
    return inet_pton(AF_INET6, str(getaddrinfo(word, None, AF_INET6, 0, 0, AI_NUMERICHOST)[0][4][0]))


def read_length(word: str, draft: Draft) -> int | None:
    """Return the length of a prefix, given as such or as a mask; None for a mask with holes. Raises UsageError."""
    family = draft.family
    length = read_number(word, 0, bits(family))
    if length is not None:
        return length
    try:
        # What follows a space means nothing to inet_aton(3).
        mask = inet_aton(word if word.split() == [word] else "") if family == 4 else _read_ipv6(word)
    except (OSError, ValueError):
        raise draft.bad(word, f"neither a mask nor the length of a prefix from 0 to {bits(family)}") from None
    return length_of(mask, family)


def read_mask(word: str, draft: Draft) -> bytes:
    """Return a mask that is given as such or as the length of a prefix; one with holes counts as none."""
    length = read_length(word, draft)
    return EVERY_BIT if length is None else _mask_of(length, draft.family)
