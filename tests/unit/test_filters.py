"""What is chosen by address, port, protocol and whether anything came to it; names of servers and services."""

from __future__ import annotations

import pytest

from pyipvsadm import ipvs
from pyipvsadm.errors import UsageError
from pyipvsadm.filters import (
    Filter,
    ServiceName,
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
