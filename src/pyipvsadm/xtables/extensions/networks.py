"""Networks as an address and the length of its prefix."""

from __future__ import annotations

from pyipvsadm.xtables.extensions.prefixes import read_length
from pyipvsadm.xtables.kinds import read_address, show_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyipvsadm.xtables.options import Draft


def _mask(length: int, size: int) -> int:
    return (1 << 8 * size) - (1 << (8 * size - length))


def _length(mask: int, size: int) -> int | None:
    """Return how many bits are set, None where they are not the first."""
    length = mask.bit_count()
    return length if mask == _mask(length, size) else None


def read_network(word: str, draft: Draft) -> tuple[bytes, int]:
    """Return the address of ``address[/mask]`` as it stands, and its prefix: all of it where the mask has a hole."""
    host, slash, mask = word.partition("/")
    packed = read_address(host, draft)
    length = read_length(mask, draft) if slash else None
    return packed, 8 * len(packed) if length is None else length


def ends(packed: bytes, length: int) -> tuple[bytes, bytes]:
    """Return the first and the last address of a network."""
    size = len(packed)
    mask = _mask(length, size)
    first = int.from_bytes(packed, "big") & mask
    last = first | (1 << 8 * size) - 1 - mask
    return first.to_bytes(size, "big"), last.to_bytes(size, "big")


def show_ends(first: bytes, last: bytes) -> str:
    """Return ``address/length`` of the network that has these ends; the mask itself where they are no network's."""
    size = len(first)
    mask = bytes([~(low ^ high) & 0xFF for low, high in zip(first, last, strict=True)])
    length = _length(int.from_bytes(mask, "big"), size)
    return f"{show_address(first)}/{show_address(mask) if length is None else length}"
