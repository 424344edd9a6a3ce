"""A virtual server table without a kernel: in memory, or kept in a file from one command to the next."""

from __future__ import annotations

from _socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from pyipvsadm.errors import KernelError, PyIpvsadmError
from pyipvsadm.ipvs import command
from pyipvsadm.ipvs.model import (
    FORWARD_FLAGS,
    PROTOCOL_NUMBERS,
    TUNNEL_TYPES,
    Info,
    RealServer,
    ServerKey,
    ServiceKey,
    ServiceState,
    SyncDaemon,
    Timeouts,
    VirtualService,
)
from pyipvsadm.ipvs.table import SCHEDULERS, Table
from pyipvsadm.sandbox import SandboxFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Container, Iterable, Iterator
    from typing import Any, Final, Self

    from pyipvsadm.ipvs.model import Connection

_INFO: Final = Info(version=0x010201, conn_tab_size=4096)

# What the fields of a file may be: text, some words, or numbers; a name that is not here is a number of 32 bits.
_TEXT: Final = {"address", "scheduler", "pe_name", "mcast_ifn", "mcast_group"}
_WORDS: Final[dict[str, Container[str]]] = {
    "protocol": PROTOCOL_NUMBERS,
    "forward": FORWARD_FLAGS,
    "tun_type": TUNNEL_TYPES,
    "state": ("master", "backup"),
}
_NUMBERS: Final[dict[str, Container[int]]] = {
    "family": (4, 6),
    "port": range(1 << 16),
    "weight": range(1 << 31),
    "tun_port": range(1 << 16),
    "tun_flags": range(1 << 16),
}
_ANY_NUMBER: Final = range(1 << 32)


class SandboxBackend:
    """The backend protocol over a ``Table``; with ``path``, over the file of that name, which need not exist yet.

    The file is read when first needed and written once per ``submit``, as a whole and atomically; writers wait for each
    other. Every method may raise SandboxFileError. ``schedulers`` is as for ``Table``.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, *, schedulers: Container[str] | None = SCHEDULERS
    ) -> None:
        self._file = None if path is None else SandboxFile(path)
        self._schedulers = schedulers
        self._table = Table(schedulers=schedulers)

    def info(self) -> Info:
        """Return the version and the table size of a kernel's defaults."""
        return _INFO

    def services(self, key: ServiceKey | None = None, *, counters: bool = True) -> list[ServiceState]:  # noqa: ARG002
        """Return one service or all, with their servers. Raises KernelError (ESRCH) where ``key`` names none."""
        return self._read().services(key)

    def timeouts(self) -> Timeouts:
        """Return the connection timeouts."""
        return self._read().timeouts

    def daemons(self) -> list[SyncDaemon]:
        """Return the daemons that would be running."""
        return self._read().daemons()

    def connections(self) -> Iterator[Connection]:
        """Yield nothing: there is no traffic."""
        return iter(())

    def submit(self, changes: Iterable[command.Change]) -> list[tuple[int, KernelError]]:
        """Carry out changes in order; return the refusals, each with the index of its change."""
        changes = list(changes)
        if self._file is None:
            return _apply(self._table, changes)
        with self._file.lock():
            refused = _apply(self._read(), changes)
            if len(refused) < len(changes):
                self._file.write(**_dump(self._table))
        return refused

    def close(self) -> None:
        """Do nothing: nothing is held open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> Table:
        """Return the table as it is now, reading the file where it is not what was read before."""
        if self._file is None or not self._file.refresh():
            return self._table
        try:
            self._table = _load(self._file.content, self._schedulers)
        except (ValueError, TypeError, LookupError, AttributeError, OSError, RecursionError, PyIpvsadmError) as problem:
            raise self._file.foreign(problem) from None
        return self._table


def _apply(table: Table, changes: Iterable[command.Change]) -> list[tuple[int, KernelError]]:
    refused = []
    for index, change in enumerate(changes):
        try:
            table.apply(change)
        except KernelError as error:
            refused.append((index, error))
    return refused


def _dump(table: Table) -> dict[str, Any]:
    """Return the members of a file: services and servers in the order of a listing, their keys among their settings."""
    services = [
        {**_flat(state.config), "servers": [_flat(server.config) for server in state.servers]}
        for state in table.services()
    ]
    return {
        "timeouts": table.timeouts.asdict(),
        "daemons": [daemon.asdict() for daemon in table.daemons()],
        "services": services,
    }


def _flat(record: VirtualService | RealServer) -> dict[str, Any]:
    fields = {**record.key.asdict(), **record.asdict()}
    return {name: value for name, value in fields.items() if name != "key" and value is not None}


def _load(content: dict[str, Any], schedulers: Container[str] | None) -> Table:
    """Return the table of a file's members, an empty one where there are none; raises one of many exceptions."""
    if not content.keys() & {"timeouts", "daemons", "services"}:
        return Table(schedulers=schedulers)
    table = Table(
        timeouts=Timeouts(**_checked(content["timeouts"])),
        daemons=[SyncDaemon(**_checked(fields)) for fields in content["daemons"]],
        schedulers=schedulers,
    )
    for fields in reversed(content["services"]):  # by the rules: what the kernel refuses is in no file of ours
        settings = {name: value for name, value in fields.items() if name != "servers"}
        service: VirtualService = _unflat(settings, VirtualService, ServiceKey)
        table.apply(command.AddService(service))
        for server in reversed(fields["servers"]):
            table.apply(command.AddServer(service.key, _unflat(server, RealServer, ServerKey)))
    return table


def _unflat(fields: dict[str, Any], kind: type[Any], key_kind: type[Any]) -> Any:
    _checked(fields)
    key = key_kind(**{name: fields.pop(name) for name in key_kind.__fields__ if name in fields})
    number = AF_INET if key.family == 4 else AF_INET6
    if key.address and inet_ntop(number, inet_pton(number, key.address)) != key.address:
        raise ValueError(f"{key.address} is not the address's usual form")
    return kind(key=key, **fields)


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    for name, value in fields.items():
        if name in _TEXT:
            right = isinstance(value, str)
        elif name in _WORDS:
            right = isinstance(value, str) and value in _WORDS[name]
        else:  # the type first, and not isinstance: True is no number here, and a range goes on and on looking for text
            right = type(value) is int and value in _NUMBERS.get(name, _ANY_NUMBER)
        if not right:
            raise ValueError(f'"{name}" is {value!r}')
    return fields
