"""Tables: nothing is lost at any width, bars only where there is room, no colour or control character uncalled for."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from pyipvsadm.abi import ip_vs
from pyipvsadm.ipvs.command import List
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
from pyipvsadm.ui import tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyipvsadm.ipvs.model import Family, Protocol

INFO = Info(version=0x010201, conn_tab_size=4096)


class Numbers:
    """Has no names."""

    numeric = False

    def host(self, address: str, family: Family) -> str:
        assert family == (6 if ":" in address else 4)
        return address

    def service(self, port: int, protocol: Protocol | None) -> str:
        assert protocol in ("tcp", "udp", "sctp")
        return str(port)


def console(width: int = 100, *, color: bool = False, encoding: str = "utf-8") -> Console:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    return Console(
        file=stream, width=width, force_terminal=color, color_system="standard" if color else None, legacy_windows=False
    )


def server(address: str, active: int = 0, inactive: int = 0, weight: int = 1, u_threshold: int = 0) -> ServerState:
    key = ServerKey(family=6 if ":" in address else 4, address=address, port=8080)
    return ServerState(
        config=RealServer(
            key=key, forward="masq", weight=weight, u_threshold=u_threshold, l_threshold=u_threshold // 2
        ),
        activeconns=active,
        inactconns=inactive,
        persistconns=77,
        stats=Stats(*[1234567 * 10**power for power in range(10)]),
    )


WEB = ServiceState(
    config=VirtualService(
        key=ServiceKey(family=4, protocol="tcp", address="100.100.100.100", port=80),
        scheduler="wlc",
        flags=ip_vs.IP_VS_SVC_F_PERSISTENT | ip_vs.IP_VS_SVC_F_ONEPACKET,
        timeout=600,
        netmask=0xFFFFFF00,
    ),
    servers=(
        server("192.168.100.101", 200, 1000),
        server("192.168.100.102", 100, 1, u_threshold=90),
        server("192.168.100.103", 0, 10, weight=0),
    ),
    stats=Stats(conns=999_999, inpkts=12, outpkts=0, inbytes=2**64 - 1, outbytes=1000),
)
SIX = ServiceState(
    config=VirtualService(
        key=ServiceKey(family=6, protocol="udp", address="2001:db8:1111:2222:3333:4444:5555:6666", port=53)
    ),
    servers=(server("2001:db8:1111:2222:3333:4444:5555:7777", 4000000000, 4294967295, weight=2147483647),),
)
MARK = ServiceState(config=VirtualService(key=ServiceKey(family=6, fwmark=4000000000), scheduler="sh"))
ALL = [WEB, SIX, MARK]
NAMES = [
    "100.100.100.100:80",
    "192.168.100.101:8080",
    "192.168.100.102:8080",
    "192.168.100.103:8080",
    "[2001:db8:1111:2222:3333:4444:5555:6666]:53",
    "[2001:db8:1111:2222:3333:4444:5555:7777]:8080",
]
OPTIONS = [
    List(),
    List(thresholds=True),
    List(persistent_conn=True),
    List(tun_info=True),
    List(thresholds=True, persistent_conn=True, tun_info=True),
    List(stats=True),
    List(rate=True),
    List(stats=True, exact=True),
]


def names_in(lines: list[str]) -> str:
    """Return the words that lines begin with, after protocols and arrows, joined: a long name takes several lines."""
    rests = [line[1:] if line[0] == "→" else line[3:] if line[:3] in ("TCP", "UDP") else line for line in lines]
    return "".join([rest.split()[0] for rest in rests if rest.strip()])


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_nothing_is_cut(width: int, options: List) -> None:
    text = tables.listing(ALL, options, INFO, Numbers(), console(width))
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in text
    joined = names_in(lines)
    for name in NAMES:
        assert name in joined
    for word in ("FWM  4000000000 IPv6", *(() if options.stats or options.rate else ("wlc", "sh", "Masq"))):
        assert word in text
    if not (options.stats or options.rate):
        assert "4294967295" in text
        assert "2147483647" in text
        assert "no real servers" in text
        for word in ("persistent", "600", "255.255.255.0", "ops"):
            assert word in text
    if options.exact:
        for number in ("18446744073709551615", "999999", "12345670000"):
            assert number in text


def test_settings_below_a_name_are_indented_in_every_line() -> None:
    lines = tables.listing([WEB], List(), INFO, Numbers(), console(60)).splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("TCP"))
    below = [line for line in lines[place + 1 :] if not line.startswith("→")]
    assert len(below) > 1
    assert all(line.startswith("     ") and line[5] != " " for line in below)
    assert " ".join([" ".join(line.split()) for line in below]) == "persistent 600 mask 255.255.255.0 ops"


@pytest.mark.parametrize(("width", "shown"), [(60, False), (80, True), (200, True)])
def test_bars_go_first(width: int, shown: bool) -> None:
    text = tables.listing([WEB], List(), INFO, Numbers(), console(width))
    assert ("█" in text) is shown


def test_bars_are_proportional_within_a_service() -> None:
    text = tables.listing([WEB], List(), INFO, Numbers(), console(200))
    bars = [line.count("█") for line in text.splitlines() if "→ 192" in line]
    assert bars == [40, 10, 0]  # 200 and 1000, 100 and 1, 0 and 10 of 20 characters each
    assert "▏" in text  # what is not nothing can be seen


def test_no_bars_without_connections() -> None:
    idle = WEB.replace(servers=(server("192.168.100.101"),))
    text = tables.listing([idle], List(), INFO, Numbers(), console(200))
    assert text.splitlines()[2].split() == [
        "→",
        "Real",
        "server",
        "Forward",
        "Weight",
        "Active",
        "Inactive",
        "Settings",
    ]


def test_drained_servers_are_dim_and_full_ones_red() -> None:
    lines = tables.listing([WEB], List(), INFO, Numbers(), console(color=True)).splitlines()
    drained, full = (next(line for line in lines if address in line) for address in ("100.103", "100.102"))
    assert "\x1b[2m" in drained
    assert "\x1b[31m" in full
    assert "\x1b[2m" not in full


def test_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    text = tables.listing([WEB], List(), INFO, Numbers(), Console(file=stream, width=100, force_terminal=True))
    assert not any(f"\x1b[{colour}m" in text for colour in range(30, 38))


def test_dumb_terminal_and_what_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "80")
    for part in (tables.listing(ALL, List(), INFO, Numbers()), tables.timeouts(Timeouts(1, 2, 3)), tables.daemons([])):
        assert "\x1b" not in part
        assert max(map(len, part.splitlines())) <= 80
    assert capsys.readouterr().out == ""  # it is returned, not printed


def test_ascii() -> None:
    text = tables.listing(ALL, List(), INFO, Numbers(), console(200, encoding="ascii"))
    assert text.isascii()
    assert "-> 192.168.100.101:8080" in text
    assert "####" in text


def test_heading_only_for_all_services() -> None:
    heading = "IPVS 1.2.1, 4096 buckets, 1 service, 3 real servers\n"
    assert tables.listing([WEB], List(), INFO, Numbers(), console()).startswith(heading)
    assert "IPVS" not in tables.listing([WEB], List(key=WEB.config.key), INFO, Numbers(), console())
    assert (
        tables.listing([], List(), INFO, Numbers(), console())
        == "IPVS 1.2.1, 4096 buckets, 0 services, 0 real servers\n"
    )


def test_order() -> None:
    def shown(options: List) -> list[str]:
        text = tables.listing([WEB, MARK], options, INFO, Numbers(), console())
        return [line.split()[1] for line in text.splitlines()[4:] if line[0] in "→TF"]

    servers = ["192.168.100.101:8080", "192.168.100.102:8080", "192.168.100.103:8080"]
    assert shown(List(nosort=True)) == ["100.100.100.100:80", *servers, "4000000000"]
    assert shown(List()) == ["4000000000", "100.100.100.100:80", *servers]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.00k"),
        (9994, "9.99k"),
        (9995, "10.0k"),
        (99_949, "99.9k"),
        (99_950, "100k"),
        (999_499, "999k"),
        (999_500, "1.00M"),
        (1_234_567_890, "1.23G"),
        (2**64 - 1, "18.4E"),
    ],
)
def test_units(number: int, text: str) -> None:
    state = WEB.replace(servers=(), stats=Stats(conns=number))
    row = tables.listing([state], List(stats=True), INFO, Numbers(), console()).splitlines()[-1]
    assert row.split() == ["TCP", "100.100.100.100:80", text, "0", "0", "0", "0"]


def test_names_cannot_steer_the_terminal() -> None:
    class Evil(Numbers):
        numeric = False

        def host(self, address: str, family: Family) -> str:  # noqa: ARG002
            return "\x1b]0;owned\x07[red]\udcff\r\n"

    entry = Connection("UDP", "10.0.0.1", 1, "10.0.0.2", 2, "10.0.0.3", 3, "UDP", 9, "sip", "\x1b[2Jcall\r")
    options = List(connection=True, persistent_conn=True)
    shown = tables.listing([WEB], List(), INFO, Evil(), console(color=True))
    assert "]0;owned" in shown
    assert "[red]" in shown  # not taken for markup
    assert "\x1b]" not in shown
    assert "\x07" not in shown
    shown = "".join(tables.connections([entry], options, Evil(), console(200)))
    assert "�[2Jcall�" in shown
    assert not {"\x1b", "\r", "\udcff"} & set(shown)


@pytest.mark.parametrize("count", [1, 1000, 1001, 2500])
def test_connections_come_in_pieces_that_line_up(count: int) -> None:
    entries = [
        Connection("TCP", "203.0.113.7", port, "10.0.0.1", 80, "192.168.0.1", 8080, "ESTABLISHED", port)
        for port in range(10000, 10000 + count)
    ]
    pieces = list(tables.connections(iter(entries), List(connection=True), Numbers(), console()))
    assert len(pieces) == -(-count // 1000)
    title, rule, *lines = "".join(pieces).splitlines()
    assert title.split() == ["Proto", "Expires", "State", "Source", "Virtual", "Destination"]
    assert set(rule) == {"─"}
    assert lines[0].split() == ["TCP", "166:40", "ESTABLISHED", "203.0.113.7:10000", "10.0.0.1:80", "192.168.0.1:8080"]
    assert len(lines) == count
    assert {line.index("203.0") for line in lines} == {title.index("Source")}


def test_no_connections() -> None:
    assert list(tables.connections([], List(connection=True), Numbers(), console())) == ["No connections.\n"]


def test_timeouts() -> None:
    lines = tables.timeouts(Timeouts(tcp=90061, tcp_fin=120, udp=59), console()).splitlines()
    assert [line.split() for line in lines[2:]] == [
        ["TCP", "90061", "s", "(1d1h1m1s)"],
        ["TCP", "after", "FIN", "120", "s", "(2m)"],
        ["UDP", "59", "s"],
    ]


def test_daemons() -> None:
    daemon = SyncDaemon("backup", "eth0", 255, 1400, "ff02::99", 9999, 7)
    lines = tables.daemons([daemon], console()).splitlines()
    assert lines[-1].split() == ["backup", "eth0", "255", "1400", "ff02::99", "9999", "7"]
    assert tables.daemons([], console()) == "No synchronisation daemon is running.\n"
