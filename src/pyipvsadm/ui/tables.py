"""A virtual server table for people: rich tables that fit the terminal.

Nothing is cut: where the width is short, the bars go first, then settings and names go on in the next line. Colours,
their absence (NO_COLOR, TERM=dumb, no terminal) and characters beyond ASCII follow what rich finds out about standard
output.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pyipvsadm.ipvs import words
from pyipvsadm.ipvs.order import sort_servers, sort_services

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
    )
    from pyipvsadm.ipvs.words import Resolver

    Column = Callable[[ServerState], str]

_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_WIDEST_BAR: Final = 20
_NARROWEST_BAR: Final = 5
_NARROWEST_NAME: Final = 23  # an arrow, an IPv4 address and a port
_GAP: Final = 2  # blanks between columns

_TOTALS: Final = ("\nConns", "In\npkts", "Out\npkts", "In\nbytes", "Out\nbytes")
_RATES: Final = ("Conns\n/s", "In\npkts/s", "Out\npkts/s", "In\nB/s", "Out\nB/s")

# Connections are drawn this many at a time: there may be millions, and the first should be seen at once.
_STEP: Final = 1000

_STATE_STYLES: Final = {"ESTABLISHED": "green", "SYN_RECV": "yellow", "SYN_SENT": "yellow"}


# -- parts -------------------------------------------------------------------------------------------------------------


def _clean(text: str) -> str:
    """Return text without what could steer a terminal: names and call ids come from the network."""
    return (
        text if text.isprintable() else "".join([c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text])
    )


def _human(number: int) -> str:
    """Return a number in at most five characters: 999, 1.23k, 12.3M, 123G."""
    if number < 1000:
        return str(number)
    scaled, unit = number / 1000, "k"
    for larger in "MGTPE":
        if scaled < 999.5:
            break
        scaled, unit = scaled / 1000, larger
    digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
    return f"{scaled:.{digits}f}{unit}"


def _duration(seconds: int) -> str:
    """Return a time as in "900 s (15m)", the second part only from a minute on."""
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")]
    if seconds < 60:
        return f"{seconds} s"
    return f"{seconds} s ({''.join([f'{count}{unit}' for count, unit in parts if count])})"


def _bar(share: float, width: int, *, plain: bool) -> str:
    """Return a bar that is ``share`` (0 to 1) of a width; what is not zero can be seen."""
    if not share:
        return ""
    eighths = max(1, round(share * width * 8))
    if plain:
        return "#" * max(1, eighths // 8)
    return _EIGHTHS[8] * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _table(*, roomy: bool = True) -> Table:
    """Make an empty table with _GAP blanks between columns, or one where it has to be."""
    padding = (0, _GAP - 1 if roomy else 0, 0, 0)
    return Table(box=SIMPLE_HEAD, pad_edge=False, padding=padding, show_edge=False, header_style="bold")


def _numbers(table: Table, *titles: str) -> None:
    for title in titles:
        table.add_column(title, justify="right", overflow="fold", no_wrap=True)


def _texts(table: Table, *titles: str) -> None:
    for title in titles:
        table.add_column(title, overflow="fold")


def _widths(lines: Iterable[Sequence[str]]) -> list[int]:
    """Return how wide columns have to be for lines of cells, which may have lines of their own."""
    return [max(cell_len(part) for cell in column for part in cell.split("\n")) for column in zip(*lines, strict=True)]


def _crowded(console: Console, widths: Sequence[int]) -> bool:
    """Tell whether the columns after the first leave too little for it."""
    return console.width - sum(widths[1:]) - len(widths[1:]) < min(widths[0], _NARROWEST_NAME)


def _sentence(titles: Iterable[str], cells: Iterable[str]) -> str:
    """Return in a sentence what there is no room for in columns."""
    words_of = [title.strip().replace("\n/", "/").replace("\n", " ") for title in titles]
    return ", ".join([f"{title[0].lower()}{title[1:]} {cell}" for title, cell in zip(words_of, cells, strict=True)])


def _with_note(name: str, note: str) -> Text:
    """Return a name with a line below it."""
    text = Text(name)
    return text.append(f"\n     {note}", style="not bold") if note else text


def _draw(console: Console, *parts: RenderableType) -> str:
    with console.capture() as capture:
        for part in parts:
            console.print(part, markup=False, highlight=False, emoji=False)
    return capture.get()


# -- the listing -------------------------------------------------------------------------------------------------------


def listing(
    services: Sequence[ServiceState], options: List, info: Info, resolver: Resolver, console: Console | None = None
) -> str:
    """Return services with their servers, in the order of the classic listing.

    Of ``--stats`` and ``--rate`` the first wins, and shows nothing else; the other options add their columns.
    """
    console = console or Console()
    parts: list[RenderableType] = []
    if options.key is None:
        servers = sum([len(service.servers) for service in services])
        count = f"{_plural(len(services), 'service')}, {_plural(servers, 'real server')}"
        parts.append(Text(f"IPVS {words.version(info)}, {info.conn_tab_size} buckets, {count}", style="dim"))
    if services:
        ordered = services if options.nosort else sort_services(services)
        draw = _counter_table if options.stats or options.rate else _connection_table
        parts.append(draw(console, _Names(console, resolver), ordered, options))
    return _draw(console, *parts)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


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
        return f"{key.protocol.upper():<4} {_clean(name)}"

    def server(self, service: ServiceState, state: ServerState) -> str:
        key = state.config.key
        name = words.endpoint(self._resolver, key.address, key.port, service.config.key.protocol)
        return f"{self._arrow} {_clean(name)}"


def _servers(service: ServiceState, options: List) -> Sequence[ServerState]:
    return service.servers if options.nosort else sort_servers(service.servers)


def _style(server: ServerState) -> str:
    """Return how a server is shown: one that gets no new connections steps back."""
    return "" if server.config.weight else "dim"


def _counter_table(console: Console, names: _Names, services: Iterable[ServiceState], options: List) -> Table:
    number: Callable[[int], str] = str if options.exact else _human
    titles = _TOTALS if options.stats else _RATES

    def cells(stats: Stats) -> list[str]:
        counters = list(stats.asdict().values())
        return [number(value) for value in (counters[:5] if options.stats else counters[5:])]

    rows: list[tuple[list[str], str]] = []
    for service in services:
        rows.append(([names.service(service), *cells(service.stats)], "bold"))
        servers = _servers(service, options)
        rows += [([names.server(service, server), *cells(server.stats)], _style(server)) for server in servers]
    widths = _widths([(names.title, *titles), *[row for row, _ in rows]])
    crowded = _crowded(console, widths)
    table = _table(roomy=sum(widths) + _GAP * len(titles) <= console.width)
    _texts(table, names.title)
    _numbers(table, *(() if crowded else titles))
    for (name, *numbers), style in rows:
        if crowded:
            table.add_row(_with_note(name, _sentence(titles, numbers)), style=style)
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


def _connection_table(console: Console, names: _Names, services: Sequence[ServiceState], options: List) -> Table:
    """Return the table of settings and connections.

    Where there is room, bars show how the connections of a service spread over its servers, and a column at the end the
    settings of services, which otherwise go below their names; so do even numbers where there is very little.
    """
    columns = _server_columns(options)
    notes: dict[str, Column] = {}
    while True:
        rows = [row for service in services for row in _rows(names, service, columns, notes, options)]
        titles = (names.title, "Sched.\nForward", *columns, "\nActive", "\nInactive")
        widths = _widths([titles, *[row.texts() for row in rows]])
        if notes or not columns or not _crowded(console, widths):
            break
        columns, notes = {}, columns
    room = console.width - sum(widths) - _GAP * (len(widths) - 1)
    beside = max([cell_len(row.settings) for row in rows])
    bars = any(any(row.shares) for row in rows)
    if beside and room - beside - _GAP < (2 * (_NARROWEST_BAR + _GAP) if bars else 0):
        beside = 0
    if beside:
        room -= beside + _GAP
    bar = min(room // 2 - _GAP, _WIDEST_BAR) if bars else 0
    if bar < _NARROWEST_BAR:
        bar = 0

    table = _table(roomy=room >= 0)
    _texts(table, *titles[:2])
    table.columns[1].no_wrap = True
    _numbers(table, *columns)
    for title in titles[-2:]:
        _numbers(table, title)
        if bar:
            table.add_column("", width=bar)
    if beside:
        _texts(table, "\nSettings")
    for row in rows:
        _add(table, row, bar, beside=bool(beside), plain=console.options.ascii_only)
    return table


def _rows(
    names: _Names,
    service: ServiceState,
    columns: Mapping[str, Column],
    notes: Mapping[str, Column],
    options: List,
) -> Iterator[_Row]:
    """Yield the lines of a service and of its servers."""
    servers = _servers(service, options)
    scheduler, _, settings = _clean(words.settings(service.config)).partition(" ")
    if not servers:
        settings = f"{settings}, no real servers" if settings else "no real servers"
    yield _Row(
        name=names.service(service),
        method=scheduler,
        cells=[""] * len(columns),
        active=str(sum([server.activeconns for server in servers])) if servers else "",
        inactive=str(sum([server.inactconns for server in servers])) if servers else "",
        settings=settings,
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
            settings=_sentence(notes, [cell(server) for cell in notes.values()]),
            style=_style(server),
            full=0 < config.u_threshold <= server.activeconns + server.inactconns,
        )


def _add(table: Table, row: _Row, bar: int, *, beside: bool, plain: bool) -> None:
    cells = [
        _with_note(row.name, "" if beside else row.settings),
        Text(row.method),
        *[Text(cell) for cell in row.cells],
    ]
    for number, share, colour in zip((row.active, row.inactive), row.shares, ("green", "blue"), strict=True):
        cells.append(Text(number, style="red" if row.full else ""))
        if bar:
            cells.append(Text(_bar(share, bar, plain=plain), style=colour))
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
    widths = _widths([titles])
    rows = iter(entries)
    drawn = False
    while step := [_connection_row(entry, options, resolver) for entry in islice(rows, _STEP)]:
        widths = _widths([[" " * width for width in widths], *step])
        fits = sum(widths) + _GAP * (len(widths) - 1) <= console.width
        table = _table(roomy=fits)
        table.show_header = not drawn
        _texts(table, *titles)
        table.columns[1].justify = "right"
        for column, width in zip(table.columns, widths, strict=True):
            column.min_width = width if fits else None  # as above what has been drawn
        for column in table.columns[:3]:
            column.no_wrap = True
        for protocol, expires, state, *others in step:
            style = _STATE_STYLES.get(state, "")
            table.add_row(Text(protocol), Text(expires), Text(state, style=style), *[Text(cell) for cell in others])
        yield _draw(console, table)
        drawn = True
    if not drawn:
        yield _draw(console, Text("No connections.", style="dim"))


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
    return [_clean(cell) for cell in row]


def timeouts(values: Timeouts, console: Console | None = None) -> str:
    """Return how long idle connections are kept."""
    table = _table()
    _texts(table, "Connections", "Idle for")
    for name, seconds in (("TCP", values.tcp), ("TCP after FIN", values.tcp_fin), ("UDP", values.udp)):
        table.add_row(name, _duration(seconds))
    return _draw(console or Console(), table)


def daemons(running: Iterable[SyncDaemon], console: Console | None = None) -> str:
    """Return the synchronisation daemons."""
    table = _table()
    _texts(table, "Daemon", "Interface")
    _numbers(table, "Sync id", "Max. length")
    _texts(table, "Group")
    _numbers(table, "Port", "TTL")
    for daemon in running:
        numbers = (daemon.syncid, daemon.sync_maxlen, daemon.mcast_port, daemon.mcast_ttl)
        syncid, maxlen, port, ttl = map(str, numbers)
        table.add_row(daemon.state, Text(_clean(daemon.mcast_ifn)), syncid, maxlen, daemon.mcast_group, port, ttl)
    if not table.row_count:
        return _draw(console or Console(), Text("No synchronisation daemon is running.", style="dim"))
    return _draw(console or Console(), table)
