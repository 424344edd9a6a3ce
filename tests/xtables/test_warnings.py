"""What is taken all the same, but not without a word: both tools say so, and as often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xtables.conftest import Pair

IPV4 = (
    "-A INPUT -i a/b",
    "-A FORWARD -i a/b ! -o c/d",
    "-A FORWARD -m physdev --physdev-in a/b",
    "-L -i a/b",
    "-A INPUT -m iprange --src-range 192.0.2.9-192.0.2.1",
    "-A INPUT -m iprange ! --dst-range 192.0.2.9-192.0.2.1 --src-range 192.0.2.1",
    "-A INPUT -m time --localtz",
    "-A INPUT -m time --localtz --utc",
    "-A INPUT -j NFLOG --nflog-range 1",
    "-A INPUT -j REJECT --reject-with echo-reply",
    "-W 1 -L",
    "-w -W 1 -n -L",
    "-A INPUT -m ttl --ttl-eq 3",
)
IPV6 = (
    "-A INPUT -p ah",
    "-A INPUT -p IPV6-FRAG",
    "-A INPUT -p 43",
    "-A INPUT -p 60 -m iprange --src-range 2001:db8::9-2001:db8::1",
    "-A INPUT ! -p ah",
    "-A INPUT -p esp",
    "-p ah -N foo",
    "-p ah -A INPUT --no-such-option",
    "-A INPUT -j REJECT --reject-with echo-reply",
)
DUMP = "*filter\n" + "-A INPUT -m iprange --src-range 192.0.2.9-192.0.2.1\n" * 2 + "-A INPUT -m mac\nCOMMIT\n"


@pytest.mark.parametrize(
    ("tool", "line"), [*[("iptables", line) for line in IPV4], *[("ip6tables", line) for line in IPV6]]
)
def test_warnings_are_as_many_as_the_peer_s(pair: Pair, tool: str, line: str) -> None:
    theirs, mine = pair.peer(tool, *line.split()), pair.ours(tool, *line.split())
    assert mine.status == theirs.status
    said, heard = [[text for text in result.stderr.splitlines() if text] for result in (theirs, mine)]
    assert len(heard) == len(said), (heard, said)


@pytest.mark.parametrize("line", ["-L", "-n -L", "-v -n -L", "-S", "-D INPUT 1", "-A INPUT -m connlabel --label 7"])
def test_that_labels_have_no_names_is_said_once(pair: Pair, line: str) -> None:
    for _ in range(2):
        for in_mine in (False, True):
            pair.peer("iptables", "-A", "INPUT", "-m", "connlabel", "--label", "5", in_mine=in_mine)
    theirs, mine = pair.peer("iptables", *line.split()), pair.ours("iptables", *line.split())
    assert (mine.status, mine.stdout) == (theirs.status, theirs.stdout)
    assert mine.stderr == "".join(theirs.stderr.splitlines(keepends=True)[:1])  # which repeats it for each rule


def test_each_line_of_a_dump_is_warned_of(pair: Pair) -> None:
    theirs = pair.peer("iptables-restore", stdin=DUMP)
    mine = pair.ours("iptables-restore", stdin=DUMP)
    assert mine.status == theirs.status == 2
    assert [line for line in mine.stderr.splitlines() if "reversed" in line] == [
        line for line in theirs.stderr.splitlines() if "reversed" in line
    ]
    assert mine.stderr.count("reversed") == 2


def test_options_that_count_as_one_are_named(pair: Pair) -> None:
    refused = pair.ours("iptables", *["-A", "INPUT", "-p", "tcp", "--syn", "--tcp-flags", "SYN", "SYN"])
    assert refused.status == 2
    assert '"--tcp-flags" can be used only once, or else "--syn"' in refused.stderr
