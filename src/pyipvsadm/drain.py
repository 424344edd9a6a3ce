"""Taking real servers out of service without cutting connections, and putting them back.

    members = drain.find(lvs.services(), "10.0.0.1", 80)
    drain.start(lvs, book, members)                 # weight 0: no new connections
    while drain.connections(lvs, members): ...      # until the old ones have ended
    drain.remove(lvs, book, members)
    drain.undo(lvs, book, "10.0.0.1", 80)           # as it was before

What a server was like is written into a ``Book``, a file, before its weight is changed, and is forgotten after it has
been put back: whenever a program ends in between, the old weight is still known.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any, Final, Literal

from pyipvsadm import ipvs
from pyipvsadm.errors import KernelError, Refused
from pyipvsadm.filters import service_text
from pyipvsadm.record import Record
from pyipvsadm.sandbox import SandboxFile

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence

    from pyipvsadm.filters import ServiceName

_MEMBER: Final = "drained"  # of the file


class Member(Record):
    """A real server in one of the services that have it, as it was found."""

    service: ipvs.ServiceKey
    state: ipvs.ServerState

    @property
    def server(self) -> ipvs.RealServer:
        """The server's settings."""
        return self.state.config


class Entry(Record):
    """What a server was like before it was drained; ``removed`` where it has been taken away since."""

    service: ipvs.ServiceKey
    server: ipvs.RealServer
    removed: bool = False


