"""Kinds of arguments for matches on hosts: numeric addresses, and hosts with masks as policy and ipvs read them."""

from __future__ import annotations

from _socket import AF_INET6, getprotobyname, inet_pton

from pyipvsadm.xtables.extensions.prefixes import read_mask
from pyipvsadm.xtables.kinds import from_inet, read_address, read_number, show_address
from pyipvsadm.xtables.options import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.options import Draft, View

_ALL_ONES: Final = b"\xff" * 16
_READ: Final = 19  # The C tool reads no more of an IPv4 address, whatever follows.
# Those that are known where the system's list (/etc/protocols) has them not.
_PROTOCOLS: Final = {
    "tcp": 6, "sctp": 132, "udp": 17, "udplite": 136, "icmp": 1, "icmpv6": 58, "ipv6-icmp": 58, "esp": 50, "ah": 51,
    "ipv6-mh": 135, "mh": 135, "all": 0,
}  # fmt: skip


def read_protocol(word: str, draft: Draft) -> int:
    """Return a protocol by number or by name, whose letters' case matters."""
    value = read_number(word, 0, 255)
    if value is None:
        value = _PROTOCOLS.get(word)
    if value is None:
        try:
            value = getprotobyname(word)
        except (OSError, ValueError):
            raise draft.bad(word, "unknown protocol") from None
    return value


def read_numeric(word: str, draft: Draft) -> bytes:
    """Return the 4 or 16 bytes of a numeric address; what is missing at the end of a short IPv4 one is zeros."""
    if draft.family == 6:
        try:
            return inet_pton(AF_INET6, word)
        except (OSError, ValueError):
            raise draft.bad(word, "not an IPv6 address") from None
    parts = [read_number(part, 0, 255) for part in word[:_READ].split(".")]
    if len(parts) > 4 or None in parts:
        raise draft.bad(word, "not an IPv4 address")
    return bytes([part or 0 for part in parts]).ljust(4, b"\0")


def _prefix(mask: bytes) -> int | None:
    """Return the length of a prefix, None for a mask that is none."""
    width = 8 * len(mask)
    holes = int.from_bytes(mask, "big") ^ ((1 << width) - 1)
    return None if holes & (holes + 1) else width - holes.bit_length()


def _read(word: str, draft: Draft) -> tuple[bytes, bytes]:
    host, slash, mask = word.partition("/")
    if not host:
        raise draft.bad(word, "no address")
    address = read_address(host, draft).ljust(16, b"\0")
    return address, read_mask(mask, draft) if slash else _ALL_ONES


def show_mask(mask: bytes, view: View) -> str:
    """Return a mask after "/", by its length where it has one; nothing for the mask of one host."""
    own = from_inet(mask, view)
    length = _prefix(own)
    if length is None:
        return f"/{show_address(own)}"
    return "" if length == 8 * len(own) else f"/{length}"


def show_host(address: bytes, mask: bytes, view: View) -> str:
    """Return ``address[/mask]``."""
    return show_address(from_inet(address, view)) + show_mask(mask, view)


def host_mask() -> Kind:
    """Return the kind of ``host[/mask]`` or ``host[/length]``, for two members that are ``union nf_inet_addr``."""
    return Kind(_read, lambda pair, view: show_host(pair[0], pair[1], view), "ADDRESS[/MASK]")
