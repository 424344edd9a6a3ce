"""top --json: a line a look, and how the stream ends; the view is in test_terminal.py."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyipvsadm import iptables, ipvs
from support.schema import validated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.app import Run

PYIPVSADM = Path(sys.executable).with_name("pyipvsadm")
DUMP = """-A -t 192.0.2.1:80 -s wlc
-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1
"""
RULES = """*filter
:INPUT ACCEPT [0:0]
[{}:{}] -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Path:
    path = tmp_path / "x.json"
    with ipvs.sandbox(path) as table:
        table.apply(*ipvs.parse(DUMP.splitlines()))
    return path


@pytest.fixture
def stream(sandbox: Path) -> Iterator[subprocess.Popen[str]]:
    """Give a stream of rules that does not end by itself."""
    iptables.restore(RULES.format(5, 6), sandbox=sandbox, counters=True)
    words = ["top", "--json", "--kind", "iptables", "--every", "0.25", "--sandbox", str(sandbox)]
    with subprocess.Popen([PYIPVSADM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def look(stream: subprocess.Popen[str]) -> dict[str, object]:
    """Return the next look at the only rule."""
    assert stream.stdout is not None
    found = validated(stream.stdout.readline(), "top")
    [chain] = [chain for chain in found["chains"] if chain["rules"]]
    [rule] = chain["rules"]
    return {**rule, "seconds": found["seconds"]}


def test_as_many_looks_as_are_asked_for(run: Run, sandbox: Path) -> None:
    done = run("top", "--json", "--count", "3", "--every", "0", "--sandbox", str(sandbox))
    assert (done.exit_code, done.stderr) == (0, "")
    first, *others = [validated(line, "top") for line in done.stdout.splitlines()]
    assert (first["seconds"], first["services"][0]["rates"]) == (None, None)
    assert len(others) == 2
    for other in others:
        assert other["seconds"] > 0  # the fastest is not nothing
        assert other["services"][0]["rates"]["cps"] == other["services"][0]["servers"][0]["rates"]["cps"] == 0


def test_rates_are_of_what_came_since_the_last_look(stream: subprocess.Popen[str], sandbox: Path) -> None:
    first = look(stream)
    assert (first["packets"], first["bytes"], first["rates"], first["seconds"]) == (5, 6, None, None)
    iptables.restore(RULES.format(1005, 60006), sandbox=sandbox, counters=True)
    while (found := look(stream))["packets"] == 5:
        assert found["rates"] == {"pps": 0, "bps": 0}
    rates, seconds = found["rates"], found["seconds"]
    assert isinstance(rates, dict)
    assert isinstance(seconds, float)
    assert rates["pps"] * seconds == pytest.approx(1000, rel=0.01)
    assert rates["bps"] * seconds == pytest.approx(60000, rel=0.01)
    assert look(stream)["rates"] == {"pps": 0, "bps": 0}


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str
)
def test_a_signal_ends_it(stream: subprocess.Popen[str], number: signal.Signals, status: int) -> None:
    look(stream)
    stream.send_signal(number)
    out, err = stream.communicate(timeout=60)
    assert (stream.returncode, err) == (status, "")
    for line in out.splitlines():
        validated(line, "top")


def test_a_reader_that_goes_ends_it(stream: subprocess.Popen[str]) -> None:
    look(stream)
    assert stream.stdout is not None
    stream.stdout.close()
    assert stream.wait(60) == 141
    assert stream.stderr is not None
    assert stream.stderr.read() == ""


def test_trouble_between_two_looks(stream: subprocess.Popen[str], sandbox: Path) -> None:
    look(stream)
    spoiled = sandbox.with_name("spoiled")
    spoiled.write_text("spoiled")
    os.replace(spoiled, sandbox)
    _, err = stream.communicate(timeout=60)
    assert stream.returncode == 2
    assert err.startswith("pyipvsadm: ")
    assert "not a sandbox file" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "this takes a terminal: elsewhere --json, or 'pyipvsadm show --rates --watch' for text"),
        (["--count", "2"], "--count is for --json: what lives on the terminal ends with q"),
        (["--json", "--count", "0"], "Invalid value for '--count': 0 is not in the range x>=1"),
    ],
)
def test_wrong_usage(run: Run, sandbox: Path, words: list[str], message: str) -> None:
    done = run("top", *words, "--sandbox", str(sandbox))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"pyipvsadm: {message}")
