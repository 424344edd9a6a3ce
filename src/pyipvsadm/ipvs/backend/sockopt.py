"""The kernel's older interface to IPVS, getsockopt(2), for reading the real servers of large tables.

It knows IPv4 only and 32-bit counters, but hands out all real servers of a service in one call, as an array, where
netlink takes three calls and an attribute a number: several times less work for the kernel and for us. The netlink
backend asks it where counters are not wanted, and reads again over netlink what it cannot know: servers that are
tunnelled to, and services with servers of the other family.

Layouts: struct ip_vs_get_services, ip_vs_service_entry, ip_vs_get_dests, ip_vs_dest_entry of linux/ip_vs.h.
"""

from __future__ import annotations

import _socket
import os
import struct
from _socket import inet_aton, inet_ntoa

from pyipvsadm import clib
from pyipvsadm.abi import ip_vs as abi
from pyipvsadm.ipvs.model import PROTOCOL_NUMBERS, RealServer, ServerKey, ServerState
from pyipvsadm.ipvs.wire import FORWARD, NO_STATS
from pyipvsadm.netlink.attrs import swap16
from pyipvsadm.record import maker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.ipvs.model import ServiceKey

_STATS_SIZE: Final = struct.calcsize("@3I2Q5I0Q")  # struct ip_vs_stats_user, which is not read
INFO: Final = struct.Struct("@3I")
SERVICES: Final = struct.Struct("@I0Q")
NAME: Final = struct.Struct("@H2x4sH2xI")  # of a service: protocol, address, port (network order), mark
SERVICE: Final = struct.Struct(
    f"@{NAME.size}s16x12xI0Q{_STATS_SIZE}x"
)  # name and number of servers; the rest is not read
SERVERS: Final = struct.Struct(f"@{NAME.size}sI0Q")
SERVER_SETTINGS: Final = struct.Struct("@4sHIi2I")  # what struct ip_vs_dest_entry begins with
SERVER_CONNECTIONS: Final = struct.Struct("@3I")  # active, inactive, persistent
SERVER: Final = struct.Struct(f"@{SERVER_SETTINGS.size}s{SERVER_CONNECTIONS.size}s0Q{_STATS_SIZE}x")

_NO_ADDRESS: Final = bytes(4)
_GET_SERVICES: Final = clib.Int(abi.IP_VS_SO_GET_SERVICES)
_GET_DESTS: Final = clib.Int(abi.IP_VS_SO_GET_DESTS)

_make_server: Final = maker(ServerState)
_NO_SERVER: Final = bytes(SERVER_SETTINGS.size)
_IDLE: Final = bytes(SERVER_CONNECTIONS.size)


class SocketOptions:
    """Reads services' servers in the network namespace of its creation. Any method may raise OSError."""

    def __init__(self) -> None:
        self._socket = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
        self._length = clib.UInt32()
        # Servers without connections by the bytes of their settings: large tables have the same in many services.
        self._idle: dict[bytes, ServerState] = {}
        self._counts = self._read_counts()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _make_room(self, size: int) -> None:
        """Have a buffer of ``size`` bytes for questions and answers; one serves all services."""
        self._buffer = bytearray(size)
        self._answer = memoryview(self._buffer)
        self._arguments = (
            clib.Int(self._socket.fileno()),
            clib.Int(_socket.IPPROTO_IP),
            clib.buffer(self._buffer),
            clib.by_reference(self._length),
        )

    def _ask(self, option: clib.Int, size: int) -> None:
        """Have the question in the buffer answered in its place, with ``size`` bytes."""
        descriptor, level, buffer, length = self._arguments
        self._length.value = size
        if clib.getsockopt(descriptor, level, option, buffer, length):
            number = clib.errno()
            raise OSError(number, os.strerror(number))

    def _read_counts(self) -> dict[bytes, int]:
        """Return how many servers, of either family, each IPv4 service has, by the service's name."""
        info = self._socket.getsockopt(_socket.IPPROTO_IP, abi.IP_VS_SO_GET_INFO, INFO.size)
        number = INFO.unpack(info)[2]
        size = SERVICES.size + number * SERVICE.size
        self._make_room(size)
        SERVICES.pack_into(self._buffer, 0, number)
        self._ask(_GET_SERVICES, size)
        counts = dict(SERVICE.iter_unpack(self._answer[SERVICES.size :]))
        self._make_room(SERVERS.size + (max(counts.values(), default=0) + 1) * SERVER.size)
        return counts

    def servers(self, service: ServiceKey) -> tuple[ServerState, ...] | None:
        """Return the servers of a service without counters, or None where only netlink can tell them."""
        if service.family != 4:
            return None
        if service.protocol is None:
            name = NAME.pack(0, _NO_ADDRESS, 0, service.fwmark)
        else:
            address = inet_aton(service.address)
            name = NAME.pack(PROTOCOL_NUMBERS[service.protocol], address, swap16(service.port), 0)
        count = self._counts.get(name)
        if count is None:
            return None
        # One place more than there were servers: full, it tells that there are more by now; one that is left empty has
        # no settings, and tells that there are fewer, or of the other family.
        size = SERVERS.size + (count + 1) * SERVER.size
        self._buffer[:size] = SERVERS.pack(name, count + 1) + bytes(size - SERVERS.size)
        self._ask(_GET_DESTS, size)
        servers: list[ServerState] = []
        idle, make, counts = self._idle, _make_server, SERVER_CONNECTIONS.unpack
        for settings, connections in SERVER.iter_unpack(self._answer[SERVERS.size : size]):
            server = idle.get(settings)
            if server is None:
                if settings == _NO_SERVER:
                    break
                server = ServerState(_decode_settings(settings))
                if server.config.forward == "ipip":
                    return None  # tunnels have more settings
                idle[settings] = server
            if connections != _IDLE:
                server = make((ServerState, server.config, *counts(connections), NO_STATS))
            servers.append(server)
        return tuple(servers) if len(servers) == count else None


def _decode_settings(data: bytes) -> RealServer:
    raw, port, flags, weight, upper, lower = SERVER_SETTINGS.unpack(data)
    forward = FORWARD.get(flags & abi.IP_VS_CONN_F_FWD_MASK, "ipip")
    return RealServer(ServerKey(4, inet_ntoa(raw), swap16(port)), forward, weight, upper, lower)
