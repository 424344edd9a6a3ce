"""A virtual server table in memory that takes and refuses changes as Linux 6.1 does, with the same errno.

The order of the checks was found by experiment (tests/kernel/test_sandbox_equals_kernel.py repeats it). What the
kernel asks its surroundings for is fixed here: every network interface exists and is up, and addresses are those of a
network namespace with ``lo`` up alone, which leaves 127.255.255.255 of the broadcast addresses. Counters stay zero.
"""

from __future__ import annotations

import errno
from _socket import AF_INET, AF_INET6, inet_pton

from pyipvsadm.abi import ip_vs
from pyipvsadm.ipvs import command
from pyipvsadm.ipvs.model import WHOLE_NETMASK, ServerState, ServiceState, SyncDaemon, Timeouts
from pyipvsadm.ipvs.reasons import refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable
    from typing import Any, Final

    from pyipvsadm.ipvs.model import RealServer, ServerKey, ServiceKey, VirtualService

# What Linux has modules for. "none" is the kernel's word for a service without a scheduler.
SCHEDULERS: Final = frozenset(
    ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos", "none")
)
PERSISTENCE_ENGINES: Final = frozenset({"sip"})

DEFAULT_TIMEOUTS: Final = Timeouts(tcp=900, tcp_fin=120, udp=300)
MAX_TIMEOUT: Final = 0x7FFFFFFF // 250  # seconds: the kernel counts in ticks (HZ=250) and in an int

