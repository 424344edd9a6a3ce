"""Views in a real terminal: what they show, what keys do, and that the terminal is as before whatever ended them."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyipvsadm import ipvs
from pyipvsadm.app.terminal import decode
from support.tmux import PROMPT, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

PYIPVSADM = Path(sys.executable).with_name("pyipvsadm")


@pytest.fixture
def sandbox(tmp_path: Path) -> Path:
    path = tmp_path / "x.json"
    lines = []
    for number in range(20):
        service = f"192.0.2.{number}:80"
        lines.append(f"-A -t {service} -s wlc")
        lines += [f"-a -t {service} -r 10.0.{number}.{place}:80 -m -w {place}" for place in range(3)]
    with ipvs.sandbox(path) as table:
        table.apply(*ipvs.parse([line.replace(".0:80 -m", ".9:80 -m") for line in lines]))
    return path


@pytest.fixture
def terminal(sandbox: Path) -> Iterator[Terminal]:
    with Terminal(env={"PYIPVSADM_SANDBOX": str(sandbox), "COLUMNS": "", "LINES": ""}) as opened:
        opened.type("unset COLUMNS LINES; clear")
        yield opened


def settings(terminal: Terminal, tmp_path: Path, name: str) -> tuple[str, str, str]:
    """Return the terminal's modes, whether it shows its other screen, and whether its cursor can be seen."""
    terminal.type(f"stty -g >{tmp_path}/{name}; echo {name} done")
    terminal.wait(lambda screen: f"\n{name} done" in screen)
    return (tmp_path / name).read_text(), terminal.asked("alternate_on"), terminal.asked("cursor_flag")


def begin(terminal: Terminal, words: str, sign: str) -> int:
    terminal.type(f"{PYIPVSADM} {words}; echo status $?")
    terminal.wait(lambda screen: sign in screen)
    assert terminal.asked("alternate_on") == "1"
    assert terminal.asked("cursor_flag") == "0"
    return terminal.process("pyipvsadm")


def quit_with_q(terminal: Terminal, _: int, __: Path) -> None:
    terminal.press("q")


def interrupt(terminal: Terminal, _: int, __: Path) -> None:
    terminal.press("C-c")


def terminate(_: Terminal, process: int, __: Path) -> None:
    os.kill(process, signal.SIGTERM)


def hang_up(_: Terminal, process: int, __: Path) -> None:
    os.kill(process, signal.SIGHUP)


def spoil(_: Terminal, __: int, sandbox: Path) -> None:
    sandbox.write_text("spoiled")


@pytest.mark.parametrize(
    ("end", "status"), [(quit_with_q, 0), (interrupt, 130), (terminate, 143), (hang_up, 129), (spoil, 2)]
)
@pytest.mark.parametrize(("words", "sign"), [("top --every 0.5", "? help"), ("show --watch=0.5", "q ends")])
def test_the_terminal_is_as_before(
    terminal: Terminal, sandbox: Path, tmp_path: Path, words: str, sign: str, end: object, status: int
) -> None:
    before = settings(terminal, tmp_path, "before")
    process = begin(terminal, words, sign)
    assert callable(end)
    end(terminal, process, sandbox)
    seen = terminal.wait(lambda screen: f"status {status}\n" in screen)
    assert "before done" in seen  # what was on the screen
    assert "Traceback" not in seen
    assert ("not a sandbox file" in seen) == (end is spoil)
    assert settings(terminal, tmp_path, "after") == before


def test_stopped_and_continued(terminal: Terminal, tmp_path: Path) -> None:
    before = settings(terminal, tmp_path, "before")
    terminal.type(f"{PYIPVSADM} top --every 0.5")
    terminal.wait(lambda screen: "? help" in screen)
    terminal.press("C-z")
    terminal.wait(lambda screen: "Stopped" in screen)
    assert settings(terminal, tmp_path, "stopped") == before
    terminal.type("fg")
    terminal.wait(lambda screen: "? help" in screen)
    assert terminal.asked("alternate_on") == "1"
    terminal.press("q")
    terminal.wait(lambda screen: "? help" not in screen)
    assert settings(terminal, tmp_path, "after") == before


def found(pattern: str, screen: str) -> list[str]:
    return re.findall(pattern, screen, re.MULTILINE)


