"""Masks of addresses, as words and as lengths of prefixes.

A mask is the 4 bytes of IPv4, or the 16 of IPv6, in the 16 of ``union nf_inet_addr``.
"""

from __future__ import annotations

from _socket import AF_INET, AF_INET6, AI_NUMERICHOST, getaddrinfo, inet_pton

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


def _read_numeric(word: str, family: Family) -> bytes:
    """Return an address as getaddrinfo(3) reads it: 10.1 or ::ffff:10.0.0.1 for IPv4, IPv6 with a zone."""
    kind = AF_INET if family == 4 else AF_INET6
    return inet_pton(kind, str(getaddrinfo(word, None, kind, 0, 0, AI_NUMERICHOST)[0][4][0]))


def read_length(word: str, draft: Draft) -> int | None:
    """Return the length of a prefix, given as such or as a mask; None for a mask with holes. Raises UsageError."""
    family = draft.family
    length = read_number(word, 0, bits(family))
    if length is not None:
        return length
    try:
        mask = _read_numeric(word, family)
    except (OSError, ValueError):
        raise draft.bad(word, f"neither a mask nor the length of a prefix from 0 to {bits(family)}") from None
    return length_of(mask, family)


def read_mask(word: str, draft: Draft) -> bytes:
    """Return a mask that is given as such or as the length of a prefix; one with holes counts as none."""
    length = read_length(word, draft)
    return EVERY_BIT if length is None else _mask_of(length, draft.family)
