"""What is chosen by address, port, protocol and whether anything came to it; names of servers and services."""

from __future__ import annotations

import pytest

from pyipvsadm import iptables, ipvs
from pyipvsadm.errors import UsageError
from pyipvsadm.filters import (
    Filter,
    ServiceName,
    choose_rules,
    choose_services,
    endpoint,
    endpoint_text,
    network,
    service_name,
    service_text,
)

DUMP = """-A -t 192.0.2.1:80 -s rr
-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m
-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m
-A -u 192.0.2.1:53 -s rr
-a -u 192.0.2.1:53 -r 10.0.0.1:53 -m
-A -t [2001:db8::1]:80 -s rr
-a -t [2001:db8::1]:80 -r [2001:db8:2::1]:80 -m
-A -f 7 -s rr
-a -f 7 -r 10.0.0.3:0 -g
"""


def tables() -> list[ipvs.ServiceState]:
    with ipvs.sandbox() as table:
        table.apply(*ipvs.parse(DUMP.splitlines()))
        return table.services()


def chosen(wanted: Filter, services: list[ipvs.ServiceState] | None = None) -> dict[str, list[str]]:
    return {
        service_text(service.config.key): sorted([server.config.key.address for server in service.servers])
        for service in choose_services(tables() if services is None else services, wanted)
    }


WEB = "tcp:192.0.2.1:80"
ALL = {
    WEB: ["10.0.0.1", "10.0.0.2"],
    "udp:192.0.2.1:53": ["10.0.0.1"],
    "tcp:[2001:db8::1]:80": ["2001:db8:2::1"],
    "fwmark:7": ["10.0.0.3"],
}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), ALL),
        (Filter(networks=(network("192.0.2.1"),)), {name: ALL[name] for name in (WEB, "udp:192.0.2.1:53")}),
        (Filter(networks=(network("10.0.0.2"),)), {WEB: ["10.0.0.2"]}),
        (Filter(networks=(network("10.0.0.2/31"),)), {WEB: ["10.0.0.2"], "fwmark:7": ["10.0.0.3"]}),
        (Filter(networks=(network("2001:db8::/32"),)), {"tcp:[2001:db8::1]:80": ["2001:db8:2::1"]}),
        (Filter(networks=(network("10.0.0.2"), network("10.0.0.3"))), {WEB: ["10.0.0.2"], "fwmark:7": ["10.0.0.3"]}),
        (Filter(ports=(8080,)), {WEB: ["10.0.0.1"]}),
        (Filter(ports=(53, 8080)), {WEB: ["10.0.0.1"], "udp:192.0.2.1:53": ["10.0.0.1"]}),
        (Filter(protocols=("udp",)), {"udp:192.0.2.1:53": ["10.0.0.1"]}),
        (Filter(networks=(network("10.0.0.1"),), ports=(53,)), {"udp:192.0.2.1:53": ["10.0.0.1"]}),
        (Filter(hit=True), {}),
        (Filter(hit=False), ALL),
    ],
)
def test_services(wanted: Filter, found: dict[str, list[str]]) -> None:
    assert chosen(wanted) == found


def test_what_something_came_to() -> None:
    services = tables()
    place = next(place for place, service in enumerate(services) if service_text(service.config.key) == WEB)
    one = ipvs.Stats(conns=1)
    servers = [
        server.replace(stats=one) if server.config.key.address == "10.0.0.2" else server
        for server in services[place].servers
    ]
    services[place] = services[place].replace(stats=one, servers=tuple(servers))
    assert chosen(Filter(hit=True), services) == {WEB: ["10.0.0.2"]}
    assert chosen(Filter(hit=False), services) == {**ALL, WEB: ["10.0.0.1"]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10.0.0.1", ("10.0.0.1", None)),
        ("10.0.0.1:80", ("10.0.0.1", 80)),
        ("2001:DB8:0::1", ("2001:db8::1", None)),
        ("[2001:db8::1]", ("2001:db8::1", None)),
        ("[2001:db8::1]:53", ("2001:db8::1", 53)),
    ],
)
def test_endpoints(text: str, found: tuple[str, int | None]) -> None:
    assert endpoint(text) == found
    assert endpoint(endpoint_text(*found)) == found


@pytest.mark.parametrize(
    "text", ["", "x", "10.0.0", "10.0.0.1:", "10.0.0.1:65536", "10.0.0.1:-1", "[::1", "[::1]5", "[x]:1", "1:\u0661"]
)
def test_what_is_no_endpoint(text: str) -> None:
    with pytest.raises(UsageError):
        endpoint(text)


@pytest.mark.parametrize(
    ("text", "name", "fitting"),
    [
        ("192.0.2.1:80", ServiceName("192.0.2.1", 80), [WEB]),
        ("tcp:192.0.2.1:80", ServiceName("192.0.2.1", 80, "tcp"), [WEB]),
        ("UDP:192.0.2.1:53", ServiceName("192.0.2.1", 53, "udp"), ["udp:192.0.2.1:53"]),
        ("udp:192.0.2.1:80", ServiceName("192.0.2.1", 80, "udp"), []),
        ("tcp:[2001:db8::1]:80", ServiceName("2001:db8::1", 80, "tcp"), ["tcp:[2001:db8::1]:80"]),
        ("fwmark:7", ServiceName(fwmark=7), ["fwmark:7"]),
    ],
)
def test_names_of_services(text: str, name: ServiceName, fitting: list[str]) -> None:
    assert service_name(text) == name
    assert [service_text(state.config.key) for state in tables() if name.fits(state.config.key)] == fitting


