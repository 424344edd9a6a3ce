"""Choosing what is looked at: services, servers and rules by address, port, name and by whether anything came to them.

wanted = Filter(networks=(network("10.0.0.0/8"),), hit=True)
services = choose_services(lvs.services(), wanted)
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import TYPE_CHECKING, Final

from pyipvsadm.errors import UsageError
from pyipvsadm.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyipvsadm.iptables import Counters, Option, Rule, Ruleset
    from pyipvsadm.ipvs import ServerKey, ServerState, ServiceKey, ServiceState

    Addressed = ServiceKey | ServerKey
    Address = ipaddress.IPv4Address | ipaddress.IPv6Address
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


# -- rules -------------------------------------------------------------------------------------------------------------


class ChosenChain(Record):
    """A chain of a table, and the rules of it that are wanted with their numbers, from 1.

    ``references`` is how many rules of the table jump to it, whether they are wanted or not.
    """

    table: str
    name: str
    policy: str | None
    counters: Counters
    references: int
    rules: tuple[tuple[int, Rule], ...]


def choose_rules(ruleset: Ruleset, wanted: Filter) -> list[ChosenChain]:
    """Return the chains that are wanted, in their order; one without rules that fit, only where no rule is asked for.

    A rule has to do with an address where its source, its destination or what its target makes of them is of the
    network; with a port where it asks for it or makes it. What it asks for with a "!" has to leave something over.
    """
    of_rules = wanted.replace(tables=(), chains=())
    everything = of_rules == Filter()
    chosen = []
    for table in ruleset.tables:
        if wanted.tables and table.name not in wanted.tables:
            continue
        jumps = Counter([rule.target.name for chain in table.chains for rule in chain.rules if rule.target])
        for chain in table.chains:
            if wanted.chains and chain.name not in wanted.chains:
                continue
            rules = tuple(
                [
                    (number, rule)
                    for number, rule in enumerate(chain.rules, 1)
                    if everything or _rule_fits(rule, of_rules)
                ]
            )
            if rules or everything:
                references = 0 if chain.policy else jumps[chain.name]
                chosen.append(ChosenChain(table.name, chain.name, chain.policy, chain.counters, references, rules))
    return chosen


def _rule_fits(rule: Rule, wanted: Filter) -> bool:
    return (
        (wanted.hit is None or bool(rule.counters.packets) is wanted.hit)
        and (not wanted.protocols or rule.protocol in wanted.protocols)
        and (not wanted.matches or any(match.name in wanted.matches for match in rule.matches))
        and (not wanted.targets or (rule.target is not None and rule.target.name in wanted.targets))
        and (not wanted.networks or _is_about_networks(rule, wanted.networks))
        and (not wanted.ports or _is_about_ports(rule, wanted.ports))
    )


# Options of targets and matches that name addresses, alone or as a range, maybe with ports; and ports.
_ADDRESSES: Final = {"to-destination", "to-source", "to", "src-range", "dst-range", "ctorigsrc", "ctorigdst"}
_PORTS: Final = {"sport", "dport", "sports", "dports", "ports", "to-ports", "ctorigdstport"}


def _is_about_networks(rule: Rule, networks: Iterable[Network]) -> bool:
    for text in (rule.source, rule.destination):
        asked = _network_of(text.removeprefix("! "))
        if asked is None:
            continue
        inverted = text.startswith("! ")
        for network in networks:
            if network.version == asked.version and (
                not network.subnet_of(asked) if inverted else network.overlaps(asked)  # type: ignore[arg-type]
            ):
                return True
    ranges = [_range_of(option) for option in _options(rule) if option.name in _ADDRESSES]
    return any(
        found is not None and network.version == found[0].version and _overlap(network, *found)
        for found in ranges
        for network in networks
    )


def _network_of(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if text else None
    except ValueError:  # a mask with holes
        return None


def _range_of(option: Option) -> tuple[Address, Address] | None:
    """Return the first and the last address of an option such as "10.0.0.1-10.0.0.9:80"."""
    first, _, last = _cut(option)[0].partition("-")
    try:
        if "/" in first:
            network = ipaddress.ip_network(first, strict=False)
            return network.network_address, network.broadcast_address
        return ipaddress.ip_address(first), ipaddress.ip_address(last or first)
    except ValueError:
        return None


def _cut(option: Option) -> tuple[str, str]:
    """Return the addresses and the ports of an option such as "[2001:db8::1]:80-90", "" where there are none."""
    text = option.values[0] if option.values else ""
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return address, port.removeprefix(":")
    if text.count(":") == 1:
        address, _, port = text.partition(":")
        return address, port
    return text, ""


def _overlap(network: Network, first: Address, last: Address) -> bool:
    return int(network.network_address) <= int(last) and int(first) <= int(network.broadcast_address)


def _is_about_ports(rule: Rule, ports: Iterable[int]) -> bool:
    for option in _options(rule):
        if option.name in _PORTS:
            asked = [_ports_of(part) for value in option.values for part in value.split(",")]
            for port in ports:
                if any(found is not None and found[0] <= port <= found[1] for found in asked) is not option.inverted:
                    return True
        elif option.name in _ADDRESSES:
            found = _ports_of(_cut(option)[1])
            if found is not None and any(found[0] <= port <= found[1] for port in ports):
                return True
    return False


def _ports_of(text: str) -> tuple[int, int] | None:
    """Return the first and the last port of "80", "80:90", "80-90", ":90" or "80:"; None for what is none."""
    if not text:
        return None
    first, colon, last = text.replace("-", ":").partition(":")
    try:
        low = int(first) if first else 0
        return low, (int(last) if last else 65535) if colon else low
    except ValueError:
        return None


def _options(rule: Rule) -> Iterator[Option]:
    for match in rule.matches:
        yield from match.options
    if rule.target is not None:
        yield from rule.target.options
