"""The virtual server table's values as generic netlink attributes, and back (linux/ip_vs.h).

Pure functions on bytes. What the kernel reads: net/netfilter/ipvs/ip_vs_ctl.c, the policies of family "IPVS", version
1.
"""

from __future__ import annotations

import struct
from _socket import AF_INET, AF_INET6, inet_ntoa, inet_ntop, inet_pton
from sys import byteorder

from pyipvsadm.abi import ip_vs as abi
from pyipvsadm.errors import WireError
from pyipvsadm.ipvs.model import (
    FORWARD_FLAGS,
    PROTOCOL_NUMBERS,
    TUNNEL_TYPES,
    WHOLE_NETMASK,
    Info,
    RealServer,
    ServerKey,
    ServerState,
    ServiceKey,
    Stats,
    SyncDaemon,
    Timeouts,
    VirtualService,
)
from pyipvsadm.memo import remembered
from pyipvsadm.netlink.attrs import Attr, AttrTable, Kind, asciiz, be16, i32, swap32, u8, u16, u32, u64
from pyipvsadm.netlink.genl import nested
from pyipvsadm.record import maker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from pyipvsadm.ipvs.model import Family

_AF: Final[dict[Family, int]] = {4: AF_INET, 6: AF_INET6}
_FAMILY: Final[dict[int, Family]] = dict(zip(_AF.values(), _AF, strict=True))
_PROTOCOL: Final = dict(zip(PROTOCOL_NUMBERS.values(), PROTOCOL_NUMBERS, strict=True))
FORWARD: Final = dict(zip(FORWARD_FLAGS.values(), FORWARD_FLAGS, strict=True))
_make_key: Final = maker(ServiceKey)
_make_service: Final = maker(VirtualService)
NO_STATS: Final = Stats()  # one serves all that have counted nothing
_TUNNEL_TYPE: Final = dict(zip(TUNNEL_TYPES.values(), TUNNEL_TYPES, strict=True))
_STATE: Final = {"master": abi.IP_VS_STATE_MASTER, "backup": abi.IP_VS_STATE_BACKUP}
_STATE_NAME: Final = dict(zip(_STATE.values(), _STATE, strict=True))


def _dump_address(text: str) -> bytes:
    return inet_pton(AF_INET6 if ":" in text else AF_INET, text)


def _dump_flags(flags: int) -> bytes:
    return struct.pack("=II", flags, 0xFFFFFFFF)


def _load_flags(data: bytes) -> int:
    return int.from_bytes(data[:4], byteorder) & ~abi.IP_VS_SVC_F_HASHED


_family: Final = Kind("H", dump=_AF.__getitem__)
_protocol: Final = Kind("H", dump=PROTOCOL_NUMBERS.__getitem__)
_address: Final = Kind("16s", dump=remembered(_dump_address))  # union nf_inet_addr: IPv4 is the first four bytes
_masked_flags: Final = Kind("8s", dump=_dump_flags, load=remembered(_load_flags))  # struct ip_vs_flags
_forward: Final = Kind("I", dump=FORWARD_FLAGS.__getitem__)
_tunnel_type: Final = Kind("B", dump=TUNNEL_TYPES.__getitem__)
_state: Final = Kind("I", dump=_STATE.__getitem__)
# struct in_addr / in6_addr of a multicast group
_group4: Final = Kind("4s", dump=_dump_address, load=lambda data: inet_ntop(AF_INET, data))
_group6: Final = Kind("16s", dump=_dump_address, load=lambda data: inet_ntop(AF_INET6, data))

_STATS_FIELDS: Final = Stats.__fields__  # IPVS_STATS_ATTR_CONNS … OUTBPS, in this order
_BYTE_COUNTERS: Final = {"inbytes", "outbytes"}  # 64 bits even in the old attribute
STATS: Final = AttrTable(
    "IPVS_ATTR_STATS",
    *[Attr(n, field, u64 if field in _BYTE_COUNTERS else u32) for n, field in enumerate(_STATS_FIELDS, 1)],
)
STATS64: Final = AttrTable("IPVS_ATTR_STATS64", *[Attr(n, field, u64) for n, field in enumerate(_STATS_FIELDS, 1)])

