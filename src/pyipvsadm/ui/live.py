"""What ``pyipvsadm top`` shows of services, and of rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyipvsadm.ipvs import words
from pyipvsadm.ipvs.names import Numbers
from pyipvsadm.ipvs.order import sort_servers, sort_services
from pyipvsadm.rates import Meter, of_rules, of_services, rule_counters
from pyipvsadm.ui.cells import plural
from pyipvsadm.ui.top import Column, Row, Snapshot, number_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyipvsadm.iptables import Ruleset
    from pyipvsadm.ipvs.model import ServerState, ServiceKey, ServiceState, Stats
    from pyipvsadm.rates import RuleCounter


class ServiceLines:
    """Services with their servers."""

    columns: Final = (
        Column("Weight", 2),
        Column("Active", 7),
        Column("Inact.", 4),
        Column("Conns/s", 9, rate=True),
        Column("In pkt/s", 3, rate=True),
        Column("Out pkt/s", 1, rate=True),
        Column("In B/s", 8, rate=True),
        Column("Out B/s", 6, rate=True),
    )
    sort = 3
    has_estimates = True

    def __init__(self, place: str) -> None:
        self._place = place
        self._meter: Meter[Any] = Meter()
        self._services: Sequence[ServiceState] = ()
        self._rates: dict[Any, tuple[float, ...]] = {}
        self._names: dict[Any, str] = {}
        self._resolver = Numbers()

    def update(self, state: Sequence[ServiceState], now: float) -> None:
        """Take the services as they are at a time."""
        self._services = sort_services(state)
        self._rates = self._meter.read(now, of_services(state))

    def snapshot(self, *, estimated: bool) -> Snapshot:
        """Return them as lines."""
        rows = [self._service(service, estimated=estimated) for service in self._services]
        servers = sum([len(row.below) for row in rows])
        totals = [sum([row.numbers[place] or 0 for row in rows]) for place in range(3, 8)]
        conns, _, _, octets_in, octets_out = map(number_text, totals)
        counts = f"{plural(len(rows), 'service')}, {plural(servers, 'server')}"
        rates = f"{conns} conns/s, {octets_in} B/s in, {octets_out} B/s out"
        return Snapshot(f"{counts}, {rates}, {self._place}", rows)

    def _service(self, service: ServiceState, *, estimated: bool) -> Row:
        key = service.config.key
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = _service_name(key, self._resolver)
        numbers = (
            sum([server.config.weight for server in service.servers]),
            sum([server.activeconns for server in service.servers]),
            sum([server.inactconns for server in service.servers]),
            *self._per_second(key, service.stats, estimated=estimated),
        )
        servers = [self._server(service, server, name, estimated=estimated) for server in sort_servers(service.servers)]
        return Row(name, numbers, "" if servers else "yellow", below=servers)

    def _server(self, service: ServiceState, server: ServerState, of: str, *, estimated: bool) -> Row:
        key = (service.config.key, server.config.key)
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = words.endpoint(self._resolver, key[1].address, key[1].port, None)
        rates = self._per_second(key, server.stats, estimated=estimated)
        numbers = (server.config.weight, server.activeconns, server.inactconns, *rates)
        return Row(name, numbers, "" if server.config.weight else "dim", f"{name} of {of}")

    def _per_second(self, key: object, stats: Stats, *, estimated: bool) -> tuple[float | None, ...]:
        if estimated:
            return stats.cps, stats.inpps, stats.outpps, stats.inbps, stats.outbps
        return self._rates.get(key, _UNKNOWN)


class RuleLines:
    """Chains with their rules; a chain's line is the sum of its rules and its policy."""

    columns: Final = (
        Column("Packets/s", 9, rate=True),
        Column("B/s", 8, rate=True),
        Column("Packets", 4),
        Column("Bytes", 2),
    )
    sort = 0
    has_estimates = False

    def __init__(self, place: str) -> None:
        self._place = place
        self._meter: Meter[Any] = Meter()
        self._family = 4
        self._found: Sequence[RuleCounter] = ()
        self._rates: dict[Any, tuple[float, ...]] = {}

    def update(self, state: Ruleset, now: float) -> None:
        """Take the tables as they are at a time."""
        self._family = state.family
        self._found = list(rule_counters(state))
        self._rates = self._meter.read(now, of_rules(self._found))

    def snapshot(self, *, estimated: bool) -> Snapshot:  # noqa: ARG002  # the kernel makes no estimates
        """Return them as lines."""
        chains: dict[tuple[str, str], list[Row]] = {}
        for found in self._found:
            rates = self._rates.get(found.key, (None, None))
            numbers = (*rates, found.counters.packets, found.counters.bytes)
            name = f"{found.number or 'policy'} {found.text}"
            row = Row(name, numbers, path=f"{found.table} {found.chain}: {name}")
            chains.setdefault((found.table, found.chain), []).append(row)
        rows = [Row(f"{table} {chain}", _sum(below), below=below) for (table, chain), below in chains.items()]
        count = sum([len(row.below) for row in rows])
        packets, octets = [number_text(sum([row.numbers[place] or 0 for row in rows])) for place in (0, 1)]
        name = "iptables" if self._family == 4 else "ip6tables"
        headline = f"{plural(len(rows), 'chain')}, {plural(count, 'line')}, {packets} packets/s, {octets} B/s"
        return Snapshot(f"{headline}, {name} {self._place}", rows)


def _sum(rows: Sequence[Row]) -> tuple[float | None, ...]:
    """Return the sums of columns, None where nothing is known."""
    columns = zip(*[row.numbers for row in rows], strict=True)
    known = [[number for number in column if number is not None] for column in columns]
    return tuple([sum(numbers) if numbers else None for numbers in known])


_UNKNOWN: Final = (None,) * 5


def _service_name(key: ServiceKey, resolver: Numbers) -> str:
    if key.protocol is None:
        return f"FWM {key.fwmark}{' IPv6' if key.family == 6 else ''}"
    return f"{key.protocol.upper()} {words.endpoint(resolver, key.address, key.port, key.protocol)}"