class Book:
    """The old weights, in the member "drained" of a file that is a sandbox's own, or is written for this alone.

    Methods may raise SandboxFileError. Changes are atomic, and wait for those of other programs.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = SandboxFile(path)

    def entries(self) -> list[Entry]:
        """Return what is written."""
        self._file.refresh()
        try:
            return [_entry(fields) for fields in self._file.content.get(_MEMBER, [])]
        except (ValueError, TypeError, LookupError, AttributeError) as problem:
            raise self._file.foreign(problem) from None

    def change(self, made: Callable[[list[Entry]], list[Entry]]) -> None:
        """Write what is made of what is written."""
        with self._file.lock():
            before = self.entries()
            after = made(before)
            if after != before:
                self._file.write(**{_MEMBER: [_fields(entry) for entry in after]})


def _fields(entry: Entry) -> dict[str, Any]:
    server = entry.server.asdict()
    del server["key"]
    return {
        "service": entry.service.asdict(),
        "server": {**entry.server.key.asdict(), **server},
        "removed": entry.removed,
    }


def _entry(fields: dict[str, Any]) -> Entry:
    server = dict(fields["server"])
    key = ipvs.ServerKey(**{name: server.pop(name) for name in ("family", "address", "port")})
    return Entry(ipvs.ServiceKey(**fields["service"]), ipvs.RealServer(key=key, **server), bool(fields["removed"]))


# -- draining ----------------------------------------------------------------------------------------------------------


def find(
    services: Iterable[ipvs.ServiceState], address: str, port: int | None = None, service: ServiceName | None = None
) -> list[Member]:
    """Return where there is a real server of an address, with any port or with one, in any service or in one.

    Sorted by the names of services.
    """
    members = [
        Member(state.config.key, server)
        for state in services
        if service is None or service.fits(state.config.key)
        for server in state.servers
        if server.config.key.address == address and port in (None, server.config.key.port)
    ]
    return sorted(members, key=lambda member: (service_text(member.service), member.server.key.port))


def start(table: ipvs.VirtualServerTable, book: Book, members: Sequence[Member]) -> None:
    """Set the weight of servers to 0, all or none, having written down what it was.

    Those that have weight 0 already stay as they are, and so does what is written of them. Raises Refused.
    """
    going = [member for member in members if member.server.weight]
    if not going:
        return
    places = {(member.service, member.server.key) for member in going}
    kept: list[Entry] = []

    def with_these(entries: list[Entry]) -> list[Entry]:
        kept[:] = entries
        others = [entry for entry in entries if (entry.service, entry.server.key) not in places]
        return others + [Entry(member.service, member.server) for member in going]

    book.change(with_these)
    try:
        table.apply(*[ipvs.EditServer(member.service, member.server.replace(weight=0)) for member in going])
    except Refused:
        book.change(lambda _: kept)
        raise


def connections(table: ipvs.VirtualServerTable, members: Sequence[Member]) -> list[tuple[int, int]]:
    """Return the active and the inactive connections of servers; none where a server or its service has gone."""
    services: dict[ipvs.ServiceKey, dict[ipvs.ServerKey, ipvs.ServerState]] = {}
    for key in {member.service for member in members}:
        try:
            services[key] = {server.config.key: server for server in table.service(key).servers}
        except KernelError as error:
            if error.errno != errno.ESRCH:
                raise
            services[key] = {}
    found = [services[member.service].get(member.server.key) for member in members]
    return [(server.activeconns, server.inactconns) if server else (0, 0) for server in found]


def remove(table: ipvs.VirtualServerTable, book: Book, members: Sequence[Member]) -> None:
    """Take servers out of their services, all or none; what they were stays written for ``undo``. Raises Refused."""
    there = {(state.config.key, server.config.key) for state in table.services() for server in state.servers}
    places = [place for member in members if (place := (member.service, member.server.key)) in there]
    book.change(
        lambda entries: [
            entry.replace(removed=True) if (entry.service, entry.server.key) in places else entry for entry in entries
        ]
    )
    table.apply(*[ipvs.DeleteServer(*place) for place in places])


# -- putting back ------------------------------------------------------------------------------------------------------


class Undone(Record):
    """What became of a server, which is ``server`` now.

    ``outcome`` is "restored" where it has its old weight again, "added" where it had been removed, "up" where it had a
    weight already, and "unknown" where no old weight is known: nothing was changed in these two cases.
    """

    service: ipvs.ServiceKey
    server: ipvs.RealServer
    outcome: Literal["restored", "added", "up", "unknown"]


def undo(
    table: ipvs.VirtualServerTable,
    book: Book,
    address: str,
    port: int | None = None,
    service: ServiceName | None = None,
    *,
    members: Sequence[Member] | None = None,
    weight: int | None = None,
    dry_run: bool = False,
) -> list[Undone]:
    """Give drained servers their old weights back, or ``weight``; servers that draining removed are added again.

    Servers are named as for ``find``, and are then those in ``members`` alone where it is given. All or none (Refused).
    With ``dry_run`` nothing is changed.
    """
    only = None if members is None else {(member.service, member.server.key) for member in members}
    entries = {
        (entry.service, entry.server.key): entry
        for entry in book.entries()
        if entry.server.key.address == address
        and port in (None, entry.server.key.port)
        and (service is None or service.fits(entry.service))
        and (only is None or (entry.service, entry.server.key) in only)
    }
    forgotten = {*entries}
    done: list[Undone] = []
    changes: list[ipvs.Change] = []
    for member in find(table.services(), address, port, service):
        place = (member.service, member.server.key)
        if only is not None and place not in only:
            continue
        entry = entries.pop(place, None)
        old = entry.server.weight if weight is None and entry else weight
        if member.server.weight:
            done.append(Undone(member.service, member.server, "up"))
        elif old is None:
            done.append(Undone(member.service, member.server, "unknown"))
        else:
            server = member.server.replace(weight=old)
            changes.append(ipvs.EditServer(member.service, server))
            done.append(Undone(member.service, server, "restored"))
    for entry in entries.values():
        if entry.removed:
            server = entry.server if weight is None else entry.server.replace(weight=weight)
            changes.append(ipvs.AddServer(entry.service, server))
            done.append(Undone(entry.service, server, "added"))
    if not dry_run:
        table.apply(*changes)
        book.change(lambda now: [entry for entry in now if (entry.service, entry.server.key) not in forgotten])
    return done
