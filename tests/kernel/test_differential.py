"""The same commands to Debian's ipvsadm and to ours, in two namespaces of one kernel.

After every command the exit status and the output are the same, and standard error says at least as much; at the end
of a sequence the peer reads the same state in both namespaces. DIFFERENTIAL_SEED (the first) and DIFFERENTIAL_COUNT
(of sequences) make longer runs than these.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import pytest

# What our commands import when they come to it: once here instead of once in each fork.
import pyipvsadm.cli.restore
import pyipvsadm.ipvs.backend.kernel
import pyipvsadm.ipvs.backend.sandbox
import pyipvsadm.ipvs.render  # noqa: F401
from kernel.differences import DIFFERENCES, Difference, explained
from kernel.generator import HOSTS, INTERFACE, Command, Generator
from support import hosts, netns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.netns import Namespace, Result

FIRST = int(os.environ.get("DIFFERENTIAL_SEED", "0"))
COUNT = int(os.environ.get("DIFFERENTIAL_COUNT", "16"))
LENGTH = 40  # commands in a sequence

# What the peer is asked for the state of a namespace; the order of --nosort depends on the namespace.
STATE = (
    *(("-S", "-n"), ("-L", "-n"), ("-L", "-n", "--thresholds"), ("-L", "-n", "--tun-info"), ("-L", "-n", "--stats")),
    *(("-L", "-n", "--persistent-conn"), ("-L", "--timeout"), ("-L", "--daemon")),
)
SETTINGS = (("-S", "-n"), ("-L", "--timeout"), ("-L", "--daemon"))


@pytest.fixture(scope="module", autouse=True)
def _names() -> Iterator[None]:
    with hosts.known(HOSTS):
        yield


@contextlib.contextmanager
def namespaces() -> Iterator[tuple[Namespace, Namespace]]:
    """Make two namespaces that have the interfaces of the sequences."""
    with netns.fresh() as first, netns.fresh() as second:
        for namespace in (first, second):
            namespace.run(["ip", "link", "add", INTERFACE, "up", "type", "dummy"])
        yield first, second


def state(namespace: Namespace, looks: Sequence[tuple[str, ...]] = STATE) -> list[str]:
    """Return what the peer sees."""
    return [namespace.peer(*words).stdout for words in looks]


def folded(text: str) -> str:
    return " ".join(text.replace("/usr/sbin/", "").split())  # the path by which the peer was called


def problems(command: Command, peer: Result, ours: Result) -> list[str]:
    """Return what of our result is not as it should be."""
    found = []
    if peer.status != ours.status:
        found.append(f"exit status {ours.status}, the peer's is {peer.status}")
    order = sorted if "--nosort" in (*command.args, *command.stdin.split()) else list
    if order(peer.stdout.splitlines(keepends=True)) != order(ours.stdout.splitlines(keepends=True)):
        found.append(f"output\n{ours.stdout!r}, the peer's is\n{peer.stdout!r}")
    if folded(peer.stderr) not in folded(ours.stderr):
        found.append(f"error {ours.stderr!r}, the peer's is {peer.stderr!r}")
    if found and explained(command, peer, ours):
        found = []
    if "Traceback" in ours.stderr:
        found.append(ours.stderr)
    return found


def run(command: Command, theirs: Namespace, mine: Namespace) -> list[str]:
    """Run a command with both tools; return what is not as it should be.

    A restore in which something is refused must change nothing here; for the comparison it is run with --no-rollback.
    """
    peer = theirs.peer(*command.args, stdin=command.stdin, tool=command.tool)
    flags: tuple[str, ...] = ()
    found = []
    if (command.stdin or command.tool == "ipvsadm-restore") and (peer.status or peer.stderr):
        before = state(mine, SETTINGS)
        refused = mine.ours(*command.args, stdin=command.stdin, tool=command.tool)
        if not refused.status or "nothing was changed" not in refused.stderr or "Traceback" in refused.stderr:
            found.append(f"a restore that fails at the peer gave {refused}")
        if (after := state(mine, SETTINGS)) != before:
            found.append(f"a refused restore changed {before} to {after}")
        flags = ("--no-rollback",)
    ours = mine.ours(*command.args, *flags, stdin=command.stdin, tool=command.tool)
    return found + problems(command, peer, ours)


def differing(commands: list[Command]) -> list[str]:
    """Run a sequence in fresh namespaces; return the differences, up to where the states part."""
    found = []
    with namespaces() as (theirs, mine):
        for number, command in enumerate(commands, 1):
            found += [f"command {number}: {command}: {problem}" for problem in run(command, theirs, mine)]
        for words, peer, ours in zip(STATE, state(theirs), state(mine), strict=True):
            if peer != ours:
                found.append(f"state {' '.join(words)}\n{ours}is in the peer's namespace\n{peer}")
        for words in (("-L", "--nosort"), ("-L", "-n", "--nosort", "--exact", "--stats")):
            peer, ours = mine.peer(*words).stdout, mine.ours(*words).stdout
            if peer != ours:
                found.append(f"{' '.join(words)}\n{ours}the peer's is\n{peer}")
        return found + exchanged(theirs, mine)


def exchanged(theirs: Namespace, mine: Namespace) -> list[str]:
    """Restore each tool's dump with the other; return what went wrong, or is not as it was."""
    saved = mine.peer("-S", "-n").stdout
    if " -f -" in saved:  # the peer cannot read what it prints for marks above 2147483647, so we print the same
        return []
    results = (
        mine.ours(stdin=theirs.peer("-n", tool="ipvsadm-save").stdout, tool="ipvsadm-restore"),
        theirs.peer(stdin=mine.ours("-n", tool="ipvsadm-save").stdout, tool="ipvsadm-restore"),
    )
    same = mine.peer("-S", "-n").stdout == theirs.peer("-S", "-n").stdout == saved
    return (
        [] if same and results == ((0, "", ""), (0, "", "")) else [f"each tool's dump restored by the other: {results}"]
    )


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
def test_random_commands_have_the_same_results(seed: int) -> None:
    commands = Generator(seed).sequence(LENGTH)
    # The peer lists a service twice when some other namespace, not ours alone, gets one during the dump: try again.
    found = differing(commands) and differing(commands)
    assert not found, "\n".join(found)


