"""What the rest of the package asks of a place where a virtual server table lives."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Protocol, Self

    from pyipvsadm.errors import KernelError
    from pyipvsadm.ipvs.command import Change
    from pyipvsadm.ipvs.model import Connection, Info, ServiceKey, ServiceState, SyncDaemon, Timeouts
else:
    Protocol = object


class Backend(Protocol):
    """The kernel of a network namespace, or the sandbox; both refuse the same things with the same errno.

    Every method may raise KernelError (the refusal of a look-up), Unsupported (no IPVS here) or WireError.
    """

    def info(self) -> Info:
        """Return the version of IPVS and the size of its connection table."""
        ...

    def services(self, key: ServiceKey | None = None, *, counters: bool = True) -> list[ServiceState]:
        """Return one service or all, in the backend's order, with their servers.

        Without ``counters`` any ``Stats`` may be zero, which lets a large table be read faster.
        Raises KernelError (errno ESRCH) where ``key`` names no service.
        """
        ...

    def timeouts(self) -> Timeouts:
        """Return the connection timeouts."""
        ...

    def daemons(self) -> list[SyncDaemon]:
        """Return the running synchronisation daemons."""
        ...

    def connections(self) -> Iterator[Connection]:
        """Yield the connection table's entries."""
        ...

    def submit(self, changes: Iterable[Change]) -> list[tuple[int, KernelError]]:
        """Carry out changes in order; return the refusals, each with the index of its change, in order.

        Changes after a refused one are carried out all the same: ``engine.transaction`` makes it all or nothing.
        """
        ...

    def close(self) -> None:
        """Release what the backend holds; it cannot be used afterwards."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