def test_keys_of_top(terminal: Terminal) -> None:
    begin(terminal, "top --every 0.5", "? help")
    seen = terminal.screen()
    assert "20 services, 60 servers" in seen
    assert re.search(r"lines 1-\d+ of 80", seen)
    terminal.press("End")
    terminal.wait(lambda screen: "-80 of 80" in screen and "10.0.19.2:80" in screen)
    terminal.press("Home", "PageDown")
    terminal.wait(lambda screen: "lines 27-52 of 80" in screen)
    terminal.press("Home", "Down", "j", "Up")
    terminal.wait(lambda screen: "lines 2-27 of 80" in screen)
    terminal.press("/", "1", "1", ".", "2", "x", "BSpace", "Enter")
    terminal.wait(lambda screen: "filter '11.2'" in screen and "enter keeps it" not in screen)
    terminal.wait(lambda screen: found(r"^(?:→ )?(?:TCP )?([\d.]+):80", screen) == ["192.0.2.11", "10.0.11.2"])
    terminal.press("Escape")
    terminal.wait(lambda screen: "of 80" in screen and "filter '" not in screen)
    terminal.press("s")
    terminal.wait(lambda screen: "of 80" not in screen and "10.0." not in screen)
    terminal.press("s", "t")
    terminal.wait(lambda screen: "of 60" in screen and "10.0.0.1:80 of TCP 192.0.2.0:80" in screen)
    terminal.press("Left", "Left", "Left")  # from connections a second to weights
    terminal.wait(lambda screen: "▼Weight" in screen and found(r"^10\.0\.\d+\.(\d)", screen)[:20] == ["2"] * 20)
    terminal.press("r")
    terminal.wait(lambda screen: "▲Weight" in screen and found(r"^10\.0\.\d+\.(\d)", screen)[:20] == ["9"] * 20)
    terminal.press("z")
    terminal.wait(lambda screen: "without what is idle" in screen and "10.0." not in screen)
    terminal.press("z", "?")
    terminal.wait(lambda screen: "any key goes back" in screen)
    terminal.press("x", "Space")
    terminal.wait(lambda screen: "standing still" in screen)
    terminal.press("Space", "+")
    terminal.wait(lambda screen: "every 0.25 s" in screen)
    terminal.press("e")
    terminal.wait(lambda screen: "as the kernel estimates them" in screen)
    terminal.resize(50, 12)
    terminal.wait(lambda screen: len(screen.splitlines()[-1]) <= 50 and "lines 1-8 of 60" in screen)
    terminal.press("q")
    terminal.wait(lambda screen: "status 0\n" in screen)


def test_top_takes_a_terminal(terminal: Terminal) -> None:
    terminal.type(f"{PYIPVSADM} top | cat; {PYIPVSADM} top </dev/null; TERM=dumb {PYIPVSADM} top; echo done")
    seen = terminal.wait(lambda screen: "\ndone" in screen)
    assert seen.count("this takes a terminal") == 3
    assert seen.count(PROMPT.rstrip()) == 2


def test_watch_shows_what_changes(terminal: Terminal, sandbox: Path) -> None:
    begin(terminal, "show --watch 0.5 --address 10.0.7.1", "q ends")
    terminal.wait(
        lambda screen: "192.0.2.7:80" in screen and re.search(r"10\.0\.7\.1:80 +Masq +1 +up", screen) is not None
    )
    key = ipvs.ServiceKey(4, "tcp", "192.0.2.7", 80)
    with ipvs.sandbox(sandbox) as table:
        table.apply(ipvs.EditServer(key, ipvs.RealServer(ipvs.ServerKey(4, "10.0.7.1", 80), "masq", 0)))
    terminal.wait(lambda screen: re.search(r"10\.0\.7\.1:80 +Masq +0 +drained", screen) is not None)
    terminal.press("q")
    terminal.wait(lambda screen: "status 0\n" in screen)


@pytest.mark.parametrize(
    ("sent", "keys", "rest"),
    [
        ("", [], ""),
        ("qé", ["q", "é"], ""),
        ("\x1b[A\x1bOB\x1b[C\x1b[D", ["up", "down", "right", "left"], ""),
        ("\x1b[5~\x1b[6~\x1b[1~\x1b[F", ["page up", "page down", "home", "end"], ""),
        ("\x1b[1;5Ax", ["x"], ""),  # with Ctrl: no name
        ("\x1b[15~", [], ""),
        ("\r\x7f\t ", ["enter", "backspace", "tab", " "], ""),
        ("\x1b", [], "\x1b"),
        ("a\x1b[", ["a"], "\x1b["),
        ("a\x1b[5", ["a"], "\x1b[5"),
        ("\x1bx", ["escape", "x"], ""),
        ("\x1b\x1b[A", ["escape", "up"], ""),
        ("\x00\x01\x9b", [], ""),
    ],
)
def test_what_terminals_send(sent: str, keys: list[str], rest: str) -> None:
    assert decode(sent) == (keys, rest)
