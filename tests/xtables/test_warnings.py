"""What the C tools say of rules that they take all the same, ours say in the same words; not always in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.netns import Result
    from xtables.conftest import Pair


@pytest.mark.parametrize(
    "words",
    [
        "-j NFLOG --nflog-range 3",
        "-m time --timestart 08:00 --localtz",
        "-i a/b",
        "-i a/b -j NFLOG --nflog-range 3 -m time --localtz",
        "-m ipvs --ipvs",  # the kernel may or may not have it
        "-m ipvs ! --ipvs -m ipvs --vaddr 192.0.2.1",
        "-j LED --led-trigger-id x",
    ],
)
def test_warnings(pair: Pair, words: str) -> None:
    for action in ("-A", "-C", "-D"):
        theirs, ours = (run("iptables", action, "INPUT", *words.split()) for run in (pair.peer, pair.ours))
        assert (ours.status, ours.stdout, lines(ours)) == (theirs.status, theirs.stdout, lines(theirs))
    dump = f"*filter\n-A INPUT {words}\n-A INPUT {words}\nCOMMIT\n"
    theirs, ours = (run("iptables-restore", stdin=dump) for run in (pair.peer, pair.ours))
    assert ours.status == theirs.status
    assert set(lines(theirs)) <= set(lines(ours))  # ours has the kernel's reason too
    assert ours.stderr.lower().count("warn") == theirs.stderr.lower().count("warn")


def lines(result: Result) -> list[str]:
    return sorted(result.stderr.splitlines())
