"""convert: any form to any other, what gets lost is told, and every command takes what it writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from pyipvsadm import ipvs

if TYPE_CHECKING:
    from support.app import Run

PYIPVSADM = Path(sys.executable).with_name("pyipvsadm")
SERVICES = """-A -t 192.0.2.1:80 -s wlc -p 600
-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 0
-a -t 192.0.2.1:80 -r 10.0.0.2:8080 -m -w 3
-A -u [2001:db8::1]:53 -s rr -o
"""
RULES = """*filter
:INPUT DROP [3:4]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:WEB - [0:0]
[1:60] -A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
[0:0] -A INPUT -m comment --comment "on: 1:2 \\"x\\" \udce9" -g WEB
COMMIT
"""
RULES6 = """*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -s 2001:db8::/32 -j DROP
COMMIT
"""
EMPTY = '{"version": 1, "kind": "ipvs", "services": []}'
BESIDE = """-A -f 7 -s rr
--set 900 60 300
--start-daemon master --mcast-interface eth1 --syncid 3
--start-daemon backup --mcast-interface eth0 --sync-maxlen 1024 --mcast-group ff02::81 --mcast-port 9 --mcast-ttl 2
"""
DUMPS = {"ipvs": SERVICES, "timeouts and daemons": BESIDE, "iptables": RULES, "ip6tables": RULES6}


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("kind", DUMPS)
def test_round_and_round(run: Run, kind: str) -> None:
    text = as_bytes(DUMPS[kind])
    for form in ("json", "yaml", "json", "yaml", "dump"):
        done = run("convert", "--to", form, stdin=text)
        assert (done.exit_code, done.stderr) == (0, "")
        text = done.stdout_bytes
    assert text == as_bytes(DUMPS[kind])


def test_the_documents(run: Run) -> None:
    document = json.loads(run("convert", "--to", "json", stdin=SERVICES).stdout)
    assert document == yaml.safe_load(run("convert", "--to", "yaml", stdin=SERVICES).stdout)
    assert document["services"][0]["servers"][0] == {
        "family": 4, "address": "10.0.0.1", "port": 8080, "forward": "masq", "weight": 0,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["x.json", "x.YAML", "x.yml"])
def test_to_a_file_whose_ending_tells(run: Run, tmp_path: Path, name: str) -> None:
    done = run("convert", "-o", name, stdin=SERVICES)
    assert (done.exit_code, done.output) == (0, "")
    text = (tmp_path / name).read_text()
    assert (json.loads if name == "x.json" else yaml.safe_load)(text)["kind"] == "ipvs"
    assert run("convert", name, "--to", "dump").stdout == SERVICES


@pytest.mark.parametrize("kind", DUMPS)
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_every_command_takes_documents(run: Run, tmp_path: Path, kind: str, form: str) -> None:
    (tmp_path / "dump").write_bytes(as_bytes(DUMPS[kind]))
    assert run("convert", "dump", "--to", form, "-o", "document").exit_code == 0
    shown, wanted = run("show", "document", "--json"), run("show", "dump", "--json")
    assert (shown.exit_code, shown.stdout) == (0, wanted.stdout)


def test_what_show_prints_is_a_document(run: Run) -> None:
    for text in (SERVICES, RULES, RULES6):
        listing = run("show", "-", "--json", stdin=as_bytes(text)).stdout
        assert run("convert", "--to", "dump", stdin=listing).stdout_bytes == as_bytes(text)


def test_limits_go_from_document_to_document_and_are_told_of_in_a_dump(run: Run, tmp_path: Path) -> None:
    with ipvs.sandbox(tmp_path / "box") as table:
        table.apply(*ipvs.parse(["-A -t 192.0.2.1:80 -s rr", "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -x 9 -y 3"]))
    first = run("convert", "box", "--to", "yaml")
    assert first.stderr == ""
    document = run("convert", "--to", "json", stdin=first.stdout).stdout
    [server] = json.loads(document)["services"][0]["servers"]
    assert (server["u_threshold"], server["l_threshold"]) == (9, 3)
    done = run("convert", "--to", "dump", stdin=document)
    assert done.exit_code == 0
    assert done.stderr == (
        "pyipvsadm: warning: standard input: a dump cannot hold the limits of connections (u_threshold, l_threshold) "
        "of 1 server\n"
    )


def test_what_a_dump_does_not_say_is_not_in_the_document(run: Run) -> None:
    said = f"{SERVICES}--set 0 60 0\n--start-daemon backup --mcast-interface eth1 --syncid 3\n"
    document = json.loads(run("convert", "--to", "json", stdin=said).stdout)
    assert document["timeouts"] == {"tcp_fin": 60}
    assert document["daemons"] == [{"state": "backup", "mcast_ifn": "eth1", "syncid": 3}]
    assert not {"timeouts", "daemons"} & json.loads(run("convert", "--to", "json", stdin=SERVICES).stdout).keys()


def test_all_that_is_live(run: Run) -> None:
    """Of what is live the document says everything, and that no daemon runs too, which a dump cannot."""
    with ipvs.sandbox("box") as table:
        table.apply(*ipvs.parse([*SERVICES.splitlines(), "--set 0 60 0"]))
    document = run("convert", "live", "--sandbox", "box", "--to", "json").stdout
    assert json.loads(document)["timeouts"] == {"tcp": 900, "tcp_fin": 60, "udp": 300}
    assert json.loads(document)["daemons"] == []
    done = run("convert", "--to", "dump", stdin=document)
    assert (done.stdout, done.stderr) == (f"{SERVICES}--set 900 60 300\n", "")


def test_diff_and_apply_of_a_document(run: Run, tmp_path: Path) -> None:
    master = "--start-daemon master --mcast-interface eth0 --sync-maxlen 500"
    backup = "--start-daemon backup --mcast-interface eth0"
    with ipvs.sandbox("box") as table:
        table.apply(*ipvs.parse([*SERVICES.splitlines(), master]))
        [filled_in] = table.daemons()
    (tmp_path / "dump").write_text(f"{SERVICES}--set 0 60 0\n{backup}\n{master.partition(' --sync')[0]}\n")
    for form in ("json", "yaml"):
        assert run("convert", "dump", "--to", form, "-o", "document").exit_code == 0
        here = ("--sandbox", "box")
        done = run("diff", "live", "document", *here)
        assert done.exit_code == 1
        assert done.stdout.splitlines()[2:] == ["~ timeouts: tcp_fin 120 -> 60", "+ daemon backup mcast_ifn eth0"]
        planned = run("apply", "document", "--dry-run", *here)
        assert planned.stdout == f"ipvsadm --set 0 60 0\nipvsadm {backup}\n"
        assert run("diff", "live", "document", *here).exit_code == 1
        assert run("apply", "document", *here).stdout == "done: 2 changes\n"
        assert run("diff", "live", "document", *here).exit_code == 0
        assert run("apply", "document", *here).stdout.startswith("nothing to do")
        with ipvs.sandbox("box") as table:
            assert filled_in in table.daemons()
            assert table.timeouts() == ipvs.Timeouts(900, 60, 300)
            table.apply(*ipvs.parse(["--stop-daemon backup", "--set 0 120 0"]))


def test_what_is_refused_takes_timeouts_and_daemons_back(run: Run, tmp_path: Path) -> None:
    with ipvs.sandbox("box") as table:
        table.apply(*ipvs.parse(["-A -f 7 -s rr", "-a -f 7 -r [2001:db8::1]:80 -i"]))
        before = table.services(), table.timeouts()
    document = {
        "version": 1, "kind": "ipvs", "services": [], "timeouts": {"udp": 7},
        "daemons": [{"state": "master", "mcast_ifn": "eth0"}],
    }  # fmt: skip
    (tmp_path / "document").write_text(json.dumps(document))
    done = run("apply", "document", "--no-prune", "--sandbox", "box")
    assert done.exit_code == 1
    assert "nothing was changed" in done.stderr
    with ipvs.sandbox("box") as table:
        assert (table.services(), table.timeouts(), table.daemons()) == (*before, [])


def test_many_losses_are_counted(run: Run) -> None:
    rule = {"target": {"name": "NOBODY", "revision": 0, "data": "AAAAAAAAAAA="}}
    chain = {"name": "INPUT", "policy": "DROP", "rules": [rule] * 14}
    document = {"version": 1, "kind": "iptables", "family": 6, "table": "filter", "chains": [chain]}
    done = run("convert", "--to", "dump", stdin=json.dumps(document))
    lines = done.stderr.splitlines()
    assert lines[0].endswith(": a dump cannot hold all of NOBODY in rule 1 of filter INPUT")
    assert lines[10:] == ["pyipvsadm: warning: standard input: and 5 more such things"]


@pytest.mark.parametrize(
    ("words", "stdin", "message"),
    [
        ([], SERVICES, "say with --to what to write: dump, json, yaml"),
        (
            ["--to", "json", "--kind", "iptables"],
            '{"version": 1, "kind": "ipvs", "services": []}',
            "standard input: this",
        ),
        (["--to", "json"], '{"version": 1, "kind": "ipvs"}', 'standard input: "services" is missing'),
        (["--to", "json"], "---\nkind: [\n", "standard input:3: not YAML: "),
        (["--to", "json"], '{\n"version": 1,,}', "standard input:2: not JSON: "),
        (["--to", "json", "--from", "dump"], "{}", "standard input: cannot tell what it is"),
        (["--to", "json", "--from", "yaml"], SERVICES, "standard input: an object is needed, not "),
        (["--to", "json", "nothing"], "", "nothing: no such file"),
        (["--to", "json", "-o", "no/where"], SERVICES, "no/where: No such file or directory"),
    ],
)
def test_trouble(run: Run, words: list[str], stdin: str, message: str) -> None:
    done = run("convert", *words, stdin=stdin)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"pyipvsadm: {message}")
    assert done.stderr.count("\n") == 1


def test_the_installed_command_from_a_pipe_to_a_pipe(tmp_path: Path) -> None:
    done = subprocess.run(
        [PYIPVSADM, "convert", "--to", "yaml"], input=as_bytes(RULES), capture_output=True, check=True, cwd=tmp_path
    )
    again = subprocess.run([PYIPVSADM, "convert", "--to", "dump"], input=done.stdout, capture_output=True, check=True)
    assert (again.stdout, again.stderr) == (as_bytes(RULES), b"")
