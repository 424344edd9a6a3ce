"""Dumps to the C tool's iptables-xml and to ours: the same document, byte for byte, and the same status and error."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bench.xtables import dump as services
from support import xtables
from xtables.generator import Generator

if TYPE_CHECKING:
    from collections.abc import Iterator

# PYIPVSADM_RANDOM_RUNS=100 for a longer run by hand; the seeds are the same each time.
RUNS = int(os.environ.get("PYIPVSADM_RANDOM_RUNS", "4"))
OPTIONS = ((), ("-c",), ("-v",), ("-c", "-v"))

CHAINS = ("A", "B", "INPUT", "ACCEPT", "DROP", "undeclared", "x" * 32, "x" * 33)
WORDS = (
    "-A", "-m", "-m", "-j", "-j", "-g", "--jump", "--goto", "--match", "-s", "--dport", "---", "-", "!", "!", "-x-",
    "foo", '"a b"', '""', '"-s"', '"-m"', '"-j"', '"!"', "ACCEPT", "DROP", "RETURN", "QUEUE", "LOG", "A", "B", "a\tb",
    '"open', 'a"b', 'a\\"b', '"a\\"b"', '"\\\\"', "<&>", "é", "'", "]", "[", ":", "1:2", "#", "--x=3", "\x7f",
)  # fmt: skip
BEGINNINGS = ("-s 192.0.2.1", "-m tcp --dport 5", "-s 192.0.2.1 -m x", '-s "192.0.2.1"', "! -s 192.0.2.1", "")
ENDS = (
    " -j A", " -j ACCEPT", " -g B", " -j LOG --x y", " -j B", " -j undeclared", " -g undeclared", " -j", "",
    " -j RETURN --x", " -j X ACCEPT", " -j Q -j DROP",
)  # fmt: skip
COUNTERS = (
    *[""] * 6, "[1:2] ", "[3:4]", "[0:0]x ", "[", "[1]", "[:]", "[1:]", "[a b:c]", "[]1:2] ", "[1:2]]3:4] ", "[::1]] ",
    "[1::2] ", "[1:]2] ", "[<:&] ",
)  # fmt: skip
# With counters all of them: without, the C tool prints what its stack has.
DECLARATIONS = (
    "- [0:0]", "ACCEPT [1:2]", "DROP [5:6]x", "-- [+7:7]", '"a [-1:18446744073709551615]', "< [1:2:3]",
    "\t-  [99999999999999999999999:9223372036854775808]",
)  # fmt: skip
ODD = (
    "#", "# a--b - c -", "#-<&>\t-", "", "-", " ", "\t", "COMMIT ", "foo", "*", "* a b", ":", ":A", "*" + "y" * 40,
    "\0", "a\0b", "#\0", "#" + "z" * 11000, "-A A -s " + "w" * 1023, "-A A -s " + "w" * 1024, "-A A" + " -q" * 252,
    "-A A" + " -q" * 253, "-A A" + " é" * 200, "*filter\r", "-A A\r",
)  # fmt: skip


def run(command: list[str], words: tuple[str, ...], dump: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [*command, *words], input=os.fsencode(dump), capture_output=True, check=False, env={"PATH": xtables.PATH}
    )
    return done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr)


def assert_the_same(dump: str, words: tuple[str, ...] = ()) -> None:
    theirs = run(["iptables-xml"], words, dump)
    assert run([sys.executable, "-m", "pyipvsadm.cli.iptables_xml"], words, dump) == theirs, f"{words}\n{dump}"


def odd_lines(generator: random.Random) -> Iterator[str]:
    """Yield lines of which most are hardly rules."""
    pick = generator.choice
    if generator.random() < 0.9:
        yield from ("*filter", ":A - [0:0]", ":B DROP [1:1]")
    for _ in range(pick((1, 2, 4, 8))):
        chance = generator.random()
        if chance < 0.2:
            yield f":{pick(CHAINS)} {pick(DECLARATIONS)}"
        elif chance < 0.25:
            yield f"*{pick(('filter', 'nat', '<', 'a b'))}"
        elif chance < 0.33:
            yield "COMMIT"
        elif chance < 0.38:
            yield pick(ODD)
        else:
            words = " ".join([pick(WORDS) for _ in range(pick((0, 1, 2, 3, 5, 8)))])
            rest = words if chance < 0.8 else pick(BEGINNINGS) + pick(ENDS)
            before = pick(("-A", "-A", "-A", "\t-A ", '"-A"', "x -A", "-s -A", ""))
            yield f"{pick(COUNTERS)}{before} {pick(CHAINS)}{pick((' ', '  '))}{rest}"
    if generator.random() < 0.8:
        yield "COMMIT"


@pytest.mark.parametrize("family", [4, 6])
def test_rules_of_every_extension(family: int) -> None:
    """Each case of each file as a line, quoted as in a dump; what no iptables would take is a line as well."""
    lines = [":INPUT DROP [1:2]", ":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]"]
    for path in sorted(xtables.CASES.glob("*/*.txt")):
        for case in xtables.cases(path):
            if case.family == family:
                quoted = [f'"{word}"' if not word or set(word) & set(" '\"\\") else word for word in case.words]
                lines.append(" ".join(["-A", case.chain, *quoted]))
    assert len(lines) > 2000
    for words in OPTIONS:
        assert_the_same("\n".join(["*filter", *lines, "COMMIT", ""]), words)


def test_a_table_like_kube_proxys() -> None:
    for words in OPTIONS:
        assert_the_same(services(100), words)


@pytest.mark.parametrize("seed", range(RUNS))
def test_random_dumps(seed: int) -> None:
    generator = Generator(seed)
    for _ in range(20):
        assert_the_same(generator.dump(), generator.random.choice(OPTIONS))


@pytest.mark.parametrize("seed", range(RUNS))
def test_odd_dumps(seed: int) -> None:
    generator = random.Random(seed)
    for _ in range(60):
        end = "\n" if generator.random() < 0.9 else ""
        assert_the_same("\n".join(odd_lines(generator)) + end, generator.choice(OPTIONS))
