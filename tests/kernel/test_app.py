"""pyipvsadm on a kernel's virtual servers, with traffic: draining while clients stay connected, and what top shows."""

from __future__ import annotations

import json
import re
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pyipvsadm import ipvs
from support import nobody
from support.netns import PATH, Namespace
from support.schema import validated
from support.tmux import Terminal
from support.traffic import SERVERS, VIP, Held, Network, until

if TYPE_CHECKING:
    from collections.abc import Iterator

PYIPVSADM = Path(sys.executable).with_name("pyipvsadm")
ONE, TWO = SERVERS["s1"][0], SERVERS["s2"][0]
DUMP = f"""-A -t {VIP}:80 -s rr
-a -t {VIP}:80 -r {ONE}:80 -m -w 3
-a -t {VIP}:80 -r {TWO}:80 -m -w 3
-A -t {VIP}:8080 -s rr
-a -t {VIP}:8080 -r {ONE}:8080 -m -w 5
"""


@pytest.fixture(scope="module")
def wires() -> Iterator[Network]:
    """Give the network, for all tests."""
    with Network() as joined:
        yield joined


@pytest.fixture
def network(wires: Network) -> Iterator[Network]:
    """Give the network with two services, of which one server is in both."""
    assert wires.director.ours("-R", stdin=DUMP) == (0, "", "")
    yield wires
    assert wires.director.peer("-C").status == 0


def weights(network: Network) -> dict[str, int]:
    """Return the weights of servers, by address and port, as the C tool lists them."""
    listed = network.director.peer("-Ln").stdout
    return {name: int(weight) for name, weight in re.findall(r"-> ([\d.]+:\d+) +Masq +(\d+)", listed)}


ALL = {f"{ONE}:80": 3, f"{TWO}:80": 3, f"{ONE}:8080": 5}


