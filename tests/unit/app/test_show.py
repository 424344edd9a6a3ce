"""show: what is chosen, as text and as a document."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.app import Run

PYIPVSADM = Path(sys.executable).with_name("pyipvsadm")
DUMP = """-A -t 192.0.2.1:80 -s wlc -p 600
-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 0
-a -t 192.0.2.1:80 -r 10.0.0.2:8080 -m -w 3
-A -u [2001:db8::1]:53 -s rr -o
-A -f 7 -s rr
-a -f 7 -r 10.0.0.1:0 -g -w 2
"""

ALL = """IPVS 1.2.1, 4096 buckets, 3 services, 3 real servers
Virtual service        Sched.
→ Real server          Forward  Weight    State  Active  Inactive  Settings
──────────────────────────────────────────────────────────────────────────────────────────
TCP  192.0.2.1:80      wlc                            0         0  persistent 600
→ 10.0.0.1:8080        Masq          0  drained       0         0
→ 10.0.0.2:8080        Masq          3       up       0         0
UDP  [2001:db8::1]:53  rr                                          ops, no real servers
FWM  7                 rr                             0         0
→ 10.0.0.1:0           Route         2       up       0         0
"""


def test_all(run: Run) -> None:
    done = run("show", "-", stdin=DUMP)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    rule, wanted = ([line for line in text.splitlines() if not line.startswith("─")] for text in (done.stdout, ALL))
    assert rule == wanted


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--address", "10.0.0.2"], [("192.0.2.1", ["10.0.0.2"])]),
        (["--address", "10.0.0.1"], [("192.0.2.1", ["10.0.0.1"]), ("", ["10.0.0.1"])]),
        (["--address", "10.0.0.2", "--address", "2001:db8::/64"], [("192.0.2.1", ["10.0.0.2"]), ("2001:db8::1", [])]),
        (["--port", "8080"], [("192.0.2.1", ["10.0.0.1", "10.0.0.2"])]),
        (["--port", "53"], [("2001:db8::1", [])]),
        (["--protocol", "UDP"], [("2001:db8::1", [])]),
        (["--hit"], []),
        (["--never-hit", "--port", "53"], [("2001:db8::1", [])]),
    ],
)
def test_chosen(run: Run, words: list[str], found: list[tuple[str, list[str]]]) -> None:
    done = run("show", "-", "--json", *words, stdin=DUMP)
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert (document["version"], document["kind"]) == (1, "ipvs")
    assert found == [
        (service["address"], [server["address"] for server in service["servers"]]) for service in document["services"]
    ]


def test_counters_and_rates(run: Run) -> None:
    assert "Conns/s" not in run("show", "-", "--counters", stdin=DUMP).stdout
    assert "pkts/s" in run("show", "-", "--rates", stdin=DUMP).stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--hit", "--never-hit"], "--hit and --never-hit"),
        (["--address", "x"], "x: not an address or a network"),
        (["--port", "65536"], "Invalid value for '--port'"),
        (["--watch"], "--watch: standard input can be read once"),
        (["--watch", "x"], "Invalid value for '--watch'"),
    ],
)
def test_wrong_usage(run: Run, words: list[str], message: str) -> None:
    done = run("show", "-", *words, stdin=DUMP)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"pyipvsadm: {message}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("env", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_where_they_are_wanted(run: Run, env: dict[str, str], coloured: bool) -> None:
    done = run("show", "-", stdin=DUMP, env={"FORCE_COLOR": "1", "TERM": "xterm-256color", **env})
    assert ("\x1b[33m" in done.stdout or "\x1b[1;33m" in done.stdout) == coloured


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_watching_in_a_pipe(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "x").write_text(DUMP)
    command = [str(PYIPVSADM), "show", str(tmp_path / "x"), "--watch=0.1", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        text = first
        while text.count(first) < 3:
            text += process.stdout.readline()
        process.stdout.close()  # nobody reads any more
        end = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        assert process.stderr is not None
        assert (process.returncode, process.stderr.read()) == (141, "")
