"""apply in a sandbox: what it does and says, and that it goes back where nobody confirms it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from pyipvsadm import iptables, ipvs
from support.changes import sequences
from support.rulesets import dumps
from support.schema import validated
from support.terminal import Begun, is_gone, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.app import Run

PYIPVSADM = Path(sys.executable).with_name("pyipvsadm")
LONG = "50"  # seconds, in which no test waits for the end

DUMP = """-A -t 192.0.2.1:80 -s rr
-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 3
"""
OTHER = """-A -t 192.0.2.1:80 -s rr
-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 5
-A -f 7 -s wlc
"""
RULES = "*filter\n:INPUT ACCEPT [0:0]\n:old - [0:0]\n-A INPUT -j old\n-A old -j DROP\nCOMMIT\n"


@pytest.fixture(autouse=True)
def sandbox(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001  # after run's folder
    path = tmp_path / "x.json"
    with ipvs.sandbox(path) as table:
        table.apply(*ipvs.parse(DUMP.splitlines()))
    monkeypatch.setenv("PYIPVSADM_SANDBOX", str(path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))  # for who may not write to /run
    (tmp_path / "same").write_text(DUMP)
    (tmp_path / "other").write_text(OTHER)
    (tmp_path / "rules").write_text(RULES)
    return path


def weight(sandbox: Path) -> int:
    with ipvs.sandbox(sandbox) as table:
        [web] = [state for state in table.services() if state.config.key.port == 80]
        return web.servers[0].config.weight


def test_what_would_be_done(run: Run, sandbox: Path) -> None:
    before = sandbox.read_bytes()
    done = run("apply", "other", "--dry-run")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == "ipvsadm -A -f 7 -s wlc\nipvsadm -e -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 5\n"
    document = validated(run("apply", "other", "--dry-run", "--json").stdout, "apply")
    assert (document["version"], document["kind"], document["of"]) == (1, "apply", "ipvs")
    assert document["outcome"] == "planned"
    assert [(one["operation"], one["server"] and one["server"]["address"]) for one in document["changes"]] == [
        ("add service", None),
        ("edit server", "10.0.0.1"),
    ]
    done = run("apply", "rules", "--dry-run")
    assert done.stdout.splitlines() == [
        "iptables -t filter -N old",
        "iptables -t filter -A INPUT -j old",
        "iptables -t filter -A old -j DROP",
    ]
    assert sandbox.read_bytes() == before


def test_done_and_nothing_more_to_do(run: Run, sandbox: Path) -> None:
    for name, count in (("other", 2), ("rules", 3)):
        done = run("apply", name)
        assert (done.exit_code, done.stdout, done.stderr) == (0, f"done: {count} changes\n", "")
        content = sandbox.read_bytes()
        done = run("apply", name)
        assert done.exit_code == 0
        assert done.stdout == f"nothing to do: sandbox {sandbox} is as {name} says\n"
        assert validated(run("apply", name, "--json").stdout, "apply")["outcome"] == "same"
        assert run("apply", name, "--confirm", LONG).stdout == done.stdout
        assert sandbox.read_bytes() == content
        assert run("diff", name).exit_code == 0


def test_what_is_not_named(run: Run) -> None:
    assert run("apply", "other").exit_code == 0
    assert run("apply", "same", "--dry-run", "--no-prune").stdout == (
        "ipvsadm -e -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 3\n"
    )
    assert "ipvsadm -D -f 7\n" in run("apply", "same", "--dry-run").stdout
    assert run("apply", "rules").exit_code == 0
    assert run("apply", "-", stdin="*nat\n-A OUTPUT -j ACCEPT\nCOMMIT\n").stdout == "done: 1 change\n"
    small = "*filter\n:INPUT ACCEPT\nCOMMIT\n"
    chains = ["-D INPUT 1", "-F old", "-X old"]
    for words, commands in (("--no-prune", chains[:1]), ("", chains)):
        done = run("apply", "-", "--dry-run", *words.split(), stdin=small)
        assert done.stdout.splitlines() == [f"iptables -t filter {command}" for command in commands]
    assert (
        run("apply", "-", "--dry-run", "--prune", stdin=small).stdout.splitlines()[-1] == "iptables -t nat -D OUTPUT 1"
    )


def test_a_refusal_says_what_was_refused(run: Run, sandbox: Path) -> None:
    # Which a dump alone may do, but not beside the daemon that is there.
    with ipvs.sandbox(sandbox) as table:
        table.apply(ipvs.StartDaemon(ipvs.SyncDaemon("master", "lo")))
    before = sandbox.read_bytes()
    tunnel = "-A -f 3 -s rr\n-a -f 3 -r [2001:db8::1]:80 -i -w 1\n"
    done = run("apply", "-", stdin=f"{DUMP}{tunnel}")
    assert done.exit_code == 1
    command = "ipvsadm -a -f 3 -r [2001:db8::1]:80 -i -w 1 --tun-type ipip"
    assert done.stderr.startswith(f"pyipvsadm: {command}: Invalid operation.")
    assert done.stderr.endswith("; nothing was changed\n")
    assert sandbox.read_bytes() == before


def test_wrong_usage(run: Run) -> None:
    for words in (
        (), ("live",), ("nosuch",), ("other", "--confirm", "soon"), ("--confirmed", "other"), ("--confirmed", "--undo"),
        ("--undo", "--dry-run"), ("other", "--kind", "iptables"),
    ):  # fmt: skip
        done = run("apply", *words)
        assert done.exit_code == 2, words
        assert len(done.stderr.splitlines()) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(sequences)
def test_then_there_are_no_differences(run: Run, tmp_path: Path, changes: list[ipvs.Change]) -> None:
    with ipvs.sandbox() as table:
        with suppress(ipvs.Refused):
            table.apply(*changes, rollback=False)
        dump = ipvs.save(table.services())
    (tmp_path / "wanted").write_text(f"# a dump\n{dump}")
    done = run("apply", "wanted", "--kind", "ipvs")
    if done.exit_code == 2 and "wanted:" in done.stderr:
        return  # what the C tool cannot read back
    assert done.exit_code == 0, done.stderr
    assert run("diff", "wanted", "--kind", "ipvs").stdout == ""
    assert run("apply", "wanted", "--kind", "ipvs").stdout.startswith("nothing to do: ")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(dumps)
def test_then_there_are_no_differences_of_rules(run: Run, tmp_path: Path, dump: str) -> None:
    (tmp_path / "wanted").write_text(dump)
    done = run("apply", "wanted", "--kind", "iptables")
    assert done.exit_code == 0, done.stderr
    assert run("diff", "wanted", "--kind", "iptables").stdout == ""
    assert run("apply", "wanted", "--kind", "iptables").stdout.startswith("nothing to do: ")


# -- confirmation ------------------------------------------------------------------------------------------------------


def guardian() -> int:
    """Return the process that waits."""
    done = subprocess.run([PYIPVSADM, "apply", "same"], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done
    found = re.search(r"until \d\d:\d\d:\d\d to be confirmed \(process (\d+)\)", done.stderr)
    assert found, done.stderr
    return int(found[1])


@pytest.fixture
def begun() -> Iterator[Begun]:
    """Begin a change that waits; whatever is left of it is taken back in the end."""
    one = Begun(PYIPVSADM, "apply", "other", "--confirm", LONG)
    one.read("done: 2 changes, to be taken back at")
    yield one
    with suppress(OSError):
        subprocess.run([PYIPVSADM, "apply", "--undo"], capture_output=True, check=False)


@pytest.mark.parametrize("key", ["\n", "yes\n"])
def test_confirmed_at_the_terminal(begun: Begun, sandbox: Path, key: str) -> None:
    assert weight(sandbox) == 5
    begun.type(key)
    begun.read("\nconfirmed")
    assert begun.status() == 0
    assert weight(sandbox) == 5


def test_taken_back_at_the_terminal(begun: Begun, sandbox: Path) -> None:
    begun.type("no\n")
    begun.read(r"taken back \(as asked\): 2 changes")
    assert begun.status() == 1
    assert weight(sandbox) == 3


def test_interrupted(begun: Begun, sandbox: Path) -> None:
    begun.type("\x03")
    begun.read(r"taken back \(as asked\): 2 changes")
    assert begun.status() == 130
    assert weight(sandbox) == 3


@pytest.mark.parametrize(("word", "status", "after"), [("--confirmed", 0, 5), ("--undo", 1, 3)])
def test_answered_from_elsewhere(begun: Begun, run: Run, sandbox: Path, word: str, status: int, after: int) -> None:
    told = {"--confirmed": "confirmed", "--undo": "taken back (as asked): 2 changes"}[word]
    done = run("apply", word)
    assert (done.exit_code, done.stdout) == (0, f"ipvs: {told}\n")
    begun.read(re.escape(told))
    assert begun.status() == status
    assert weight(sandbox) == after
    done = run("apply", word)
    told = f"pyipvsadm: no change waits to be confirmed: sandbox {sandbox}\n"
    assert (done.exit_code, done.stderr) == (1, told)


def test_the_command_that_answers_works_anywhere(
    begun: Begun, sandbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.delenv("PYIPVSADM_SANDBOX")
    found = re.search("or call 'pyipvsadm (apply .*?)'; ", begun.read("takes it back now"))
    assert found
    assert subprocess.run([PYIPVSADM, *found[1].split()], check=False).returncode == 0
    begun.read("confirmed")
    assert begun.status() == 0
    assert weight(sandbox) == 5


def test_one_at_a_time_and_other_kinds_meanwhile(begun: Begun, run: Run, sandbox: Path) -> None:
    done = run("apply", "same")
    assert done.exit_code == 1
    command = f"pyipvsadm apply --sandbox {sandbox}"
    assert re.fullmatch(
        r"pyipvsadm: a change waits until \d\d:\d\d:\d\d to be confirmed \(process \d+\): "
        rf"'{command} --confirmed' keeps it, '{command} --undo' takes it back\n",
        done.stderr,
    )
    assert run("apply", "same", "--confirm", LONG).exit_code == 1
    assert run("apply", "rules").exit_code == 0
    begun.type("\n")
    assert begun.status() == 0
    assert run("apply", "same").exit_code == 0


@pytest.mark.parametrize("end", ["hang_up", "kill"])
def test_the_terminal_is_gone(sandbox: Path, end: str) -> None:
    one = Begun(PYIPVSADM, "apply", "other", "--confirm", "3")
    one.read("to be taken back at")
    process = guardian()
    getattr(one, end)()
    assert weight(sandbox) == 5
    assert not is_gone(process)
    until(lambda: weight(sandbox) == 3)
    until(lambda: is_gone(process))


def test_the_guardian_minds_no_signals_of_terminals(begun: Begun, sandbox: Path) -> None:
    process = guardian()
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
        os.kill(process, number)
    assert os.getsid(process) != os.getsid(begun.process)
    assert {os.readlink(f"/proc/{process}/fd/{number}") for number in range(3)} == {os.devnull}
    begun.kill()
    assert weight(sandbox) == 5
    os.kill(process, signal.SIGTERM)  # the machine goes down
    until(lambda: is_gone(process))
    assert weight(sandbox) == 3


def test_a_guardian_that_was_killed_is_in_nobodys_way(begun: Begun, run: Run, sandbox: Path) -> None:
    os.kill(guardian(), signal.SIGKILL)
    begun.read("the process that was to take the change back has ended")
    assert begun.status() == 2
    assert weight(sandbox) == 5
    assert run("apply", "--confirmed").exit_code == 1
    assert run("apply", "same", "--confirm", "0", "--json").exit_code == 1
    assert weight(sandbox) == 5
    assert run("apply", "same").exit_code == 0


def test_what_others_change_meanwhile_stays(begun: Begun, sandbox: Path) -> None:
    with ipvs.sandbox(sandbox) as table:
        table.apply(*ipvs.parse(["-A -t 192.0.2.9:9 -s rr", "-a -t 192.0.2.1:80 -r 10.0.0.9:80 -m -w 9"]))
    begun.type("no\n")
    begun.read(r"taken back \(as asked\): 2 changes; what others have changed meanwhile was left")
    assert begun.status() == 1
    with ipvs.sandbox(sandbox) as table:
        lines = ipvs.save(table.services()).splitlines()
    assert sorted(lines) == sorted(
        [*DUMP.splitlines(), "-a -t 192.0.2.1:80 -r 10.0.0.9:80 -m -w 9", "-A -t 192.0.2.9:9 -s rr"]
    )


def test_rules_are_taken_back_with_what_they_had_counted(run: Run, sandbox: Path) -> None:
    counted = RULES.replace("-A INPUT", "[3:4] -A INPUT").replace("-A old", "[5:6] -A old")
    iptables.restore(counted.replace("ACCEPT [0:0]", "ACCEPT [7:8]"), sandbox=sandbox, counters=True)
    before = iptables.save(iptables.read(sandbox=sandbox), counters=True)
    done = run("apply", "-", "--confirm", "0", stdin="*filter\n:INPUT DROP\n-A INPUT -j DROP\nCOMMIT\n*nat\nCOMMIT\n")
    assert done.exit_code == 1
    assert "taken back (not confirmed in time): " in done.stdout
    assert iptables.save(iptables.read(sandbox=sandbox), counters=True) == before


def test_documents_when_it_is_over(run: Run) -> None:
    done = run("apply", "other", "--confirm", "0", "--json")
    assert done.exit_code == 1
    document = validated(done.stdout, "apply")
    assert (document["outcome"], len(document["changes"])) == ("undone", 2)
    assert done.stderr.startswith("done: 2 changes, to be taken back at ")
