"""The kernel's own listing of virtual services, /proc/net/ip_vs: not all of their settings, but for everybody.

Form: three lines of headings, then a line for a service and lines for its servers, addresses and ports in hexadecimal
(net/netfilter/ipvs/ip_vs_ctl.c). Thresholds, tunnels and most flags are not in it, and the time of persistence is in a
unit of the kernel's own. The family of a service by mark is not told; its servers' stands for it.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final

from pyipvsadm.abi import ip_vs as abi
from pyipvsadm.errors import WireError
from pyipvsadm.ipvs import RealServer, ServerKey, ServerState, ServiceKey, ServiceState, VirtualService

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

PATH: Final = "/proc/thread-self/net/ip_vs"
_FORWARDS: Final[dict[str, Literal["masq", "local", "ipip", "gateway"]]] = {
    "Masq": "masq",
    "Local": "local",
    "Tunnel": "ipip",
    "Route": "gateway",
}
_PROTOCOLS: Final[dict[str, Literal["tcp", "udp", "sctp"]]] = {"TCP": "tcp", "UDP": "udp", "SCTP": "sctp"}
_HEADINGS: Final = 3


def parse(lines: Iterable[str]) -> list[ServiceState]:
    """Return the services of the listing, with what is not in it as for a new one. Raises WireError."""
    found: list[ServiceState] = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if number <= _HEADINGS or not words:
            continue
        try:
            if words[0] == "->":
                found[-1] = _with_server(found[-1], words[1:])
            else:
                found.append(ServiceState(_service(words)))
        except (ValueError, KeyError, IndexError):
            raise WireError("/proc/net/ip_vs", number, "a service or a server", repr(line)) from None
    return found


def _service(words: list[str]) -> VirtualService:
    if words[0] == "FWM":
        key = ServiceKey(4, fwmark=int(words[1], 16))
    else:
        family, address, port = _endpoint(words[1])
        key = ServiceKey(family, _PROTOCOLS[words[0]], address, port)
    settings = words[3:]
    flags = abi.IP_VS_SVC_F_ONEPACKET if "ops" in settings else 0
    if "persistent" in settings:
        flags |= abi.IP_VS_SVC_F_PERSISTENT
    return VirtualService(key, words[2], flags)


def _with_server(service: ServiceState, words: list[str]) -> ServiceState:
    family, address, port = _endpoint(words[0])
    server = RealServer(ServerKey(family, address, port), _FORWARDS[words[1]], int(words[2]))
    key = service.config.key
    if key.fwmark and not service.servers:
        key = key.replace(family=family)
    return service.replace(
        config=service.config.replace(key=key),
        servers=(*service.servers, ServerState(server, int(words[3]), int(words[4]))),
    )


def _endpoint(word: str) -> tuple[Literal[4, 6], str, int]:
    address, _, port = word.rpartition(":")
    if address.startswith("["):
        return 6, str(IPv6Address(address.strip("[]"))), int(port, 16)
    return 4, str(IPv4Address(int(address, 16))), int(port, 16)
