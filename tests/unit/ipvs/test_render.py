"""Listings and dumps against what the peer printed (tests/golden/ipvs/render_make.py)."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pyipvsadm.ipvs import connections, render
from pyipvsadm.ipvs.command import List
from pyipvsadm.ipvs.model import (
    Connection,
    Info,
    RealServer,
    ServerKey,
    ServerState,
    ServiceKey,
    ServiceState,
    Stats,
    SyncDaemon,
    Timeouts,
    VirtualService,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyipvsadm.ipvs.model import Family, Protocol

GOLDEN = Path(__file__).parents[2] / "golden" / "ipvs"
INFO = Info(version=0x010201, conn_tab_size=4096)
TABLES = ("mixed", "settings", "names", "scattered", "empty", "counters", "states")


class Names:
    """Looks names up in dictionaries, as the machine that the captures come from did in its files."""

    def __init__(self, hosts: dict[str, str], ports: dict[str, str]) -> None:
        self.hosts = hosts
        self.ports = ports

    numeric = False

    def host(self, address: str, family: Family) -> str:
        assert family == (6 if ":" in address else 4)
        return self.hosts.get(address, address)

    def service(self, port: int, protocol: Protocol | None) -> str:
        return self.ports.get(f"{port}/{protocol}", str(port))


NUMERIC = Names({}, {})


def captures(name: str) -> Iterator[tuple[str, str]]:
    """Yield commands and what the peer printed."""
    text = (GOLDEN / f"render_{name}.txt").read_text()
    for part in text.split("$ ")[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def table(name: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((GOLDEN / f"render_{name}.json").read_text())
    return made


def services(made: dict[str, Any]) -> list[ServiceState]:
    return [
        ServiceState(
            config=VirtualService(**{**entry["config"], "key": ServiceKey(**entry["config"]["key"])}),
            servers=tuple(
                ServerState(config=RealServer(**{**real, "key": ServerKey(**real["key"])})) for real in entry["servers"]
            ),
        )
        for entry in made["services"]
    ]


def key_of(words: list[str]) -> ServiceKey | None:
    if "-t" in words:
        address, _, port = words[words.index("-t") + 1].rpartition(":")
        family: Family = 6 if address[0] == "[" else 4
        return ServiceKey(family=family, protocol="tcp", address=address.strip("[]"), port=int(port))
    if "-f" in words:
        return ServiceKey(family=6 if "-6" in words else 4, fwmark=int(words[words.index("-f") + 1]))
    return None


def options_of(words: list[str]) -> List:
    given = {word[2:].replace("-", "_"): True for word in words if word.startswith("--")}
    numeric = any("n" in word for word in words if word[0] == "-" != word[1])
    return List(key=key_of(words), numeric=numeric, **given)


def replaced(state: ServiceState, values: dict[str, dict[int, int]]) -> ServiceState:
    """Change what the shim of the captures changed: counters of both, or the state of servers."""
    wide, narrow = values.get("U64", {}), values["U32"]
    kinds = {counter: kind for kind, counter in enumerate(Stats.__fields__, 1)}
    if wide:
        stats = Stats(**{counter: wide[kind] for counter, kind in kinds.items()})
        servers = [server.replace(stats=stats.replace(conns=0, inpkts=0)) for server in state.servers]
        return state.replace(stats=stats, servers=tuple(servers))
    forward = {1: "local", 4: "bypass"}.get(narrow.get(3, 0), "masq")
    servers = [
        ServerState(
            config=server.config.replace(forward=forward),
            activeconns=narrow.get(7, 0),
            inactconns=narrow.get(8, 0),
            persistconns=narrow.get(9, 0),
        )
        for server in state.servers
    ]
    return state.replace(servers=tuple(servers))


CASES = [
    pytest.param(name, command, output, id=f"{name}: {command[-60:]}")
    for name in TABLES
    for command, output in captures(name)
]


@pytest.mark.parametrize(("name", "command", "output"), CASES)
def test_prints_what_the_peer_prints(name: str, command: str, output: str) -> None:
    made = table(name)
    words = shlex.split(command)
    values = {}
    while "=" in words[0]:
        size, _, pairs = words.pop(0).partition("=")
        values[size] = {int(kind): int(value) for kind, value in (pair.split("=") for pair in pairs.split(","))}
    states = services(made)
    if values:
        states = [replaced(state, values) for state in states]
    options = options_of(words)
    resolver = NUMERIC if options.numeric else Names(made["hosts"], made["ports"])
    if "S" in words[1]:
        assert render.save(states, resolver) == output
        return
    shown = [state for state in states if options.key in (None, state.config.key)]
    assert render.listing(shown, options, INFO, resolver) == output


@pytest.mark.parametrize(("command", "output"), list(captures("connections")))
def test_prints_connections_as_the_peer_does(command: str, output: str) -> None:
    made = table("connections")
    options = List(numeric="n" in command.split()[1], connection=True, persistent_conn="--persistent-conn" in command)
    resolver = NUMERIC if options.numeric else Names(made["hosts"], made["ports"])
    entries = connections.parse((GOLDEN / "render_connections.proc").read_bytes().splitlines(keepends=True))
    assert "".join(render.connections(entries, options, resolver)) == output


@pytest.mark.parametrize("count", [0, 1, 1021, 1022, 1023, 3000])
def test_many_connections_come_in_pieces(count: int) -> None:
    entry = Connection("TCP", "10.0.0.1", 1, "10.0.0.2", 2, "10.0.0.3", 3, "NONE", 61)
    pieces = list(render.connections([entry] * count, List(connection=True), NUMERIC))
    assert len(pieces) == 1 + (count + 2) // 1024
    line = "TCP 01:01  NONE        10.0.0.1:1         10.0.0.2:2         10.0.0.3:3\n"
    assert "".join(pieces).split("destination\n")[1] == line * count


def test_timeouts() -> None:
    # ipvsadm --set 2147483 999999 3; ipvsadm -L --timeout
    assert (
        render.timeouts(Timeouts(tcp=2147483, tcp_fin=999999, udp=3)) == "Timeout (tcp tcpfin udp): 2147483 999999 3\n"
    )


def test_daemons() -> None:
    # ipvsadm --start-daemon master --mcast-interface lo
    # ipvsadm --start-daemon backup --mcast-interface lo --syncid 200 --sync-maxlen 1400 --mcast-group 224.0.0.99
    #     --mcast-port 9999 --mcast-ttl 7; ipvsadm -L --daemon
    running = [
        SyncDaemon("master", "lo", 0, 1472, "224.0.0.81", 8848, 1),
        SyncDaemon("backup", "lo", 200, 1400, "224.0.0.99", 9999, 7),
    ]
    assert render.daemons(running) == (
        "master sync daemon (mcast=lo, syncid=0, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n"
        "backup sync daemon (mcast=lo, syncid=200, maxlen=1400, group=224.0.0.99, port=9999, ttl=7)\n"
    )
    assert render.daemons([]) == ""


def test_both_tunnel_checksum_flags_do_not_crash_us() -> None:
    # The kernel takes them from other tools; the peer ends in a segmentation fault.
    server = RealServer(
        key=ServerKey(family=4, address="10.0.0.2", port=80), forward="ipip", tun_type="gre", tun_flags=3
    )
    state = ServiceState(
        config=VirtualService(key=ServiceKey(family=4, protocol="tcp", address="10.0.0.1", port=80)),
        servers=(ServerState(config=server),),
    )
    assert render.save([state], NUMERIC).endswith(" --tun-type gre --tun-remcsum\n")
    assert " gre:r+c " in render.listing([state], List(tun_info=True), INFO, NUMERIC)
