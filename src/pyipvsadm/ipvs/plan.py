"""The changes that lead from one state of a table to another, and those that take a change back. Pure."""

from __future__ import annotations

from pyipvsadm.ipvs import command
from pyipvsadm.ipvs.table import normal, server_id, service_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyipvsadm.ipvs.model import ServiceState
    from pyipvsadm.ipvs.table import Table


def plan(live: Iterable[ServiceState], wanted: Sequence[ServiceState]) -> list[command.Change]:
    """Return the fewest changes that turn ``live`` into ``wanted``; counters are not compared.

    What is in both is never removed, not even for a moment: it is edited where it differs and left alone where it does
    not, so that its connections live on. New services and servers come before any is removed. Both are in the order of
    a listing (newest first), and what is added ends up in the order of ``wanted``.
    """
    before = {service_id(state.config.key): state for state in live}
    changes: list[command.Change] = []
    removed: list[command.Change] = []
    for state in reversed(wanted):
        service = normal(state.config)
        key = service.key
        old = before.pop(service_id(key), None)
        if old is None:
            changes.append(command.AddService(service))
        elif normal(old.config) != service:
            changes.append(command.EditService(service))
        servers = {server_id(server.config.key): server.config for server in old.servers} if old else {}
        for server in reversed(state.servers):
            now = servers.pop(server_id(server.config.key), None)
            if now is None:
                changes.append(command.AddServer(key, server.config))
            elif now != server.config:
                changes.append(command.EditServer(key, server.config))
        removed += [command.DeleteServer(key, gone.key) for gone in servers.values()]
    removed += [command.DeleteService(gone.config.key) for gone in before.values()]
    return changes + removed


def inverse(change: command.Change, before: Table | None = None) -> list[command.Change]:
    """Return what takes back a change that was carried out, given the table as it was before it.

    Additions need no table; the others raise ValueError without one. What cannot be taken back: counters, connections,
    and the place of a removed service or server in a listing.
    """
    match change:
        case command.AddService():
            return [command.DeleteService(change.service.key)]
        case command.AddServer():
            return [command.DeleteServer(change.service, change.server.key)]
        case command.StartDaemon():
            return [command.StopDaemon(change.daemon)]
        case command.Zero():
            return []
    if before is None:
        raise ValueError(f"to take back {change.operation!r} takes the table before it")
    match change:
        case command.EditService():
            service = before.service(change.service.key)
            return [] if service is None else [command.EditService(service)]
        case command.DeleteService():
            return plan([], before.services(change.key))
        case command.EditServer():
            server = before.server(change.service, change.server.key)
            return [] if server is None else [command.EditServer(change.service, server)]
        case command.DeleteServer():
            server = before.server(change.service, change.server)
            return [] if server is None else [command.AddServer(change.service, server)]
        case command.Flush():
            return plan([], before.services())
        case command.SetTimeouts():
            return [command.SetTimeouts(before.timeouts)]
        case command.StopDaemon():
            state = change.daemon.state
            return [command.StartDaemon(daemon) for daemon in before.daemons() if daemon.state == state]
    raise TypeError(f"{type(change).__name__} is no change of a table")
