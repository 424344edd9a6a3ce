"""Tables of rules: nothing is lost at any width, no empty columns, no colour or control character uncalled for."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from pyipvsadm.ui import rules_tables
from pyipvsadm.xtables import entry, registry
from pyipvsadm.xtables.command import List
from pyipvsadm.xtables.model import Chain, Header, Rule
from pyipvsadm.xtables.names import Resolver
from pyipvsadm.xtables.render import Renderer

ANY = bytes(4)


class Place:
    """Says which table it is."""

    family = 4
    name = "filter"


def console(width: int = 100, *, color: bool = False) -> Console:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    return Console(
        file=stream, width=width, force_terminal=color, color_system="standard" if color else None, legacy_windows=False
    )


def comment(text: str) -> bytes:
    [extension] = registry.revisions("match", "comment", 4)
    draft = extension.draft(4, Resolver())
    extension.by_name["comment"].read(text, draft)
    return entry.pack_extension(extension, extension.finish(draft))


def rule(*matches: bytes, jump: str = "", counters: tuple[int, int] = (0, 0), **header: Any) -> Rule:
    packed = entry.pack_header(Header(**{"src": ANY, "dst": ANY, "smsk": ANY, "dmsk": ANY, **header}), 4)
    return Rule(packed, matches, b"", jump, counters)


FULL = rule(
    comment("a note with some words"),
    jump="ACCEPT",
    counters=(123456, 2**64 - 1),
    src=bytes((192, 168, 100, 0)),
    smsk=bytes((255, 255, 255, 0)),
    dst=bytes((198, 51, 100, 200)),
    dmsk=b"\xff" * 4,
    iniface="bridge-interf+",
    outiface="wireguard0",
    proto=17,
    invflags=0x01 | 0x10,
)
INPUT = Chain("INPUT", "DROP", (1234567, 89))
ALL = [
    (INPUT, [(1, FULL), (2, rule(jump="WEB", proto=6, invflags=0x40)), (3, rule(flags=1))]),
    (Chain("WEB", None, (0, 0), 1), [(1, rule(jump="RETURN"))]),
    (Chain("UNUSED"), []),
]


def shown(width: int = 100, asked: List = List(numeric=True), chains: Any = ALL, *, color: bool = False) -> str:  # noqa: B008
    pieces = rules_tables.listing(Place(), chains, asked, Renderer(4, Resolver()), console(width, color=color))  # type: ignore[arg-type]
    return "".join(pieces)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_nothing_is_cut(width: int) -> None:
    text = shown(width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for word in (
        "INPUT", "policy", "DROP", "1.23M", "89", "123k", "18.4E", "ACCEPT", "udp", "!bridge-interf+", "wireguard0",
        "192.168.100.0/24", "!198.51.100.200", "note", "words", "!tcp", "-f", "WEB", "RETURN", "1 reference",
        "UNUSED", "0 references",
    ):  # fmt: skip
        assert word in text, word


def test_columns_where_there_is_room_and_sentences_where_not() -> None:
    assert "Destination" in shown(200)
    assert "Destination" not in shown(60)
    assert "from 192.168.100.0/24" in shown(60)
    assert "in !bridge-interf+" in shown(60)


def test_no_empty_columns() -> None:
    lines = shown(chains=[(INPUT, [(7, rule(jump="DROP", iniface="lo"))])]).splitlines()
    assert lines[1].split() == ["#", "Packets", "Bytes", "Target", "In"]
    assert lines[3].split() == ["7", "0", "0", "DROP", "lo"]
    assert shown(chains=[(INPUT, [])]).splitlines() == ["INPUT  filter  policy DROP  1.23M packets, 89 bytes"]


def test_exact_counters() -> None:
    text = shown(200, List(numeric=True, exact=True))
    for number in ("1234567 packets", "123456", "18446744073709551615"):
        assert number in text


def test_names_are_asked_for_without_n() -> None:
    local = [(INPUT, [(1, rule(src=bytes((127, 0, 0, 1)), smsk=b"\xff" * 4))])]
    assert "localhost" in shown(asked=List(), chains=local)
    assert "127.0.0.1" in shown(asked=List(numeric=True), chains=local)


def test_targets_have_colours() -> None:
    lines = shown(200, color=True).splitlines()
    accept, jump = (next(line for line in lines if word in line) for word in ("ACCEPT", "WEB "))
    assert "\x1b[32mACCEPT" in accept
    assert "\x1b[36mWEB" in jump
    assert "\x1b[31mDROP" in lines[0]


def test_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    screen = Console(file=stream, width=100, force_terminal=True)
    text = "".join(rules_tables.listing(Place(), ALL, List(numeric=True), Renderer(4, Resolver()), screen))  # type: ignore[arg-type]
    assert not any(f"\x1b[{colour}m" in text for colour in range(30, 38))


def test_names_cannot_steer_the_terminal() -> None:
    evil = rule(comment("\x1b[2J[red]\r\udcff"), jump="\x1b]0;owned\x07", iniface="\x1b[1m")
    for width in (40, 200):
        text = shown(width, chains=[(Chain("\x1b[5m", None), [(1, evil)])])
        assert "[red]" in text
        assert not {"\x1b", "\r", "\x07", "\udcff"} & set(text)
