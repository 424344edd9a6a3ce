"""drain and undrain in a sandbox: what they say, what they end with, what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyipvsadm import ipvs
from pyipvsadm.app.book import book_of
from pyipvsadm.app.errors import Trouble
from pyipvsadm.app.state import Place
from support.schema import validated

if TYPE_CHECKING:
    from pathlib import Path

    from support.app import Run

DUMP = """-A -t 192.0.2.1:80 -s rr
-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 3
-A -u 192.0.2.1:53 -s rr
-a -u 192.0.2.1:53 -r 10.0.0.1:53 -m -w 2
-A -f 7 -s rr
-a -f 7 -r [2001:db8::5]:80 -i -w 4
"""


@pytest.fixture(autouse=True)
def sandbox(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001  # after run's folder
    path = tmp_path / "x.json"
    with ipvs.sandbox(path) as table:
        table.apply(*ipvs.parse(DUMP.splitlines()))
    monkeypatch.setenv("PYIPVSADM_SANDBOX", str(path))
    return path


def weights(sandbox: Path) -> dict[str, int]:
    with ipvs.sandbox(sandbox) as table:
        servers = [server.config for service in table.services() for server in service.servers]
    return {f"{server.key.address} {server.key.port}": server.weight for server in servers}


ALL = {"10.0.0.1 80": 3, "10.0.0.1 53": 2, "2001:db8::5 80": 4}


def test_drained_removed_and_put_back(run: Run, sandbox: Path) -> None:
    done = run("drain", "10.0.0.1")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "tcp:192.0.2.1:80 10.0.0.1:80: 0 active, 0 inactive connections",
        "udp:192.0.2.1:53 10.0.0.1:53: 0 active, 0 inactive connections",
        "10.0.0.1: removed; 'pyipvsadm undrain 10.0.0.1' puts it back",
    ]
    assert weights(sandbox) == {"2001:db8::5 80": 4}
    done = run("undrain", "10.0.0.1")
    assert (done.exit_code, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines()) == [
        "tcp:192.0.2.1:80 10.0.0.1:80: added again, with weight 3",
        "udp:192.0.2.1:53 10.0.0.1:53: added again, with weight 2",
    ]
    assert weights(sandbox) == ALL


@pytest.mark.parametrize(
    ("words", "zero"),
    [
        (["10.0.0.1:80"], ["10.0.0.1 80"]),
        (["10.0.0.1", "--service", "udp:192.0.2.1:53"], ["10.0.0.1 53"]),
        (["[2001:DB8::5]:80"], ["2001:db8::5 80"]),
        (["2001:db8::5", "--service", "fwmark:7"], ["2001:db8::5 80"]),
    ],
)
def test_one_of_them_without_removal(run: Run, sandbox: Path, words: list[str], zero: list[str]) -> None:
    done = run("drain", *words, "--no-remove")
    assert done.exit_code == 0
    assert "drained, and still there" in done.stdout
    assert weights(sandbox) == {**ALL, **dict.fromkeys(zero, 0)}
    assert run("undrain", *words).exit_code == 0
    assert weights(sandbox) == ALL


def test_dry_run(run: Run, sandbox: Path) -> None:
    before = sandbox.read_bytes()
    done = run("drain", "10.0.0.1:80", "--dry-run")
    assert done.stdout == "tcp:192.0.2.1:80 10.0.0.1:80: weight 3 to 0, wait for 0 connections, then remove it\n"
    done = run("drain", "10.0.0.1:80", "--dry-run", "--json")
    assert validated(done.stdout, "drain")["outcome"] == "planned"
    assert sandbox.read_bytes() == before
    run("drain", "10.0.0.1:80", "--no-remove")
    before = sandbox.read_bytes()
    done = run("undrain", "10.0.0.1:80", "--dry-run")
    assert done.stdout == "tcp:192.0.2.1:80 10.0.0.1:80: would be weight 3 again\n"
    assert sandbox.read_bytes() == before


def test_documents(run: Run) -> None:
    document = validated(run("drain", "10.0.0.1:80", "--json").stdout, "drain")
    assert (document["version"], document["kind"], document["outcome"]) == (1, "drain", "removed")
    [server] = document["servers"]
    assert server["service"] == {"family": 4, "protocol": "tcp", "address": "192.0.2.1", "port": 80, "fwmark": 0}
    assert (server["address"], server["port"], server["weight"], server["activeconns"]) == ("10.0.0.1", 80, 3, 0)
    document = validated(run("undrain", "10.0.0.1:80", "--json").stdout, "drain")
    assert (document["version"], document["kind"]) == (1, "undrain")
    [server] = document["servers"]
    assert (server["address"], server["weight"], server["outcome"]) == ("10.0.0.1", 3, "added")


def test_a_second_undrain_changes_nothing(run: Run, sandbox: Path) -> None:
    run("drain", "10.0.0.1:80")
    run("undrain", "10.0.0.1:80")
    done = run("undrain", "10.0.0.1:80")
    assert (done.exit_code, done.stdout) == (0, "tcp:192.0.2.1:80 10.0.0.1:80: has weight 3 already\n")
    assert weights(sandbox) == ALL


def test_a_weight_that_nobody_wrote_down(run: Run, sandbox: Path) -> None:
    with ipvs.sandbox(sandbox) as table:
        table.apply(*ipvs.parse(["-e -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 0"]))
    done = run("undrain", "10.0.0.1:80")
    assert done.exit_code == 1
    assert "no old weight is known" in done.stdout
    assert run("undrain", "10.0.0.1:80", "--weight", "9").exit_code == 0
    assert weights(sandbox) == {**ALL, "10.0.0.1 80": 9}


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["drain", "10.0.0.9"], 1, "no service has a real server 10.0.0.9"),
        (["drain", "10.0.0.1:81"], 1, "no service has a real server 10.0.0.1:81"),
        (["drain", "10.0.0.1", "--service", "192.0.2.9:80"], 1, "service 192.0.2.9:80 has no real server 10.0.0.1"),
        (["undrain", "10.0.0.9"], 1, "10.0.0.9 is in no service, and was not drained"),
        (["drain", "x"], 2, "x: not an address"),
        (["drain", "10.0.0.1", "--service", "x"], 2, "x: not an address"),
        (["drain", "10.0.0.1", "--timeout", "x"], 2, "Invalid value for '--timeout'"),
        (["drain"], 2, "Missing argument"),
        (["undrain", "10.0.0.1", "--weight", "0"], 2, "Invalid value for '--weight'"),
    ],
)
def test_refused(run: Run, sandbox: Path, words: list[str], status: int, message: str) -> None:
    before = sandbox.read_bytes()
    done = run(*words)
    assert (done.exit_code, done.stdout) == (status, "")
    assert done.stderr.startswith(f"pyipvsadm: {message}")
    assert done.stderr.count("\n") == 1
    assert sandbox.read_bytes() == before


def test_where_old_weights_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyipvsadm.app.run._RUN", "/proc/no-such-folder")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    book = book_of(Place(netns="/proc/self/ns/net"))
    book.change(lambda _: [])
    assert (tmp_path / "pyipvsadm").is_dir()
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    with pytest.raises(Trouble, match="XDG_RUNTIME_DIR"):
        book_of(Place())
    with pytest.raises(Trouble, match="no-such-namespace: No such file"):
        book_of(Place(netns="no-such-namespace"))