@pytest.mark.parametrize(
    "text",
    ["", "192.0.2.1", "tcp:192.0.2.1", "fwmark:", "fwmark:0", "fwmark:x", "fwmark:4294967296", "ftp:192.0.2.1:21"],
)
def test_what_is_no_name_of_a_service(text: str) -> None:
    with pytest.raises(UsageError):
        service_name(text)


@pytest.mark.parametrize("text", ["", "x", "10.0.0.1/33", "10.0.0"])
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(UsageError):
        network(text)


# -- rules -------------------------------------------------------------------------------------------------------------

RULES = """*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.1.2.3:80
-A PREROUTING -d 192.0.2.2/32 -p tcp -j DNAT --to-destination 10.1.3.1-10.1.3.9:100-110
-A POSTROUTING -s 10.5.0.0/16 -j NETMAP --to 10.6.0.0/16
-A PREROUTING -p tcp -m tcp --dport 25 -j REDIRECT --to-ports 2525
COMMIT
*filter
:INPUT DROP [5:500]
:FORWARD ACCEPT [0:0]
:WEB - [0:0]
:EMPTY - [0:0]
[9:900] -A INPUT -s 10.0.0.0/8 -p tcp -m multiport --dports 80,443,1000:1010 -j WEB
-A INPUT -p udp -m udp ! --dport 53 -j DROP
-A INPUT -m iprange --src-range 10.9.0.1-10.9.0.9 -j WEB
-A WEB ! -s 10.1.0.0/16 -j REJECT --reject-with icmp-port-unreachable
-A WEB
COMMIT
"""


def ruled(wanted: Filter) -> set[str]:
    """Return the rules that are wanted, as "CHAIN NUMBER"."""
    chains = choose_rules(iptables.parse(RULES), wanted)
    return {f"{chain.name} {number}" for chain in chains for number, _ in chain.rules}


def about(*networks: str) -> Filter:
    return Filter(networks=tuple([network(text) for text in networks]))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (about("192.0.2.1"), {"PREROUTING 1", "WEB 1"}),
        (about("10.1.2.3"), {"PREROUTING 1", "INPUT 1"}),
        (about("10.1.3.5"), {"PREROUTING 2", "INPUT 1"}),
        (about("10.1.3.10"), {"INPUT 1"}),
        (about("10.5.1.1"), {"POSTROUTING 1", "INPUT 1", "WEB 1"}),
        (about("10.6.1.1"), {"POSTROUTING 1", "INPUT 1", "WEB 1"}),
        (about("10.9.0.9"), {"INPUT 1", "INPUT 3", "WEB 1"}),
        (about("10.0.0.0/15"), {"INPUT 1", "WEB 1", "PREROUTING 1", "PREROUTING 2"}),
        (about("2001:db8::1"), set()),
        (Filter(ports=(80,)), {"PREROUTING 1", "INPUT 1", "INPUT 2"}),
        (Filter(ports=(53,)), set()),
        (Filter(ports=(105,)), {"PREROUTING 2", "INPUT 2"}),
        (Filter(ports=(1005,)), {"INPUT 1", "INPUT 2"}),
        (Filter(ports=(2525,)), {"PREROUTING 3", "INPUT 2"}),
        (Filter(protocols=("udp",)), {"INPUT 2"}),
        (Filter(matches=("multiport", "iprange")), {"INPUT 1", "INPUT 3"}),
        (Filter(targets=("WEB",)), {"INPUT 1", "INPUT 3"}),
        (Filter(hit=True), {"INPUT 1"}),
        (Filter(hit=False, chains=("WEB",)), {"WEB 1", "WEB 2"}),
        (Filter(tables=("nat",), protocols=("tcp",)), {"PREROUTING 1", "PREROUTING 2", "PREROUTING 3"}),
    ],
)
def test_rules(wanted: Filter, found: set[str]) -> None:
    assert ruled(wanted) == found


def test_chains_without_rules_are_shown_where_no_rule_is_asked_for() -> None:
    def names(wanted: Filter) -> list[str]:
        return [chain.name for chain in choose_rules(iptables.parse(RULES), wanted) if chain.table == "filter"]

    assert {"FORWARD", "EMPTY", "WEB"} <= {*names(Filter())}
    assert names(Filter(chains=("EMPTY",))) == ["EMPTY"]
    assert names(Filter(hit=True)) == ["INPUT"]


def test_references_count_all_rules() -> None:
    [chain] = choose_rules(iptables.parse(RULES), Filter(chains=("WEB",), hit=False))
    assert (chain.references, chain.policy) == (2, None)
    [chain] = choose_rules(iptables.parse(RULES), Filter(tables=("filter",), chains=("INPUT",), hit=True))
    assert (chain.references, chain.policy, chain.counters) == (0, "DROP", iptables.Counters(5, 500))
