"""Choosing what is looked at: services, servers and rules by address, port, name and by whether anything came to them.

wanted = Filter(networks=(network("10.0.0.0/8"),), hit=True)
services = choose_services(lvs.services(), wanted)
"""

from __future__ import annotations

import ipaddress

from pyipvsadm.errors import UsageError
from pyipvsadm.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyipvsadm.ipvs import ServerKey, ServerState, ServiceKey, ServiceState

    Addressed = ServiceKey | ServerKey
    Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Filter(Record):
    """What is wanted; of every field that is not empty one value has to fit. An empty filter wants everything.

    ``networks`` are addresses of services and servers, and what rules ask for; ``ports`` and ``protocols`` ("tcp")
    likewise. ``tables``, ``chains``, ``matches`` and ``targets`` are names; they and services have nothing in common.
    ``hit`` is True for what something has come to (a connection, a packet), False for what nothing has.
    """

    networks: tuple[Network, ...] = ()
    ports: tuple[int, ...] = ()
    protocols: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    chains: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    hit: bool | None = None


def network(text: str) -> Network:
    """Read an address or a network ("192.0.2.0/24", "2001:db8::1"). Raises UsageError."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise UsageError(f"{text}: not an address or a network") from None


def endpoint(text: str) -> tuple[str, int | None]:
    """Read ``ADDRESS``, ``ADDRESS:PORT``, ``IPV6`` or ``[IPV6]:PORT``: an address in its usual form, a port or None.

    Raises UsageError.
    """
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise UsageError(f"{text}: not [ADDRESS]:PORT")
        port = rest[1:] if rest else None
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
        host, port = text, None
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError:
        raise UsageError(f"{text}: not an address: write ADDRESS, ADDRESS:PORT or [IPV6]:PORT") from None
    if port is None:
        return address, None
    if not (port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise UsageError(f"{text}: {port or 'nothing'} is not a port")
    return address, int(port)


class ServiceName(Record):
    """What people call a service; ``protocol`` None is any."""

    address: str = ""
    port: int = 0
    protocol: str | None = None
    fwmark: int = 0

    def fits(self, key: ServiceKey) -> bool:
        """Whether it is the name of a service."""
        if self.fwmark or key.fwmark:
            return self.fwmark == key.fwmark
        return (self.address, self.port) == (key.address, key.port) and self.protocol in (None, key.protocol)


def service_name(text: str) -> ServiceName:
    """Read ``[tcp:|udp:|sctp:]ADDRESS:PORT`` or ``fwmark:NUMBER``. Raises UsageError."""
    first, colon, rest = text.partition(":")
    if colon and first.lower() == "fwmark":
        if not (rest.isascii() and rest.isdigit() and 0 < int(rest) < 1 << 32):
            raise UsageError(f"{text}: {rest or 'nothing'} is not a firewall mark")
        return ServiceName(fwmark=int(rest))
    protocol = first.lower() if colon and first.lower() in ("tcp", "udp", "sctp") else None
    address, port = endpoint(rest if protocol else text)
    if port is None:
        raise UsageError(f"{text}: a service has a port: write ADDRESS:PORT, tcp:ADDRESS:PORT or fwmark:NUMBER")
    return ServiceName(address, port, protocol)


def endpoint_text(address: str, port: int | None) -> str:
    """Return ``ADDRESS:PORT``, with brackets around IPv6, or the address alone."""
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def service_text(key: ServiceKey) -> str:
    """Return the name of a service, as ``service_name`` reads it."""
    return f"{key.protocol}:{endpoint_text(key.address, key.port)}" if key.protocol else f"fwmark:{key.fwmark}"


# -- services ----------------------------------------------------------------------------------------------------------


def choose_services(services: Iterable[ServiceState], wanted: Filter) -> list[ServiceState]:
    """Return the services that are wanted, in their order.

    One that fits comes with all its servers, another with those that fit, if there are any; whether anything came to it
    is asked of each by itself.
    """
    chosen = []
    for service in services:
        key = service.config.key
        if wanted.protocols and key.protocol not in wanted.protocols:
            continue
        servers: Iterable[ServerState] = service.servers
        if not _fits(key, wanted):
            servers = [server for server in servers if _fits(server.config.key, wanted)]
            if not servers:
                continue
        if wanted.hit is not None:
            servers = [server for server in servers if bool(server.stats.conns) is wanted.hit]
            if bool(service.stats.conns) is not wanted.hit and not servers:
                continue
        chosen.append(service.replace(servers=tuple(servers)))
    return chosen


def _fits(key: Addressed, wanted: Filter) -> bool:
    if wanted.networks:
        if not key.address:  # of a firewall mark
            return False
        address = ipaddress.ip_address(key.address)
        if not any(address in network for network in wanted.networks):
            return False
    return not wanted.ports or key.port in wanted.ports
