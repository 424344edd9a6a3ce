"""What a classic dump, of ipvsadm-save or iptables-save, cannot hold of a state."""

from __future__ import annotations

from pyipvsadm import iptables, ipvs
from pyipvsadm.documents.virtual_servers import VirtualServers
from pyipvsadm.errors import PyIpvsadmError, Refused, UsageError
from pyipvsadm.filters import service_text
from pyipvsadm.ipvs.table import normal
from pyipvsadm.snapshot import dumped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from pyipvsadm.iptables import Ruleset
    from pyipvsadm.ipvs import ServerState, ServiceState

_NOT_SAID: Final = ipvs.Timeouts(0, 0, 0)
_BESIDE_SERVICES: Final = (ipvs.SetTimeouts, ipvs.StartDaemon, ipvs.StopDaemon)


def losses(of: VirtualServers | Ruleset, dump: str) -> Iterator[str]:
    """Yield a line for each thing that is in a state and not in its dump."""
    if isinstance(of, VirtualServers):
        yield from _of_services(of, dump)
    else:
        yield from _of_rules(of, dump)


def _of_services(of: VirtualServers, dump: str) -> Iterator[str]:
    services = of.services
    servers = [(service, server) for service in services for server in service.servers]
    limited = [server for _, server in servers if server.config.u_threshold or server.config.l_threshold]
    if limited:
        yield f"the limits of connections (u_threshold, l_threshold) of {_many(len(limited), 'server')}"
    if any(map(_is_counted, services)) or any(_is_counted(server) for _, server in servers):
        yield "counters and numbers of connections"
    made: dict[object, object] = {}
    read: list[ipvs.Change] = []
    whole = True
    with ipvs.sandbox() as table:
        for number, line in enumerate(dump.splitlines(), 1):
            try:
                changes = ipvs.parse([line])
                table.apply(*changes)
                read += changes
            except (UsageError, Refused):
                whole = False  # what is not there then has been told
                yield f"line {number} of it, which cannot be read again ({line})"
        for service in table.services():
            made[service.config.key] = normal(service.config)
            for server in service.servers:
                made[service.config.key, server.config.key] = server.config
    beside = dumped([change for change in read if isinstance(change, _BESIDE_SERVICES)])
    if (of.timeouts or _NOT_SAID) != (beside.timeouts or _NOT_SAID):
        yield "all timeouts"
    if {*(of.daemons or ())} - {*(beside.daemons or ())}:
        yield "all settings of synchronisation daemons"
    for service in services:
        key = service.config.key
        if (key in made or whole) and made.get(key) != normal(service.config):
            yield f"all settings of {service_text(key)}"
        for server in service.servers:
            place = key, server.config.key
            if (place in made or whole) and made.get(place) != server.config.replace(u_threshold=0, l_threshold=0):
                yield f"all settings of {server.config.key.address} in {service_text(key)}"


def _is_counted(state: ServiceState | ServerState) -> bool:
    connections = getattr(state, "activeconns", 0) + getattr(state, "inactconns", 0) + getattr(state, "persistconns", 0)
    return bool(connections) or any(state.stats.asdict().values())


def _of_rules(ruleset: Ruleset, dump: str) -> Iterator[str]:
    for table in iptables.data_of(ruleset).tables:
        for chain in table.chains:
            for number, rule in enumerate(chain.rules, 1):
                for part in (*rule.matches, *([rule.target] if rule.target else [])):
                    if part.data:
                        yield f"all of {part.name} in rule {number} of {table.name} {chain.name}"
    try:
        iptables.parse(dump, family=ruleset.family)
    except (UsageError, iptables.LineFailed) as error:
        yield f"line {error.line} of it, which cannot be read again"
    except PyIpvsadmError as error:
        yield str(error)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
