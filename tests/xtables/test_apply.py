"""pyipvsadm diff and apply on the tables of a kernel, seen by Debian's iptables-legacy; in namespaces of their own."""

from __future__ import annotations

import re
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from support import netns as netns_support
from support.rulesets import dumps
from support.terminal import Begun, is_gone, until

if TYPE_CHECKING:
    from support.netns import Namespace

PYIPVSADM = Path(sys.executable).with_name("pyipvsadm")

RULES = """*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:UNUSED - [0:0]
:WEB - [0:0]
-A INPUT -p udp -m udp --dport 9 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 80 -j WEB
-A INPUT -p udp -m udp --dport 10 -j ACCEPT
-A WEB -s 192.0.2.0/24 -j ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -o eth9 -j MASQUERADE
COMMIT
"""
# Another order, another chain, a rule less and one more.
OTHER = """*filter
:INPUT ACCEPT [0:0]
:OUTPUT DROP [0:0]
:SSH - [0:0]
:WEB - [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j SSH
-A INPUT -p udp -m udp --dport 10 -j ACCEPT
-A INPUT -p udp -m udp --dport 9 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 80 -j WEB
-A OUTPUT -o lo -j ACCEPT
-A WEB -s 192.0.2.0/24 -j ACCEPT
-A WEB -j REJECT
COMMIT
"""


class Host:
    """A namespace with a lock of its own."""

    def __init__(self, space: Namespace, folder: Path) -> None:
        self.space = space
        self.folder = folder
        self.environment = {"XTABLES_LOCKFILE": str(folder / "lock")}

    def run(self, *words: str, stdin: str = "", status: int = 0) -> str:
        """Run pyipvsadm; return what it prints."""
        done = self.space.ours(*words, tool="pyipvsadm", stdin=stdin, env=self.environment)
        assert done.status == status, done
        return done.stdout + done.stderr

    def restore(self, dump: str) -> None:
        done = self.space.run(["iptables-legacy-restore", "-c"], dump, self.environment)
        assert done.status == 0, done.stderr

    def saved(self, *, counters: bool = True) -> list[str]:
        """Return what iptables-legacy-save prints of it, without its comments and of tables that hold nothing."""
        done = self.space.run(["iptables-legacy-save", *(["-c"] if counters else [])], env=self.environment)
        assert done.status == 0, done.stderr
        tables = re.findall(r"^\*.*?^COMMIT\n", done.stdout, re.MULTILINE | re.DOTALL)
        used = sorted([table for table in tables if "-A " in table or " DROP " in table or " - " in table])
        return "".join(used).splitlines()

    def send(self, port: int, count: int) -> None:
        """Send datagrams to a port of its own."""
        with self.space.entered():
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with sender:
            for _ in range(count):
                sender.sendto(b"x", ("127.0.0.1", port))


@pytest.fixture
def host(netns: Namespace, tmp_path: Path) -> Host:
    return Host(netns, tmp_path)


def counted(lines: list[str], rule: str) -> tuple[int, int]:
    """Return how many packets and bytes a rule has counted."""
    [found] = [re.match(r"\[(\d+):(\d+)\] ", line) for line in lines if line.endswith(rule)]
    assert found
    return int(found[1]), int(found[2])


def test_counters_of_what_stays_go_on(host: Host) -> None:
    host.restore(RULES)
    host.send(9, 3)
    host.send(10, 5)
    assert host.run("apply", "-", stdin=OTHER).startswith("done: ")
    host.send(9, 1)
    host.send(10, 1)
    lines = host.saved()
    assert counted(lines, "-A INPUT -p udp -m udp --dport 9 -j ACCEPT") == (4, 4 * 29)
    assert counted(lines, "-A INPUT -p udp -m udp --dport 10 -j ACCEPT") == (6, 6 * 29)
    assert counted(lines, "-A WEB -j REJECT --reject-with icmp-port-unreachable") == (0, 0)
    assert [line.split(" [")[0] for line in lines if line.startswith(":")] == [
        ":INPUT ACCEPT", ":FORWARD DROP", ":OUTPUT DROP", ":SSH -", ":WEB -",
        ":PREROUTING ACCEPT", ":INPUT ACCEPT", ":OUTPUT ACCEPT", ":POSTROUTING ACCEPT",
    ]  # fmt: skip
    assert "-A POSTROUTING -o eth9 -j MASQUERADE" in "\n".join(lines)  # of a table that is not named
    assert host.run("diff", "-", stdin=OTHER) == ""
    before = host.saved()
    assert host.run("apply", "-", stdin=OTHER) == "nothing to do: live is as standard input says\n"
    assert host.run("apply", "-", "--dry-run", stdin=OTHER) == "nothing to do: live is as standard input says\n"
    assert host.saved() == before


