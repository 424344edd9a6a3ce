"""show: what is chosen, as text and as a document."""

from __future__ import annotations

import json
import re
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
        (["--counters", "--rates"], "--counters and --rates"),
        (["--chain", "INPUT"], "--chain: it is for rules, and standard input is virtual services: "),
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


# -- rules -------------------------------------------------------------------------------------------------------------

RULES = """*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:WEB - [0:0]
[3:87] -A INPUT -p udp -m udp ! --dport 9 -m comment --comment "to \\"nobody\\"" -g WEB
-A INPUT ! -i lo -f -j REJECT --reject-with icmp-port-unreachable
-A WEB -s 10.0.0.0/8
COMMIT
"""
RULES_SHOWN = """INPUT  filter  policy DROP  0 packets, 0 bytes
#  Packets  Bytes  Target  Protocol  In   Source  Details
1        3     87  WEB     udp                    goto udp ! dport 9 comment comment 'to "nobody"'
2        0      0  REJECT  -f        !lo          reject-with icmp-port-unreachable

FORWARD  filter  policy ACCEPT  0 packets, 0 bytes

OUTPUT  filter  policy ACCEPT  0 packets, 0 bytes

WEB  filter  1 reference
#  Packets  Bytes  Target  Source
1        0      0          10.0.0.0/8
"""
RULES6 = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 2001:db8::/32 -j DROP\nCOMMIT\n"


def test_rules(run: Run) -> None:
    done = run("show", "-", stdin=RULES)
    assert (done.exit_code, done.stderr) == (0, "")
    lines = [line for line in done.stdout.splitlines() if not line.startswith("─")]
    assert [line.split() for line in lines] == [
        line.replace("Source  Details", "Details").split() if "In   Source" in line else line.split()
        for line in RULES_SHOWN.splitlines()
    ]


@pytest.mark.parametrize(
    ("dump", "words", "family"),
    [
        (RULES, [], 4),
        (RULES6, [], 6),
        ("# Generated by ip6tables-save v1.8.9\n*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", [], 6),
        ("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", [], 4),
        ("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", ["--kind", "ip6tables"], 6),
    ],
)
def test_families(run: Run, dump: str, words: list[str], family: int) -> None:
    document = json.loads(run("show", "-", "--json", *words, stdin=dump).stdout)
    assert (document["version"], document["kind"], document["family"]) == (1, "iptables", family)
    assert [table["table"] for table in document["tables"]] == ["filter"]


def test_rules_of_a_sandbox(run: Run, tmp_path: Path) -> None:
    from pyipvsadm.cli import iptables

    assert iptables.main(["--sandbox", str(tmp_path / "x.json"), "-A", "INPUT", "-s", "192.0.2.1", "-j", "DROP"]) == 0
    for words in (["x.json"], ["--sandbox", "x.json"], ["x.json", "--kind", "iptables"]):
        document = json.loads(run("show", "--json", *words).stdout)
        [table] = document["tables"]
        assert [rule["text"] for rule in table["chains"][0]["rules"]] == ["-s 192.0.2.1/32 -j DROP"]
    assert json.loads(run("show", "x.json", "--kind", "ipvs", "--json").stdout)["services"] == []
    assert run("show", "x.json", "--kind", "ip6tables").stdout == "No chains.\n"


def test_an_option_about_rules_means_rules(run: Run, tmp_path: Path) -> None:
    Path("web.rules").write_text(DUMP)
    Path("rules.v4").write_text(RULES)
    place = ("--sandbox", str(tmp_path / "x.json"))
    assert [run("apply", name, *place).exit_code for name in ("web.rules", "rules.v4")] == [0, 0]
    assert run("show", *place).stdout.startswith("IPVS ")
    found = run("show", *place, "--chain", "INPUT")
    assert (found.exit_code, found.stdout[:6]) == (0, "INPUT ")
    assert found.stdout == run("show", *place, "--kind", "iptables", "--chain", "INPUT").stdout
    for option in ("--rates", "--counters"):
        done = run("show", *place, "--kind", "iptables", option)
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr.startswith(f"pyipvsadm: {option}: it is for virtual services, and sandbox {place[1]} is ")


@pytest.mark.parametrize(
    ("dump", "words", "message"),
    [
        ("*filter\n-A INPUT -j NOPE\nCOMMIT\n", [], "standard input:2: "),
        ("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT --dport 80\nCOMMIT\n", [], "standard input:3: "),
        (RULES6, ["--kind", "iptables"], "standard input:3: "),
        ("foo\n", ["--kind", "iptables"], "standard input:1: this is no line of a dump\n"),
        ("A -t 192.0.2.1:80\n", ["--kind", "ipvs"], "standard input:1: this begins with no command\n"),
        ("-A -t 192.0.2.1:80\n-L\n", [], "standard input:2: this command changes nothing\n"),
    ],
)
def test_dumps_with_mistakes(run: Run, dump: str, words: list[str], message: str) -> None:
    done = run("show", "-", *words, stdin=dump)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"pyipvsadm: {message}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("width", "drawn"), [("100", ["████████████", "████"]), ("40", [])])
def test_bars_compare_the_rules_of_a_chain(run: Run, width: str, drawn: list[str]) -> None:
    dump = "*filter\n:INPUT ACCEPT [0:0]\n[300:1] -A INPUT -p tcp -j DROP\n[100:1] -A INPUT -p udp -j ACCEPT\nCOMMIT\n"
    env = {"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": width}
    assert re.findall("█+", run("show", "-", "--chain", "INPUT", stdin=dump, env=env).stdout) == drawn
