"""Tables that are read and replaced whole, without libiptc: libiptc and the C tools see the same in them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from bench.xtables import dump as services
from pyipvsadm import iptables
from pyipvsadm.xtables import entry
from pyipvsadm.xtables.backend.legacy import LegacyBackend
from pyipvsadm.xtables.model import Rule
from support import xtables
from xtables.conftest import Pair

if TYPE_CHECKING:
    from pyipvsadm.xtables.backend.base import Listing
    from pyipvsadm.xtables.options import Family
    from support.netns import Namespace

MOST_CASES = 12  # of a file

CHAINS = """\
*filter
:INPUT DROP [7:8]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [1:2]
:zz - [0:0]
:aa - [0:0]
:Mid - [0:0]
[1:2] -A INPUT -j zz
[3:4] -A INPUT -i eth0 -g aa
-A INPUT
[5:6] -A zz -m comment --comment "only counts"
-A zz -s 10.0.0.0/8 -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j Mid
-A aa -p udp -m multiport --dports 1,2,3:4 -m comment --comment "a -j b -m c \\"quoted\\"" -j RETURN
-A Mid -j ACCEPT
-A Mid ! -s 192.0.2.0/24 -j QUEUE
-A OUTPUT -p tcp -j REJECT --reject-with tcp-reset
COMMIT
"""
"""Jumps forward and back, to the next rule, to verdicts, by -g; chains in no order; what looks like parts of rules."""

EDITS = """\
*filter
:INPUT ACCEPT [0:0]
:one - [0:0]
-A INPUT -j one
-A one -s 10.0.0.1/32 -j ACCEPT
-A one -s 10.0.0.2/32 -j DROP
-N two
-A two -j one
-I one 1 -p icmp -j RETURN
-D one -s 10.0.0.1/32 -j ACCEPT
-E two three
-R INPUT 1 -j three
-P OUTPUT DROP
-Z one
-N four
-X four
COMMIT
"""
"""Commands, for which rules that were packed already have to be unpacked."""


def same(rule: Rule) -> Rule:
    """Return a rule without the rubbish that the kernel leaves behind names."""

    def clean(block: bytes) -> bytes:
        name = entry.extension_name(block).encode()
        return block[:2] + name.ljust(entry.NAME_END - 2, b"\0") + block[entry.NAME_END :] if block else b""

    return rule.replace(matches=tuple(map(clean, rule.matches)), target=clean(rule.target))


def contents(table: Listing) -> list[tuple[object, list[Rule]]]:
    return [(chain, [same(rule) for rule in table.rules(chain.name)]) for chain in table.chains()]


def assert_the_same(pair: Pair, family: Family, table: str, *words: str) -> None:
    """Compare what the C tools print of both namespaces, and what libiptc and our own reading make of ours."""
    tool = "iptables-save" if family == 4 else "ip6tables-save"
    theirs, mine = (
        [line for line in pair.peer(tool, *words, "-c", in_mine=ours).stdout.splitlines() if line[0] != "#"]
        for ours in (False, True)
    )
    assert mine == theirs
    with pair.mine.entered():
        backend = LegacyBackend(family)
        assert contents(backend.read(table)) == contents(backend.open(table))
        backend.close()


@pytest.mark.parametrize("text", [CHAINS, EDITS])
@pytest.mark.parametrize("words", [(), ("-c",), ("-v",), ("-n",), ("-n", "-c"), ("-t",)])
def test_dumps(pair: Pair, text: str, words: tuple[str, ...]) -> None:
    for dump in (text, CHAINS, text):
        theirs, mine = (run("iptables-restore", *words, stdin=dump) for run in (pair.peer, pair.ours))
        assert (mine.status, mine.stdout) == (theirs.status, theirs.stdout)
        assert_the_same(pair, 4, "filter")


def test_a_table_like_kube_proxys(pair: Pair) -> None:
    lines = services(40).splitlines()
    head = [line for line in lines if line[0] != "-" and line != "COMMIT"]
    rules = [line for line in lines if line[0] == "-"]
    random.Random(3).shuffle(rules)
    dump = "\n".join([*head, *rules, "COMMIT", ""])
    for run in (pair.peer, pair.ours):
        assert run("iptables-restore", stdin=dump).status == 0
    assert_the_same(pair, 4, "nat")


@pytest.mark.parametrize("family", [4, 6])
def test_every_extension(pair: Pair, netns: Namespace, family: Family) -> None:
    """Restore what the C tool saves of the first rules that it takes of every file of cases, and takes again itself."""
    tool = "iptables" if family == 4 else "ip6tables"
    for namespace in (pair.theirs, pair.mine, netns):
        with namespace.entered():
            xtables.make_sets()
            for path in sorted(xtables.CASES.glob("*/*.txt")):
                xtables.prepare(path)
    rules: dict[str, list[str]] = {}
    sampling = Pair(netns, netns, pair.locks)
    for path in sorted(xtables.CASES.glob("*/*.txt")):
        for case in [case for case in xtables.cases(path) if case.family == family][:MOST_CASES]:
            if sampling.peer(tool, "-t", case.table, "-A", case.chain, *case.words).status == 0:
                line = sampling.peer(tool, "-t", case.table, "-S", case.chain).stdout.splitlines()[-1]
                sampling.peer(tool, "-t", case.table, "-F")
                dump = f"*{case.table}\n{line}\nCOMMIT\n"
                if sampling.peer(f"{tool}-restore", "-n", stdin=dump).status == 0:
                    rules.setdefault(case.table, []).append(line)
    assert sum(map(len, rules.values())) > 300
    for table, lines in rules.items():
        dump = "\n".join([f"*{table}", *dict.fromkeys(lines), "COMMIT", ""])
        done = [run(f"{tool}-restore", stdin=dump) for run in (pair.peer, pair.ours)]
        assert [each.status for each in done] == [0, 0], done
        assert_the_same(pair, family, table, "-t", table)


def test_tables_before_a_refused_one_are_what_they_were(pair: Pair) -> None:
    before = CHAINS + "*mangle\n:PREROUTING ACCEPT [0:0]\n[8:9] -A PREROUTING -j MARK --set-mark 1\nCOMMIT\n"
    assert pair.ours("iptables-restore", "-c", stdin=before).status == 0
    saved = pair.peer("iptables-save", "-c", in_mine=True).stdout
    loop = "*mangle\nCOMMIT\n*filter\n:a - [0:0]\n-A INPUT -j a\n-A a -j a\nCOMMIT\n"
    for words in ((), ("-n",)):
        refused = pair.ours("iptables-restore", *words, stdin=loop)
        assert (refused.status, refused.stderr.splitlines()[-1]) == (1, "iptables-restore: line 7 failed")
        now = pair.peer("iptables-save", "-c", in_mine=True).stdout
        assert [line for line in now.splitlines() if line[0] != "#"] == [
            line for line in saved.splitlines() if line[0] != "#"
        ]


def test_a_comment_that_looks_like_the_beginning_of_a_chain(pair: Pair) -> None:
    with pair.mine.entered():
        backend = LegacyBackend(4)
        table = backend.open("filter")
        block = bytearray(entry.STANDARD_SIZE - 8 + 256)  # a comment as only another program would make it
        block[:2], block[2:9] = len(block).to_bytes(2, "little"), b"comment"
        block[40:48] = b"\x40\0ERROR\0"
        anything = bytes(entry.HEADER_SIZE[4])
        table.append("INPUT", Rule(anything, (bytes(block),), b"", "ACCEPT"))
        table.commit()
        assert contents(backend.read("filter")) == contents(backend.open("filter"))
        backend.close()


def test_python_reads_and_restores_whole_sets_of_tables(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XTABLES_LOCKFILE", str(pair.locks / "mine"))
    name = pair.mine.name
    iptables.restore(CHAINS, netns=name, counters=True)
    live, dump = iptables.read(netns=name), iptables.parse(CHAINS)
    assert live == dump
    assert iptables.save(live, counters=True).splitlines()[1:4] == CHAINS.splitlines()[1:4]
    with pytest.raises(iptables.UsageError) as wrong:
        iptables.restore("*filter\n-A INPUT --nonsense\nCOMMIT\n", netns=name)
    assert wrong.value.line == 2
    with pytest.raises(iptables.LineFailed) as failed:
        iptables.restore("*filter\n-A missing\nCOMMIT\n", netns=name)
    assert failed.value.line == 2
    with pytest.raises(iptables.CommitMissing):
        iptables.restore("*filter\n", netns=name)
    iptables.restore("*filter\nCOMMIT\n", netns=name, test=True)
    assert iptables.read(netns=name) == live


ODD = (
    "*filter\n:foo - [0:0]\nCOMMIT",
    "*filter\n:foo - [0:0]\n-V\nCOMMIT\n",
    "*filter\n:foo - [0:0]\n",
    "garbage\n",
    "*\n",
    "*filter\n:\n",
    "*filter\n:INPUT\nCOMMIT\n",
    "*filter\n*nat\nCOMMIT\n",
    "*filter\nCOMMIT x\n",
    "*filter\nCOMMIT\nCOMMIT\n",
    "*filter x\n\n# note\nCOMMIT\n",
    "*filter\n:INPUT ACCEPT\r\nCOMMIT\n",
    "*filter\n:foo -\r\nCOMMIT\n",
    "*nat\n:x - [0:0]\n garbage\n*filter\n-A INPUT\nCOMMIT\n",
    "garbage\n:a -\n-A INPUT\n*filter\n-A INPUT\nCOMMIT\n",
    "*nope\nCOMMIT\n",
    "*filter\n-A INPUT -j \nCOMMIT\n",
    "*filter\n-A  INPUT  -j  ACCEPT \nCOMMIT\n",
    "*filter\n-A\tINPUT\t-j\tACCEPT\nCOMMIT\n",
    "*filter\n:one - [0:0]\n:one - [0:0]\nCOMMIT\n",
    "*filter\n:ACCEPT - [0:0]\nCOMMIT\n",
    "*filter\n: - [0:0]\nCOMMIT\n",
    "*filter\n:OUTPUT ACCEPT [3:4]\nCOMMIT\n*filter\n:OUTPUT - [1:2]\n-S\nCOMMIT\n*filter\n-A INPUT\nCOMMIT\n",
    "*filter\n:OUTPUT ACCEPT [3:4]\nCOMMIT\n*filter\n:INPUT DROP [5:6]\n[7:8] -A INPUT\nCOMMIT\n*filter\nCOMMIT\n",
    "*filter\n:\t - [0:0]\nCOMMIT\n",
    "*filter\n:a\tb - [0:0]\nCOMMIT\n",
    "*filter\n:one - [0:0]\n-A one\n-A one -s 1.2.3.4\n-A one -j one\nCOMMIT\n",
    "*filter\n:a - [0:0]\n:b - [0:0]\n-A b\n-A a\n[5:6] -A b -j a\n[7:8] -A a\n-A b -j RETURN\nCOMMIT\n",
    f"*filter\n:{29 * 'x'} - [0:0]\nCOMMIT\n",
    "*filter\n-A missing -j ACCEPT\nCOMMIT\n",
    '*filter\n-A INPUT -m comment --comment "a -m b -j c" -j ACCEPT\nCOMMIT\n',
    '*filter\n-A INPUT -m comment --comment "a \\" -m b" -m tcp -p tcp -j ACCEPT\nCOMMIT\n',
    '*filter\n-A INPUT -m comment --comment "open -j ACCEPT\nCOMMIT\n',
    '*filter\n-A "INPUT" -i "lo" -j ACCEPT\nCOMMIT\n',
    *(
        f"*filter\n{counters} -A INPUT\nCOMMIT\n"
        for counters in (
            "[1:2x]",
            "[1:2",
            "[ 1: 2]",
            "[1 :2]",
            "[x:1]",
            "[1:]",
            "[-1:5]",
            "[1:2]x",
            "[:]",
            "[]",
            "[0x1:1]",
        )
    ),
    *(
        f"*filter\n:INPUT ACCEPT {counters}\nCOMMIT\n"
        for counters in (
            "[1:2x]",
            "[1:2",
            "[1 :2]",
            "[x:1]",
            "1:2",
            "[1:]",
            "[-1:5]",
            "[1:2]x",
            "[5:99999999999999999999]",
        )
    ),
)


@pytest.mark.parametrize("dump", ODD)
@pytest.mark.parametrize(
    "words", [(), ("-c",), ("-n",), ("-n", "-c"), ("-v",), ("-T", "filter"), ("-T", "nope")], ids=" ".join
)
def test_odd_dumps(pair: Pair, dump: str, words: tuple[str, ...]) -> None:
    theirs, mine = (run("iptables-restore", *words, stdin=dump) for run in (pair.peer, pair.ours))
    assert (mine.status, mine.stdout) == (theirs.status, theirs.stdout)
    assert bool(mine.stderr) == bool(theirs.stderr)
    assert_the_same(pair, 4, "filter")


FOR_THE_OTHER = (
    "-6", "-A OUTPUT -s 192.0.2.1 -6 -s 192.0.2.2", "-A nowhere -6", "-A OUTPUT -j foo -6", "-A OUTPUT -j nix -6",
    "-6 -L", "-A OUTPUT -g nix -6", "-A OUTPUT -g DROP -6", "-A OUTPUT -6 -j nix", "-A OUTPUT -j MARK -6",
    "-D OUTPUT -j nix -6", "-D OUTPUT 1 -j nix -6", "-D OUTPUT 9 -6", "-C OUTPUT -6", "-I OUTPUT 9 -6",
    "-N bar -s 192.0.2.1 -6", "-N foo -6", f"-N {29 * 'x'} -6", f"-F {29 * 'x'} -6", "-X foo -6", "-E foo bar -6",
    "-P OUTPUT DROP -6", "-P OUTPUT nix -6", "-L OUTPUT -vx6 -n", "-S -v -6", "-L -Z OUTPUT -6", "-L -Z OUTPUT",
    "-S -Z", "-c 1 2 -6", "-x -v -6", "! -6 -L",
)  # fmt: skip


@pytest.mark.parametrize("line", FOR_THE_OTHER)
@pytest.mark.parametrize("option", ["-n", "-v"])
def test_lines_end_where_they_are_for_the_other_family(pair: Pair, line: str, option: str) -> None:
    dump = f"*mangle\n:foo - [0:0]\n-A OUTPUT -s 192.0.2.7\n{line}\nCOMMIT\n"
    theirs, mine = (run("iptables-restore", option, stdin=dump) for run in (pair.peer, pair.ours))
    assert (mine.status, mine.stdout) == (theirs.status, theirs.stdout)
    assert_the_same(pair, 4, "mangle")