SERVICE_KEY: Final = AttrTable(
    "IPVS_SVC_ATTR",
    Attr(abi.IPVS_SVC_ATTR_AF, "family", _family),
    Attr(abi.IPVS_SVC_ATTR_PROTOCOL, "protocol", _protocol, when=lambda value: value is not None),
    Attr(abi.IPVS_SVC_ATTR_ADDR, "address", _address, when=bool),
    Attr(abi.IPVS_SVC_ATTR_PORT, "port", be16, optional=True),  # not sent for marks
    Attr(abi.IPVS_SVC_ATTR_FWMARK, "fwmark", u32, when=bool),
)
SERVICE_SETTINGS: Final = AttrTable(
    "IPVS_SVC_ATTR",
    Attr(abi.IPVS_SVC_ATTR_SCHED_NAME, "scheduler", asciiz(abi.IP_VS_SCHEDNAME_MAXLEN)),
    Attr(abi.IPVS_SVC_ATTR_FLAGS, "flags", _masked_flags),
    Attr(abi.IPVS_SVC_ATTR_TIMEOUT, "timeout", u32),
    Attr(abi.IPVS_SVC_ATTR_PE_NAME, "pe_name", asciiz(abi.IP_VS_PENAME_MAXLEN + 1), when=bool),
)
SERVICE: Final = AttrTable(
    "IPVS_CMD_ATTR_SERVICE",
    *SERVICE_KEY.rows,
    *SERVICE_SETTINGS.rows,
    Attr(abi.IPVS_SVC_ATTR_NETMASK, "netmask", u32),  # IPv4: be32 mask; IPv6: prefix length in host order
)
SERVICE_STATE: Final = AttrTable(
    "IPVS_CMD_ATTR_SERVICE",
    *SERVICE.rows,
    Attr(abi.IPVS_SVC_ATTR_STATS64, "stats", STATS64, optional=True),
    Attr(abi.IPVS_SVC_ATTR_STATS, "stats", STATS, optional=True, instead=abi.IPVS_SVC_ATTR_STATS64),
)
SERVER_KEY: Final = AttrTable(
    "IPVS_DEST_ATTR",
    Attr(abi.IPVS_DEST_ATTR_ADDR_FAMILY, "family", _family, optional=True),  # from Linux 3.18 on
    Attr(abi.IPVS_DEST_ATTR_ADDR, "address", _address),
    Attr(abi.IPVS_DEST_ATTR_PORT, "port", be16),
)
SERVER: Final = AttrTable(
    "IPVS_DEST_ATTR",
    *[Attr(row.number, f"key.{row.field}", row.kind, optional=row.optional) for row in SERVER_KEY.rows],
    Attr(abi.IPVS_DEST_ATTR_FWD_METHOD, "forward", _forward),
    Attr(abi.IPVS_DEST_ATTR_WEIGHT, "weight", i32),
    Attr(abi.IPVS_DEST_ATTR_TUN_TYPE, "tun_type", _tunnel_type, optional=True),  # from Linux 5.3 on
    Attr(abi.IPVS_DEST_ATTR_TUN_PORT, "tun_port", be16, optional=True),
    Attr(abi.IPVS_DEST_ATTR_TUN_FLAGS, "tun_flags", u16, optional=True),
    Attr(abi.IPVS_DEST_ATTR_U_THRESH, "u_threshold", u32),
    Attr(abi.IPVS_DEST_ATTR_L_THRESH, "l_threshold", u32),
)
SERVER_STATE: Final = AttrTable(  # in the kernel's order, which is read fastest
    "IPVS_CMD_ATTR_DEST",
    *SERVER.rows,
    Attr(abi.IPVS_DEST_ATTR_ACTIVE_CONNS, "activeconns", u32),
    Attr(abi.IPVS_DEST_ATTR_INACT_CONNS, "inactconns", u32),
    Attr(abi.IPVS_DEST_ATTR_PERSIST_CONNS, "persistconns", u32),
    Attr(abi.IPVS_DEST_ATTR_STATS64, "stats", STATS64, optional=True),
    Attr(
        abi.IPVS_DEST_ATTR_STATS, "stats", STATS, optional=True, instead=abi.IPVS_DEST_ATTR_STATS64
    ),  # all that kernels before 4.1 have
)
DAEMON: Final = AttrTable(
    "IPVS_CMD_ATTR_DAEMON",
    Attr(abi.IPVS_DAEMON_ATTR_STATE, "state", _state),
    Attr(abi.IPVS_DAEMON_ATTR_MCAST_IFN, "mcast_ifn", asciiz(abi.IP_VS_IFNAME_MAXLEN)),
    Attr(abi.IPVS_DAEMON_ATTR_SYNC_ID, "syncid", u32),
    Attr(abi.IPVS_DAEMON_ATTR_SYNC_MAXLEN, "sync_maxlen", u16, when=bool),
    Attr(abi.IPVS_DAEMON_ATTR_MCAST_GROUP, "mcast_group", _group4, when=lambda group: "." in group),
    Attr(abi.IPVS_DAEMON_ATTR_MCAST_GROUP6, "mcast_group", _group6, when=lambda group: ":" in group),
    Attr(abi.IPVS_DAEMON_ATTR_MCAST_PORT, "mcast_port", u16, when=bool),
    Attr(abi.IPVS_DAEMON_ATTR_MCAST_TTL, "mcast_ttl", u8, when=bool),
)
# What the kernel answers: one nested attribute of the first level.
SERVICE_MESSAGE: Final = AttrTable("IPVS_CMD_NEW_SERVICE", Attr(abi.IPVS_CMD_ATTR_SERVICE, "service", SERVICE))
SERVICE_STATE_MESSAGE: Final = AttrTable(
    "IPVS_CMD_NEW_SERVICE", Attr(abi.IPVS_CMD_ATTR_SERVICE, "service", SERVICE_STATE)
)
SERVER_MESSAGE: Final = AttrTable("IPVS_CMD_NEW_DEST", Attr(abi.IPVS_CMD_ATTR_DEST, "server", SERVER_STATE))
DAEMON_MESSAGE: Final = AttrTable("IPVS_CMD_NEW_DAEMON", Attr(abi.IPVS_CMD_ATTR_DAEMON, "daemon", DAEMON))
TIMEOUTS: Final = AttrTable(
    "IPVS_CMD_ATTR",
    Attr(abi.IPVS_CMD_ATTR_TIMEOUT_TCP, "tcp", u32),
    Attr(abi.IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, "tcp_fin", u32),
    Attr(abi.IPVS_CMD_ATTR_TIMEOUT_UDP, "udp", u32),
)
INFO: Final = AttrTable(
    "IPVS_INFO_ATTR",
    Attr(abi.IPVS_INFO_ATTR_VERSION, "version", u32),
    Attr(abi.IPVS_INFO_ATTR_CONN_TAB_SIZE, "conn_tab_size", u32),
)


