"""The view of top without a terminal: order, filter, scrolling, what is drawn at any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pyipvsadm import iptables, ipvs
from pyipvsadm.ui.live import RuleLines, ServiceLines
from pyipvsadm.ui.screen import Pager, scrolled
from pyipvsadm.ui.top import FASTEST, SLOWEST, Column, Row, Snapshot, Top, number_text

KEYS = ["<", ">", "left", "right", "n", "r", "/", "escape", "z", "s", "t", "e", " ", "?", "h", "+", "-", "enter"]
KEYS += ["backspace", "up", "down", "page up", "page down", "home", "end", "j", "k", "x", "1", "ö", "tab", "unknown"]


class Fixed:
    """Lines that never change."""

    columns = (Column("Weight", 1), Column("Conns/s", 3, rate=True), Column("B/s", 2, rate=True))
    sort = 1
    has_estimates = False

    def __init__(self, *rows: Row) -> None:
        self.rows = rows

    def update(self, state: None, now: float) -> None:
        """Take nothing."""

    def snapshot(self, *, estimated: bool) -> Snapshot:
        """Return the lines."""
        assert not estimated
        return Snapshot("all of it", self.rows)


def row(name: str, *numbers: float | None, below: tuple[Row, ...] = ()) -> Row:
    return Row(name, numbers, path=f"{name} of it", below=below)


ROWS = (
    row("a", 3, 1.0, 10.0, below=(row("a1", 1, 0.0, 0.0), row("a2", 2, 1.0, 10.0))),
    row("b", 1, 5.0, 1.0, below=(row("b1", 1, 5.0, 1.0),)),
    row("c", 0, None, None),
    row("d", 0, 0.0, 0.0, below=(row("ab", 0, 0.0, 0.0),)),
)


def view(*rows: Row) -> Top[None]:
    made = Top(Fixed(*(rows or ROWS)), lambda: None, 2.0)
    made.refresh()
    return made


def press(top: Top[None], *keys: str) -> list[str]:
    """Press keys; return the names of all lines."""
    for key in keys:
        assert top.key(key)
    return [name for _, name, _, _ in top.lines()]


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        ([], ["b", "b1", "a", "a2", "a1", "c", "d", "ab"]),
        (["r"], ["c", "d", "ab", "a", "a1", "a2", "b", "b1"]),
        ([">"], ["a", "a2", "a1", "b", "b1", "c", "d", "ab"]),
        (["<"], ["a", "a2", "a1", "b", "b1", "c", "d", "ab"]),
        (["<", "<"], ["a", "a1", "a2", "b", "b1", "c", "d", "ab"]),
        ([">", ">", ">"], ["a", "a2", "a1", "b", "b1", "c", "d", "ab"]),
        (["n"], ["a", "a1", "a2", "b", "b1", "c", "d", "ab"]),
        (["n", "r"], ["d", "ab", "c", "b", "b1", "a", "a2", "a1"]),
        (["s"], ["b", "a", "c", "d"]),
        (["s", "s"], ["b", "b1", "a", "a2", "a1", "c", "d", "ab"]),
        (["z"], ["b", "b1", "a", "a2"]),
        (["t"], ["b1 of it", "a2 of it", "a1 of it", "ab of it"]),
        (["t", "z"], ["b1 of it", "a2 of it"]),
        (["/", "B"], ["b", "b1", "d", "ab"]),
        (["/", "b", "1"], ["b", "b1"]),
        (["/", "b", "1", "backspace", "enter", "s"], ["b", "d"]),
        (["/", "b", "escape"], ["b", "b1", "a", "a2", "a1", "c", "d", "ab"]),
        (["/", "b", "enter", "escape"], ["b", "b1", "a", "a2", "a1", "c", "d", "ab"]),
        (["/", "q"], []),
    ],
)
def test_lines(keys: list[str], names: list[str]) -> None:
    assert press(view(), *keys) == names


def test_ends() -> None:
    assert not view().key("q")
    top = view()
    assert top.key("?")
    assert not top.key("q")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_what_keys_do_is_told_whole(width: int) -> None:
    top = view()
    foot = top.draw(width, 24, plain=False)[-1].plain
    assert len(foot) == width
    assert foot.startswith("q end  ? help  / filter")
    assert all(" " in part for part in foot.rstrip().split("  "))
    assert top.key("?")
    lines = [line.plain for line in top.draw(width, 24, plain=False)]
    assert max(map(len, lines)) <= width
    told = " ".join(" ".join(lines).split())
    for words in ("sort by the column on the left, on the right; also the arrows", "or from its counters", "q end"):
        assert words in told


def test_standing_still() -> None:
    reads: list[int] = []
    top = Top(Fixed(*ROWS), lambda: reads.append(1), 2.0)
    top.refresh()
    press(top, " ")
    top.refresh()
    assert len(reads) == 1
    press(top, " ")
    top.refresh()
    assert len(reads) == 2


def test_intervals_have_limits() -> None:
    top = view()
    press(top, *["+"] * 20)
    assert top.interval == FASTEST
    press(top, *["-"] * 20)
    assert top.interval == SLOWEST


@given(
    st.lists(st.sampled_from(KEYS), max_size=30),
    st.integers(1, 150),
    st.integers(1, 40),
    st.booleans(),
    st.integers(0, 60),
)
def test_whatever_is_pressed_fits(keys: list[str], width: int, height: int, plain: bool, count: int) -> None:
    top = view(*[row(f"name{number}", number, number / 3, None) for number in range(count)], *ROWS)
    for key in keys:
        assert top.key(key)
        top.refresh()
        lines = top.draw(width, height, plain=plain)
        assert len(lines) <= height
        for line in lines:
            line.truncate(width)
            assert cell_len(line.plain) <= width
            assert not plain or line.plain.isascii() or "ö" in line.plain


def test_names_from_the_network_cannot_steer_the_terminal() -> None:
    top = view(row("\x1b[2J\n", 1, 1.0, 1.0))
    assert all(line.plain.isprintable() for line in top.draw(80, 10, plain=False))


def test_thousands_of_lines_cost_what_the_window_shows() -> None:
    rows = [row(f"n{number}", 1, float(number), 0.0) for number in range(5000)]
    top = view(*rows)
    lines = top.draw(80, 24, plain=False)
    assert len(lines) == 24
    assert lines[3].plain.startswith("n4999")
    press(top, "end")
    assert top.draw(80, 24, plain=False)[-2].plain.startswith("n0 ")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "-"),
        (0, "0"),
        (0.0, "0"),
        (7, "7"),
        (0.04, "0.0"),
        (1.25, "1.2"),
        (9.96, "10"),
        (1234.5, "1.23k"),
        (10**18, "1.00E"),
    ],
)
def test_numbers(number: float | None, text: str) -> None:
    assert number_text(number) == text


@given(
    st.integers(0, 50),
    st.sampled_from(["up", "down", "page up", "page down", "home", "end", "x"]),
    st.integers(1, 20),
    st.integers(0, 50),
)
def test_scrolling_stays_inside(first: int, key: str, page: int, count: int) -> None:
    now = scrolled(first, key, page, count)
    assert 0 <= now <= max(count - page, 0)


def test_a_pager_shows_where_it_is() -> None:
    pager = Pager(lambda: "".join([f"line {number}\n" for number in range(10)]), 2.0)
    pager.refresh()
    assert [line.plain for line in pager.draw(40, 4, plain=False)] == [
        "line 0", "line 1", "line 2", "q ends, arrows scroll: 1-3 of 10",
    ]  # fmt: skip
    assert pager.key("end")
    assert pager.draw(40, 4, plain=False)[0].plain == "line 7"
    assert not pager.key("q")


# -- services ----------------------------------------------------------------------------------------------------------


def services(conns: int, cps: int) -> list[ipvs.ServiceState]:
    server = ipvs.ServerState(
        ipvs.RealServer(ipvs.ServerKey(4, "10.0.0.1", 80), "masq", weight=3),
        activeconns=4,
        inactconns=2,
        stats=ipvs.Stats(
            conns=conns, inpkts=2 * conns, outpkts=conns, inbytes=100 * conns, outbytes=10 * conns, cps=cps
        ),
    )
    key = ipvs.ServiceKey(4, "tcp", "192.0.2.1", 80)
    return [ipvs.ServiceState(ipvs.VirtualService(key), (server,), server.stats)]


def test_rates_of_services() -> None:
    lines = ServiceLines("live")
    lines.update(services(100, 7), 10.0)
    [first] = lines.snapshot(estimated=False).rows
    assert first.name == "TCP 192.0.2.1:80"
    assert list(first.numbers) == [3, 4, 2, None, None, None, None, None]
    lines.update(services(120, 7), 12.0)
    snapshot = lines.snapshot(estimated=False)
    assert snapshot.headline == "1 service, 1 server, 10 conns/s, 1.00k B/s in, 100 B/s out, live"
    [service] = snapshot.rows
    assert list(service.numbers) == [3, 4, 2, 10.0, 20.0, 10.0, 1000.0, 100.0]
    [server] = service.below
    assert (server.name, server.path) == ("10.0.0.1:80", "10.0.0.1:80 of TCP 192.0.2.1:80")
    assert server.numbers == service.numbers
    [estimated] = lines.snapshot(estimated=True).rows
    assert list(estimated.numbers) == [3, 4, 2, 7, 0, 0, 0, 0]


# -- rules -------------------------------------------------------------------------------------------------------------


def ruleset(*rules: str) -> iptables.Ruleset:
    chains = ":INPUT DROP [10:1000]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
    return iptables.parse(f"*filter\n{chains}" + "".join([f"{rule}\n" for rule in rules]) + "COMMIT\n")


def test_rates_of_rules_that_move() -> None:
    lines = RuleLines("live")
    lines.update(ruleset("[100:1000] -A INPUT -p tcp -j ACCEPT", "[5:50] -A INPUT -p udp -j ACCEPT"), 10.0)
    lines.update(
        ruleset(
            "[7:70] -A INPUT -p icmp -j ACCEPT",
            "[5:50] -A INPUT -p udp -j ACCEPT",
            "[120:1400] -A INPUT -p tcp -j ACCEPT",
            "[1:10] -A INPUT -p tcp -j ACCEPT",
        ),
        12.0,
    )
    snapshot = lines.snapshot(estimated=False)
    assert "10 packets/s, 200 B/s, iptables live" in snapshot.headline
    chain = next(row for row in snapshot.rows if row.name == "filter INPUT")
    assert [(row.name, *row.numbers) for row in chain.below] == [
        ("1 -p icmp -j ACCEPT", None, None, 7, 70),
        ("2 -p udp -j ACCEPT", 0.0, 0.0, 5, 50),
        ("3 -p tcp -j ACCEPT", 10.0, 200.0, 120, 1400),
        ("4 -p tcp -j ACCEPT", None, None, 1, 10),  # a second one of these is new
        ("policy DROP", 0.0, 0.0, 10, 1000),
    ]
    assert list(chain.numbers) == [10.0, 200.0, 143, 2530]
    assert chain.below[0].path == "filter INPUT: 1 -p icmp -j ACCEPT"
