"""With two -v, what libiptc prints of the entries: whenever the C tool does, and in its place among the rest."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from xtables.conftest import Pair

COMMANDS = (
    "-vv -A INPUT -s 192.0.2.1 -p tcp --dport 80 -j ACCEPT",
    "-v -v -A INPUT -s 192.0.2.1,192.0.2.2 -j LOG",
    "-vvv -I INPUT -j DROP",
    "-vv -I INPUT 9 -j DROP",  # there are not so many
    "-vv -R INPUT 1 -i lo",
    "-vv -C INPUT -i lo",
    "-vv -C INPUT -i eth9",
    "-vv -A nosuch -j DROP",
    "-vv -D INPUT -i lo",
    "-vv -D INPUT 1",
    "-vv -N foo",
    "-vv -E foo bar",
    "-vv -P FORWARD DROP",
    "-vvnL",
    "-vv -n -x -L INPUT 1",
    "-vv -n -L nosuch",
    "-vvS",
    "-vv -S INPUT",
    "-vv -n -L -Z",
    "-vv -Z INPUT 1",
    "-vv -Z",
    "-vv -F INPUT",
    "-vv -X",
    "-t nat -vv -S OUTPUT",
    "-vv -A INPUT --no-such-option",
    "-vv -h",
    "-v -n -L",
)
DUMPS = (
    "*filter\n:INPUT ACCEPT [0:0]\n:foo - [0:0]\n-A INPUT -j ACCEPT\n-A foo -s 192.0.2.1\nCOMMIT\n*nat\n-N x\nCOMMIT\n",
    "*filter\n-v -A INPUT -j ACCEPT\n-A INPUT -vv -i lo\n-P INPUT DROP\n-nL INPUT\nCOMMIT\n",
    "*filter\n-A INPUT -j ACCEPT\n-A nosuch -i lo\nCOMMIT\n",
)


@pytest.mark.parametrize("tool", ["iptables", "ip6tables"])
def test_entries_are_printed_as_by_the_peer(pair: Pair, tool: str) -> None:
    for line in COMMANDS:
        words = line.replace("192.0.2.", "2001:db8::").split() if tool == "ip6tables" else line.split()
        theirs, mine = pair.peer(tool, *words), pair.ours(tool, *words)
        assert mine.status == theirs.status, line
        if "-h" not in words:  # a text of our own
            assert mine.stdout == theirs.stdout, line


@pytest.mark.parametrize("options", ["-n", "-nvv", "-v", "-vv", "-v --verb", "-vvvt"])
def test_entries_are_printed_while_a_dump_is_read(pair: Pair, options: str) -> None:
    for dump in DUMPS:
        words = options.split()
        theirs = pair.peer("iptables-restore", *words, stdin=dump)
        mine = pair.ours("iptables-restore", *words, stdin=dump)
        assert mine.status == theirs.status, dump
        assert mine.stdout == theirs.stdout, dump


def test_entries_keep_their_place_on_a_terminal(pair: Pair) -> None:
    words = ["-vv", "-nL", "INPUT", "--format", "classic"]
    piped = pair.ours("iptables", *words).stdout
    master, terminal = os.openpty()
    with pair.mine.entered():
        child = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "pyipvsadm.cli.iptables", *words],
            {**os.environ, **pair.environment("mine")},
            file_actions=[(os.POSIX_SPAWN_DUP2, terminal, 1)],
        )
    os.close(terminal)
    seen = b""
    try:
        while piece := os.read(master, 1 << 16):
            seen += piece
    except OSError:  # a terminal ends so, when nobody has its other end any more
        pass
    os.close(master)
    assert os.waitpid(child, 0)[1] == 0
    assert seen.decode().replace("\r\n", "\n") == piped
    assert piped.startswith("Chain INPUT")
    assert "libiptc v" in piped


def test_a_sandbox_has_no_entries(pair: Pair, tmp_path: Path) -> None:
    file = str(tmp_path / "sandbox.json")
    once = pair.ours("iptables", "--sandbox", file, "-v", "-nL")
    twice = pair.ours("iptables", "--sandbox", file, "-vv", "-nL")
    assert (twice.status, twice.stdout) == (0, once.stdout)


def test_entries_are_no_part_of_json(pair: Pair) -> None:
    once = pair.ours("iptables", "-v", "-L", "--format", "json")
    assert pair.ours("iptables", "-vv", "-L", "--format", "json").stdout == once.stdout
