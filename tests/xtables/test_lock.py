"""The lock of all tables: writers of ours and of the C tool at the same time lose nothing, and who waits gives up."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
from typing import TYPE_CHECKING

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