_MULTICAST_GROUP: Final = "224.0.0.81"
_MULTICAST_PORT: Final = 8848
_SYNC_MTU: Final = 1500
_MAX_DATAGRAM: Final = 65535
_LEAST_BACKUP: Final = 1024  # what a backup has to be able to take
_MAX_THRESHOLD: Final = 0x7FFFFFFF
_NOT_UNICAST: Final = {b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"}


class _Service:
    """A service with its servers, oldest first. Its records are frozen; which ones it holds changes."""

    __slots__ = ("config", "servers")

    def __init__(self, config: VirtualService) -> None:
        self.config = config
        self.servers: dict[tuple[object, ...], RealServer] = {}

    def state(self) -> ServiceState:
        return ServiceState(self.config, tuple([ServerState(server) for server in reversed(self.servers.values())]))


class Table:
    """Virtual services with their servers, timeouts and daemons, starting as ``services`` (in the order of a listing).

    ``schedulers`` and ``engines`` are the names that there are modules for; None stands for any name, which is right
    for foreseeing what a kernel will do that may have more.
    """

    def __init__(
        self,
        services: Iterable[ServiceState] = (),
        *,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        daemons: Iterable[SyncDaemon] = (),
        schedulers: Container[str] | None = SCHEDULERS,
        engines: Container[str] | None = PERSISTENCE_ENGINES,
    ) -> None:
        self.timeouts = timeouts
        self._schedulers = schedulers
        self._engines = engines
        self._daemons = {daemon.state: daemon for daemon in daemons}
        self._services: dict[tuple[object, ...], _Service] = {}
        for state in reversed(list(services)):
            config = normal(state.config)
            service = self._services[service_id(config.key)] = _Service(config)
            for server in reversed(state.servers):
                service.servers[server_id(server.config.key)] = server.config

    def apply(self, change: command.Change) -> None:
        """Carry out one change, or raise the KernelError with which the kernel refuses it and leave all as it is."""
        number = self._RULES[type(change)](self, change)
        if number:
            raise refusal(change.operation, number)

    def services(self, key: ServiceKey | None = None) -> list[ServiceState]:
        """Return one service or all: those by address before those by mark, as the kernel; of each the newest first.

        Raises KernelError (ESRCH) where ``key`` names no service. The kernel's order among services is that of its
        hashes.
        """
        if key is not None:
            found = self._services.get(service_id(key))
            if found is None:
                raise refusal("list service", errno.ESRCH)
            return [found.state()]
        states = [service.state() for service in reversed(self._services.values())]
        return sorted(states, key=lambda state: state.config.key.protocol is None)

    def service(self, key: ServiceKey) -> VirtualService | None:
        """Return a service's settings, None where there is no such service."""
        found = self._services.get(service_id(key))
        return found.config if found else None

    def server(self, service: ServiceKey, key: ServerKey) -> RealServer | None:
        """Return a server's settings, None where there is no such service or server."""
        found = self._services.get(service_id(service))
        return found.servers.get(server_id(key)) if found else None

    def daemons(self) -> list[SyncDaemon]:
        """Return the running daemons as the kernel shows them: with what it filled in, the master first."""
        return [self._daemons[state] for state in ("master", "backup") if state in self._daemons]

    # The rules: each returns the errno with which the kernel refuses, 0 for done.

    def _add_service(self, change: command.AddService) -> int:
        key = service_id(change.service.key)
        if key in self._services:
            return errno.EEXIST
        number = self._check_service(change.service)
        if not number:
            self._services[key] = _Service(normal(change.service))
        return number

    def _edit_service(self, change: command.EditService) -> int:
        found = self._services.get(service_id(change.service.key))
        if found is None:
            return errno.ESRCH
        number = self._check_service(change.service)
        if not number:
            found.config = normal(change.service)
        return number

    def _check_service(self, service: VirtualService) -> int:
        if self._schedulers is not None and service.scheduler not in self._schedulers:
            return errno.ENOENT
        if service.pe_name and self._engines is not None and service.pe_name not in self._engines:
            return errno.ENOENT
        netmask = service.netmask
        if netmask is not None and service.key.family == 6 and not 1 <= netmask <= 128:
            return errno.EINVAL
        return 0

    def _delete_service(self, change: command.DeleteService) -> int:
        return 0 if self._services.pop(service_id(change.key), None) else errno.ESRCH

    def _add_server(self, change: command.AddServer) -> int:
        found = self._services.get(service_id(change.service))
        if found is None:
            return errno.ESRCH
        server = change.server
        key = server_id(server.key)
        number = self._check_server(change.service, server)
        if number:
            return number
        if key in found.servers:
            return errno.EEXIST
        if not _is_unicast(server.key):
            return errno.EINVAL
        found.servers[key] = server
        return 0

    def _edit_server(self, change: command.EditServer) -> int:
        found = self._services.get(service_id(change.service))
        if found is None:
            return errno.ESRCH
        key = server_id(change.server.key)
        number = self._check_server(change.service, change.server)
        if number:
            return number
        if key not in found.servers:
            return errno.ENOENT
        found.servers[key] = change.server
        return 0

    def _check_server(self, service: ServiceKey, server: RealServer) -> int:
        if server.key.family != service.family and (server.forward != "ipip" or self._daemons):
            return errno.EINVAL  # only tunnels cross families, and daemons cannot tell others of such connections
        if server.weight < 0 or server.l_threshold > server.u_threshold:
            return errno.ERANGE
        if server.u_threshold > _MAX_THRESHOLD or (server.tun_type == "gue" and not server.tun_port):
            return errno.EINVAL
        return 0

    def _delete_server(self, change: command.DeleteServer) -> int:
        found = self._services.get(service_id(change.service))
        if found is None:
            return errno.ESRCH
        return 0 if found.servers.pop(server_id(change.server), None) else errno.ENOENT

    def _flush(self, _: command.Flush) -> int:
        self._services.clear()
        return 0

    def _zero(self, change: command.Zero) -> int:
        return 0 if change.key is None or service_id(change.key) in self._services else errno.ESRCH

    def _set_timeouts(self, change: command.SetTimeouts) -> int:
        new = {field: seconds for field, seconds in change.timeouts.asdict().items() if seconds}
        if any(seconds > MAX_TIMEOUT for seconds in new.values()):
            return errno.EINVAL
        self.timeouts = self.timeouts.replace(**new)
        return 0

    def _start_daemon(self, change: command.StartDaemon) -> int:
        daemon = change.daemon
        group = daemon.mcast_group or _MULTICAST_GROUP
        if not _is_multicast(group) or self._has_mixed_families():
            return errno.EINVAL
        if not daemon.mcast_ifn:
            return errno.ENODEV
        if daemon.state in self._daemons:
            return errno.EEXIST
        headers = 48 if ":" in group else 28  # IP and UDP
        self._daemons[daemon.state] = daemon.replace(
            sync_maxlen=_sync_maxlen(daemon, headers),
            mcast_group=group,
            mcast_port=daemon.mcast_port or _MULTICAST_PORT,
            mcast_ttl=daemon.mcast_ttl or 1,
        )
        return 0

    def _has_mixed_families(self) -> bool:
        return any(
            server.key.family != service.config.key.family
            for service in self._services.values()
            for server in service.servers.values()
        )

    def _stop_daemon(self, change: command.StopDaemon) -> int:
        return 0 if self._daemons.pop(change.daemon.state, None) else errno.ESRCH

    _RULES: Final[dict[type[command.Change], Callable[[Table, Any], int]]] = {
        command.AddService: _add_service,
        command.EditService: _edit_service,
        command.DeleteService: _delete_service,
        command.AddServer: _add_server,
        command.EditServer: _edit_server,
        command.DeleteServer: _delete_server,
        command.Flush: _flush,
        command.Zero: _zero,
        command.SetTimeouts: _set_timeouts,
        command.StartDaemon: _start_daemon,
        command.StopDaemon: _stop_daemon,
    }


def normal(service: VirtualService) -> VirtualService:
    """Return a service as a table shows it: the mask of a whole address is None, and the kernel's own flag is gone."""
    netmask = service.netmask
    if netmask is not None and netmask == WHOLE_NETMASK[service.key.family]:
        service = service.replace(netmask=None)
    if service.flags & ip_vs.IP_VS_SVC_F_HASHED:
        service = service.replace(flags=service.flags & ~ip_vs.IP_VS_SVC_F_HASHED)
    return service


def service_id(key: ServiceKey) -> tuple[object, ...]:
    """Return what a dict finds a service by: a tuple is hashed and compared several times faster than a record."""
    return key.protocol, key.address, key.port, key.fwmark, key.family


def server_id(key: ServerKey) -> tuple[object, ...]:
    """Return what a dict finds a server of one service by."""
    return key.address, key.port, key.family


def _is_unicast(key: ServerKey) -> bool:
    """Whether the kernel takes an address for a server's, in surroundings as the module describes."""
    if key.family == 4:
        packed = inet_pton(AF_INET, key.address)
        return packed not in _NOT_UNICAST and packed[0] & 0xF0 != 0xE0
    packed = inet_pton(AF_INET6, key.address)
    link_local = packed[0] == 0xFE and packed[1] & 0xC0 == 0x80
    mapped = packed[:12] == b"\0\0\0\0\0\0\0\0\0\0\xff\xff"
    return any(packed) and packed[0] != 0xFF and not link_local and not mapped


def _sync_maxlen(daemon: SyncDaemon, headers: int) -> int:
    """Return the longest message that a daemon sends or takes, which the kernel moves into bounds."""
    backup = daemon.state == "backup"
    if not daemon.sync_maxlen:  # a backup takes what its interface does; of these, only lo's is known here
        return (_MAX_DATAGRAM if backup and daemon.mcast_ifn == "lo" else _SYNC_MTU) - headers
    return max(_LEAST_BACKUP if backup else 1, min(daemon.sync_maxlen, _MAX_DATAGRAM - headers))


def _is_multicast(address: str) -> bool:
    if ":" in address:
        return inet_pton(AF_INET6, address)[0] == 0xFF
    return inet_pton(AF_INET, address)[0] & 0xF0 == 0xE0
