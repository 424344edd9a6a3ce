"""The Python interface to a virtual server table; see the package for an example."""

from __future__ import annotations

from pyipvsadm.errors import (
    KernelError,
    PyIpvsadmError,
    Refused,
    SandboxFileError,
    Unsupported,
    UsageError,
    WireError,
)
from pyipvsadm.ipvs.command import (
    AddServer,
    AddService,
    Change,
    DeleteServer,
    DeleteService,
    EditServer,
    EditService,
    Flush,
    SetTimeouts,
    StartDaemon,
    StopDaemon,
    Zero,
)
from pyipvsadm.ipvs.engine import Transaction
from pyipvsadm.ipvs.model import (
    NOT_LISTED,
    Connection,
    Info,
    Listed,
    RealServer,
    ServerKey,
    ServerState,
    ServiceKey,
    ServiceState,
    Stats,
    SyncDaemon,
    Timeouts,
    VirtualService,
)
from pyipvsadm.ipvs.plan import plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Self

    from pyipvsadm.ipvs.backend.base import Backend

__all__ = [
    "NOT_LISTED",
    "AddServer",
    "AddService",
    "Change",
    "Connection",
    "DeleteServer",
    "DeleteService",
    "EditServer",
    "EditService",
    "Flush",
    "Info",
    "KernelError",
    "Listed",
    "PyIpvsadmError",
    "RealServer",
    "Refused",
    "SandboxFileError",
    "ServerKey",
    "ServerState",
    "ServiceKey",
    "ServiceState",
    "SetTimeouts",
    "StartDaemon",
    "Stats",
    "StopDaemon",
    "SyncDaemon",
    "Timeouts",
    "Unsupported",
    "UsageError",
    "VirtualServerTable",
    "VirtualService",
    "WireError",
    "Zero",
    "changes",
    "command_line",
    "listed",
    "open",
    "parse",
    "sandbox",
    "save",
]


def open(netns: str | None = None) -> VirtualServerTable:  # noqa: A001  # as in tarfile.open
    """Open the kernel's table in a network namespace: a name of ip-netns(8), a path, or None for the caller's own.

    Loads the module ip_vs where it is missing. Raises KernelError (operation "open") where the kernel has no IPVS
    (errno ENOPROTOOPT) or the caller no right to it (EPERM); Unsupported where there is no such namespace.
    """
    from pyipvsadm.ipvs.backend.kernel import KernelBackend

    return VirtualServerTable(KernelBackend(netns))


def listed() -> Listed:
    """Return what everybody can see of the kernel's table in the caller's network namespace, without any right.

    Loads no module. Raises FileNotFoundError where the kernel has no IPVS, another OSError where /proc is closed.
    """
    from pyipvsadm.ipvs.backend import listing

    return listing.read()


def sandbox(path: str | os.PathLike[str] | None = None) -> VirtualServerTable:
    """Open a table that refuses what the kernel refuses, but needs none: in memory, or kept in the file ``path``.

    A file that does not exist is an empty table. Any method may raise SandboxFileError.
    """
    from pyipvsadm.ipvs.backend.sandbox import SandboxBackend

    return VirtualServerTable(SandboxBackend(path))


class VirtualServerTable:
    """An open table: what it holds, and changes to it. Use it in a ``with`` block, or ``close`` it.

    Any method may raise KernelError for what is refused, and WireError for an answer that makes no sense.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def info(self) -> Info:
        """Return the version of IPVS and the size of its connection table."""
        return self._backend.info()

    def services(self) -> list[ServiceState]:
        """Return all virtual services with settings, real servers and counters, in the kernel's order."""
        return self._backend.services()

    def service(self, key: ServiceKey) -> ServiceState:
        """Return one virtual service. Raises KernelError (errno ESRCH) where there is none of that key."""
        return self._backend.services(key)[0]

    def timeouts(self) -> Timeouts:
        """Return the idle times of connections, in seconds."""
        return self._backend.timeouts()

    def daemons(self) -> list[SyncDaemon]:
        """Return the running synchronisation daemons."""
        return self._backend.daemons()

    def connections(self) -> Iterator[Connection]:
        """Yield the entries of the connection table."""
        return self._backend.connections()

    def apply(self, *changes: Change, rollback: bool = True) -> None:
        """Carry out changes in order, all or none.

        Raises Refused, which tells which of them the kernel refused and why; nothing has changed then, except that with
        ``rollback=False`` every change was tried and those that were not refused are done.
        """
        if rollback:
            Transaction(self._backend).submit(changes)
            return
        refusals = self._backend.submit(changes)
        if refusals:
            raise Refused(refusals)

    def replace(self, services: Sequence[ServiceState]) -> list[Change]:
        """Make the virtual services these, with the fewest changes; return the changes, [] where it was so already.

        What is the same is not touched, so its connections and counters live on; the counters in ``services`` do not
        matter. All or none, as ``apply``.
        """
        changes = plan(self._backend.services(), services)
        Transaction(self._backend).submit(changes)
        return changes

    def close(self) -> None:
        """Release what the table holds open."""
        self._backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def parse(dump: Iterable[str]) -> list[Change]:
    """Return the changes that the lines of a dump (ipvsadm-save(8)) ask for, ready to ``apply``.

    Raises UsageError, with ``line`` counted from 1, for one that is no command or changes nothing (-L …).
    """
    from pyipvsadm.ipvs.dump import parse_dump
    from pyipvsadm.ipvs.names import Names

    found: list[Change] = []
    for number, command in parse_dump(dump, Names()):
        if not isinstance(command, Change):
            raise UsageError("this command changes nothing", line=number)
        found.append(command)
    return found


def save(services: Sequence[ServiceState]) -> str:
    """Return services as a dump, what ``ipvsadm -Sn`` prints: thresholds are not in it."""
    from pyipvsadm.ipvs.names import Numbers
    from pyipvsadm.ipvs.render import save as render

    return render(services, Numbers())


def changes(before: Sequence[ServiceState], after: Sequence[ServiceState]) -> list[Change]:
    """Return the fewest changes that make of some services others, as ``replace`` does it; counters do not matter."""
    return plan(before, after)


def command_line(change: Change) -> str:
    """Return what asks ipvsadm(8) for a change, without the name of the program: ``-A -t 192.0.2.1:80 -s rr``."""
    from pyipvsadm.ipvs.names import Numbers
    from pyipvsadm.ipvs.render import command_line as render

    return render(change, Numbers())
