"""A virtual server table for people: rich tables that fit the terminal.

Nothing is cut: where the width is short, the bars go first, then settings and names go on in the next line. Colours,
their absence (NO_COLOR, TERM=dumb, no terminal) and characters beyond ASCII follow what rich finds out about standard
output.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from pyipvsadm.ipvs import words
from pyipvsadm.ipvs.order import sort_servers, sort_services
from pyipvsadm.ui.cells import (
    GAP,
    bar_of,
    clean,
    column_widths,
    duration,
    human,
    is_crowded,
    new_table,
    number_columns,
    plural,
    sentence,
    text_columns,
    text_of,
    with_note,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from pyipvsadm.ipvs.command import List
    from pyipvsadm.ipvs.model import (
        Connection,
        Info,
        ServerState,
        ServiceState,
        Stats,
        SyncDaemon,
        Timeouts,
        VirtualService,
    )
    from pyipvsadm.ipvs.words import Resolver
    from pyipvsadm.ui.table import Table

    Column = Callable[[ServerState], str]
    Settings = Callable[[VirtualService], str]

_WIDEST_BAR: Final = 20
_NARROWEST_BAR: Final = 5

_TOTALS: Final = ("\nConns", "In\npkts", "Out\npkts", "In\nbytes", "Out\nbytes")
_RATES: Final = ("Conns\n/s", "In\npkts/s", "Out\npkts/s", "In\nB/s", "Out\nB/s")

# Connections are drawn this many at a time: there may be millions, and the first should be seen at once.
_STEP: Final = 1000

_STATE_STYLES: Final = {"ESTABLISHED": "green", "SYN_RECV": "yellow", "SYN_SENT": "yellow"}


# -- the listing -------------------------------------------------------------------------------------------------------


def listing(
    services: Sequence[ServiceState],
    options: List,
    info: Info,
    resolver: Resolver,
    console: Console | None = None,
    more: Mapping[str, Column] | None = None,
    settings: Settings = words.settings,
    *,
    bars: bool = True,
) -> str:
    """Return services with their servers, in the order of the classic listing.

    Of ``--stats`` and ``--rate`` the first wins, and shows nothing else; the other options add their columns, and so
    does ``more``: columns of servers by their titles. ``settings`` says what is set of a service, its scheduler first.
    Without ``bars`` there are numbers alone.
    """
    console = console or Console()
    parts: list[RenderableType] = []
    if options.key is None:
        servers = sum([len(service.servers) for service in services])
        count = f"{plural(len(services), 'service')}, {plural(servers, 'real server')}"
        parts.append(Text(f"IPVS {words.version(info)}, {info.conn_tab_size} buckets, {count}", style="dim"))
    if services:
        ordered = services if options.nosort else sort_services(services)
        names = _Names(console, resolver)
        if options.stats or options.rate:
            parts.append(_counter_table(console, names, ordered, options))
        else:
            columns = {**_server_columns(options), **(more or {})}
            parts.append(_connection_table(console, names, ordered, options, columns, settings, bars=bars))
    return text_of(console, *parts)


class _Names:
    """What the first column says of services and servers."""

    def __init__(self, console: Console, resolver: Resolver) -> None:
        self._resolver = resolver
        self._arrow = "->" if console.options.ascii_only else "→"

    @property
    def title(self) -> str:
        return f"Virtual service\n{self._arrow} Real server"

    def service(self, state: ServiceState) -> str:
        key = state.config.key
        if key.protocol is None:
            return f"FWM  {key.fwmark} IPv6" if key.family == 6 else f"FWM  {key.fwmark}"
        name = words.endpoint(self._resolver, key.address, key.port, key.protocol)
        return f"{key.protocol.upper():<4} {clean(name)}"

    def server(self, service: ServiceState, state: ServerState) -> str:
        key = state.config.key
        name = words.endpoint(self._resolver, key.address, key.port, service.config.key.protocol)
        return f"{self._arrow} {clean(name)}"


def _servers(service: ServiceState, options: List) -> Sequence[ServerState]:
    return service.servers if options.nosort else sort_servers(service.servers)


def _style(server: ServerState) -> str:
    """Return how a server is shown: one that gets no new connections steps back."""
    return "" if server.config.weight else "dim"


def _counter_table(console: Console, names: _Names, services: Iterable[ServiceState], options: List) -> Table:
    number: Callable[[int], str] = str if options.exact else human
    titles = _TOTALS if options.stats else _RATES

    def cells(stats: Stats) -> list[str]:
        counters = list(stats.asdict().values())
        return [number(value) for value in (counters[:5] if options.stats else counters[5:])]

    rows: list[tuple[list[str], str]] = []
    for service in services:
        rows.append(([names.service(service), *cells(service.stats)], "bold"))
        servers = _servers(service, options)
        rows += [([names.server(service, server), *cells(server.stats)], _style(server)) for server in servers]
    widths = column_widths([(names.title, *titles), *[row for row, _ in rows]])
    crowded = is_crowded(console, widths)
    table = new_table(roomy=sum(widths) + GAP * len(titles) <= console.width)
    text_columns(table, names.title)
    number_columns(table, *(() if crowded else titles))
    for (name, *numbers), style in rows:
        if crowded:
            table.add_row(with_note(name, sentence(titles, numbers)), style=style)
        else:
            table.add_row(
                Text(name), *[Text(cell, style="dim" if cell == "0" else "") for cell in numbers], style=style
            )
    return table


class _Row(NamedTuple):
    """A line of the table of connections, before it is known how much room there is."""

    name: str
    method: str
    cells: list[str]
    active: str
    inactive: str
    shares: tuple[float, float] = (0, 0)  # lengths of the bars, 0 to 1
    settings: str = ""
    style: str = ""
    full: bool = False

    def texts(self) -> tuple[str, ...]:
        """Return what stands in columns of its own in any case."""
        return self.name, self.method, *self.cells, self.active, self.inactive


def _connection_table(
    console: Console,
    names: _Names,
    services: Sequence[ServiceState],
    options: List,
    columns: Mapping[str, Column],
    settings: Settings,
    *,
    bars: bool,
) -> Table:
    """Return the table of settings and connections.

    Where there is room, bars show how the connections of a service spread over its servers, and a column at the end the
    settings of services, which otherwise go below their names; so do even numbers where there is very little.
    """
    notes: Mapping[str, Column] = {}
    while True:
        rows = [row for service in services for row in _rows(names, service, columns, notes, options, settings)]
        titles = (names.title, "Sched.\nForward", *columns, "\nActive", "\nInactive")
        widths = column_widths([titles, *[row.texts() for row in rows]])
        if notes or not columns or not is_crowded(console, widths):
            break
        columns, notes = {}, columns
    room = console.width - sum(widths) - GAP * (len(widths) - 1)
    beside = max([cell_len(row.settings) for row in rows])
    bars = bars and any(any(row.shares) for row in rows)
    if beside and room - beside - GAP < (2 * (_NARROWEST_BAR + GAP) + GAP - 1 if bars else 0):
        beside = 0
    if beside:
        room -= beside + GAP
    # One blank more: older versions of rich, 14.1 among them, take the last column to be padded.
    bar = min((room - GAP + 1) // 2 - GAP, _WIDEST_BAR) if bars else 0
    if bar < _NARROWEST_BAR:
        bar = 0

    table = new_table(roomy=room >= 0)
    text_columns(table, *titles[:2])
    table.columns[1].no_wrap = True
    number_columns(table, *columns)
    for title in titles[-2:]:
        number_columns(table, title)
        if bar:
            table.add_column("", width=bar)
    if beside:
        text_columns(table, "\nSettings")
    for row in rows:
        _add(table, row, bar, beside=bool(beside), plain=console.options.ascii_only)
    return table


def _rows(
    names: _Names,
    service: ServiceState,
    columns: Mapping[str, Column],
    notes: Mapping[str, Column],
    options: List,
    settings: Settings,
) -> Iterator[_Row]:
    """Yield the lines of a service and of its servers."""
    servers = _servers(service, options)
    scheduler, _, told = clean(settings(service.config)).partition(" ")
    if not servers:
        told = f"{told}, no real servers" if told else "no real servers"
    yield _Row(
        name=names.service(service),
        method=scheduler,
        cells=[""] * len(columns),
        active=str(sum([server.activeconns for server in servers])) if servers else "",
        inactive=str(sum([server.inactconns for server in servers])) if servers else "",
        settings=told,
        style="bold" if servers else "bold yellow",
    )
    most_active = max([server.activeconns for server in servers], default=0) or 1
    most_inactive = max([server.inactconns for server in servers], default=0) or 1
    for server in servers:
        config = server.config
        tunnel = options.tun_info and config.forward == "ipip"
        yield _Row(
            name=names.server(service, server),
            method=words.tunnel(config) if tunnel else words.FORWARD[config.forward],
            cells=[cell(server) for cell in columns.values()],
            active=str(server.activeconns),
            inactive=str(server.inactconns),
            shares=(server.activeconns / most_active, server.inactconns / most_inactive),
            settings=sentence(notes, [cell(server) for cell in notes.values()]),
            style=_style(server),
            full=0 < config.u_threshold <= server.activeconns + server.inactconns,
        )


def _add(table: Table, row: _Row, bar: int, *, beside: bool, plain: bool) -> None:
    cells = [
        with_note(row.name, "" if beside else row.settings),
        Text(row.method),
        *[Text(cell) for cell in row.cells],
    ]
    for number, share, colour in zip((row.active, row.inactive), row.shares, ("green", "blue"), strict=True):
        cells.append(Text(number, style="red" if row.full else ""))
        if bar:
            cells.append(Text(bar_of(share, bar, plain=plain), style=colour))
    if beside:
        cells.append(Text(row.settings, style="not bold"))
    table.add_row(*cells, style=row.style)


def _server_columns(options: List) -> dict[str, Column]:
    """Return what is shown of servers between forwarding and connections: a title, and how to fill it."""
    columns: dict[str, Column] = {"\nWeight": lambda server: str(server.config.weight)}
    if options.thresholds:
        columns["\nUpper"] = lambda server: str(server.config.u_threshold or "-")
        columns["\nLower"] = lambda server: str(server.config.l_threshold or "-")
    if options.persistent_conn:
        columns["Pers.\nconns"] = lambda server: str(server.persistconns)
    return columns


# -- what else can be listed -------------------------------------------------------------------------------------------


def connections(
    entries: Iterable[Connection], options: List, resolver: Resolver, console: Console | None = None
) -> Iterator[str]:
    """Yield the connection table in pieces, in the order given; persistence engine data with ``--persistent-conn``."""
    console = console or Console()
    titles = ["Proto", "Expires", "State", "Source", "Virtual", "Destination"]
    if options.persistent_conn:
        titles += ["Engine", "Data"]
    widths = column_widths([titles])
    rows = iter(entries)
    drawn = False
    while step := [_connection_row(entry, options, resolver) for entry in islice(rows, _STEP)]:
        widths = column_widths([[" " * width for width in widths], *step])
        fits = sum(widths) + GAP * (len(widths) - 1) <= console.width
        table = new_table(roomy=fits)
        table.show_header = not drawn
        text_columns(table, *titles)
        table.columns[1].justify = "right"
        for column, width in zip(table.columns, widths, strict=True):
            column.min_width = width if fits else None  # as above what has been drawn
        for column in table.columns[:3]:
            column.no_wrap = True
        for protocol, expires, state, *others in step:
            style = _STATE_STYLES.get(state, "")
            table.add_row(Text(protocol), Text(expires), Text(state, style=style), *[Text(cell) for cell in others])
        yield text_of(console, table)
        drawn = True
    if not drawn:
        yield text_of(console, Text("No connections.", style="dim"))


def _connection_row(entry: Connection, options: List, resolver: Resolver) -> list[str]:
    protocol = words.PROTOCOLS.get(entry.protocol)
    row = [entry.protocol, f"{entry.expires // 60:02}:{entry.expires % 60:02}", entry.state]
    row += [
        words.endpoint(resolver, entry.client, entry.client_port, protocol),
        words.endpoint(resolver, entry.virtual, entry.virtual_port, protocol),
        words.endpoint(resolver, entry.server, entry.server_port, protocol),
    ]
    if options.persistent_conn:
        row += [entry.pe_name, entry.pe_data]
    return [clean(cell) for cell in row]


def timeouts(values: Timeouts, console: Console | None = None) -> str:
    """Return how long idle connections are kept."""
    table = new_table()
    text_columns(table, "Connections", "Idle for")
    for name, seconds in (("TCP", values.tcp), ("TCP after FIN", values.tcp_fin), ("UDP", values.udp)):
        table.add_row(Text(name), Text(duration(seconds)))
    return text_of(console or Console(), table)


def daemons(running: Iterable[SyncDaemon], console: Console | None = None) -> str:
    """Return the synchronisation daemons."""
    table = new_table()
    text_columns(table, "Daemon", "Interface")
    number_columns(table, "Sync id", "Max. length")
    text_columns(table, "Group")
    number_columns(table, "Port", "TTL")
    for daemon in running:
        numbers = (daemon.syncid, daemon.sync_maxlen, daemon.mcast_group, daemon.mcast_port, daemon.mcast_ttl)
        table.add_row(Text(daemon.state), Text(clean(daemon.mcast_ifn)), *[Text(str(number)) for number in numbers])
    if not table.row_count:
        return text_of(console or Console(), Text("No synchronisation daemon is running.", style="dim"))
    return text_of(console or Console(), table)
