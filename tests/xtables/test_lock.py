"""The lock of all tables: writers of ours and of the C tool at the same time lose nothing, and who waits gives up."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xtables.conftest import Pair

WRITERS = 20
OURS = [sys.executable, "-m", "pyipvsadm.cli.iptables"]
PEER = ["/usr/sbin/iptables-legacy"]


def test_writers_lose_no_rule(pair: Pair) -> None:
    environment = {**os.environ, **pair.environment("mine")}
    with pair.mine.entered():
        writers = [
            subprocess.Popen([*tool, "-w", "-A", "INPUT", "-s", f"10.{second}.0.{number}"], env=environment)
            for number in range(WRITERS)
            for second, tool in enumerate((OURS, PEER))
        ]
        assert [writer.wait(120) for writer in writers] == [0] * (2 * WRITERS)
    rules = pair.peer("iptables", "-S", "INPUT", in_mine=True).stdout.splitlines()[1:]
    expected = [f"-A INPUT -s 10.{second}.0.{number}/32" for number in range(WRITERS) for second in range(2)]
    assert sorted(rules) == sorted(expected)


def test_who_waits_in_vain_says_so(pair: Pair) -> None:
    path = pair.environment("mine")["XTABLES_LOCKFILE"]
    with contextlib.closing(open(path, "w")) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        theirs = pair.peer("iptables", "-w", "1", "-N", "foo", in_mine=True)
        ours = pair.ours("iptables", "-w", "1", "-N", "foo")
    assert (ours.status, ours.stdout) == (theirs.status, theirs.stdout) == (4, "")
    stopped = "Another app is currently holding the xtables lock. Stopped waiting after 1s.\n"
    assert ours.stderr == stopped
    assert stopped in theirs.stderr


def test_a_lock_that_cannot_be_opened(pair: Pair) -> None:
    environment = {"XTABLES_LOCKFILE": str(pair.locks / "nowhere/lock")}
    theirs = pair.mine.run([*PEER, "-N", "foo"], env=environment)
    ours = pair.mine.ours("-N", "foo", tool="iptables", env=environment)
    assert (ours.status, ours.stdout) == (theirs.status, theirs.stdout)
    assert ours.stderr


@pytest.mark.parametrize(
    "words",
    ["-w", "-w 5", "-w5", "--wait=5", "--wait 5", "-w x", "-W", "-W x", "-W 5", "-w -W 5", "-w 5 -W 100000"],
)
def test_waiting_is_asked_for_in_the_same_ways(pair: Pair, words: str) -> None:
    for tool, rest, stdin in (("iptables", ["-S"], ""), ("iptables-restore", ["-n"], "*filter\n-A INPUT\nCOMMIT\n")):
        theirs, ours = (run(tool, *words.split(), *rest, stdin=stdin) for run in (pair.peer, pair.ours))
        assert (ours.status, ours.stdout) == (theirs.status, theirs.stdout), tool
        assert ("deprecated" in ours.stderr) == ("deprecated" in theirs.stderr), tool


def test_callers_options_come_first(pair: Pair) -> None:
    """Ask as kube-proxy does."""
    pair.peer("iptables", "-A", "INPUT", "-s", "192.0.2.1", in_mine=True)
    words = ("-w", "5", "-W", "100000", "-C", "INPUT", "-t", "filter", "-s")
    assert pair.ours("iptables", *words, "192.0.2.1").status == 0
    assert pair.ours("iptables", *words, "192.0.2.2").status == 1
    dump = "*filter\n:KUBE-A - [0:0]\n[3:4] -A KUBE-A -j ACCEPT\nCOMMIT\n"
    options = ("-w", "5", "-W", "100000", "-T", "filter", "--noflush", "--counters")
    assert pair.ours("iptables-restore", *options, stdin=dump) == (
        0,
        "",
        "Ignoring deprecated --wait-interval option.\n",
    )
    assert "[3:4] -A KUBE-A -j ACCEPT" in pair.peer("iptables-save", "-c", in_mine=True).stdout
