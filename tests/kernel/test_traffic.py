"""Real traffic through a director that our command configured: who answers, and what both tools then list."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from support.traffic import FAR, FAR6, NEAR, NEAR6, SERVERS, VIP, VIP6, Network, until

if TYPE_CHECKING:
    from collections.abc import Iterator

WEB = f"-t {VIP}:80"
PORTS = itertools.count(1001)
EQUAL = (1, 1, 1)
UNEQUAL = (3, 2, 1)


@pytest.fixture(scope="module")
def wires() -> Iterator[Network]:
    """Give the network, for all tests."""
    with Network() as joined:
        yield joined


@pytest.fixture
def network(wires: Network) -> Iterator[Network]:
    """Give the network with nothing configured."""
    yield wires
    assert wires.director.peer("-C").status == 0


@pytest.fixture
def own_network() -> Iterator[Network]:
    """Give a network where no connections of earlier tests expire while listings are compared."""
    with Network() as joined:
        yield joined


@pytest.fixture
def port() -> int:
    """Give a port of the virtual address that no service had: the kernel remembers connections of deleted services."""
    return next(PORTS)


def configure(network: Network, dump: str) -> None:
    """Have our command configure the director."""
    assert network.director.ours("-R", stdin=dump) == (0, "", "")


def balance(service: str, method: str, weights: tuple[int, ...] = EQUAL, options: str = "", more: str = "") -> str:
    """Return the dump of a service over the servers; ``{}`` in ``method`` stands for a server's address."""
    lines = [f"-A {service} {options}"]
    servers = zip(SERVERS.values(), weights, strict=True)
    lines += [f"-a {service} -r {method.format(v4, v6=f'[{v6}]')} -w {weight} {more}" for (v4, v6), weight in servers]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("service", "method", "source"),
    [
        (WEB, "{} -m", FAR[0]),
        (WEB, "{}:8080 -m", FAR[0]),
        (WEB, "{} -g", NEAR),
        (WEB, "{} -i", NEAR),
        (f"-t [{VIP6}]:80", "{v6}:80 -m", FAR6[0]),
        (f"-t [{VIP6}]:80", "{v6}:8080 -m", FAR6[0]),
        (f"-t [{VIP6}]:80", "{v6}:80 -g", NEAR6),
        (f"-t [{VIP6}]:80", "{v6}:80 -i", NEAR6),
        (f"-t [{VIP6}]:80", "{} -i", NEAR6),
    ],
)
def test_every_forwarding_method_reaches_every_server(network: Network, service: str, method: str, source: str) -> None:
    configure(network, balance(service, method, options="-s rr"))
    assert network.requests(12, source) == {"s1": 4, "s2": 4, "s3": 4}


