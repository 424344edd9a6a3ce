"""pyipvsadm apply on a kernel's virtual servers: no connection is lost that has nothing to do with a change."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sys
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

import pyipvsadm.app.apply
import pyipvsadm.app.diff  # noqa: F401  # here once, else in each of hundreds of forks
from pyipvsadm import ipvs
from support.changes import sequences
from support.terminal import Begun, is_gone, until
from support.traffic import FAR, SERVERS, VIP, Network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.netns import Namespace

PYIPVSADM = Path(sys.executable).with_name("pyipvsadm")
ROUNDS = 100
ONE, TWO, THREE = [addresses[0] for addresses in SERVERS.values()]
SAME = f"-A -t {VIP}:80 -s rr\n-a -t {VIP}:80 -r {ONE}:80 -m -w 1\n-a -t {VIP}:80 -r {TWO}:80 -m -w 1\n"


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as joined:
        yield joined


def apply(space: Namespace, dump: str, *words: str) -> str:
    done = space.ours("apply", "-", *words, tool="pyipvsadm", stdin=dump)
    assert (done.status, done.stderr) == (0, ""), done
    return done.stdout


def changing(chosen: random.Random) -> str:
    """Return services that come and go: one keeps its first server, if it is there."""
    lines = []
    for service in (f"-t {VIP}:8080", f"-u {VIP}:53", "-f 7", "-t 192.0.2.9:80"):
        if service.endswith(":8080") or chosen.random() < 0.6:
            lines.append(f"-A {service} -s {chosen.choice(('rr', 'wrr', 'wlc', 'sh'))}")
            for server in (ONE, TWO, THREE):
                first = service.endswith(":8080") and server == ONE
                if first or chosen.random() < 0.5:
                    weight = 1 if first else chosen.randint(0, 9)
                    port = service.rpartition(":")[2] if ":" in service else "80"
                    lines.append(f"-a {service} -r {server}:{port} -m -w {weight}")
    return "".join([f"{line}\n" for line in lines])


@contextmanager
def requesting(network: Network) -> Iterator[list[int]]:
    """Have a client open one connection after the other, in a process of its own; then give how many, and failures."""
    counts: list[int] = []
    ready, report = os.pipe()
    child = os.fork()
    if not child:
        stopped: list[int] = []
        signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
        done = failed = 0
        try:
            while not stopped:
                done += 1
                try:
                    network.request(FAR[1])
                except OSError:
                    traceback.print_exc()
                    failed += 1
        finally:
            os.write(report, f"{done} {failed}".encode())
            os._exit(0)
    os.close(report)
    try:
        yield counts
    finally:
        os.kill(child, signal.SIGTERM)
        counts += [int(word) for word in os.read(ready, 100).split()]
        os.waitpid(child, 0)
        os.close(ready)


def test_no_connection_of_what_stays_is_lost(network: Network) -> None:
    chosen = random.Random(4)
    assert apply(network.director, SAME + changing(chosen)).startswith("done: ")
    with network.held(4) as held, network.held(12, port=8080) as others, requesting(network) as counts:
        steady = [connection for connection in others if connection.server == "s1"]
        assert steady
        changed = 0
        for number in range(ROUNDS):
            dump = SAME + changing(chosen)
            changed += apply(network.director, dump).startswith("done: ")
            if number % 10 == 0:
                done = network.director.ours("diff", "-", tool="pyipvsadm", stdin=dump)
                assert (done.status, done.stdout) == (0, "")
                assert apply(network.director, dump).startswith("nothing to do: ")
                assert [connection.ask() for connection in held] == [connection.server for connection in held]
                assert {connection.ask() for connection in steady} == {"s1"}
    assert changed > ROUNDS * 0.8
    requests, failed = counts
    assert requests > ROUNDS
    assert failed == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(sequences)
def test_then_there_are_no_differences(netns: Namespace, changes: list[ipvs.Change]) -> None:
    with ipvs.sandbox() as table:
        for change in changes:
            with suppress(ipvs.Refused):
                table.apply(change)
        dump = f"# a dump\n{ipvs.save(table.services())}"
    done = netns.ours("apply", "-", "--kind", "ipvs", tool="pyipvsadm", stdin=dump)
    if done.status == 2 and "standard input:" in done.stderr:
        return  # what the C tool cannot read back
    assert done.status == 0, done
    done = netns.ours("diff", "-", "--kind", "ipvs", tool="pyipvsadm", stdin=dump)
    assert (done.status, done.stdout) == (0, "")


def test_timeouts_and_daemons_of_a_document(netns: Namespace) -> None:
    """What the document leaves to the kernel stays as the kernel has it, which is not what the sandbox would have."""
    assert netns.peer("--start-daemon", "backup", "--mcast-interface", "lo", "--syncid", "3").status == 0
    [running] = netns.peer("-L", "--daemon").stdout.splitlines()
    backup = {"state": "backup", "mcast_ifn": "lo", "syncid": 3}
    master = {"state": "master", "mcast_ifn": "lo", "mcast_ttl": 2}
    document: dict[str, Any] = {
        "version": 1, "kind": "ipvs", "services": [], "timeouts": {"tcp_fin": 60}, "daemons": [master, backup],
    }  # fmt: skip
    assert apply(netns, json.dumps(document)) == "done: 2 changes\n"
    assert apply(netns, json.dumps(document)).startswith("nothing to do")
    assert netns.ours("diff", "-", tool="pyipvsadm", stdin=json.dumps(document)).status == 0
    assert "900 60 300" in netns.peer("-L", "--timeout").stdout
    lines = netns.peer("-L", "--daemon").stdout.splitlines()
    assert lines[1:] == [running]
    assert lines[0].startswith("master sync daemon (mcast=lo, ")
    live = netns.ours("convert", "live", "--to", "dump", tool="pyipvsadm").stdout
    assert live.startswith("--set 900 60 300\n--start-daemon master --mcast-interface lo ")
    assert netns.peer("--stop-daemon", "master").status == netns.peer("--stop-daemon", "backup").status == 0
    assert netns.peer("-R", stdin=live).status == 0
    assert netns.peer("-L", "--daemon").stdout.splitlines() == lines
    assert apply(netns, json.dumps({**document, "daemons": []})) == "done: 2 changes\n"
    assert netns.peer("-L", "--daemon").stdout == ""


@pytest.mark.parametrize("end", ["hang_up", "kill"])
def test_taken_back_when_the_terminal_is_gone(netns: Namespace, tmp_path: Path, end: str) -> None:
    assert apply(netns, SAME).startswith("done: ")
    before = netns.peer("-Sn").stdout
    (tmp_path / "other").write_text("-A -f 7 -s rr\n--set 60 0 0\n")
    begun = Begun(PYIPVSADM, "apply", str(tmp_path / "other"), "--netns", netns.name, "--confirm", "15")
    begun.read("to be taken back at")
    assert netns.peer("-Sn").stdout == "-A -f 7 -s rr\n"
    waits = re.search(r"process (\d+)", netns.ours("apply", "-", tool="pyipvsadm", stdin=SAME).stderr)
    assert waits
    getattr(begun, end)()
    assert not is_gone(int(waits[1]))
    until(lambda: is_gone(int(waits[1])))
    assert netns.peer("-Sn").stdout == before
    assert "900 120 300" in netns.peer("-L", "--timeout").stdout