def encode_key(key: ServiceKey) -> bytes:
    """Return the IPVS_CMD_ATTR_SERVICE that identifies a service."""
    return nested(abi.IPVS_CMD_ATTR_SERVICE, SERVICE_KEY.encode(key))


def encode_service(service: VirtualService) -> bytes:
    """Return the IPVS_CMD_ATTR_SERVICE with all settings of a service."""
    key, netmask = service.key, service.netmask
    if netmask is None:
        netmask = WHOLE_NETMASK[key.family]
    mask = struct.pack("=HHI", 8, abi.IPVS_SVC_ATTR_NETMASK, swap32(netmask) if key.family == 4 else netmask)
    return nested(abi.IPVS_CMD_ATTR_SERVICE, SERVICE_KEY.encode(key) + SERVICE_SETTINGS.encode(service) + mask)


def encode_server(server: RealServer) -> bytes:
    """Return the IPVS_CMD_ATTR_DEST with all settings of a real server."""
    return nested(abi.IPVS_CMD_ATTR_DEST, SERVER.encode(server))


def encode_server_key(key: ServerKey) -> bytes:
    """Return the IPVS_CMD_ATTR_DEST that identifies a real server."""
    return nested(abi.IPVS_CMD_ATTR_DEST, SERVER_KEY.encode(key))


