"""Documents of virtual servers; the members are those of a listing (ui/json.py)."""

from __future__ import annotations

from _socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from pyipvsadm.abi import ip_vs
from pyipvsadm.documents import members
from pyipvsadm.documents.members import U16, U32, U64, DocumentError, Object
from pyipvsadm.errors import KernelError
from pyipvsadm.ipvs.command import AddServer, AddService, SetTimeouts, StartDaemon
from pyipvsadm.ipvs.model import (
    FORWARD_FLAGS,
    PROTOCOL_NUMBERS,
    TUNNEL_TYPES,
    Info,
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
from pyipvsadm.ipvs.order import sort_services
from pyipvsadm.ipvs.table import MAX_TIMEOUT, Table
from pyipvsadm.ipvs.words import version
from pyipvsadm.record import Record
from pyipvsadm.snapshot import said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final

    from pyipvsadm.ipvs.command import Change
    from pyipvsadm.ipvs.model import Family

_PERSISTENT: Final = ip_vs.IP_VS_SVC_F_PERSISTENT
_ONE_PACKET: Final = ip_vs.IP_VS_SVC_F_ONEPACKET
_FAMILY: Final = members.word(4, 6)
_MASK_NUMBER: Final = 0x7FFFFFFF

# The counters of the kernel, each 64 bits, and what a server has of connections.
_COUNTERS: Final = Stats.__fields__
_CONNECTIONS: Final = ("activeconns", "inactconns", "persistconns")

# What is left out of a document where it has these values, which it has where it is left out.
_SERVICE: Final[dict[str, object]] = {
    "port": 0, "fwmark": 0, "address": "", "protocol": None, "timeout": 0, "pe_name": "", "persistent": False,
    "one_packet": False, "stats": {}, "servers": [],
}  # fmt: skip
_SERVER: Final[dict[str, object]] = {
    "u_threshold": 0, "l_threshold": 0, "tun_type": "ipip", "tun_port": 0, "tun_flags": 0, "stats": {},
    **dict.fromkeys(_CONNECTIONS, 0),
}  # fmt: skip
_DAEMON: Final[dict[str, object]] = {
    "syncid": 0, "sync_maxlen": 0, "mcast_group": "", "mcast_port": 0, "mcast_ttl": 0,
}  # fmt: skip


class VirtualServers(Record):
    """The virtual services of a table, and the IPVS that they are of, if it is known.

    ``timeouts`` and ``daemons`` are as in a ``snapshot.Snapshot``: None, and timeouts of 0, say nothing.
    """

    services: tuple[ServiceState, ...] = ()
    info: Info | None = None
    timeouts: Timeouts | None = None
    daemons: tuple[SyncDaemon, ...] | None = None


# -- to documents ------------------------------------------------------------------------------------------------------


def document(servers: VirtualServers) -> dict[str, Any]:
    """Return the document of virtual servers, in the order of a listing."""
    from pyipvsadm.ui import json

    head: dict[str, Any] = {"version": members.VERSION, "kind": "ipvs"}
    if servers.info is not None:
        head["ipvs"] = {"version": version(servers.info), "conn_tab_size": servers.info.conn_tab_size}
    document = {**head, "services": [_service(json.service(state)) for state in sort_services(servers.services)]}
    if servers.timeouts and any(servers.timeouts.asdict().values()):
        document["timeouts"] = {name: value for name, value in servers.timeouts.asdict().items() if value}
    if servers.daemons is not None:
        document["daemons"] = [_brief(daemon.asdict(), _DAEMON) for daemon in servers.daemons]
    return document


def _service(full: dict[str, Any]) -> dict[str, Any]:
    full["servers"] = [_brief(_uncounted(server), _SERVER) for server in full["servers"]]
    implied = _PERSISTENT * full["persistent"] | _ONE_PACKET * full["one_packet"]
    if full["flags"] == implied:
        del full["flags"]
    if full["netmask"] == _whole(full["family"]):
        del full["netmask"]
    return _brief(_uncounted(full), _SERVICE)


def _uncounted(full: dict[str, Any]) -> dict[str, Any]:
    return {**full, "stats": {name: value for name, value in full["stats"].items() if value}}


def _brief(full: dict[str, Any], defaults: dict[str, object]) -> dict[str, Any]:
    return {name: value for name, value in full.items() if name not in defaults or value != defaults[name]}


def _whole(family: Family) -> str | int:
    return "255.255.255.255" if family == 4 else 128


# -- from documents ----------------------------------------------------------------------------------------------------


def state(found: Object) -> VirtualServers:
    """Return the virtual servers of a document whose head was read. Raises DocumentError, also for what is refused."""
    info = found.take("ipvs", _read_info, None)
    services = found.take("services", members.array(_read_service))
    timeouts = found.take("timeouts", _read_timeouts, None)
    daemons: tuple[SyncDaemon, ...] | None = found.take("daemons", members.array(_read_daemon), None)
    found.end()
    table = Table(schedulers=None, engines=None)
    for place, service in enumerate(services):
        path = f"services[{place}]"
        _check(table, AddService(service.config), path)
        for index, server in enumerate(service.servers):
            _check(table, AddServer(service.config.key, server.config), f"{path}.servers[{index}]")
    if timeouts is not None:
        _check(table, SetTimeouts(timeouts), "timeouts")
    for place, daemon in enumerate(daemons or ()):
        _check(table, StartDaemon(daemon), f"daemons[{place}]")
    asked = {daemon.state: daemon for daemon in daemons or ()}
    running = [said(asked[daemon.state], daemon) for daemon in table.daemons()]
    return VirtualServers(services, info, timeouts, None if daemons is None else tuple(running))


def parts(found: Object) -> Iterator[tuple[str, Change | DocumentError]]:
    """Yield the changes that make the virtual servers of a document whose head was read, each with its path.

    In the place of a service or daemon that cannot be read, or of what else is wrong, comes the error.
    """
    for path, service in members.each(found, "services", _read_service):
        if isinstance(service, DocumentError):
            yield path, service
            continue
        yield path, AddService(service.config)
        for place, server in enumerate(service.servers):
            yield f"{path}.servers[{place}]", AddServer(service.config.key, server.config)
    yield from members.with_error(_parts_beside(found))
    for path, daemon in members.each(found, "daemons", _read_daemon, ()):
        yield path, daemon if isinstance(daemon, DocumentError) else StartDaemon(daemon)
    yield from members.with_error(_nothing_left(found))


def _parts_beside(found: Object) -> Iterator[tuple[str, Change]]:
    timeouts = found.take("timeouts", _read_timeouts, None)
    if timeouts is not None:
        yield "timeouts", SetTimeouts(timeouts)


def _nothing_left(found: Object) -> Iterator[tuple[str, Change]]:
    found.take("ipvs", _read_info, None)
    found.end()
    yield from ()


def _check(table: Table, change: Change, path: str) -> None:
    """See that the kernel would take a change after those before it."""
    try:
        table.apply(change)
    except KernelError as error:
        raise DocumentError(path, error.reason) from None


def _read_info(value: object, path: str) -> Info:
    found = Object(value, path)
    parts = found.take("version", members.text).split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and int(part) < 256 for part in parts):
        raise DocumentError(found.at("version"), 'a version such as "1.2.1" is needed')
    size = found.take("conn_tab_size", members.number(0, U32))
    found.end()
    return Info(int(parts[0]) << 16 | int(parts[1]) << 8 | int(parts[2]), size)


