"""A virtual server table without a kernel: in memory, or kept in a file from one command to the next."""

from __future__ import annotations

import os
from _socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from pyipvsadm.errors import KernelError, PyIpvsadmError, SandboxFileError
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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator
    from typing import Any, Final, Self

    from pyipvsadm.ipvs.model import Connection

_INFO: Final = Info(version=0x010201, conn_tab_size=4096)

_FORMAT: Final = "pyipvsadm sandbox"
_VERSION: Final = 1

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
        self._path = None if path is None else os.path.realpath(path)  # a link stays one when its file is replaced
        self._schedulers = schedulers
        self._table = Table(schedulers=schedulers)
        self._stamp: tuple[int, ...] | None = None  # what the file was like when it was read

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
        if self._path is None:
            return _apply(self._table, changes)
        import fcntl

        # The lock is the directory's: the file itself is another one after each writing.
        directory = os.path.dirname(self._path)
        try:
            lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as problem:
            raise _file_error(self._path, problem) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            refused = _apply(self._read(), changes)
            if len(refused) < len(changes):
                self._stamp = None  # from here on what counts is the file
                _write(self._path, _dump(self._table))
        except OSError as problem:
            raise _file_error(self._path, problem) from None
        finally:
            os.close(lock)
        return refused

    def close(self) -> None:
        """Do nothing: nothing is held open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> Table:
        """Return the table as it is now, reading the file where it is not what was read before."""
        if self._path is None:
            return self._table
        try:
            with open(self._path, "rb") as file:
                status = os.fstat(file.fileno())
                stamp = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
                if stamp == self._stamp:
                    return self._table
                data = file.read()
        except FileNotFoundError:
            self._table, self._stamp = Table(schedulers=self._schedulers), None
            return self._table
        except OSError as problem:
            raise _file_error(self._path, problem) from None
        try:
            self._table = _load(data, self._schedulers)
        except (ValueError, TypeError, LookupError, AttributeError, OSError, RecursionError, PyIpvsadmError) as problem:
            raise SandboxFileError(f"{self._path}: not a sandbox file: {problem}") from None
        self._stamp = stamp
        return self._table


def _file_error(path: str, problem: OSError) -> SandboxFileError:
    return SandboxFileError(f"{path}: {problem.strerror}")


def _apply(table: Table, changes: Iterable[command.Change]) -> list[tuple[int, KernelError]]:
    refused = []
    for index, change in enumerate(changes):
        try:
            table.apply(change)
        except KernelError as error:
            refused.append((index, error))
    return refused


def _write(path: str, data: bytes) -> None:
    """Replace a file as a whole, keeping its permissions; a reader sees the old or the new one, also after a crash."""
    temporary = f"{path}.{os.getpid()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with open(descriptor, "wb") as file:
            try:
                os.fchmod(descriptor, os.stat(path).st_mode & 0o7777)
            except FileNotFoundError:
                pass  # a new file: as the umask has it
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _dump(table: Table) -> bytes:
    """Return the bytes of a file: services and servers in the order of a listing, their keys among their settings."""
    import json

    services = [
        {**_flat(state.config), "servers": [_flat(server.config) for server in state.servers]}
        for state in table.services()
    ]
    content = {
        "format": _FORMAT,
        "version": _VERSION,
        "timeouts": table.timeouts.asdict(),
        "daemons": [daemon.asdict() for daemon in table.daemons()],
        "services": services,
    }
    return json.dumps(content, indent=1).encode() + b"\n"


def _flat(record: VirtualService | RealServer) -> dict[str, Any]:
    fields = {**record.key.asdict(), **record.asdict()}
    return {name: value for name, value in fields.items() if name != "key" and value is not None}


def _load(data: bytes, schedulers: Container[str] | None) -> Table:
    """Return the table of a file's bytes; raises one of many exceptions where they are not a table's."""
    import json

    content = json.loads(data)
    if content["format"] != _FORMAT:
        raise ValueError(f'"format" is {content["format"]!r}')
    if content["version"] != _VERSION:
        raise ValueError(f"version {content['version']!r} is not {_VERSION}, the one this program knows")
    table = Table(
        timeouts=Timeouts(**_checked(content["timeouts"])),
        daemons=[SyncDaemon(**_checked(fields)) for fields in content["daemons"]],
        schedulers=schedulers,
    )
    for fields in reversed(content["services"]):  # by the rules: what the kernel refuses is in no file of ours
        servers = fields.pop("servers")
        service: VirtualService = _unflat(fields, VirtualService, ServiceKey)
        table.apply(command.AddService(service))
        for server in reversed(servers):
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