def encode_daemon(daemon: SyncDaemon) -> bytes:
    """Return the IPVS_CMD_ATTR_DAEMON of a synchronisation daemon."""
    return nested(abi.IPVS_CMD_ATTR_DAEMON, DAEMON.encode(daemon))


def encode_timeouts(timeouts: Timeouts) -> bytes:
    """Return the attributes of IPVS_CMD_SET_CONFIG."""
    return TIMEOUTS.encode(timeouts)


def decode_service(data: bytes, start: int, end: int, *, counters: bool = True) -> tuple[VirtualService, Stats]:
    """Read the attributes of an IPVS_CMD_GET_SERVICE answer; ``counters`` that are not wanted are zero.

    Raises WireError.
    """
    table = SERVICE_STATE_MESSAGE if counters else SERVICE_MESSAGE
    af, number, raw, port, fwmark, scheduler, flags, timeout, pe_name, netmask, *stats = table.decode(data, start, end)
    family = _known(_FAMILY, af, "IPVS_SVC_ATTR_AF", start)
    if fwmark:
        key = ServiceKey(family, None, "", 0, fwmark)
    else:
        protocol = _known(_PROTOCOL, number, "IPVS_SVC_ATTR_PROTOCOL", start)
        key = _make_key((ServiceKey, family, protocol, _text(raw, family), port, 0))
    if netmask == WHOLE_NETMASK[family]:  # in either byte order
        netmask = None
    elif family == 4:
        netmask = swap32(netmask)
    config = _make_service((VirtualService, key, scheduler, flags, timeout, netmask, pe_name or ""))
    return config, Stats.make(stats) if any(stats) else NO_STATS


def decode_server(data: bytes, start: int, end: int, service_family: Family) -> ServerState:
    """Read the attributes of an IPVS_CMD_GET_DEST answer. Raises WireError.

    Kernels before 3.18 do not say the server's family: it is the service's.
    """
    (
        af, raw, port, method, weight, tun_type, tun_port, tun_flags, upper, lower,
        active, inactive, persistent, *stats,
    ) = SERVER_MESSAGE.decode(data, start, end)  # fmt: skip
    family = _FAMILY.get(af, service_family)
    try:
        config = RealServer(
            ServerKey(family, _text(raw, family), port),
            FORWARD[method & abi.IP_VS_CONN_F_FWD_MASK],
            weight,
            upper,
            lower,
            _TUNNEL_TYPE[tun_type or 0],
            tun_port or 0,
            tun_flags or 0,
        )
    except KeyError as number:
        raise WireError("IPVS_CMD_ATTR_DEST", start, "a known forwarding method or tunnel type", str(number)) from None
    return ServerState(config, active, inactive, persistent, Stats.make(stats) if any(stats) else NO_STATS)


def decode_daemon(data: bytes, start: int, end: int) -> SyncDaemon:
    """Read the attributes of an IPVS_CMD_GET_DAEMON answer. Raises WireError."""
    number, interface, syncid, maxlen, four, six, port, ttl = DAEMON_MESSAGE.decode(data, start, end)
    name = _known(_STATE_NAME, number, "IPVS_DAEMON_ATTR_STATE", start)
    return SyncDaemon(name, interface, syncid, maxlen or 0, four or six or "", port or 0, ttl or 0)


def decode_timeouts(data: bytes, start: int, end: int) -> Timeouts:
    """Read the attributes of an IPVS_CMD_GET_CONFIG answer. Raises WireError."""
    return Timeouts(*TIMEOUTS.decode(data, start, end))


def decode_info(data: bytes, start: int, end: int) -> Info:
    """Read the attributes of an IPVS_CMD_GET_INFO answer. Raises WireError."""
    return Info(*INFO.decode(data, start, end))


def _known(names: dict[int, Any], number: int, attribute: str, offset: int) -> Any:
    try:
        return names[number]
    except KeyError:
        raise WireError(attribute, offset, f"one of {sorted(names)}", str(number)) from None


def _text(raw: bytes | None, family: Family) -> str:
    if raw is None:
        raise WireError("IPVS_ATTR_ADDR", 0, "an address", "none")
    return inet_ntoa(raw[:4]) if family == 4 else inet_ntop(AF_INET6, raw)
