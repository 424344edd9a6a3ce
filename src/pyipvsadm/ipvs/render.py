"""What ``ipvsadm -L`` and ``-S`` print, byte for byte as ipvsadm 1.31: values in, text out.

The listing has six forms that share the places of names and numbers; ``_FORMS`` holds what differs. Where several are
asked for, the first one there wins. Widths are minimal: what is longer pushes the rest of its line to the right, except
that names are cut (an IPv4 ``name:port`` to its column in listings, everything at 59 characters).
"""

from __future__ import annotations

from pyipvsadm.ipvs import command, words
from pyipvsadm.ipvs.order import in_order, server_key, sort_services
from pyipvsadm.memo import remembered
from pyipvsadm.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, Final

    from pyipvsadm.ipvs import model
    from pyipvsadm.ipvs.command import Change, List
    from pyipvsadm.ipvs.model import (
        Connection,
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
    from pyipvsadm.ipvs.order import Key
    from pyipvsadm.ipvs.words import Resolver

    Number = Callable[[int], str]  # shows a counter
    # What servers are sorted by, and what was made of their settings, by their id: records are kept while they are
    # shown, and hashing one would take longer. By protocol, as that decides what ports are called.
    _Shown = dict[model.Protocol | None, dict[int, tuple[int | Key, str]]]

_NAME_LIMIT: Final = 59  # the peer's buffer
_COLUMN: Final = 28
_U32: Final = 0xFFFFFFFF
_PIECE: Final = 1024  # lines

_FORWARD_OPTION: Final = {"masq": "-m", "local": "-g", "ipip": "-i", "gateway": "-g", "bypass": "(null)"}
_PROTOCOL: Final = {"tcp": "TCP ", "udp": "UDP ", "sctp": "SCTP"}
_PROTOCOL_OPTION: Final = {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service"}


# -- names -------------------------------------------------------------------------------------------------------------


def _endpoint(resolver: Resolver, address: str, port: int, protocol: model.Protocol | None) -> str:
    name = words.endpoint(resolver, address, port, protocol)
    return name if resolver.numeric else name[:_NAME_LIMIT]


def _cell(resolver: Resolver, address: str, port: int, protocol: model.Protocol | None) -> str:
    """Return an endpoint for the first column of the listing: only IPv4 is cut to fit."""
    if resolver.numeric:
        return words.endpoint(resolver, address, port, protocol)
    return _endpoint(resolver, address, port, protocol)[: _NAME_LIMIT if ":" in address else _COLUMN]


def _mark(fwmark: int) -> int:
    return fwmark - (1 << 32) if fwmark >> 31 else fwmark  # the peer prints it as an int


# -- the listing -------------------------------------------------------------------------------------------------------


def _short(number: int) -> str:
    """Return a counter in nine characters, the last one a unit where the number itself has more than eight digits."""
    if number < 100_000_000:
        return f"{number:9}"
    if number < 1_000_000_000:
        return f"{number // 1_000:8}K"
    if number < 100_000_000_000:
        return f"{number // 1_000_000:8}M"
    if number < 100_000_000_000_000:
        return f"{number // 1_000_000_000:8}G"
    return f"{number // 1_000_000_000_000:8}T"


def _exact(number: int) -> str:
    return f" {number:8}"


class _Form(Record):
    """A form of the listing: the lines above it, and what is shown of a service by name and of a real server."""

    option: str
    heading: str
    service: Callable[[str, ServiceState, Number], str]
    server: Callable[[RealServer], str]
    counters: Callable[[ServerState, Number], str]


# The peer reads the counters of services from the kernel's 64-bit attributes, but those of servers from the older
# ones, in which all but bytes have 32 bits; and of their rates it shortens only the last two.


def _totals(stats: Stats, number: Number) -> str:
    return (
        number(stats.conns)
        + number(stats.inpkts)
        + number(stats.outpkts)
        + number(stats.inbytes)
        + number(stats.outbytes)
    )


def _server_totals(state: ServerState, number: Number) -> str:
    stats = state.stats
    packets = number(stats.conns & _U32) + number(stats.inpkts & _U32) + number(stats.outpkts & _U32)
    return packets + number(stats.inbytes) + number(stats.outbytes)


def _rates(stats: Stats, number: Number) -> str:
    return number(stats.cps) + number(stats.inpps) + number(stats.outpps) + number(stats.inbps) + number(stats.outbps)


def _server_rates(state: ServerState, number: Number) -> str:
    stats = state.stats
    packets = _exact(stats.cps & _U32) + _exact(stats.inpps & _U32) + _exact(stats.outpps & _U32)
    return packets + number(stats.inbps & _U32) + number(stats.outbps & _U32)


# Most servers of a large table have the few connections that others have too.
_columns: Final[Callable[[tuple[int, int]], str]] = remembered(
    lambda connections: f" {connections[0]:<10} {connections[1]:<10}"
)


def _activity(state: ServerState, _: Number) -> str:
    return _columns((state.activeconns, state.inactconns))


def _persistent_activity(state: ServerState, _: Number) -> str:
    return f" {state.persistconns:<11}{_columns((state.activeconns, state.inactconns))}"


def _describing(
    option: str,
    heading: str,
    server: Callable[[RealServer], str],
    counters: Callable[[ServerState, Number], str] = _activity,
) -> _Form:
    """Make a form that shows the settings of services, and of servers what is asked for and the connections."""
    return _Form(option, heading, lambda name, service, _: f"{name} {words.settings(service.config)}", server, counters)


_FORMS: Final = (
    _Form(
        option="stats",
        heading="Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n"
        "  -> RemoteAddress:Port\n",
        service=lambda name, service, number: f"{name:<33}{_totals(service.stats, number)}",
        server=lambda _: "",
        counters=_server_totals,
    ),
    _Form(
        option="rate",
        heading="Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n"
        "  -> RemoteAddress:Port\n",
        service=lambda name, service, number: f"{name:<33}{_rates(service.stats, number)}",
        server=lambda _: "",
        counters=_server_rates,
    ),
    _describing(
        "thresholds",
        "Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn \n  -> RemoteAddress:Port\n",
        lambda server: f" {server.u_threshold:<10} {server.l_threshold:<10}",
    ),
    _describing(
        "persistent_conn",
        "Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn \n  -> RemoteAddress:Port\n",
        lambda server: f" {server.weight:<9}",
        _persistent_activity,
    ),
    _describing(
        "tun_info",
        "Prot LocalAddress:Port Scheduler Flags\n"
        "  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn\n",
        lambda server: f" {words.FORWARD[server.forward]:<7} {words.tunnel(server):<13} {server.weight:<6}",
    ),
)
_PLAIN: Final = _describing(
    "",
    "Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n",
    lambda server: f" {words.FORWARD[server.forward]:<7} {server.weight:<6}",
)


def listing(services: Sequence[ServiceState], options: List, info: Info, resolver: Resolver) -> str:
    """Return what ``-L`` prints for services, all of them or the one that was asked for (``options.key``).

    Services and servers are sorted unless ``options.nosort``. The line about IPVS comes only with a listing of all.
    """
    form = next((form for form in _FORMS if getattr(options, form.option)), _PLAIN)
    lines = [form.heading]
    if options.key is None:
        lines.insert(0, f"IP Virtual Server version {words.version(info)} (size={info.conn_tab_size})\n")
    number = _exact if options.exact else _short
    show, counters = form.server, form.counters
    shown: _Shown = {}
    for service in services if options.nosort else sort_services(services):
        protocol = service.config.key.protocol
        lines.append(f"{form.service(_listed_name(service.config.key, resolver), service, number)}\n")
        texts = shown.setdefault(protocol, {})
        entries = []
        for state in service.servers:
            server = state.config
            entry = texts.get(id(server))
            if entry is None:
                cell = _cell(resolver, server.key.address, server.key.port, protocol)
                entry = texts[id(server)] = server_key(server.key), f"  -> {cell:<28}{show(server)}"
            key, text = entry
            entries.append((key, f"{text}{counters(state, number)}\n"))
        lines += [line for _, line in entries] if options.nosort else in_order(entries)
    return "".join(lines)


def _listed_name(key: ServiceKey, resolver: Resolver) -> str:
    if key.protocol is None:
        return f"FWM  {_mark(key.fwmark)}{' IPv6' if key.family == 6 else ''}"
    return f"{_PROTOCOL[key.protocol]} {_cell(resolver, key.address, key.port, key.protocol)}"


def connections(entries: Iterable[Connection], options: List, resolver: Resolver) -> Iterator[str]:
    """Yield what ``-L -c`` prints in pieces of many lines, in the order given.

    Persistence engine data is shown with ``--persistent-conn``.
    """
    heading = "pro expire state       source             virtual            destination"
    if options.persistent_conn:
        heading += "        pe name          pe_data"
    lines = ["IPVS connection entries\n", f"{heading}\n"]
    for entry in entries:
        lines.append(_connection(entry, options, resolver))
        if len(lines) == _PIECE:
            yield "".join(lines)
            lines.clear()
    yield "".join(lines)


def _connection(entry: Connection, options: List, resolver: Resolver) -> str:
    protocol = words.PROTOCOLS.get(entry.protocol)
    minutes, seconds = divmod(entry.expires, 60)
    expires = f"{minutes:02}:{seconds:02}"
    client = _endpoint(resolver, entry.client, entry.client_port, protocol)
    virtual = _endpoint(resolver, entry.virtual, entry.virtual_port, protocol)
    server = _endpoint(resolver, entry.server, entry.server_port, protocol)
    line = f"{entry.protocol:<3} {expires:<6} {entry.state:<11} {client:<18} {virtual:<18}"
    if options.persistent_conn and entry.pe_name:
        return f"{line} {server:<16} {entry.pe_name:<18} {entry.pe_data}\n"
    return f"{line} {server}\n"


def timeouts(values: Timeouts) -> str:
    """Return what ``-L --timeout`` prints."""
    return f"Timeout (tcp tcpfin udp): {values.tcp} {values.tcp_fin} {values.udp}\n"


def daemons(running: Iterable[SyncDaemon]) -> str:
    """Return what ``-L --daemon`` prints: nothing where none runs."""
    return "".join(
        [
            f"{d.state} sync daemon (mcast={d.mcast_ifn}, syncid={d.syncid}, maxlen={d.sync_maxlen}, "
            f"group={d.mcast_group}, port={d.mcast_port}, ttl={d.mcast_ttl})\n"
            for d in running
        ]
    )


# -- the dump ----------------------------------------------------------------------------------------------------------


def save(services: Sequence[ServiceState], resolver: Resolver) -> str:
    """Return what ``-S`` prints, sorted. As at the peer, thresholds and synchronisation daemons are not in it."""
    lines: list[str] = []
    shown: _Shown = {}
    for service in sort_services(services):
        name = saved_name(service.config.key, resolver)
        lines.append(f"-A {name}{_saved_settings(service.config)}\n")
        protocol = service.config.key.protocol
        texts = shown.setdefault(protocol, {})
        entries = []
        for state in service.servers:
            server = state.config
            entry = texts.get(id(server))
            if entry is None:
                endpoint = _endpoint(resolver, server.key.address, server.key.port, protocol)
                tunnel = _saved_tunnel(server) if server.forward == "ipip" else ""
                text = f"-r {endpoint} {_FORWARD_OPTION[server.forward]} -w {server.weight}{tunnel}\n"
                entry = texts[id(server)] = server_key(server.key), text
            entries.append(entry)
        lines += [f"-a {name} {text}" for text in in_order(entries)]
    return "".join(lines)


def saved_name(key: ServiceKey, resolver: Resolver) -> str:
    """Return the options that name a service on the command line."""
    if key.protocol is None:
        return f"-f {_mark(key.fwmark)} -6" if key.family == 6 else f"-f {_mark(key.fwmark)}"
    return f"{_PROTOCOL_OPTION[key.protocol]} {_endpoint(resolver, key.address, key.port, key.protocol)}"


def _saved_settings(service: VirtualService) -> str:
    text = f" -s {service.scheduler}"
    if not service.flags and not service.pe_name:
        return text
    if service.persistent:
        text += f" -p {service.timeout}"
        mask = words.netmask(service)
        if mask:
            text += f" -M {mask}"
    if service.pe_name:
        text += f" --pe {service.pe_name}"
    if service.one_packet:
        text += " -o"
    flags = words.scheduler_flags(service)
    return text if flags is None else f"{text} -b {flags}"


def command_line(change: Change, resolver: Resolver) -> str:
    """Return the options of ipvsadm(8) that ask for a change: every setting of a service or server is given."""
    return _COMMAND_LINES[type(change)](change, resolver)


def _service_line(letter: str) -> Callable[[Any, Resolver], str]:
    return lambda change, resolver: (
        f"{letter} {saved_name(change.service.key, resolver)}{_saved_settings(change.service)}"
    )


def _server_line(letter: str) -> Callable[[Any, Resolver], str]:
    def line(change: Any, resolver: Resolver) -> str:
        server: RealServer = change.server
        limits = f" -x {server.u_threshold} -y {server.l_threshold}" if server.u_threshold or server.l_threshold else ""
        tunnel = _saved_tunnel(server) if server.forward == "ipip" else ""
        name = f"{letter} {saved_name(change.service, resolver)} -r {_real_name(change.service, server.key, resolver)}"
        return f"{name} {_FORWARD_OPTION[server.forward]} -w {server.weight}{limits}{tunnel}"

    return line


def _real_name(service: ServiceKey, key: ServerKey, resolver: Resolver) -> str:
    return _endpoint(resolver, key.address, key.port, service.protocol)


def _start_line(change: Any, _: Resolver) -> str:
    daemon: SyncDaemon = change.daemon
    given = {
        "mcast-interface": daemon.mcast_ifn,
        "syncid": daemon.syncid,
        "sync-maxlen": daemon.sync_maxlen,
        "mcast-group": daemon.mcast_group,
        "mcast-port": daemon.mcast_port,
        "mcast-ttl": daemon.mcast_ttl,
    }
    return " ".join(
        [f"--start-daemon {daemon.state}", *[f"--{name} {value}" for name, value in given.items() if value]]
    )


_COMMAND_LINES: Final[dict[type[Change], Callable[[Any, Resolver], str]]] = {
    command.AddService: _service_line("-A"),
    command.EditService: _service_line("-E"),
    command.DeleteService: lambda change, resolver: f"-D {saved_name(change.key, resolver)}",
    command.AddServer: _server_line("-a"),
    command.EditServer: _server_line("-e"),
    command.DeleteServer: lambda change, resolver: (
        f"-d {saved_name(change.service, resolver)} -r {_real_name(change.service, change.server, resolver)}"
    ),
    command.Flush: lambda _, __: "-C",
    command.Zero: lambda change, resolver: f"-Z {saved_name(change.key, resolver)}" if change.key else "-Z",
    command.SetTimeouts: lambda change, _: (
        f"--set {change.timeouts.tcp} {change.timeouts.tcp_fin} {change.timeouts.udp}"
    ),
    command.StartDaemon: _start_line,
    command.StopDaemon: lambda change, _: f"--stop-daemon {change.daemon.state} --syncid {change.daemon.syncid}",
}


def _saved_tunnel(server: RealServer) -> str:
    if server.tun_type == "ipip":
        return " --tun-type ipip"
    port = f" --tun-port {server.tun_port}" if server.tun_type == "gue" else ""
    return f" --tun-type {server.tun_type}{port} {words.checksum(server)[1]}"
