"""All of a table of virtual servers, or all that a dump says of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyipvsadm import ipvs
from pyipvsadm.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEFT_TO_THE_KERNEL: Final = ("sync_maxlen", "mcast_group", "mcast_port", "mcast_ttl")  # of a daemon, where 0 or ""


class Snapshot(Record):
    """Virtual servers, timeouts and synchronisation daemons; None where nothing is said of them, as are timeouts of 0.

    Services and servers are in the order of a listing. Of a daemon, too, what is 0 or "" is not said: the kernel has
    filled it in where the daemon runs.
    """

    services: tuple[ipvs.ServiceState, ...]
    timeouts: ipvs.Timeouts | None = None
    daemons: tuple[ipvs.SyncDaemon, ...] | None = None


def take(table: ipvs.VirtualServerTable) -> Snapshot:
    """Return all that a table has."""
    return Snapshot(tuple(table.services()), table.timeouts(), tuple(table.daemons()))


def dumped(changes: Sequence[ipvs.Change]) -> Snapshot:
    """Return what the changes of a dump make of an empty table. Raises Refused."""
    times = ipvs.Timeouts(0, 0, 0)
    started: dict[str, ipvs.SyncDaemon] | None = None
    for change in changes:
        if isinstance(change, ipvs.SetTimeouts):
            times = times.replace(**{name: value for name, value in change.timeouts.asdict().items() if value})
        elif isinstance(change, ipvs.StartDaemon):
            started = {**(started or {}), change.daemon.state: change.daemon}
        elif isinstance(change, ipvs.StopDaemon):
            started = started or {}
    with ipvs.sandbox() as table:
        table.apply(*changes)
        daemons = None if started is None else tuple([said(started[one.state], one) for one in table.daemons()])
        return Snapshot(tuple(table.services()), times if any(times[1:]) else None, daemons)


def save(state: Snapshot) -> str:
    """Return a dump of all that a snapshot says.

    It is what ipvsadm-save(8) prints, and after that the lines that set timeouts and start daemons. That no daemon is
    to run is what a dump has no line for.
    """
    changes: list[ipvs.Change] = [ipvs.SetTimeouts(state.timeouts)] if state.timeouts else []
    changes += map(ipvs.StartDaemon, state.daemons or ())
    return ipvs.save(state.services) + "".join([f"{ipvs.command_line(change)}\n" for change in changes])


def said(asked: ipvs.SyncDaemon, running: ipvs.SyncDaemon) -> ipvs.SyncDaemon:
    """Return a daemon as it runs when it was asked for so, but without what the kernel has filled in."""
    return running.replace(**{name: value for name, value in asked.asdict().items() if not value})


def agree(one: ipvs.SyncDaemon, two: ipvs.SyncDaemon) -> bool:
    """Whether two daemons are the same as far as both say."""
    open_ = {name: 0 for name in _LEFT_TO_THE_KERNEL if not (getattr(one, name) and getattr(two, name))}
    return one.replace(**open_) == two.replace(**open_)
