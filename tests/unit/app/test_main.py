"""The frame of pyipvsadm: what help costs, what errors look like."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from pyipvsadm import __version__
from pyipvsadm.app import main
from pyipvsadm.errors import KernelError, Refused, SandboxFileError, UsageError
from support.startup import SOURCE

if TYPE_CHECKING:
    from pathlib import Path

    from support.app import Run

LATE = {"rich", "pyroute2", "asyncio", "ctypes", "pyipvsadm.ipvs.api", "pyipvsadm.iptables"}


def test_help_names_every_command(run: Run) -> None:
    done = run("--help")
    assert done.exit_code == 0
    for name, (_, summary) in main.COMMANDS.items():
        assert any(line.split(maxsplit=1) == [name, summary] for line in done.stdout.splitlines()), name


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_has_help(run: Run, name: str) -> None:
    done = run(name, "--help")
    assert done.exit_code == 0
    assert done.stdout.startswith(f"Usage: pyipvsadm {name} ")
    assert "Exit status: 0" in done.stdout


def test_nothing_asked_for(run: Run) -> None:
    done = run()
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == run("--help").stdout


def test_version(run: Run) -> None:
    assert run("--version").stdout == f"pyipvsadm {__version__}\n"


def test_help_imports_no_command() -> None:
    program = f"""
import sys
sys.path.insert(0, {str(SOURCE)!r})
from pyipvsadm.app.main import application
try:
    application.main(["--help"])
except SystemExit as end:
    assert end.code == 0
print(*sys.modules)
"""
    loaded = subprocess.check_output([sys.executable, "-c", program], text=True).splitlines()[-1].split()
    ours = {name for name in loaded if name.startswith("pyipvsadm.app.")}
    assert ours == {"pyipvsadm.app.main", "pyipvsadm.app.errors", "pyipvsadm.app.garbage"}
    assert LATE.intersection(loaded) == set()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("shwo",), "pyipvsadm: no such command: shwo: did you mean 'show'?\n"),
        (("xyz",), "pyipvsadm: no such command: xyz: see 'pyipvsadm --help'\n"),
        (("--xyz",), "pyipvsadm: No such option"),
        (("show", "--xyz"), "pyipvsadm: No such option"),
        (("show", "--kind", "x"), "pyipvsadm: Invalid value for '--kind'"),
    ],
)
def test_wrong_usage_is_one_line(run: Run, words: tuple[str, ...], message: str) -> None:
    done = run(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (KernelError("add service", 17, "Service already exists"), 1, "Service already exists"),
        (Refused([(0, KernelError("add service", 17, "Service already exists"))]), 1, "Service already exists"),
        (UsageError("no such thing"), 2, "no such thing"),
        (SandboxFileError("x.json: not a sandbox file"), 2, "x.json: not a sandbox file"),
        (PermissionError(13, "Permission denied", "/x"), 2, "/x: Permission denied"),
        (click.ClickException("several\nlines"), 1, "several lines"),
        (KeyboardInterrupt(), 130, None),
        (BrokenPipeError(32, "Broken pipe"), 141, None),
    ],
)
def test_errors_are_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, message: str | None
) -> None:
    @click.command
    def command() -> None:
        raise error

    monkeypatch.setattr(main.Application, "get_command", lambda *_: command)
    done = run("show")
    assert done.exit_code == status
    assert done.stderr == ("" if message is None else f"pyipvsadm: {message}\n")


def installed(*words: str, **others: object) -> subprocess.CompletedProcess[str]:
    program = "from pyipvsadm.app.main import program; program()"
    command = [sys.executable, "-c", program, *words]
    return subprocess.run(command, text=True, check=False, stderr=subprocess.PIPE, **others)  # type: ignore[call-overload,no-any-return]


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        done = installed("show", "--sandbox", str(tmp_path / "empty.json"), stdout=full)
    assert (done.returncode, done.stderr) == (2, "pyipvsadm: No space left on device\n")


def test_nobody_reads(tmp_path: Path) -> None:
    shell = 'sleep 0.1 | { exec <&-; "$@" | :; echo ${PIPESTATUS[0]} >&2; }'
    program = "import time; time.sleep(0.2); from pyipvsadm.app.main import program; program()"
    for words in (["show", "--sandbox", str(tmp_path / "x.json")], ["--help"], ["show", "--help"], ["--version"]):
        command = ["bash", "-c", shell, "", sys.executable, "-c", program, *words]
        done = subprocess.run(command, text=True, check=False, capture_output=True)
        assert done.stderr == "141\n", words


@pytest.mark.parametrize("words", [["show", "-"], ["check", "-"], ["apply", "-"], ["diff", "-", "live"]])
def test_nothing_can_come_from_closed_input(words: list[str]) -> None:
    program = "from pyipvsadm.app.main import program; program()"
    command = ["sh", "-c", 'exec "$@" <&-', "", sys.executable, "-c", program, *words]
    done = subprocess.run(command, text=True, check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (2, "pyipvsadm: standard input is closed: name a file\n")


@pytest.mark.parametrize(("closed", "status"), [(">&-", 2), ("<&-", 0), ("2>&-", 0)])
def test_closed_streams(tmp_path: Path, closed: str, status: int) -> None:
    program = "from pyipvsadm.app.main import program; program()"
    command = [sys.executable, "-c", program, "show", "--sandbox", str(tmp_path / "x.json")]
    done = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "", *command], check=False, capture_output=True)
    assert done.returncode == status
    assert b"Traceback" not in done.stderr