def _read_timeouts(value: object, path: str) -> Timeouts | None:
    found = Object(value, path)
    timeouts = Timeouts(*[found.take(name, members.number(1, MAX_TIMEOUT), 0) for name in Timeouts.__fields__])
    found.end()
    return timeouts if any(timeouts.asdict().values()) else None


def _read_daemon(value: object, path: str) -> SyncDaemon:
    found = Object(value, path)
    daemon = SyncDaemon(
        found.take("state", members.word("master", "backup")),
        found.take("mcast_ifn", _read_name),
        found.take("syncid", members.number(0, U32), 0),
        found.take("sync_maxlen", members.number(0, U16), 0),
        found.take("mcast_group", members.text, ""),
        found.take("mcast_port", members.number(0, U16), 0),
        found.take("mcast_ttl", members.number(0, 255), 0),
    )
    if daemon.mcast_group:
        _check_address(daemon.mcast_group, 6 if ":" in daemon.mcast_group else 4, found.at("mcast_group"))
    found.end()
    return daemon


def _read_service(value: object, path: str) -> ServiceState:
    found = Object(value, path)
    key = _read_service_key(found)
    flags = _read_flags(found)
    service = VirtualService(
        key,
        found.take("scheduler", _read_name),
        flags,
        found.take("timeout", members.number(0, U32), 0),
        _read_netmask(found, key.family),
        found.take("pe_name", _read_name, ""),
    )
    servers = found.take("servers", members.array(_read_server), ())
    stats = found.take("stats", _read_stats, Stats())
    found.end()
    return ServiceState(service, servers, stats)


