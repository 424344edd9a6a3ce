"""How values are worded: the parts of text that listings, dumps and tables have in common."""

from __future__ import annotations

from pyipvsadm.abi import ip_vs
from pyipvsadm.ipvs.model import WHOLE_NETMASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Protocol

    from pyipvsadm.ipvs import model
    from pyipvsadm.ipvs.model import Info, RealServer, VirtualService

    class Resolver(Protocol):
        """Turns addresses and ports into the text to show; a ``numeric`` one leaves them as they are."""

        numeric: bool

        def host(self, address: str, family: model.Family) -> str:
            """Return a host's name, or the address as it is."""
            ...

        def service(self, port: int, protocol: model.Protocol | None) -> str:
            """Return a port's name, or its number."""
            ...


# The forwarding methods; the peer has no word for the last.
FORWARD: Final = {"masq": "Masq", "local": "Local", "ipip": "Tunnel", "gateway": "Route", "bypass": "(null)"}

# How /proc/net/ip_vs_conn spells protocols; names of ports are looked up for these.
PROTOCOLS: Final[dict[str, model.Protocol]] = {"TCP": "tcp", "UDP": "udp", "SCTP": "sctp"}

# How IP_VS_TUNNEL_ENCAP_FLAG_* are shown and typed.
_CHECKSUM_MASK: Final = ip_vs.IP_VS_TUNNEL_ENCAP_FLAG_CSUM | ip_vs.IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM
_CHECKSUM: Final = {
    ip_vs.IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM: ("-c", "--tun-nocsum"),
    ip_vs.IP_VS_TUNNEL_ENCAP_FLAG_CSUM: ("+c", "--tun-csum"),
    ip_vs.IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM: ("r+c", "--tun-remcsum"),
    _CHECKSUM_MASK: ("r+c", "--tun-remcsum"),  # the peer has no words for both, and crashes
}

# The names of the scheduler flags; sh and mh have their own, and none for the third.
_FLAGS: Final = (ip_vs.IP_VS_SVC_F_SCHED1, ip_vs.IP_VS_SVC_F_SCHED2, ip_vs.IP_VS_SVC_F_SCHED3)
_FLAGS_MASK: Final = sum(_FLAGS)
_FLAG_NAMES: Final = {"sh": ("sh-fallback", "sh-port"), "mh": ("mh-fallback", "mh-port")}
_PLAIN_FLAG_NAMES: Final = ("flag-1", "flag-2", "flag-3")


def endpoint(resolver: Resolver, address: str, port: int, protocol: model.Protocol | None) -> str:
    """Return ``host:port`` or ``[host]:port``; a port has no name without a protocol."""
    if resolver.numeric:
        return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    service = resolver.service(port, protocol) if protocol else str(port)
    if ":" in address:
        return f"[{resolver.host(address, 6)}]:{service}"
    return f"{resolver.host(address, 4)}:{service}"


def scheduler_flags(service: VirtualService) -> str | None:
    """Return the names of a service's scheduler flags with commas, "" if they have none, None where none is set."""
    if not service.flags & _FLAGS_MASK:
        return None
    names = _FLAG_NAMES.get(service.scheduler, _PLAIN_FLAG_NAMES)
    return ",".join([name for bit, name in zip(_FLAGS, names, strict=False) if service.flags & bit])


def netmask(service: VirtualService) -> str:
    """Return the netmask of a service, "" where it is the whole address."""
    mask = service.netmask
    if mask is None or mask == WHOLE_NETMASK[service.key.family]:
        return ""
    if service.key.family == 6:
        return str(mask)
    return f"{mask >> 24}.{mask >> 16 & 255}.{mask >> 8 & 255}.{mask & 255}"


def settings(service: VirtualService, time: str = "") -> str:
    """Return the scheduler and the other settings of a service; ``time`` stands for that of its persistence, if any."""
    text = service.scheduler
    if not service.flags and not service.pe_name:
        return text
    flags = scheduler_flags(service)
    if flags is not None:
        text += f" ({flags})"
    if service.persistent:
        text += f" persistent {time or service.timeout}"
        mask = netmask(service)
        if mask:
            text += f" mask {mask}"
    if service.pe_name:
        text += f" pe {service.pe_name}"
    return text + " ops" if service.one_packet else text


def checksum(server: RealServer) -> tuple[str, str]:
    """Return the checksums in a server's tunnel as a sign and as an option."""
    return _CHECKSUM[server.tun_flags & _CHECKSUM_MASK]


def tunnel(server: RealServer) -> str:
    """Return the kind of a server's tunnel, "n/a" where there is none."""
    if server.forward != "ipip":
        return "n/a"
    if server.tun_type == "ipip":
        return "ipip"
    sign = checksum(server)[0]
    return f"gue:{server.tun_port}:{sign}" if server.tun_type == "gue" else f"gre:{sign}"


def version(info: Info) -> str:
    """Return the version of the IPVS of a kernel."""
    return f"{info.version >> 16 & 255}.{info.version >> 8 & 255}.{info.version & 255}"