@pytest.mark.parametrize(
    ("scheduler", "weights", "expected"),
    [
        ("rr", EQUAL, (4, 4, 4)),
        ("rr", UNEQUAL, (4, 4, 4)),
        ("wrr", UNEQUAL, (6, 4, 2)),
        ("wrr", (1, 0, 1), (6, 0, 6)),
        ("fo", (1, 3, 2), (0, 12, 0)),
        ("lc", EQUAL, (4, 4, 4)),
        ("wlc", UNEQUAL, (6, 4, 2)),
        ("sed", UNEQUAL, (6, 4, 2)),
        ("nq", UNEQUAL, (6, 4, 2)),
        ("ovf", (3, 5, 9), (0, 2, 10)),
    ],
)
def test_connections_spread_by_scheduler_and_weight(
    network: Network, port: int, scheduler: str, weights: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    configure(network, balance(f"-t {VIP}:{port}", "{}:80 -m", weights, f"-s {scheduler}"))
    with network.held(12, port=port) as connections:  # open ones, which is what most schedulers count
        found = Counter(connection.server for connection in connections)
    assert tuple(found[name] for name in SERVERS) == expected


@pytest.mark.parametrize("scheduler", ["sh", "mh"])
def test_schedulers_by_source_keep_a_client_on_a_server(network: Network, scheduler: str) -> None:
    configure(network, balance(WEB, "{} -m", options=f"-s {scheduler}"))
    first = {source: network.request(source) for source in FAR}
    assert {source: network.request(source) for source in FAR} == first
    assert len(set(first.values())) > 1


@pytest.mark.parametrize("scheduler", ["sh", "mh"])
def test_schedulers_by_source_and_port_do_not(network: Network, scheduler: str) -> None:
    configure(network, balance(WEB, "{} -m", options=f"-s {scheduler} -b {scheduler}-port"))
    assert len(network.requests(30)) > 1


@pytest.mark.parametrize("scheduler", ["dh", "lblc", "lblcr"])
def test_schedulers_by_destination_send_one_destination_to_one_server(network: Network, scheduler: str) -> None:
    configure(network, balance(WEB, "{} -m", options=f"-s {scheduler}"))
    assert len(Counter(network.request(source) for source in FAR)) == 1


def test_a_drained_server_keeps_its_connections_and_gets_no_more(network: Network) -> None:
    configure(network, balance(WEB, "{} -m", options="-s rr"))
    with network.held(3) as connections:
        assert network.director.ours(*f"-e {WEB} -r {SERVERS['s1'][0]} -m -w 0".split()) == (0, "", "")
        assert network.requests(12) == {"s2": 6, "s3": 6}
        assert [connection.ask() for connection in connections] == [connection.server for connection in connections]
        assert {connection.server for connection in connections} == set(SERVERS)
    assert network.director.ours(*f"-e {WEB} -r {SERVERS['s1'][0]} -m -w 1".split()) == (0, "", "")
    assert network.requests(12) == {"s1": 4, "s2": 4, "s3": 4}


def test_a_server_at_its_upper_threshold_gets_no_more(network: Network, port: int) -> None:
    configure(network, balance(f"-t {VIP}:{port}", "{}:80 -m", options="-s rr", more="-x 2 -y 1"))
    with network.held(6, port=port) as connections:
        assert Counter(connection.server for connection in connections) == {"s1": 2, "s2": 2, "s3": 2}
        with pytest.raises(ConnectionRefusedError):
            network.request(port=port)


@pytest.mark.parametrize(
    ("options", "sources", "servers"),
    [
        ("-p 60", FAR[:1] * 9, 1),
        ("-p 60", FAR[:9], 3),
        ("-p 60 -M 255.255.255.0", FAR[:9], 1),
    ],
)
def test_persistence_keeps_clients_on_servers(
    network: Network, port: int, options: str, sources: list[str], servers: int
) -> None:
    configure(network, balance(f"-t {VIP}:{port}", "{}:80 -m", options=f"-s rr {options}"))
    first = [network.request(source, port) for source in sources]
    assert len(set(first)) == servers
    assert [network.request(source, port) for source in sources] == first


def test_persistence_masks_ipv6_clients_by_prefix_length(network: Network, port: int) -> None:
    configure(network, balance(f"-t [{VIP6}]:{port}", "{v6}:80 -m", options="-s rr -p 60 -M 64"))
    assert len({network.request(source, port) for source in FAR6}) == 1


def test_one_packet_scheduling_sends_every_datagram_on(network: Network) -> None:
    service = f"-u {VIP}:53"
    configure(network, balance(service, "{} -g", options="-s rr -o"))
    assert network.datagrams([b"?"] * 12, NEAR) == {"s1": 4, "s2": 4, "s3": 4}
    assert network.director.ours(*f"-E {service} -s rr".split()) == (0, "", "")
    assert len(network.datagrams([b"?"] * 12, NEAR)) == 1


def test_a_mark_makes_one_service_of_two_ports(own_network: Network) -> None:
    network = own_network
    rule = f"-t mangle {{}} PREROUTING -d {VIP} -p tcp --dport 80:8080 -j MARK --set-mark 7"
    configure(network, balance("-f 7", "{} -m", options="-s rr -p 60"))
    assert network.director.run(["iptables", *rule.format("-A").split()]).status == 0
    try:
        first = {source: network.request(source) for source in FAR[:3]}
        assert set(first.values()) == set(SERVERS)
        assert {source: network.request(source, 8080) for source in FAR[:3]} == first
        assert "192.0.2.1" not in agreed(network, "-L -n -f 7")
        assert "FWM" not in agreed(network, "-L -n -c", EXPIRY)  # a template shows the mark as an address
    finally:
        network.director.run(["iptables", *rule.format("-D").split()])


MIXED = (
    balance(f"-t {VIP}:8080", "{} -m", options="-s rr -p 300", more="-x 90 -y 9")
    + balance(f"-t [{VIP6}]:80", "{v6}:80 -m", options="-s rr -p 120")
    + balance(f"-u {VIP}:53", "{} -m", options="-s rr")
    + balance(f"-u {VIP}:5060", "{} -m", options="-s rr -p 300 --pe sip")
    + balance("-f 7", "{} -g")
)
SIP = """\
INVITE sip:bob@192.0.2.1 SIP/2.0\r
Via: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bK{0}\r
From: <sip:alice@198.51.100.1>;tag=1\r
To: <sip:bob@192.0.2.1>\r
Call-ID: call-{0}@198.51.100.1\r
CSeq: 1 INVITE\r
Content-Length: 0\r
\r
"""
LISTINGS = """\
-L -n
-L -n --stats
-L -n --stats --exact
-L -n --rate
-L -n --rate --exact
-L -n --thresholds
-L -n --persistent-conn
-L -n --nosort
-L -n --stats -t [2001:db8::1]:80
-L -n --stats --exact -u 192.0.2.1:5060
-L -n --persistent-conn -t 192.0.2.1:8080
-S -n
""".splitlines()
CONNECTIONS = """\
-L -n -c
-L -c -n --persistent-conn
""".splitlines()
EXPIRY = r"\b\d\d:\d\d\b"  # as -L -c shows it, first on the line but for the protocol


def agreed(network: Network, look: str, moving: str = "") -> str:
    """Return a listing by our command, having seen that it is the peer's.

    What moves meanwhile is left out by asking the peer before and after until both times it said the same; what ticks
    all the time, the pattern ``moving``, has to be between what the peer says before and after.
    """
    words = look.split()
    for _ in range(20):
        before, ours, after = (
            run(*words) for run in (network.director.peer, network.director.ours, network.director.peer)
        )
        fixed = [re.sub(moving, "*", result.stdout) if moving else result.stdout for result in (before, ours, after)]
        if fixed[0] == fixed[2]:
            assert fixed[1] == fixed[0]
            assert (ours.status, ours.stderr) == (before.status, before.stderr) == (0, "")
            ticks = [re.findall(moving, result.stdout) if moving else [] for result in (before, ours, after)]
            assert all(early >= tick >= late for early, tick, late in zip(*ticks, strict=True))
            return ours.stdout
    pytest.fail(f"{look}: the peer never said the same twice")


def counted(network: Network, service: str, count: int) -> list[int]:
    """Return what the peer counts of a service, from when it has all connections: the kernel adds up every 2 s."""
    words = ["-L", "-n", "--stats", "--exact", *service.split()]
    shown = until(
        lambda: network.director.peer(*words).stdout.splitlines()[2], lambda line: line.split()[2] == str(count)
    )
    return [int(word) for word in shown.split()[2:]]


def test_listings_of_live_state_are_the_peers(own_network: Network, port: int) -> None:
    network = own_network
    web = f"-t {VIP}:{port}"
    configure(network, balance(web, "{}:80 -m", UNEQUAL, "-s wrr") + MIXED)
    assert network.requests(12, port=port) == {"s1": 6, "s2": 4, "s3": 2}
    assert sum(network.datagrams([SIP.format(call).encode() for call in range(4)], port=5060).values()) == 4
    assert network.datagrams([b"?"] * 3).total() == 3
    with network.held(5, port=8080), network.held(4, FAR6[0]), network.held(2, port=port):
        counted(network, web, 14)
        with network.still():
            for look in (*LISTINGS, f"-L -n {web}"):
                text = agreed(network, look)
                assert len(text.splitlines()) > 3, look
            document = json.loads(network.director.ours("-L", "-n", "--format", "json").stdout)
            shown = network.director.peer("-L", "-n", "--stats", "--exact").stdout.splitlines()[3:]
        for look in CONNECTIONS:
            text = agreed(network, look, EXPIRY)
            assert "ESTABLISHED" in text
            assert f"[{FAR6[0]}]" in text
            assert ("call-0@198.51.100.1" in text) == ("--persistent-conn" in look)
        assert re.search(r"10\.0\.0\.1:80 +Masq +3 +[012] +6 *\n", agreed(network, f"-L -n {web}"))
    counters = [holder["stats"] for service in document["services"] for holder in (service, *service["servers"])]
    names = ("conns", "inpkts", "outpkts", "inbytes", "outbytes")
    assert [[stats[name] for name in names] for stats in counters] == [
        [int(word) for word in line.split()[2:]] for line in shown
    ]
    assert max(stats["inbytes"] for stats in counters) > 0
    assert max(stats["inbps"] for stats in counters) > 0


def test_restores_do_not_disturb_a_service_that_stays(network: Network, port: int) -> None:
    changing = [balance(f"-u {VIP}:53", "{} -m", weights, "-s wrr") for weights in (EQUAL, UNEQUAL)]
    web = f"-t {VIP}:{port}"
    stays = balance(web, "{}:80 -m", options="-s rr")
    configure(network, stays + changing[1])
    with network.held(6, port=port) as connections:
        stopped, stop = os.pipe()
        answers, results = os.pipe()
        child = os.fork()
        if not child:
            os.close(stop)
            _ask_until_told(network, port, stopped, results)
        os.close(results)
        with os.fdopen(answers) as lines:
            done = [lines.readline()]
            for turn in range(4):
                dump = stays + changing[turn % 2]
                assert network.director.ours(stdin=dump, tool="ipvsadm-restore") == (0, "", "")
                done.append(lines.readline())
            os.close(stop)
            done += lines.readlines()
        assert os.waitpid(child, 0)[1] == 0
        os.close(stopped)
        found = Counter(line.strip() for line in done)
        assert set(found) == set(SERVERS)
        assert max(found.values()) - min(found.values()) <= 1  # its turns went on, too
        total = 6 + len(done)
        assert counted(network, web, total)[0] == total
        assert [connection.ask() for connection in connections] == [server for _, server in connections]
        rows = [line.split() for line in agreed(network, f"-L -n {web}").splitlines() if "Masq" in line]
    assert [int(row[-2]) for row in rows] == [2, 2, 2]
    assert sum(int(row[-1]) for row in rows) == len(done)


def _ask_until_told(network: Network, port: int, stopped: int, results: int) -> None:
    """In a child: make short connections until nobody holds the other end of ``stopped``; a line for each."""
    signal.alarm(300)
    status = 1
    try:
        os.set_blocking(stopped, False)
        while True:
            os.write(results, f"{network.request(FAR[1], port)}\n".encode())
            try:
                os.read(stopped, 1)
                break
            except BlockingIOError:
                continue
        status = 0
    finally:
        os._exit(status)