@pytest.mark.parametrize("words", [(), ("--confirm", "60")], ids=["", "with confirmation"])
def test_a_refusal_puts_back_all_tables_with_their_counters(host: Host, words: tuple[str, ...]) -> None:
    host.restore(RULES)
    host.send(9, 3)
    before = host.saved()
    wrong = "*nat\n-A OUTPUT -j ACCEPT\nCOMMIT\n*filter\n-A INPUT -j ACCEPT\n-A OUTPUT -j MASQUERADE\nCOMMIT\n"
    said = host.run("apply", "-", *words, stdin=wrong, status=1)
    assert re.fullmatch(
        r"pyipvsadm: iptables table filter, one of \d+ changes: Invalid argument; nothing was changed\n", said
    )
    assert host.saved() == before


def test_dry_run_uses_no_table(host: Host) -> None:
    assert host.run("apply", "-", "--dry-run", stdin=RULES).count("\n") == 8
    with host.space.entered():
        assert Path("/proc/thread-self/net/ip_tables_names").read_text() == ""


def test_ipv6(host: Host) -> None:
    dump = "*filter\n:INPUT DROP\n-A INPUT -s 2001:db8::/32 -p ipv6-icmp -j ACCEPT\nCOMMIT\n"
    assert host.run("apply", "-", stdin=dump) == "done: 2 changes\n"
    done = host.space.run(["ip6tables-legacy-save"], env=host.environment)
    assert "-A INPUT -s 2001:db8::/32 -p ipv6-icmp -j ACCEPT\n" in done.stdout
    assert ":INPUT DROP " in done.stdout
    assert host.run("diff", "-", stdin=dump) == ""


def test_another_namespace(host: Host, tmp_path: Path) -> None:
    with netns_support.fresh() as other:
        assert host.run("apply", "-", "--netns", other.name, stdin=RULES).startswith("done: ")
        assert host.saved() == []
        assert Host(other, tmp_path).run("diff", "-", stdin=RULES) == ""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(dumps)
def test_then_there_are_no_differences(host: Host, dump: str) -> None:
    host.run("apply", "-", "--kind", "iptables", "--prune", stdin=dump)
    assert host.run("diff", "-", "--kind", "iptables", stdin=dump) == ""
    assert host.run("apply", "-", "--kind", "iptables", "--prune", stdin=dump).startswith("nothing to do: ")
    with netns_support.fresh() as other:
        theirs = Host(other, host.folder)
        theirs.restore(dump)
        assert host.saved(counters=False) == theirs.saved(counters=False)


@pytest.mark.parametrize("end", ["hang_up", "kill"])
def test_taken_back_when_the_terminal_is_gone(host: Host, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    host.restore(RULES)
    host.send(9, 3)
    before = host.saved()
    (host.folder / "other").write_text(OTHER.replace("-A INPUT -p udp -m udp --dport 9 -j ACCEPT\n", ""))
    monkeypatch.setenv("XTABLES_LOCKFILE", host.environment["XTABLES_LOCKFILE"])
    words = ("apply", str(host.folder / "other"), "--netns", host.space.name, "--confirm", "4")
    begun = Begun(PYIPVSADM, *words)
    begun.read("to be taken back at")
    assert any("-j SSH" in line for line in host.saved())
    waits = re.search(r"process (\d+)", host.run("apply", "-", stdin=RULES, status=1))
    assert waits
    getattr(begun, end)()
    assert not is_gone(int(waits[1]))
    until(lambda: is_gone(int(waits[1])))
    after = host.saved()
    assert [re.sub(r" \[\d+:\d+\]$", "", line) for line in after] == [
        re.sub(r" \[\d+:\d+\]$", "", line) for line in before
    ]
    assert counted(after, "-A INPUT -p udp -m udp --dport 9 -j ACCEPT") == (3, 3 * 29)
