"""The virtual server table of a network namespace's kernel, over the generic netlink family "IPVS"."""

from __future__ import annotations

import errno
import os

from pyipvsadm.abi import ip_vs as abi
from pyipvsadm.errors import Unsupported
from pyipvsadm.ipvs import command, connections, wire
from pyipvsadm.ipvs.model import ServiceState
from pyipvsadm.ipvs.reasons import refusal
from pyipvsadm.netlink.genl import GenericSocket
from pyipvsadm.netlink.socket import NetlinkError
from pyipvsadm.netns import NetworkNamespace
from pyipvsadm.record import maker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, Final, Self

    from pyipvsadm.errors import KernelError
    from pyipvsadm.ipvs.backend.sockopt import SocketOptions
    from pyipvsadm.ipvs.model import Connection, Info, ServerState, ServiceKey, SyncDaemon, Timeouts

# From how many services on it pays to open the older interface, which takes as long as reading these.
_MANY_SERVICES: Final = 100

_make_state: Final = maker(ServiceState)
_NO_FAMILY: Final = errno.ENOPROTOOPT  # what the C tool's socket option fails with where there is no ip_vs
_LOADER_ENVIRONMENT: Final = {"PATH": "/sbin:/usr/sbin:/bin:/usr/bin"}  # what the kernel gives its module loader


