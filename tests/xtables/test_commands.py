"""The command lines of cases/commands.txt, to the C tools and to ours: the same status, output and tables."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from support import xtables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyipvsadm.xtables.options import Family
    from xtables.conftest import Pair


def _command_lines(family: Family) -> Iterator[list[str]]:
    for line in (xtables.CASES / "commands.txt").read_text().splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] in (["4"], ["6"]):
            words = words[1:] if words[0] == str(family) else []
        if words:
            yield words


@pytest.mark.parametrize("family", [4, 6])
def test_command_lines_are_as_at_the_peer(pair: Pair, family: Family) -> None:
    tool = "iptables" if family == 4 else "ip6tables"
    for words in _command_lines(family):
        theirs = pair.peer(tool, *words)
        ours = pair.ours(tool, *words)
        assert (ours.status, ours.stdout) == (theirs.status, theirs.stdout), f"{shlex.join(words)}\n{ours.stderr}"
        assert bool(ours.stderr) == bool(theirs.stderr), shlex.join(words)
        tables = [pair.peer(f"{tool}-save", "-c", in_mine=mine).stdout for mine in (False, True)]
        rules, expected = [[line for line in text.splitlines() if line[:1] != "#"] for text in reversed(tables)]
        assert rules == expected, shlex.join(words)
