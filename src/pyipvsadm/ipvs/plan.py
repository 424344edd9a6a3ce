"""The changes that lead from one state of a table to another."""

from __future__ import annotations

from pyipvsadm.ipvs import command
from pyipvsadm.ipvs.table import normal, server_id, service_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyipvsadm.ipvs.model import ServiceState


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
