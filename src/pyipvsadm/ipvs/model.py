"""The virtual server table as values: what is configured, and what the kernel counts.

Settings (``VirtualService``, ``RealServer``, ``SyncDaemon``, ``Timeouts``) and counters (``Stats``) are different
types, so that comparing or saving a table never sees a counter. Fields that exist in C keep the names of
linux/ip_vs.h. Addresses are text in the form of inet_ntop(3), ports and marks are host-order integers, families are 4
and 6.
"""

from __future__ import annotations

from pyipvsadm.abi import ip_vs
from pyipvsadm.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal

    Family = Literal[4, 6]
    Protocol = Literal["tcp", "udp", "sctp"]
    Forward = Literal["masq", "local", "ipip", "gateway", "bypass"]
    TunnelType = Literal["ipip", "gue", "gre"]
    DaemonState = Literal["master", "backup"]

# The netmask that tells every client apart, by family: a mask for IPv4, a prefix length for IPv6 (as on the wire).
WHOLE_NETMASK: Final[dict[Family, int]] = {4: 0xFFFFFFFF, 6: 128}

# IPPROTO_* (linux/in.h) of the protocols that IPVS balances.
PROTOCOL_NUMBERS: Final[dict[Protocol, int]] = {"tcp": 6, "udp": 17, "sctp": 132}

# The value of IP_VS_CONN_F_FWD_MASK that stands for each forwarding method.
FORWARD_FLAGS: Final[dict[Forward, int]] = {
    "masq": ip_vs.IP_VS_CONN_F_MASQ,
    "local": ip_vs.IP_VS_CONN_F_LOCALNODE,
    "ipip": ip_vs.IP_VS_CONN_F_TUNNEL,
    "gateway": ip_vs.IP_VS_CONN_F_DROUTE,
    "bypass": ip_vs.IP_VS_CONN_F_BYPASS,
}

TUNNEL_TYPES: Final[dict[TunnelType, int]] = {
    "ipip": ip_vs.IP_VS_CONN_F_TUNNEL_TYPE_IPIP,
    "gue": ip_vs.IP_VS_CONN_F_TUNNEL_TYPE_GUE,
    "gre": ip_vs.IP_VS_CONN_F_TUNNEL_TYPE_GRE,
}


class ServiceKey(Record):
    """What identifies a virtual service: family, and protocol with address and port, or a firewall mark alone.

    A service by mark has protocol None, address "" and port 0; a service by address has fwmark 0.
    """

    family: Family
    protocol: Protocol | None = None
    address: str = ""
    port: int = 0
    fwmark: int = 0


class VirtualService(Record):
    """Settings of a virtual service (struct ip_vs_service_user, IPVS_SVC_ATTR_*).

    ``flags`` is a mask of IP_VS_SVC_F_*; the kernel adds HASHED, which is left out here. ``timeout`` is the
    persistence in seconds. ``netmask`` is a 32-bit host-order mask for IPv4, a prefix length for IPv6; None is the
    whole address.
    """

    key: ServiceKey
    scheduler: str = "wlc"
    flags: int = 0
    timeout: int = 0
    netmask: int | None = None
    pe_name: str = ""

    @property
    def persistent(self) -> bool:
        """Whether connections of one client go to one server (-p)."""
        return bool(self.flags & ip_vs.IP_VS_SVC_F_PERSISTENT)

    @property
    def one_packet(self) -> bool:
        """Whether every datagram is scheduled anew (-o)."""
        return bool(self.flags & ip_vs.IP_VS_SVC_F_ONEPACKET)


class ServerKey(Record):
    """What identifies a real server within its virtual service."""

    family: Family
    address: str
    port: int


class RealServer(Record):
    """Settings of a real server (struct ip_vs_dest_user, IPVS_DEST_ATTR_*).

    Thresholds are connections, 0 for none. The ``tun_`` fields matter to ``forward="ipip"`` alone; ``tun_flags`` is a
    mask of IP_VS_TUNNEL_ENCAP_FLAG_*.
    """

    key: ServerKey
    forward: Forward = "gateway"
    weight: int = 1
    u_threshold: int = 0
    l_threshold: int = 0
    tun_type: TunnelType = "ipip"
    tun_port: int = 0
    tun_flags: int = 0


class SyncDaemon(Record):
    """Settings of a connection synchronisation daemon (IPVS_DAEMON_ATTR_*).

    ``sync_maxlen`` is in bytes; 0, "" and 0 leave the length, the group, the port or the TTL to the kernel.
    """

    state: DaemonState
    mcast_ifn: str = ""
    syncid: int = 0
    sync_maxlen: int = 0
    mcast_group: str = ""
    mcast_port: int = 0
    mcast_ttl: int = 0


class Timeouts(Record):
    """Idle times of connections in seconds; 0 in a change leaves one as it is."""

    tcp: int
    tcp_fin: int
    udp: int


class Stats(Record):
    """What the kernel counts and estimates (struct ip_vs_stats_user, 64 bits where it gives IPVS_*_ATTR_STATS64)."""

    conns: int = 0
    inpkts: int = 0
    outpkts: int = 0
    inbytes: int = 0
    outbytes: int = 0
    cps: int = 0
    inpps: int = 0
    outpps: int = 0
    inbps: int = 0
    outbps: int = 0


class ServerState(Record):
    """A real server as the kernel shows it: settings, connections now, counters."""

    config: RealServer
    activeconns: int = 0
    inactconns: int = 0
    persistconns: int = 0
    stats: Stats = Stats()


class ServiceState(Record):
    """A virtual service as the kernel shows it; servers in the kernel's order."""

    config: VirtualService
    servers: tuple[ServerState, ...] = ()
    stats: Stats = Stats()


class Info(Record):
    """The IPVS of a kernel: version as IP_VS_VERSION_CODE (0x010201), buckets of its connection table."""

    version: int
    conn_tab_size: int


# What everybody can see of services and servers says nothing of these: the kernel tells them to root alone.
NOT_LISTED: Final = frozenset(
    (
        *("flags", "one_packet", "timeout", "pe_name"),
        *("u_threshold", "l_threshold", "tun_type", "tun_port", "tun_flags", "persistconns"),
        "stats",
    )
)


class Listed(Record):
    """What everybody can see of a table (/proc/net/ip_vs).

    What ``NOT_LISTED`` names is as for a new service or server, and so are the netmask of a service that is not
    persistent and the family of one by mark that has no servers. Of ``flags`` PERSISTENT is as it is, and ONEPACKET
    where the kernel shows it, which it does not for IPv6.
    """

    info: Info
    services: tuple[ServiceState, ...]


class Connection(Record):
    """A line of /proc/net/ip_vs_conn: an entry of the connection table.

    Ports are host order; ``expires`` is in seconds; ``protocol`` and ``state`` are the kernel's words ("TCP",
    "ESTABLISHED"). For a template of a service by mark, ``virtual`` is the mark as an address. ``pe_name`` and
    ``pe_data`` are "" without a persistence engine. Families of the two sides differ only when tunnelling across
    families.
    """

    protocol: str
    client: str
    client_port: int
    virtual: str
    virtual_port: int
    server: str
    server_port: int
    state: str
    expires: int
    pe_name: str = ""
    pe_data: str = ""
