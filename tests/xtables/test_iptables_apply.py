"""iptables-apply: answered as the C tools' script is, the same words, status and tables; and nothing is left half done.

The script calls iptables-save and iptables-restore by these names: in its PATH they are the C tools.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, NamedTuple

import pytest

from support import xtables
from support.terminal import Begun, until

if TYPE_CHECKING:
    from support.netns import Namespace
    from xtables.conftest import Pair

BEFORE = "*filter\n:INPUT ACCEPT [0:0]\n:old - [0:0]\n[7:8] -A INPUT -s {address}/128 -j old\nCOMMIT\n"
AFTER = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT\n"
ADDRESS = {"iptables": "192.0.2.1", "ip6tables": "2001:db8::1"}
QUESTION = r"\(y/N\) $"
NEVER = "30"  # seconds, in which each answer comes; the script may leave a timer that runs so long


class Side(NamedTuple):
    """A namespace with tables, and the command that changes them."""

    namespace: Namespace
    program: list[str]  # env(1), what it sets, and the command
    tool: str

    def begin(self, *words: str) -> Begun:
        with self.namespace.entered():
            return Begun(Path("/usr/bin/env"), *self.program, *words)

    def run(self, *words: str, stdin: str = "") -> tuple[int, str, str]:
        """Run it with files for its output: the script's timer would keep pipes open."""
        with self.namespace.entered(), TemporaryFile("w+") as out, TemporaryFile("w+") as err:
            done = subprocess.run(
                ["/usr/bin/env", *self.program, *words], input=stdin, stdout=out, stderr=err, text=True, check=False
            )
            out.seek(0)
            err.seek(0)
            return done.returncode, out.read(), err.read()

    def tables(self) -> list[str]:
        saved = self.namespace.run([f"{self.tool.replace('tables', 'tables-legacy')}-save"]).stdout
        return [line for line in saved.splitlines() if line[0] != "#"]

    def restore(self) -> None:
        text = BEFORE.format(address=ADDRESS[self.tool]).replace("/128", "/32" if self.tool == "iptables" else "/128")
        done = self.namespace.run([f"{self.tool.replace('tables', 'tables-legacy')}-restore", "-c"], text)
        assert done.status == 0, done.stderr


@pytest.fixture(params=["iptables", "ip6tables"])
def sides(pair: Pair, tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Side, Side]:
    """Give both commands, theirs first, in a folder with files to apply; the tables are BEFORE."""
    tool = request.param
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("", "-save", "-restore"):
        (tools / f"{tool}{name}").symlink_to("/usr/sbin/xtables-legacy-multi")
    (tmp_path / "rules").write_text(AFTER)
    (tmp_path / "more").write_text(f"*mangle\n-A OUTPUT -j RETURN\nCOMMIT\n{AFTER}")
    (tmp_path / "wrong").write_text("*filter\n-A INPUT -j DROP\n-A nowhere\nCOMMIT\n")
    for name, status in (("command", 0), ("failing", 3)):
        (tmp_path / name).write_text(f"#!/bin/sh\n{tool} -w -A INPUT -j DROP\necho done so far\nexit {status}\n")
        (tmp_path / name).chmod(0o755)
    where = [f"--chdir={tmp_path}", f"PATH={tools}:{xtables.PATH}"]
    made = []
    for namespace, lock, command in (
        (pair.theirs, "theirs", [f"/usr/sbin/{tool}-apply"]),
        (pair.mine, "mine", [sys.executable, "-c", program(tool)]),
    ):
        lock_file = pair.environment(lock)["XTABLES_LOCKFILE"]
        made.append(Side(namespace, [*where, f"XTABLES_LOCKFILE={lock_file}", *command], tool))
    for side in made:
        side.restore()
    return made[0], made[1]


def ended(begun: Begun) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(begun.process, 0)[1])


def program(tool: str) -> str:
    main = "main" if tool == "iptables" else "main6"
    return f"import sys; from pyipvsadm.cli.iptables_apply import {main}; sys.exit({main}())"


@pytest.mark.parametrize("answer", ["y", "Y", "n", " "])
@pytest.mark.parametrize("what", [("rules",), ("-c", "./command"), ("-w", "saved", "rules")])
def test_answers(sides: tuple[Side, Side], answer: str, what: tuple[str, ...], tmp_path: Path) -> None:
    seen = []
    for side in sides:
        begun = side.begin("-t", NEVER, *what)
        begun.read(QUESTION)
        begun.type(answer)
        begun.read(r"(done\.|time\.)\r\n$")
        saved = tmp_path / "saved"
        text = saved.read_text().splitlines()[1:-1] if saved.exists() else None
        saved.unlink(missing_ok=True)
        seen.append((ended(begun), begun.seen, side.tables(), text))
    assert seen[1] == seen[0]