# Lines that are cut into words in ways that random ones hardly meet; each stands before a good one.
LINES = (
    *("-A -f 5" + " " * padding + "-s rr" for padding in (1000, 4096, 20000)),
    *("-A -f " + "0" * (length - 1) + "5" for length in (4095, 4096, 4097, 9000)),
    *("-L" + " --sort" * words for words in (30, 64, 128, 256, 500)),
    *("-A\0x -f 5", "-A -f 5\0 -s rr", "-A -f 5 \0 -s rr", "-A -f 5 -s\0rr", "ipvsadm\0x -A -f 5", "\0", "\0-A -f 5"),
    *("-A -f 5\r", "\t-A\t-f\t5\t", "-A\f-f\v5", '-A -f "5"', "-A -f 5 # comment", " # comment", "# comment", "-"),
    *("ipvsadm", "ipvsadm ipvsadm -A -f ipvsadm 5", "/sbin/ipvsadm -A -f 5", "$ipvsadm -A -f 5", "--", "-- -A -f 5"),
)


def test_lines_are_cut_into_words_as_by_the_peer() -> None:
    found = []
    with namespaces() as (theirs, mine):
        for line in LINES:
            command = Command(("-R",), f"{line}\n-A -f 6\n")
            found += [f"{line[:80]!r}: {problem}" for problem in run(command, theirs, mine)]
            if state(theirs, SETTINGS[:1]) != state(mine, SETTINGS[:1]):
                found.append(f"{line[:80]!r} leaves another state")
            for namespace in (theirs, mine):
                namespace.peer("-C")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.reason)
def test_known_differences_are_still_there(difference: Difference) -> None:
    with namespaces() as (theirs, mine):
        command = difference.example
        peer = theirs.peer(*command.args, stdin=command.stdin, tool=command.tool)
        ours = mine.ours(*command.args, stdin=command.stdin, tool=command.tool)
    assert (peer.status, peer.stdout, folded(peer.stderr)) != (ours.status, ours.stdout, folded(ours.stderr))
    assert difference.applies(command, peer, ours)
