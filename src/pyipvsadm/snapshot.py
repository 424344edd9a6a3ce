"""All of a table of virtual servers, or all that a dump says of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyipvsadm import ipvs
from pyipvsadm.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence


class Snapshot(Record):
    """Virtual servers, timeouts and synchronisation daemons; None where nothing is said of them, as are timeouts of 0.

    Services and servers are in the order of a listing.
    """

    services: tuple[ipvs.ServiceState, ...]
    timeouts: ipvs.Timeouts | None = None
    daemons: tuple[ipvs.SyncDaemon, ...] | None = None


def take(table: ipvs.VirtualServerTable) -> Snapshot:
    """Return all that a table has."""
    return Snapshot(tuple(table.services()), table.timeouts(), tuple(table.daemons()))


def dumped(changes: Sequence[ipvs.Change]) -> Snapshot:
    """Return what the changes of a dump make of an empty table. Raises Refused."""
    times, running = ipvs.Timeouts(0, 0, 0), False
    for change in changes:
        if isinstance(change, ipvs.SetTimeouts):
            times = times.replace(**{name: value for name, value in change.timeouts.asdict().items() if value})
        running = running or isinstance(change, (ipvs.StartDaemon, ipvs.StopDaemon))
    with ipvs.sandbox() as table:
        table.apply(*changes)
        daemons = tuple(table.daemons()) if running else None
        return Snapshot(tuple(table.services()), times if any(times[1:]) else None, daemons)