def _read_service_key(found: Object) -> ServiceKey:
    family: Family = found.take("family", _FAMILY)
    mark = found.take("fwmark", members.number(0, U32), 0)
    protocol = found.take("protocol", members.nullable(members.word(*PROTOCOL_NUMBERS)), None)
    address = found.take("address", members.text, "")
    port = found.take("port", members.number(0, U16), 0)
    if mark:
        if protocol is not None or address or port:
            raise DocumentError(found.path, "a service has a firewall mark, or protocol, address and port")
        return ServiceKey(family, fwmark=mark)
    if protocol is None:
        raise DocumentError(found.path, 'a service without "fwmark" needs "protocol" and "address"')
    _check_address(address, family, found.at("address"))
    return ServiceKey(family, protocol, address, port)


def _read_flags(found: Object) -> int:
    """Return the flags of a service: where they are told, "persistent" and "one_packet" must say the same."""
    told: int | None = found.take("flags", members.number(0, U32), None)
    flags = told or 0
    for name, bit in (("persistent", _PERSISTENT), ("one_packet", _ONE_PACKET)):
        value: bool | None = found.take(name, members.flag, None)
        if told is not None and value is not None and value != bool(told & bit):
            raise DocumentError(found.at(name), f'"flags" say {members.shown(bool(told & bit))}')
        flags |= bit if value else 0
    return flags


def _read_netmask(found: Object, family: Family) -> int | None:
    if family == 6:
        length = found.take("netmask", members.number(1, 128), 128)
        return None if length == 128 else length
    mask = found.take("netmask", members.text, _whole(4))
    _check_address(mask, 4, found.at("netmask"))
    number = int.from_bytes(inet_pton(AF_INET, mask))
    return None if number == U32 else number


def _read_name(value: object, path: str) -> str:
    name = members.text(value, path)
    if len(name.encode("utf-8", "surrogateescape")) > 15 or any(
        letter.isspace() for letter in name
    ):  # IP_VS_*NAME_MAXLEN
        raise DocumentError(path, f"{members.shown(name)} is no name: at most 15 bytes, without blanks")
    return name


def _check_address(address: str, family: Family, path: str) -> None:
    number = AF_INET if family == 4 else AF_INET6
    try:
        usual = inet_ntop(number, inet_pton(number, address))
    except (OSError, ValueError):
        raise DocumentError(path, f"{members.shown(address)} is no address of IPv{family}") from None
    if usual != address:
        raise DocumentError(path, f"write the address as {members.shown(usual)}")


def _read_server(value: object, path: str) -> ServerState:
    found = Object(value, path)
    family: Family = found.take("family", _FAMILY)
    key = ServerKey(family, found.take("address", members.text), found.take("port", members.number(0, U16)))
    _check_address(key.address, family, found.at("address"))
    server = RealServer(
        key,
        found.take("forward", members.word(*FORWARD_FLAGS)),
        found.take("weight", members.number(0, _MASK_NUMBER)),
        found.take("u_threshold", members.number(0, U32), 0),
        found.take("l_threshold", members.number(0, U32), 0),
        found.take("tun_type", members.word(*TUNNEL_TYPES), "ipip"),
        found.take("tun_port", members.number(0, U16), 0),
        found.take("tun_flags", members.number(0, U16), 0),
    )
    connections = {name: found.take(name, members.number(0, U32), 0) for name in _CONNECTIONS}
    stats = found.take("stats", _read_stats, Stats())
    found.end()
    return ServerState(server, **connections, stats=stats)


def _read_stats(value: object, path: str) -> Stats:
    found = Object(value, path)
    stats = Stats(*[found.take(name, members.number(0, U64), 0) for name in _COUNTERS])
    found.end()
    return stats
