"""The helpers of these tests themselves: separate tables, and a kernel that answers the peer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.netns import Namespace


def test_each_namespace_has_a_table_of_its_own(netns: Namespace, other_netns: Namespace) -> None:
    assert netns.peer("-A", "-t", "192.0.2.1:80", "-s", "rr") == (0, "", "")
    assert netns.peer("-a", "-t", "192.0.2.1:80", "-r", "198.51.100.1:80", "-m").status == 0
    assert netns.peer("-S", "-n").stdout.splitlines() == [
        "-A -t 192.0.2.1:80 -s rr",
        "-a -t 192.0.2.1:80 -r 198.51.100.1:80 -m -w 1",
    ]
    assert other_netns.peer("-S", "-n") == (0, "", "")


def test_a_program_gets_its_input_and_returns_its_status(netns: Namespace) -> None:
    assert netns.run(["sh", "-c", "cat; echo no >&2; exit 3"], stdin="\udcff\n") == (3, "\udcff\n", "no\n")
