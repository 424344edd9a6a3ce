"""Random commands and dumps to the C tools and to ours, in two namespaces: the same status, output and tables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from xtables.generator import Generator, shown

if TYPE_CHECKING:
    from xtables.conftest import Pair

# PYIPVSADM_RANDOM_RUNS=100 for a longer run by hand; the seeds are the same each time.
RUNS = int(os.environ.get("PYIPVSADM_RANDOM_RUNS", "4"))
COMMANDS = 80
SIGFPE = -8  # how the C tool ends for some rates of hashlimit


def _tables(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith(("# Generated", "# Completed"))]


def _assert_same_tables(pair: Pair, save: str, done: str) -> None:
    expected = _tables(pair.peer(save, "-c").stdout)
    assert _tables(pair.peer(save, "-c", in_mine=True).stdout) == expected, done
    assert _tables(pair.ours(save, "-c").stdout) == expected, done


@pytest.mark.parametrize("seed", range(RUNS))
def test_random_commands(pair: Pair, seed: int) -> None:
    generator = Generator(seed)
    tool = "iptables" if generator.family == 4 else "ip6tables"
    for _ in range(COMMANDS):
        words = generator.command()
        theirs = pair.peer(tool, *words)
        if theirs.status == SIGFPE:
            continue
        ours = pair.ours(tool, *words)
        assert (ours.status, ours.stdout) == (theirs.status, theirs.stdout), f"{shown(words)}\n{ours.stderr}"
        assert bool(ours.stderr) >= bool(theirs.status), shown(words)
        assert "Traceback" not in ours.stderr
    _assert_same_tables(pair, f"{tool}-save", f"seed {seed}")


@pytest.mark.parametrize("seed", range(1000, 1000 + RUNS))
def test_random_dumps(pair: Pair, seed: int) -> None:
    generator = Generator(seed)
    tool = "iptables" if generator.family == 4 else "ip6tables"
    for _ in range(COMMANDS // 2):
        dump = generator.dump()
        options = generator.random.choice(([], [], ["-c"], ["-n"], ["--noflush", "-c"], ["-t"], ["-v"]))
        theirs = pair.peer(f"{tool}-restore", *options, stdin=dump)
        if theirs.status == SIGFPE:
            continue
        ours = pair.ours(f"{tool}-restore", *options, stdin=dump)
        assert (ours.status, ours.stdout) == (theirs.status, theirs.stdout), f"{options}\n{dump}\n{ours.stderr}"
        assert "Traceback" not in ours.stderr
        _assert_same_tables(pair, f"{tool}-save", f"{options}\n{dump}")
