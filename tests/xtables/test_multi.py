"""xtables-legacy-multi: the C tool's subcommands, each with its answers, by argument and by the name of a link."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyipvsadm.cli.multi import SUBCOMMANDS

if TYPE_CHECKING:
    from pyipvsadm.xtables.options import Family
    from xtables.conftest import Pair

PEER = "/usr/sbin/xtables-legacy-multi"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with our program, as it is installed, and links to it and to the C tool's."""
    program = tmp_path / "ours" / "xtables-legacy-multi"
    text = (ROOT / "bin/xtables-legacy-multi").read_text().replace("#!python", f"#!{sys.executable}", 1)
    for place in ("ours", "theirs"):
        (tmp_path / place).mkdir()
        for name in (*SUBCOMMANDS, "another-name"):
            (tmp_path / place / name).symlink_to(program if place == "ours" else PEER)
    program.write_text(text)
    program.chmod(0o755)
    (tmp_path / "theirs/xtables-legacy-multi").symlink_to(PEER)
    return tmp_path


def run(program: Path, *words: str) -> tuple[int, str, str]:
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def assert_the_same(folder: Path, name: str, *words: str) -> None:
    assert run(folder / "ours" / name, *words) == run(folder / "theirs" / name, *words), (name, words)


@pytest.mark.parametrize("words", [(), ("",), ("nosuch",), ("-V",), ("--help",), ("/usr/sbin/iptables", "-V")])
def test_without_a_subcommand(folder: Path, words: tuple[str, ...]) -> None:
    assert_the_same(folder, "xtables-legacy-multi", *words)
    assert_the_same(folder, "another-name", *words)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_each_subcommand(folder: Path, name: str) -> None:
    words = ["/dev/null"] if SUBCOMMANDS[name][0] == "iptables_xml" else ["-V"]
    assert_the_same(folder, "xtables-legacy-multi", name, *words)
    assert_the_same(folder, "another-name", name, *words)
    assert_the_same(folder, name, *words)


def test_the_name_comes_before_the_first_argument(folder: Path) -> None:
    assert_the_same(folder, "main4", "ip6tables", "-V")


def test_there_are_no_other_subcommands() -> None:
    listed = [line[3:] for line in run(Path(PEER))[2].splitlines() if line[:3] == " * "]
    assert listed == [*SUBCOMMANDS]


@pytest.mark.parametrize("family", [4, 6])
def test_on_tables(pair: Pair, family: Family) -> None:
    """Commands, dumps and mistakes by way of subcommands: status, output and tables are the same."""
    dump = "*filter\n:INPUT DROP [0:0]\n:one - [0:0]\n-A INPUT -p tcp -j one\nCOMMIT\n"
    for words, given in (
        ((f"restore{family}",), dump),
        ((f"main{family}", "-A", "one", "-m", "mark", "--mark", "1"), ""),
        ((f"main{family}", "-nvL"), ""),
        ((f"main{family}", "-A", "nowhere"), ""),
        ((f"main{family}", "--nosuch"), ""),
        ((f"restore{family}", "-n"), "*filter\n-A one -j\nCOMMIT\n"),
        ((f"save{family}", "--nosuch"), ""),
        ((f"main{family}", "-S"), ""),
    ):
        theirs = pair.theirs.run([PEER, *words], given, pair.environment("theirs"))
        ours = pair.ours("xtables-legacy-multi", *words, stdin=given)
        assert (ours.status, ours.stdout) == (theirs.status, theirs.stdout), words
        assert bool(ours.stderr) == bool(theirs.stderr), words
        theirs_now, ours_now = (
            [line for line in saved(pair, family, in_mine=mine) if line[0] != "#"] for mine in (False, True)
        )
        assert ours_now == theirs_now, words


def saved(pair: Pair, family: Family, *, in_mine: bool) -> list[str]:
    tool = "iptables-save" if family == 4 else "ip6tables-save"
    return pair.peer(tool, "-c", in_mine=in_mine).stdout.splitlines()