class KernelBackend:
    """IPVS in the network namespace ``netns`` (a name of ip-netns(8) or a path; None: the caller's own).

    Loads the module ip_vs where it is missing. Raises KernelError (operation "open") where the kernel has no IPVS or
    the caller no right to it, Unsupported where the namespace is not there.
    """

    def __init__(self, netns: str | None = None) -> None:
        self._netns = NetworkNamespace(netns)
        with self._netns:
            self._socket = _open()
        try:
            self._info = wire.decode_info(*self._get("open", abi.IPVS_CMD_GET_INFO))
        except BaseException:
            self.close()
            raise
        self._last_key: ServiceKey | None = None
        self._last_key_bytes = b""

    def info(self) -> Info:
        """Return the version of IPVS and the size of its connection table."""
        return self._info

    def services(self, key: ServiceKey | None = None, *, counters: bool = True) -> list[ServiceState]:
        """Return one service or all, with their servers. Raises KernelError (ESRCH) where ``key`` names none.

        Without ``counters`` they may be zero: a large table is then read through the older interface.
        """
        if key is None:
            found = self._dump("list services", abi.IPVS_CMD_GET_SERVICE)
        else:
            found = [self._get("list service", abi.IPVS_CMD_GET_SERVICE, wire.encode_key(key))]
        older = self._open_older() if len(found) >= _MANY_SERVICES and not counters else None
        services: dict[
            ServiceKey, ServiceState
        ] = {}  # the kernel repeats one when another namespace adds one meanwhile
        try:
            for data, start, end in found:
                config, stats = wire.decode_service(data, start, end, counters=counters)
                servers = older.servers(config.key) if older else None
                if servers is None:
                    servers = self._servers(config.key)
                services[config.key] = _make_state((ServiceState, config, servers, stats))
        finally:
            if older:
                older.close()
        return list(services.values())

    def _servers(self, key: ServiceKey) -> tuple[ServerState, ...]:
        answers = self._dump("list servers", abi.IPVS_CMD_GET_DEST, wire.encode_key(key))
        family = key.family
        return tuple([wire.decode_server(data, start, end, family) for data, start, end in answers])

    def _open_older(self) -> SocketOptions | None:
        """Open the kernel's older interface, where it has it."""
        from pyipvsadm.ipvs.backend.sockopt import SocketOptions

        try:
            with self._netns:
                return SocketOptions()
        except OSError:
            return None

    def timeouts(self) -> Timeouts:
        """Return the connection timeouts."""
        return wire.decode_timeouts(*self._get("show timeouts", abi.IPVS_CMD_GET_CONFIG))

    def daemons(self) -> list[SyncDaemon]:
        """Return the running synchronisation daemons."""
        return [wire.decode_daemon(*answer) for answer in self._dump("show daemons", abi.IPVS_CMD_GET_DAEMON)]

    def connections(self) -> Iterator[Connection]:
        """Yield the connection table's entries; raises Unsupported where the kernel does not show them."""
        try:
            with self._netns:
                file = open(connections.PATH, "rb")  # noqa: SIM115  # opened inside, read outside
        except OSError as problem:
            raise Unsupported(f"{connections.PATH}: {problem.strerror}") from None
        with file:
            yield from connections.parse(file)

    def submit(self, changes: Iterable[command.Change]) -> list[tuple[int, KernelError]]:
        """Carry out changes in order; return the refusals, each with the index of its change."""
        changes = list(changes)
        requests = []  # all of them before the first is sent: what does not encode must not leave a job half done
        for change in changes:
            number, encode = self._REQUESTS[type(change)]
            requests.append(self._socket.request(number, encode(self, change)))
        refused = self._socket.submit(requests)
        return [(index, refusal(changes[index].operation, error.number, error.extack)) for index, error in refused]

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _get(self, operation: str, number: int, attributes: bytes = b"") -> tuple[bytes, int, int]:
        try:
            return self._socket.get(number, attributes)
        except NetlinkError as error:
            raise refusal(operation, error.number, error.extack) from None

    def _dump(self, operation: str, number: int, attributes: bytes = b"") -> list[tuple[bytes, int, int]]:
        try:
            return self._socket.dump(number, attributes)
        except NetlinkError as error:
            raise refusal(operation, error.number, error.extack) from None

    def _encode_server_change(self, change: command.AddServer | command.EditServer) -> bytes:
        """Encode a service's key, once for servers of one service that follow each other, and a server."""
        key = change.service
        if key is not self._last_key:
            self._last_key_bytes = wire.encode_key(key)
            self._last_key = key
        return self._last_key_bytes + wire.encode_server(change.server)

    _REQUESTS: Final[dict[type[command.Change], tuple[int, Callable[[KernelBackend, Any], bytes]]]] = {
        command.AddService: (abi.IPVS_CMD_NEW_SERVICE, lambda _, change: wire.encode_service(change.service)),
        command.EditService: (abi.IPVS_CMD_SET_SERVICE, lambda _, change: wire.encode_service(change.service)),
        command.DeleteService: (abi.IPVS_CMD_DEL_SERVICE, lambda _, change: wire.encode_key(change.key)),
        command.AddServer: (abi.IPVS_CMD_NEW_DEST, _encode_server_change),
        command.EditServer: (abi.IPVS_CMD_SET_DEST, _encode_server_change),
        command.DeleteServer: (
            abi.IPVS_CMD_DEL_DEST,
            lambda _, change: wire.encode_key(change.service) + wire.encode_server_key(change.server),
        ),
        command.Flush: (abi.IPVS_CMD_FLUSH, lambda _, change: b""),
        command.Zero: (abi.IPVS_CMD_ZERO, lambda _, change: wire.encode_key(change.key) if change.key else b""),
        command.SetTimeouts: (abi.IPVS_CMD_SET_CONFIG, lambda _, change: wire.encode_timeouts(change.timeouts)),
        command.StartDaemon: (abi.IPVS_CMD_NEW_DAEMON, lambda _, change: wire.encode_daemon(change.daemon)),
        command.StopDaemon: (abi.IPVS_CMD_DEL_DAEMON, lambda _, change: wire.encode_daemon(change.daemon)),
    }


def _open() -> GenericSocket:
    """Open the family's socket, loading its module when it is not there."""
    try:
        return GenericSocket(abi.IPVS_GENL_NAME, abi.IPVS_GENL_VERSION)
    except OSError as problem:
        if problem.errno != errno.ENOENT:
            raise refusal("open", problem.errno or 0) from None
    load_module("ip_vs")
    try:
        return GenericSocket(abi.IPVS_GENL_NAME, abi.IPVS_GENL_VERSION)
    except OSError as problem:
        raise refusal("open", _NO_FAMILY if problem.errno == errno.ENOENT else problem.errno or 0) from None


def load_module(name: str) -> None:
    """Have the kernel's own module loader load a module; whether it did is for the caller to find out."""
    try:
        with open("/proc/sys/kernel/modprobe", encoding="utf-8", errors="surrogateescape") as file:
            loader = file.read().strip()
        null = [(os.POSIX_SPAWN_OPEN, descriptor, "/dev/null", os.O_RDWR, 0) for descriptor in (0, 1, 2)]
        os.waitpid(os.posix_spawn(loader, [loader, "-q", "--", name], _LOADER_ENVIRONMENT, file_actions=null), 0)
    except OSError:
        pass  # no loader, no module: the family stays away
