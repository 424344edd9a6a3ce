"""pyipvsadm on a kernel's virtual servers, with traffic: what show and top show."""

from __future__ import annotations

import json
import re
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.netns import PATH
from support.tmux import Terminal
from support.traffic import SERVERS, VIP, Held, Network

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


def test_show(network: Network) -> None:
    connection = held_by(network, "s1")
    network.requests(3)
    shown = network.director.ours("show", tool="pyipvsadm").stdout
    assert re.search(rf"^→ {ONE}:80 +Masq +3 +up +[1-9]\d* +\d+$", shown, re.MULTILINE)
    shown = network.director.ours("show", "--counters", "--hit", tool="pyipvsadm").stdout
    assert f"TCP  {VIP}:80" in shown
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


def test_without_the_right(network: Network) -> None:
    with network.director.entered():
        done = subprocess.run(
            [PYIPVSADM, "show"], user=65534, capture_output=True, text=True, check=False, env={"PATH": PATH}
        )
    assert done.returncode == 2
    assert done.stderr.startswith("pyipvsadm: the kernel's virtual servers: ")
    assert "run it as root" in done.stderr
