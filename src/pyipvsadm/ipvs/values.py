"""How the words after ipvsadm(8)'s options are read: readers that the table of options puts together.

A reader takes the word and the ``Draft`` of the command so far, and returns a value or raises UsageError in the words
of ipvsadm 1.31. What a word means can depend on what stands before it (a netmask on the family, a server's port on
the service's), which is why a draft goes along.
"""

from __future__ import annotations

import _socket

from pyipvsadm.errors import UsageError
from pyipvsadm.ipvs.model import ServerKey, ServiceKey
from pyipvsadm.ipvs.names import C_SPACE, ipv6_address, to_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final

    from pyipvsadm.ipvs.model import Protocol
    from pyipvsadm.ipvs.names import Names

    # Takes the option's argument, None where it has none.
    Reader = Callable[[Any, "Draft"], Any]

# What ipvsadm takes for a timeout: 31 days, in seconds.
LONGEST_TIMEOUT: Final = 31 * 24 * 60 * 60

# What -p stands for alone, in seconds; its manual says 300.
DEFAULT_PERSISTENCE: Final = 360


class Draft:
    """A command that is being read: the values so far, by field, and who knows names."""

    __slots__ = ("names", "values")

    def __init__(self, names: Names) -> None:
        self.names = names
        self.values: dict[str, Any] = {}


def number(low: int, high: int, error: str) -> Reader:
    """Read a decimal number from low to high; ``error`` may show the word as ``{}``."""

    def read(text: str, draft: Draft) -> int:  # noqa: ARG001
        value = to_number(text, low, high)
        if value is None:
            raise UsageError(error.format(text))
        return value

    return read


def word(size: int) -> Reader:
    """Read a name, of which the kernel is told ``size`` bytes."""

    def read(text: str, draft: Draft) -> str:  # noqa: ARG001
        if text.isascii():
            return text[:size]
        return text.encode("utf-8", "surrogateescape")[:size].decode("utf-8", "surrogateescape")

    return read


def choice(meanings: Mapping[str, Any], error: str) -> Reader:
    """Read one of some words."""

    def read(text: str, draft: Draft) -> Any:  # noqa: ARG001
        try:
            return meanings[text]
        except KeyError:
            raise UsageError(error.format(text)) from None

    return read


def constant(value: object) -> Reader:
    """Read nothing: the option itself says it."""
    return lambda text, draft: value


def service(protocol: Protocol) -> Reader:
    """Read the address of a virtual service."""
    known: dict[tuple[int, str, int | None], ServiceKey] = {}

    def read(text: str, draft: Draft) -> ServiceKey:
        endpoint = draft.names.endpoint(text, protocol)
        if endpoint is None:
            raise UsageError("illegal virtual server address[:port] specified")
        if endpoint[0] == 6:
            draft.values.pop("netmask", None)  # an earlier -M was read as IPv4's
        key = known.get(endpoint)
        if key is None:
            if len(known) > 9999:
                known.clear()
            family, address, port = endpoint
            key = known[endpoint] = ServiceKey(family, protocol, address, port or 0)
        return key

    return read


_read_mark = number(1, 0xFFFFFFFF, "invalid fwmark value `{}' specified")


def mark(text: str, draft: Draft) -> ServiceKey:
    """Read the firewall mark of a virtual service."""
    return ServiceKey(family=4, fwmark=_read_mark(text, draft))


def mark_family(text: str, draft: Draft) -> ServiceKey:  # noqa: ARG001
    """Turn a service by mark that was named before into one for IPv6."""
    key: ServiceKey | None = draft.values.get("key")
    if key is None or not key.fwmark:
        raise UsageError("-6 used before -f")
    draft.values.pop("netmask", None)
    return key.replace(family=6)


def server(text: str, draft: Draft) -> ServerKey:
    """Read the address of a real server; its port is by default that of the service, if named before."""
    key: ServiceKey | None = draft.values.get("key")
    protocol = None if key is None else key.protocol or "tcp"
    endpoint = draft.names.endpoint(text, protocol)
    if endpoint is None:
        raise UsageError("illegal real server address[:port] specified")
    family, address, port = endpoint
    if port is None:
        port = key.port if key else 0
    return ServerKey(family, address, port)


_read_timeout = number(1, LONGEST_TIMEOUT, "invalid timeout value `{}' specified")


def persistence(text: str | None, draft: Draft) -> int:
    """Read how long, in seconds, a client stays with its server; None is the default."""
    if text is None:
        return DEFAULT_PERSISTENCE
    seconds: int = _read_timeout(text, draft)
    return seconds


def netmask(text: str, draft: Draft) -> int | None:
    """Read the part of clients' addresses that counts: a mask for IPv4, a prefix length for IPv6; None is all of it.

    IPv4's is read as an address or host name, IPv6's as atoi(3) would.
    """
    key: ServiceKey | None = draft.values.get("key")
    if key is not None and key.family == 6:
        start = text.lstrip(C_SPACE)
        length = 1 if start[:1] in ("+", "-") else 0
        while start[length : length + 1] in _DIGITS:
            length += 1
        prefix = to_number(start[:length], 1, 128)
        if prefix is None:
            raise UsageError("illegal ipv6 netmask specified")
        return None if prefix == 128 else prefix
    address = draft.names.ipv4(text)
    if address is None:
        raise UsageError("illegal virtual server persistent mask specified")
    mask = int.from_bytes(_socket.inet_aton(address), "big")
    return None if mask == 0xFFFFFFFF else mask


_DIGITS: Final = frozenset("0123456789")


def multicast_group(text: str, draft: Draft) -> str:  # noqa: ARG001
    """Read a multicast address of either family."""
    if ":" in text:
        address = ipv6_address(text)
        if address is None or not address.startswith("ff"):
            raise UsageError(f"invalid IPv6 mcast-group `{text}'")
        return address
    try:
        address = _socket.inet_ntop(_socket.AF_INET, _socket.inet_pton(_socket.AF_INET, text))
    except (OSError, ValueError):
        address = ""
    if not 224 <= int(address.partition(".")[0] or 0) <= 239:
        raise UsageError(f"invalid IPv4 mcast-group `{text}'")
    return address