def start(director: Namespace, *words: str) -> subprocess.Popen[str]:
    """Run pyipvsadm beside this process."""
    with director.entered():
        return subprocess.Popen(
            [PYIPVSADM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={"PATH": PATH}
        )


def reset(connection: Held) -> None:
    """End a connection at once: the kernel forgets it after 10 seconds, and one that is closed after 120."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.socket.close()


def held_by(network: Network, server: str) -> Held:
    """Return an open connection to a server; others that come on the way are ended."""
    for _ in range(4):
        connection = network.connect()
        if connection.server == server:
            return connection
        reset(connection)
    raise AssertionError(f"{server} takes no connections")


def test_a_server_goes_when_its_connections_have_ended(network: Network) -> None:
    connection = held_by(network, "s1")
    process = start(network.director, "drain", ONE, "--every", "0.2")
    drained = {**ALL, f"{ONE}:80": 0, f"{ONE}:8080": 0}
    until(lambda: str(weights(network)), lambda seen: seen == str(drained))
    assert network.requests(4) == {"s2": 4}  # new ones go elsewhere
    assert connection.ask() == "s1"  # this one lives on
    assert process.poll() is None
    reset(connection)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert re.search(rf"^tcp:{VIP}:80 {ONE}:80: [01] active, \d inactive connections$", out, re.MULTILINE)
    assert out.splitlines()[-1] == f"{ONE}: removed; 'pyipvsadm undrain {ONE}' puts it back"
    assert weights(network) == {f"{TWO}:80": 3}
    done = network.director.ours("undrain", ONE, tool="pyipvsadm")
    assert (done.status, done.stderr) == (0, "")
    assert weights(network) == ALL
    assert network.requests(4) == {"s1": 2, "s2": 2}


@pytest.mark.parametrize(
    ("choice", "status", "after"),
    [
        ("keep", 1, {**ALL, f"{ONE}:80": 0}),
        ("restore", 1, ALL),
        ("remove", 0, {f"{TWO}:80": 3, f"{ONE}:8080": 5}),
    ],
)
def test_connections_are_left_at_the_timeout(network: Network, choice: str, status: int, after: dict[str, int]) -> None:
    connection = held_by(network, "s1")
    words = ("drain", f"{ONE}:80", "--timeout", "1", "--on-timeout", choice, "--json")
    done = network.director.ours(*words, tool="pyipvsadm")
    assert done.status == status, done.stderr
    assert done.stderr.startswith("pyipvsadm: timeout: ")
    document = json.loads(done.stdout)
    assert document["outcome"] == {"keep": "kept", "restore": "restored", "remove": "removed"}[choice]
    [server] = document["servers"]
    assert (server["address"], server["port"], server["weight"]) == (ONE, 80, 3)
    assert weights(network) == after
    reset(connection)
    if choice != "restore":
        assert network.director.ours("undrain", ONE, tool="pyipvsadm").status == 0
        assert weights(network) == ALL


def test_interrupted(network: Network) -> None:
    connection = held_by(network, "s1")
    process = start(network.director, "drain", f"{ONE}:80", "--service", f"{VIP}:80")
    until(lambda: str(weights(network).get(f"{ONE}:80")), lambda seen: seen == "0")
    assert process.stdout is not None
    process.stdout.readline()  # it waits
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == (
        f"pyipvsadm: interrupted: {ONE}:80 is drained, but still there: "
        f"'pyipvsadm drain {ONE}:80 --service {VIP}:80' goes on, "
        f"'pyipvsadm undrain {ONE}:80 --service {VIP}:80' puts it back\n"
    )
    assert weights(network) == {**ALL, f"{ONE}:80": 0}
    assert connection.ask() == "s1"
    assert network.director.ours("undrain", ONE, tool="pyipvsadm").status == 0
    assert weights(network) == ALL
    reset(connection)


def test_bars_on_a_terminal(network: Network) -> None:
    connection = held_by(network, "s1")
    with network.director.entered():
        terminal = Terminal(width=110)
    with terminal:
        terminal.type(f"{PYIPVSADM} drain {ONE}; echo status $?")
        terminal.wait(
            lambda screen: re.search(rf"tcp:{VIP}:80 {ONE}:80 .*[1-9]\d* active, \d+ inactive", screen) is not None
        )
        terminal.press("C-c")
        seen = terminal.wait(lambda screen: "status 130\n" in screen)
        assert f"{ONE} is drained, but still there" in seen.replace("\n", "")
        assert terminal.asked("cursor_flag") == "1"
    assert network.director.ours("undrain", ONE, tool="pyipvsadm").status == 0
    reset(connection)


def test_each_namespace_has_its_own_old_weights(network: Network, netns: Namespace) -> None:
    assert netns.ours("-R", stdin=DUMP).status == 0
    assert netns.ours("drain", f"{TWO}:80", "--no-remove", tool="pyipvsadm").status == 0
    assert network.director.ours("undrain", TWO, tool="pyipvsadm").stdout.endswith("has weight 3 already\n")
    by_name = network.director.ours("undrain", TWO, "--netns", netns.name, tool="pyipvsadm")
    assert (by_name.status, by_name.stdout) == (0, f"tcp:{VIP}:80 {TWO}:80: weight 3 again\n")


def test_show(network: Network) -> None:
    connection = held_by(network, "s1")
    network.requests(3)
    shown = network.director.ours("show", tool="pyipvsadm").stdout
    assert re.search(rf"^→ {ONE}:80 +Masq +3 +up +[1-9]\d* +\d+$", shown, re.MULTILINE)
    shown = until(  # the kernel sums counters up every two seconds
        lambda: network.director.ours("show", "--counters", "--hit", tool="pyipvsadm").stdout,
        lambda text: f"TCP  {VIP}:80" in text,
    )
    assert f"TCP  {VIP}:8080" not in shown
    shown = network.director.ours("show", "--never-hit", "--json", tool="pyipvsadm").stdout
    assert [service["port"] for service in json.loads(shown)["services"]] == [8080]
    reset(connection)


def test_top_shows_rates(network: Network) -> None:
    with network.director.entered():
        terminal = Terminal(width=110)
    with terminal:
        terminal.type(f"{PYIPVSADM} top --every 1; echo status $?")
        terminal.wait(lambda screen: f"TCP {VIP}:80 " in screen)

        def is_moving(screen: str) -> bool:
            network.requests(5)
            lines = re.findall(r"^(?:→ )?(?:TCP )?([\d.]+:80) +(\d+) +\d+ +\d+ +([\d.]+) ", screen, re.MULTILINE)
            rates = {name: float(rate) for name, _, rate in lines}
            return rates.keys() == {f"{VIP}:80", f"{ONE}:80", f"{TWO}:80"} and min(rates.values()) > 0

        terminal.wait(is_moving)
        terminal.press("e")
        terminal.wait(lambda screen: "as the kernel estimates them" in screen and is_moving(screen))
        terminal.press("q")
        terminal.wait(lambda screen: "status 0\n" in screen)


def test_top_for_programs(network: Network) -> None:
    process = start(network.director, "top", "--json", "--every", "0.5")
    assert process.stdout is not None
    assert validated(process.stdout.readline(), "top")["services"][0]["rates"] is None

    def lowest() -> str:
        """Return the lowest rate at the next look, of the service that gets requests and of its servers."""
        assert process.stdout is not None
        network.requests(5)
        look = validated(process.stdout.readline(), "top")
        [web] = [service for service in look["services"] if service["port"] == 80]
        return str(min([rate for part in (web, *web["servers"]) for rate in part["rates"].values()]))

    until(lowest, lambda rate: float(rate) > 0)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")


# -- without root ------------------------------------------------------------------------------------------------------

NOT_SEEN = "pyipvsadm: root alone sees counters, thresholds, tunnels, scheduler flags, persistence engines and times\n"


def by_nobody(network: Network, *words: str) -> subprocess.CompletedProcess[str]:
    """Run pyipvsadm in the director's namespace without any right."""
    with network.director.entered():
        return nobody.run(".venv/bin/python", "-m", "pyipvsadm.app.main", *words)


def as_seen(found: dict[str, Any]) -> dict[str, Any]:
    """Return what everybody sees of a service or a server of a document."""
    seen = {name: None if name in ipvs.NOT_LISTED else value for name, value in found.items()}
    if "servers" in found:
        seen["servers"] = [as_seen(server) for server in found["servers"]]
        seen["netmask"] = found["netmask"] if found["persistent"] else None
    return seen


def test_what_is_not_known_is_not_nothing(network: Network) -> None:
    edited = f"-E -t {VIP}:8080 -s wrr -p 300 -M 255.255.255.0"
    assert network.director.peer(*edited.split()).status == 0
    connection = held_by(network, "s1")
    done = by_nobody(network, "show")
    assert (done.returncode, done.stderr) == (0, NOT_SEEN)
    assert re.search(rf"^→ {ONE}:80 +Masq +3 +\? +[1-9]\d* +\d+$", done.stdout, re.MULTILINE)
    assert re.search(rf"^TCP  {VIP}:8080 +wrr .* persistent \? mask 255.255.255.0$", done.stdout, re.MULTILINE)
    done = by_nobody(network, "show", "--json")
    assert (done.returncode, done.stderr) == (0, NOT_SEEN)
    whole = json.loads(network.director.ours("show", "--json", tool="pyipvsadm").stdout)
    assert json.loads(done.stdout) == {**whole, "services": [as_seen(service) for service in whole["services"]]}
    reset(connection)


@pytest.mark.parametrize("option", ["--counters", "--rates", "--hit", "--never-hit"])
def test_nobody_is_told_of_counters(network: Network, option: str) -> None:
    done = by_nobody(network, "show", option)
    message = f"pyipvsadm: {option}: the kernel tells root alone what it has counted: run it as root\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


def test_nobody_may_plan(network: Network) -> None:
    words = ("drain", f"{ONE}:80", "--dry-run")
    done = by_nobody(network, *words)
    planned = network.director.ours(*words, tool="pyipvsadm")
    assert (done.returncode, done.stdout, done.stderr) == (0, planned.stdout, "")
    done = by_nobody(network, *words, "--json")
    assert (done.returncode, done.stderr) == (0, NOT_SEEN)
    [server] = json.loads(network.director.ours(*words, "--json", tool="pyipvsadm").stdout)["servers"]
    assert json.loads(done.stdout)["servers"] == [as_seen(server)]
    assert weights(network) == ALL


@pytest.mark.parametrize(
    "words",
    [
        ["drain", ONE], ["undrain", ONE], ["top", "--json"], ["diff", "live", "live"],
        ["convert", "live", "--to", "json"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_without_the_right(network: Network, words: list[str]) -> None:
    done = by_nobody(network, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pyipvsadm: the kernel's virtual servers: ")
    assert "run it as root" in done.stderr
    assert done.stderr.count("\n") == 1
    assert weights(network) == ALL