def test_no_answer(sides: tuple[Side, Side]) -> None:
    seen = []
    for side in sides:
        begun = side.begin("--timeout", "1", "rules")
        begun.read(QUESTION)
        begun.read(r"done\.\r\n$")
        seen.append((ended(begun), begun.seen))
    assert seen[1] == seen[0]


@pytest.mark.parametrize("given", ["", "y", "n", "\n", "é"])
def test_answers_from_a_pipe(sides: tuple[Side, Side], given: str) -> None:
    theirs, mine = (side.run("-t", NEVER, "rules", stdin=given) for side in sides)
    assert mine == theirs
    assert sides[1].tables()[-5:] == sides[0].tables()[-5:]


@pytest.mark.parametrize(
    "words",
    [
        (), ("-V",), ("-h",), ("-V", "-h"), ("--nosuch",), ("-t",), ("-t", "x", "rules"), ("-t", "", "rules"),
        ("-t", "-1", "rules"), ("-t", "1.5", "rules"), ("nosuch",), ("-c",), ("-c", "nosuch"), ("-c", "rules"),
        ("wrong",), ("-c", "./failing"), ("-w", "saved", "wrong"), ("-w",),
    ],
)  # fmt: skip
def test_refusals(sides: tuple[Side, Side], words: tuple[str, ...]) -> None:
    theirs, mine = (side.run(*words) for side in sides)
    assert mine[:2] == theirs[:2]
    assert bool(mine[2]) == bool(theirs[2])
    assert "Traceback" not in mine[2]
    assert sides[1].tables() == sides[0].tables()


def test_rules_cannot_be_saved(sides: tuple[Side, Side]) -> None:
    """The answer was yes, so they stay."""
    theirs, mine = (side.run("-t", NEVER, "-w", "/nonexistent/file", "rules", stdin="y") for side in sides)
    assert (mine[0], mine[1].replace("\n\n", "\n")) == (theirs[0], theirs[1].replace("\n\n", "\n"))
    assert sides[1].tables() == sides[0].tables()


# -- where the script leaves the new rules -----------------------------------------------------------------------------


def input_chain(side: Side) -> list[str]:
    return [line for line in side.tables() if "INPUT" in line and line[0] != ":"]


def test_interrupted(sides: tuple[Side, Side]) -> None:
    side = sides[1]
    before = input_chain(side)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        begun = side.begin("-t", NEVER, "rules")
        begun.read(QUESTION)
        assert input_chain(side) != before
        os.kill(begun.process, number)
        assert begun.status() == 255
        assert input_chain(side) == before


def test_the_terminal_is_gone(sides: tuple[Side, Side]) -> None:
    side = sides[1]
    before = input_chain(side)
    begun = side.begin("-t", NEVER, "rules")
    begun.read(QUESTION)
    begun.hang_up()
    until(lambda: input_chain(side) == before)


def test_nobody_reads_the_question(sides: tuple[Side, Side]) -> None:
    side = sides[1]
    before = input_chain(side)
    reading, writing = os.pipe()
    os.close(reading)
    with side.namespace.entered():
        done = subprocess.run(
            ["/usr/bin/env", *side.program, "-t", NEVER, "rules"],
            stdin=subprocess.PIPE, stdout=writing, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (255, b"")
    assert input_chain(side) == before


def test_what_comes_back_has_its_counters_and_nothing_is_left(sides: tuple[Side, Side]) -> None:
    side = sides[1]
    status, _, _ = side.run("-t", NEVER, "more", stdin="n")
    assert status == 255
    save = f"{side.tool.replace('tables', 'tables-legacy')}-save"
    saved = side.namespace.run([save, "-c"]).stdout.splitlines()
    assert [line for line in saved if line[:5] == "[7:8]"]
    assert not [line for line in saved if "RETURN" in line]  # of the table that was not used before


def test_on_a_sandbox(sides: tuple[Side, Side], tmp_path: Path) -> None:
    side = sides[1]
    folder, *rest = side.program
    inside = side._replace(program=[folder, f"PYIPVSADM_SANDBOX={tmp_path}/tables.json", *rest])
    before = side.tables()
    for answer, status in (("n", 255), ("y", 0)):
        assert inside.run("-t", NEVER, "rules", stdin=answer)[0] == status
        assert ("DROP" in (tmp_path / "tables.json").read_text()) == (answer == "y")
    assert side.tables() == before
