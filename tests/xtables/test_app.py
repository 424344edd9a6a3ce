"""pyipvsadm on the tables of a kernel: what show chooses, and the rates that top shows, with packets that come."""

from __future__ import annotations

import json
import re
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import nobody
from support.tmux import Terminal

if TYPE_CHECKING:
    from support.netns import Namespace, Result

PYIPVSADM = Path(sys.executable).with_name("pyipvsadm")
RULES = """*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:WEB - [0:0]
-A INPUT -p udp -m udp --dport 9 -m comment --comment "to nobody" -j ACCEPT
-A INPUT -s 10.0.0.0/8 -p tcp -m multiport --dports 80,443 -j WEB
-A INPUT -p tcp -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A WEB ! -s 10.1.0.0/16 -j REJECT --reject-with icmp-port-unreachable
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.1.2.3:80
COMMIT
"""


@pytest.fixture
def lock(tmp_path: Path) -> dict[str, str]:
    return {"XTABLES_LOCKFILE": str(tmp_path / "lock")}


@pytest.fixture
def ruled(netns: Namespace, lock: dict[str, str]) -> Namespace:
    """Give a namespace with RULES."""
    done = netns.run(["iptables-legacy-restore"], RULES, lock)
    assert done.status == 0, done.stderr
    return netns


def send(space: Namespace, count: int = 3) -> None:
    """Send datagrams to the port that nobody listens at."""
    with space.entered():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender:
        for _ in range(count):
            sender.sendto(b"x", ("127.0.0.1", 9))


def show(space: Namespace, lock: dict[str, str], *words: str) -> Result:
    done = space.ours("show", "--kind", "iptables", *words, tool="pyipvsadm", env=lock)
    assert done.stderr == ""
    return done


def found(space: Namespace, lock: dict[str, str], *words: str) -> list[str]:
    """Return the rules that are shown, as "TABLE CHAIN NUMBER"."""
    document = json.loads(show(space, lock, "--json", *words).stdout)
    assert (document["version"], document["kind"], document["family"]) == (1, "iptables", 4)
    return [
        f"{table['table']} {chain['name']} {rule['number']}"
        for table in document["tables"]
        for chain in table["chains"]
        for rule in chain["rules"]
    ]


def test_choosing(ruled: Namespace, lock: dict[str, str]) -> None:
    send(ruled)
    everything = {
        "filter INPUT 1", "filter INPUT 2", "filter INPUT 3", "filter WEB 1", "nat PREROUTING 1",
    }  # fmt: skip
    assert {*found(ruled, lock)} == everything
    for words, wanted in {
        ("--hit",): {"filter INPUT 1"},
        ("--never-hit",): everything - {"filter INPUT 1"},
        ("--table", "nat"): {"nat PREROUTING 1"},
        ("--chain", "WEB"): {"filter WEB 1"},
        ("--match", "conntrack"): {"filter INPUT 3"},
        ("--match", "conntrack", "--match", "comment"): {"filter INPUT 1", "filter INPUT 3"},
        ("--target", "WEB"): {"filter INPUT 2"},
        ("--port", "443"): {"filter INPUT 2"},
        ("--port", "80"): {"filter INPUT 2", "nat PREROUTING 1"},
        ("--port", "8080"): {"nat PREROUTING 1"},
        ("--address", "10.1.2.3"): {"filter INPUT 2", "nat PREROUTING 1"},
        ("--address", "10.2.2.3"): {"filter INPUT 2", "filter WEB 1"},
        ("--address", "192.0.2.0/24"): {"filter WEB 1", "nat PREROUTING 1"},
        ("--protocol", "udp"): {"filter INPUT 1"},
        ("--protocol", "tcp", "--never-hit", "--chain", "INPUT"): {"filter INPUT 2", "filter INPUT 3"},
    }.items():
        assert {*found(ruled, lock, *words)} == wanted, words


def test_text(ruled: Namespace, lock: dict[str, str]) -> None:
    send(ruled)
    text = show(ruled, lock, "--table", "filter").stdout
    blocks = text.split("\n\n")
    heads = [block.splitlines()[0] for block in blocks]
    assert re.fullmatch(r"INPUT  filter  policy DROP  \d+ packets, \d+ bytes", heads[0])
    assert heads[-1] == "WEB  filter  1 reference"
    assert re.search(r"^1 +3 +87 +ACCEPT +udp .*udp dport 9 comment comment 'to nobody'$", blocks[0], re.MULTILINE)
    assert "\x1b" not in text
    assert not re.search(" $", text, re.MULTILINE)


def test_what_is_read_changes_nothing(netns: Namespace, lock: dict[str, str]) -> None:
    assert netns.ours("show", "--kind", "iptables", tool="pyipvsadm", env=lock).stdout == "No chains.\n"
    with netns.entered():
        assert Path("/proc/thread-self/net/ip_tables_names").read_text() == ""


def test_dumps_are_recognised(ruled: Namespace, lock: dict[str, str], tmp_path: Path) -> None:
    for words, name in ((["iptables-legacy-save", "-c"], "four"), (["ip6tables-legacy-save"], "six")):
        (tmp_path / name).write_text(ruled.run(words, env=lock).stdout)
    done = ruled.ours("show", str(tmp_path / "four"), "--json", tool="pyipvsadm", env=lock)
    assert json.loads(done.stdout)["tables"] == json.loads(show(ruled, lock, "--json").stdout)["tables"]


def test_top(ruled: Namespace, lock: dict[str, str]) -> None:
    with ruled.entered():
        terminal = Terminal(width=110, env=lock)
    with terminal:
        terminal.type(f"{PYIPVSADM} top --kind iptables --every 0.5; echo status $?")
        terminal.wait(lambda screen: "filter INPUT " in screen)

        def is_moving(screen: str) -> bool:
            send(ruled, 5)
            lines = re.findall(r"^(filter INPUT|→ 1 -p udp.*?) +([\d.]+) +([\d.]+k?) ", screen, re.MULTILINE)
            return len(lines) == 2 and all(float(packets) > 0 for _, packets, _ in lines)

        terminal.wait(is_moving)
        terminal.press("t", "z")
        terminal.wait(lambda screen: "filter INPUT: 1 -p udp" in screen and "filter INPUT: 2" not in screen)
        terminal.press("q")
        terminal.wait(lambda screen: "status 0\n" in screen)


def test_without_the_right(ruled: Namespace) -> None:
    with ruled.entered():
        done = nobody.run(".venv/bin/python", "-m", "pyipvsadm.app.main", "show", "--kind", "iptables")
    assert done.returncode == 2
    assert done.stderr.startswith("pyipvsadm: the kernel's tables of iptables: ")
    assert "run it as root" in done.stderr
    assert done.stderr.count("\n") == 1


def test_apply_without_the_right(ruled: Namespace) -> None:
    script = r"printf '*filter\nCOMMIT\n' | .venv/bin/python -m pyipvsadm.app.main apply -"
    with ruled.entered():
        done = nobody.run("sh", "-c", script)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("pyipvsadm: Fatal: can't open lock file ")
    assert "run it as root" in done.stderr
