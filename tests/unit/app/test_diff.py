"""diff on dumps and sandboxes: lines, documents, statuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pyipvsadm import iptables, ipvs
from support.schema import validated

if TYPE_CHECKING:
    from pathlib import Path

    from support.app import Run

ONE = """-A -t 192.0.2.1:80 -s rr
-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 3
-a -t 192.0.2.1:80 -r 10.0.0.3:80 -m -w 3
-A -f 9 -s rr
"""
TWO = """-A -t 192.0.2.1:80 -s sh -p 60 -b sh-port
-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 5
-a -t 192.0.2.1:80 -r 10.0.0.2:80 -i -w 1 -x 9 -y 3
-a -t 192.0.2.1:80 -r 10.0.0.3:80 -m -w 3
-A -f 7 -6 -s wlc
--set 60 0 0
--start-daemon master --mcast-interface lo
"""
RULES = """*filter
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [1:2]
:old - [0:0]
[5:6] -A INPUT -j ACCEPT
-A INPUT -s 10.0.0.1 -j DROP
-A old -p tcp -m comment --comment "a b"
COMMIT
"""
OTHER = """*filter
:INPUT DROP [0:0]
:OUTPUT ACCEPT [3:4]
:new - [0:0]
-A INPUT -s 10.0.0.1 -j DROP
-A INPUT -s 10.0.0.2 -j DROP
[7:8] -A INPUT -j ACCEPT
COMMIT
"""


@pytest.fixture(autouse=True)
def files(run: Run, tmp_path: Path) -> None:  # noqa: ARG001  # after run's folder
    for name, content in (("1", ONE), ("2", TWO), ("1.v4", RULES), ("2.v4", OTHER)):
        (tmp_path / name).write_text(content)


def test_services(run: Run) -> None:
    done = run("diff", "1", "2")
    assert (done.exit_code, done.stderr) == (1, "")
    assert done.stdout == (
        "--- 1\n"
        "+++ 2\n"
        "+ fwmark:7 of IPv6 wlc\n"
        "- fwmark:9 rr\n"
        "~ tcp:192.0.2.1:80: scheduler rr -> sh, flags 0 -> 17, timeout 0 -> 60\n"
        "~   10.0.0.1:80: weight 3 -> 5\n"
        "+   10.0.0.2:80 ipip weight 1 thresholds 9 3 tunnel ipip\n"
    )
    assert run("diff", "1", "1").exit_code == 0
    assert run("diff", "1", "1").stdout == ""


def test_timeouts_and_daemons_of_what_has_them(run: Run, tmp_path: Path) -> None:
    (tmp_path / "3").write_text("--set 90 0 0\n--start-daemon backup --mcast-interface lo --syncid 4\n")
    (tmp_path / "2").write_text("--set 60 5 0\n--start-daemon master --mcast-interface lo --syncid 3\n")
    lines = run("diff", "2", "3").stdout.splitlines()
    assert lines[2] == "~ timeouts: tcp 60 -> 90"
    assert lines[3].startswith("- daemon master mcast_ifn lo syncid 3")
    assert lines[4].startswith("+ daemon backup mcast_ifn lo syncid 4")


def test_rules(run: Run) -> None:
    done = run("diff", "1.v4", "2.v4")
    assert (done.exit_code, done.stderr) == (1, "")
    assert done.stdout == (
        "--- 1.v4\n"
        "+++ 2.v4\n"
        "~ filter INPUT: policy ACCEPT -> DROP\n"
        "+     2  -s 10.0.0.2/32 -j DROP\n"
        "^ 1 -> 3  -j ACCEPT\n"
        "- filter old\n"
        '-     1  -p tcp -m comment --comment "a b"\n'
        "+ filter new\n"
    )
    assert run("diff", "1.v4", "1.v4").exit_code == 0


def test_counters_when_asked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "3.v4").write_text(RULES.replace("[5:6]", "[9:9]").replace("[1:2]", "[4:4]"))
    assert run("diff", "1.v4", "3.v4").exit_code == 0
    done = run("diff", "--counters", "1.v4", "3.v4")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[2:] == [
        "  filter INPUT",
        "=     1  -j ACCEPT  # [5:6] -> [9:9]",
        "~ filter OUTPUT: [1:2] -> [4:4]",
    ]


def test_what_a_dump_does_not_say_is_the_same(run: Run, tmp_path: Path) -> None:
    sandbox = tmp_path / "x.json"
    full = f"{RULES}*nat\n-A OUTPUT -j ACCEPT\nCOMMIT\n".replace(":OUTPUT ACCEPT", ":OUTPUT DROP")
    iptables.restore(full, sandbox=sandbox)
    (tmp_path / "part").write_text(RULES.replace(":OUTPUT ACCEPT [1:2]\n", ""))
    assert run("diff", "part", "live", "--sandbox", "x.json").exit_code == 0
    assert run("diff", "live", "part", "--sandbox", "x.json").exit_code == 0
    assert run("diff", "part", "x.json", "--kind", "iptables").exit_code == 0
    done = run("diff", "1.v4", "--sandbox", "x.json")
    assert done.stdout.splitlines()[2:] == ["~ filter OUTPUT: policy ACCEPT -> DROP"]
    (tmp_path / "full").write_text(full)
    assert run("diff", "1.v4", "full").stdout.splitlines()[-2:] == ["  nat OUTPUT", "+     1  -j ACCEPT"]


def test_documents(run: Run) -> None:
    done = run("diff", "1", "2", "--json")
    assert done.exit_code == 1
    document = validated(done.stdout, "diff")
    assert {name: document[name] for name in ("version", "kind", "of", "a", "b", "same")} == {
        "version": 1, "kind": "diff", "of": "ipvs", "a": "1", "b": "2", "same": False,
    }  # fmt: skip
    came, gone, web = document["services"]
    assert (came["outcome"], came["before"], came["after"]["fwmark"]) == ("added", None, 7)
    assert (gone["outcome"], gone["after"]) == ("removed", None)
    assert web["changed"][0] == {"name": "scheduler", "before": "rr", "after": "sh"}
    assert [server["outcome"] for server in web["servers"]] == ["changed", "added"]
    assert web["servers"][0]["changed"] == [{"name": "weight", "before": 3, "after": 5}]
    document = validated(run("diff", "1.v4", "2.v4", "--json", "--counters").stdout, "diff")
    chain = document["chains"][0]
    assert (chain["table"], chain["chain"], chain["policy"]) == (
        "filter", "INPUT", {"before": "ACCEPT", "after": "DROP"},
    )  # fmt: skip
    assert [(rule["outcome"], rule["before"], rule["after"]) for rule in chain["rules"]] == [
        ("added", None, 2),
        ("moved", 1, 3),
    ]
    assert chain["rules"][0]["rule"]["source"]["value"] == "10.0.0.2/32"
    assert json.loads(run("diff", "1", "1", "--json").stdout)["same"] is True


def test_from_standard_input(run: Run) -> None:
    assert run("diff", "1", "-", stdin=ONE).exit_code == 0
    assert run("diff", "-", "1.v4", stdin=RULES).exit_code == 0
    done = run("diff", "-", "-", stdin=ONE)
    assert (done.exit_code, done.stderr) == (2, "pyipvsadm: standard input can be read once: name a file\n")


def test_live_is_of_the_kind_of_the_other(run: Run, tmp_path: Path) -> None:
    with ipvs.sandbox(tmp_path / "x.json") as table:
        table.apply(*ipvs.parse(ONE.splitlines()))
    iptables.restore(RULES, sandbox=tmp_path / "x.json")
    env = {"PYIPVSADM_SANDBOX": "x.json"}
    for name in ("1", "1.v4"):
        assert run("diff", name, env=env).exit_code == 0
        assert run("diff", "live", name, env=env).exit_code == 0


def test_trouble(run: Run, tmp_path: Path) -> None:
    done = run("diff", "1", "1.v4")
    assert done.exit_code == 2
    assert done.stderr == "pyipvsadm: 1 is of ipvs, 1.v4 of iptables: name two of a kind, or say --kind\n"
    (tmp_path / "wrong").write_text("-A -t 192.0.2.1:80 -s rr\n-Q\n")
    done = run("diff", "wrong", "1")
    assert done.exit_code == 2
    assert done.stderr.startswith("pyipvsadm: wrong:2: ")
    assert run("diff").exit_code == 2
    assert run("diff", "nosuch").exit_code == 2


def test_colours_on_a_terminal(run: Run) -> None:
    done = run("diff", "1.v4", "2.v4", env={"FORCE_COLOR": "1", "TERM": "xterm-256color"})
    assert "\x1b[32m+     2  -s 10.0.0.2/32 -j DROP\x1b[0m" in done.stdout
    done = run("diff", "1.v4", "2.v4", env={"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm-256color"})
    assert "\x1b[3" not in done.stdout


def test_what_steers_terminals_is_not_shown(run: Run, tmp_path: Path) -> None:
    (tmp_path / "odd").write_text('*filter\n-A INPUT -m comment --comment "\x1b[2J"\nCOMMIT\n')
    assert "\x1b" not in run("diff", "1.v4", "odd").stdout
