"""The kernel's own listing of virtual services, /proc/net/ip_vs: not all that there is to know, but for everybody.

Form: three lines of headings, the first with the version and the size of the connection table, then a line for a
service and lines for its servers, addresses and ports in hexadecimal (net/netfilter/ipvs/ip_vs_ctl.c). The family of a
service by mark is not told: that of its first server stands for it, IPv4 where it has none. The mask of a persistent
service is told, for IPv6 as a prefix length in the wrong byte order; its time is in a unit of the kernel's own.
"""

from __future__ import annotations

import sys
from _socket import AF_INET, AF_INET6, inet_ntop

from pyipvsadm.abi import ip_vs as abi
from pyipvsadm.errors import WireError
from pyipvsadm.ipvs.model import (
    WHOLE_NETMASK,
    Info,
    Listed,
    RealServer,
    ServerKey,
    ServerState,
    ServiceKey,
    ServiceState,
    VirtualService,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Final, TypeVar

    from pyipvsadm.ipvs.model import Family, Forward, Protocol

    Part = TypeVar("Part")

_PATH: Final = "/proc/thread-self/net/ip_vs"
_FORWARDS: Final[dict[str, Forward]] = {"Masq": "masq", "Local": "local", "Tunnel": "ipip", "Route": "gateway"}
_PROTOCOLS: Final[dict[str, Protocol]] = {"TCP": "tcp", "UDP": "udp", "SCTP": "sctp"}
_HEADINGS: Final = 3


def read() -> Listed:
    """Return the listing of the network namespace that the thread is in. Raises OSError, WireError."""
    with open(_PATH, encoding="ascii") as file:
        return parse(file)


def parse(lines: Iterable[str]) -> Listed:
    """Return the services of the listing, with what is not in it as for a new one. Raises WireError."""
    rows = [(number, line.split()) for number, line in enumerate(lines, 1)]
    info = _understood(*(rows[0] if rows else (1, [])), _info)
    found: list[tuple[int, list[str], list[ServerState]]] = []
    for number, words in rows[_HEADINGS:]:
        if words[:1] == ["->"] and found:
            found[-1][2].append(_understood(number, words, _server))
        else:
            found.append((number, words, []))
    services = [
        ServiceState(_understood(number, words, _service, servers), tuple(servers)) for number, words, servers in found
    ]
    return Listed(info, tuple(services))


def _understood(number: int, words: list[str], read: Callable[..., Part], *more: object) -> Part:
    """Return what a line says."""
    try:
        return read(words, *more)
    except (ValueError, KeyError, IndexError, OSError):
        raise WireError("/proc/net/ip_vs", number, "a listing of virtual services", repr(" ".join(words))) from None


def _info(words: list[str]) -> Info:
    """Read "IP Virtual Server version 1.2.1 (size=4096)"."""
    major, minor, patch = words[4].split(".")
    return Info(int(major) << 16 | int(minor) << 8 | int(patch), int(words[5].removeprefix("(size=").rstrip(")")))


def _service(words: list[str], servers: list[ServerState]) -> VirtualService:
    if words[0] == "FWM":
        key = ServiceKey(servers[0].config.key.family if servers else 4, fwmark=int(words[1], 16))
    else:
        family, address, port = _endpoint(words[1])
        key = ServiceKey(family, _PROTOCOLS[words[0]], address, port)
    settings = words[3:]
    flags = abi.IP_VS_SVC_F_ONEPACKET if "ops" in settings else 0
    netmask: int | None = None
    if "persistent" in settings:
        flags |= abi.IP_VS_SVC_F_PERSISTENT
        if not key.fwmark or servers:
            mask = int(settings[settings.index("persistent") + 2], 16)
            netmask = mask if key.family == 4 else int.from_bytes(mask.to_bytes(4, "big"), sys.byteorder)
    return VirtualService(key, words[2], flags, netmask=None if netmask == WHOLE_NETMASK[key.family] else netmask)


def _server(words: list[str]) -> ServerState:
    _, name, forward, weight, active, inactive = words
    return ServerState(
        RealServer(ServerKey(*_endpoint(name)), _FORWARDS[forward], int(weight)), int(active), int(inactive)
    )


def _endpoint(word: str) -> tuple[Family, str, int]:
    address, _, port = word.rpartition(":")
    if address.startswith("["):
        return 6, inet_ntop(AF_INET6, bytes.fromhex(address.strip("[]").replace(":", ""))), int(port, 16)
    return 4, inet_ntop(AF_INET, bytes.fromhex(address)), int(port, 16)
