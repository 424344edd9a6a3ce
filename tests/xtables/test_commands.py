"""The command lines of cases/commands.txt, and odd lines of dumps, to the C tools and to ours.

The status, the output and the tables are the same afterwards.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from support import nobody, xtables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyipvsadm.xtables.options import Family
    from xtables.conftest import Pair

COMMENT = "-A INPUT -m comment --comment "
LINES = (
    *[COMMENT + text for text in (
        'a"b c"d', '"a"b', 'a"b"', '"a""b"', '"a" "b"', '""x', '""', 'a""', '"', '"a', 'a"', '"a b', '"a\tb"', '"a"\t',
        'a\\"b', '"a\\b"', '"a\\\\b"', '"a\\"b"', '"a\\', '"a\\"', "'a b'", "it's", "a#b", '"#"', "a\x0cb", "a\xa0b",
        "x" * 255, "x" * 256, "x" * 1023, "x" * 1024, '"' + "x" * 1024 + '"',
    )],
    *["-A INPUT" + " --modprobe=x" * count for count in (249, 250)],
    '"-A" INPUT', '-A "INPUT"', '"-A INPUT"', '-A INPUT -j "ACC"EPT', '-A INPUT ""', "-A INPUT\r",
    "-A INPUT -j ACCEPT\r", "\r", "\x0b-A INPUT", "-A\x0bINPUT", "\t-A\t INPUT \t",
    "-A INPUT -p ah", "-A INPUT -ptcp", "-A INPUT -jDROP", "-A ", "-A  -j DROP", "[1:2] -A ", f"-A {'x' * 29} -i eth0",
    "-A INPUT -- -j DROP", "-A INPUT -p tcp -- -j DROP", "-A INPUT -m mark --mark 1 -- -j DROP", "-A INPUT -j DROP --",
    *["[1:2] -A INPUT " + words + " -j DROP" for words in ("-c1,2", "--set-counters 1 2", "--set-c=1 2", "-c 0 0")],
    # A NUL hides the rest of its line, the newline too.
    "\0", "\0-A INPUT", " \0", "-A INPUT\0-j ACCEPT", "-A INPUT\0", "-A INP\0UT", "-A INPUT -s 1.2.3.4\0/8", "COMMIT\0",
    f'{COMMENT}"a\0b"', f"{COMMENT}a\0b", "#\0", ":foo\0 - [0:0]", ":foo -\0 [0:0]", "[1:\0002] -A INPUT",
    # What has more than 10,239 bytes is read as several lines.
    *[beginning.ljust(length) + rest for length in (10237, 10239, 20478) for beginning, rest in (
        ("", ""), ("-A INPUT", ""), ("-A INPUT", "-j ACCEPT"), ("-A INPUT", "-A OUTPUT"), ("[1:2]", "-A INPUT"),
        (":foo -", "[0:0]"), (f'{COMMENT}"', 'x"'),
    )],
    "#" + "x" * 10238, "#" + "x" * 10239, "-A INPUT" + "é" * 5116,
)  # fmt: skip
LINES += tuple([line.removeprefix("[1:2] ") for line in LINES if line.endswith("-j DROP")])
CHAINS = ":foo - [0:0]\n:bar - [0:0]\n"
DUMPS = [
    f"*filter\n{CHAINS}{lines}\nCOMMIT\n" for lines in (
        "-A foo -j bar\n-nL foo", "-A foo -m mark --mark 1 -j bar\n-L\n-D foo 1\n-L", "-X bar\n-A foo -j bar",
        "-E bar baz\n-A foo -j bar", "-E bar baz\n-A foo -j baz", "-A foo -j bar\n-E bar baz\n-L",
        "-A foo -j LOG\n-E bar LOG\n-A foo -j LOG", "-N c\n-A foo -j c\n-X\n-F", "-X\n-N bar\n-A bar -j bar",
    )
] + [
    f"*filter\n{count} -A INPUT\nCOMMIT\n" for count in (
        "[1:-2]", "[1:!2]", "[-1:2]", "[1,2:3]", "[1,:2]", "[,1:2]", "[1:2,3]", "[ 1 : 2 ]", "[1:]", "[:2]", "[1:2]]",
        "[0x1:2]", "[99999999999999999999:1]", "[1:²]",
    )
] + [
    f"*filter\n:{chain} {count}\nCOMMIT\n" for chain in ("INPUT ACCEPT", "foo -", "foo QUEUE") for count in (
        "[0x1:2]", "[1:0x2]", "[+1:2]", "[-1:2]", "[1 :2]", "[1:2x", "[:2]", "[1:]", "[\v1:2]", "[1::2]", "[+-1:2]",
    )
] + [
    "*mangle\nCOMMIT\n*nat\nCOMMIT", "*fil\0ter\nCOMMIT\n", "*filter\0\nCOMMIT\n", "*filter\nCOMMIT\n\0\n",
    "\0\n*filter\nCOMMIT\n", "*filter\r\nCOMMIT\r\n",
]  # fmt: skip
OPTIONS = {
    "iptables-save": (
        "-d", "-c -d", "-d -c", "-cd", "-dc", "-d --nosuch", "-d word", "word -d", "--dump=1", "-t nat -d", "-d -t nat",
        "-d -V", "-V -d", "-V --nosuch", "--nosuch -V", "--nosuch -d", "-V word", "word",
    ),
    "ip6tables-restore": (
        "-V --nosuch", "-h --nosuch", "--nosuch -h", "-Vq", "-qV", "-V a b", "-b", "a -V", "-t -T",
        "-W1", "-W", "-W -V", "-V -W", "-w x -V", "-wx", "-cw", "-cW", "--wait= a b", "-W a -W1 -w", "-w 1 -w x",
        "--wait-interval --nosuch", "--nosuch --wait-interval", "-W 1 -W x", "-W 1 -q", "-W 1", "-w -W 1 -t",
    ),
}  # fmt: skip


def _command_lines(family: Family) -> Iterator[list[str]]:
    for line in (xtables.CASES / "commands.txt").read_text().splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] in (["4"], ["6"]):
            words = words[1:] if words[0] == str(family) else []
        if words:
            yield words


def _tables(pair: Pair, tool: str) -> list[list[str]]:
    """Return the dumps of both namespaces, without comments."""
    dumps = [pair.peer(f"{tool}-save", "-c", in_mine=mine).stdout for mine in (False, True)]
    return [[line for line in dump.splitlines() if not line.startswith("#")] for dump in dumps]


@pytest.mark.parametrize("family", [4, 6])
def test_command_lines_are_as_at_the_peer(pair: Pair, family: Family) -> None:
    tool = "iptables" if family == 4 else "ip6tables"
    for words in _command_lines(family):
        theirs = pair.peer(tool, *words)
        ours = pair.ours(tool, *words)
        assert (ours.status, ours.stdout) == (theirs.status, theirs.stdout), f"{shlex.join(words)}\n{ours.stderr}"
        assert bool(ours.stderr) == bool(theirs.stderr), shlex.join(words)
        theirs_now, ours_now = _tables(pair, tool)
        assert ours_now == theirs_now, shlex.join(words)


@pytest.mark.parametrize("family", [4, 6])
def test_lines_of_dumps_are_as_at_the_peer(pair: Pair, family: Family) -> None:
    tool = "iptables" if family == 4 else "ip6tables"
    for line in LINES:
        dump = f"*filter\n{line}\nCOMMIT\n"
        theirs = pair.peer(f"{tool}-restore", stdin=dump)
        ours = pair.ours(f"{tool}-restore", stdin=dump)
        assert (ours.status, ours.stdout) == (theirs.status, theirs.stdout), f"{line!r}\n{ours.stderr}"
        assert bool(ours.stderr) == bool(theirs.stderr), repr(line)
        theirs_now, ours_now = _tables(pair, tool)
        assert ours_now == theirs_now, repr(line)


@pytest.mark.parametrize("options", [[], ["-c"], ["-n"], ["-v"], ["-T", "filter"], ["-T", "nat"]], ids=" ".join)
def test_odd_dumps_are_as_at_the_peer(pair: Pair, options: list[str]) -> None:
    for dump in DUMPS:
        theirs, ours = (run("iptables-restore", *options, stdin=dump) for run in (pair.peer, pair.ours))
        assert (ours.status, ours.stdout) == (theirs.status, theirs.stdout), f"{dump!r}\n{ours.stderr}"
        theirs_now, ours_now = _tables(pair, "iptables")
        assert ours_now == theirs_now, repr(dump)


@pytest.mark.parametrize("family", [4, 6])
def test_what_may_not_be_read_is_not_empty(pair: Pair, family: Family) -> None:
    tool = "iptables" if family == 4 else "ip6tables"
    assert pair.peer(tool, "-A", "INPUT", "-j", "ACCEPT", in_mine=True).status == 0
    main = f"from pyipvsadm.cli import iptables_save as it; raise SystemExit(it.main{'6' if family == 6 else ''}())"
    with pair.mine.entered():
        theirs = nobody.run(f"{tool}-legacy-save")
        ours = nobody.run(".venv/bin/python", "-c", main)
    assert (ours.returncode, ours.stdout) == (theirs.returncode, theirs.stdout) == (1, "")
    assert ours.stderr.strip() == theirs.stderr.strip() != ""


@pytest.mark.parametrize(
    "line", ["", "-V", "-q", "word", "-d --nosuch", "-t nope", "-f FILE.2", "-f FILE.2 -V", "-f /nowhere/to/be", "-f"]
)
def test_what_follows_the_file_of_save_finds_it_empty(pair: Pair, tmp_path: Path, line: str) -> None:
    left = []
    for run, path in ((pair.peer, tmp_path / "theirs"), (pair.ours, tmp_path / "ours")):
        pair.peer("iptables", "-N", "foo", in_mine=run == pair.ours)
        path.write_text("an older save\n")
        result = run("iptables-save", "-f", str(path), *line.replace("FILE", str(path)).split())
        texts = [file.read_text() for file in sorted(tmp_path.glob(f"{path.name}*"))]
        left.append((result[:2], [re.sub("^#.*\n", "", text, flags=re.MULTILINE) for text in texts]))
        assert bool(result.stderr) == bool(result.status)
    assert left[0] == left[1]


@pytest.mark.parametrize(("tool", "words"), [(tool, line.split()) for tool in OPTIONS for line in OPTIONS[tool]])
def test_options_of_save_and_restore_are_as_at_the_peer(pair: Pair, tool: str, words: list[str]) -> None:
    """Some end what is looked at, whatever follows."""
    dump = "*filter\n:INPUT ACCEPT [1:2]\n[3:4] -A INPUT -j DROP\nCOMMIT\n"
    for mine in (False, True):
        assert pair.peer(f"{tool.partition('-')[0]}-restore", "-c", stdin=dump, in_mine=mine).status == 0
    theirs, ours = (run(tool, *words, stdin=dump) for run in (pair.peer, pair.ours))
    theirs_said, ours_said = (
        [line for line in result.stdout.splitlines() if line[0] != "#"] for result in (theirs, ours)
    )
    assert (ours.status, ours_said) == (theirs.status, theirs_said), ours.stderr
    assert bool(ours.stderr) == bool(theirs.stderr), theirs.stderr
    theirs_now, ours_now = _tables(pair, tool.partition("-")[0])
    assert ours_now == theirs_now
