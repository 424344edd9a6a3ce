"""Tables large enough to be read through the kernel's older interface: nothing but counters may differ."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from pyipvsadm.ipvs.backend.kernel import KernelBackend
from pyipvsadm.ipvs.command import AddServer, AddService, Change
from pyipvsadm.ipvs.model import RealServer, ServerKey, ServiceKey, VirtualService

if TYPE_CHECKING:
    from support.netns import Namespace


def service_key(draw: random.Random, number: int) -> ServiceKey:
    return draw.choice(
        (
            ServiceKey(4, "tcp", f"10.0.0.{number}", 80 + number),
            ServiceKey(4, "udp", f"10.0.0.{number}", 80 + number),
            ServiceKey(6, "sctp", f"2001:db8::{number + 1:x}", 5),
            ServiceKey(4, fwmark=number + 1),
            ServiceKey(6, fwmark=number + 1),
        )
    )


def server(draw: random.Random, service: ServiceKey, number: int) -> RealServer:
    family = draw.choice((service.family, service.family, service.family, 4, 6))
    address = f"192.168.1.{number}" if family == 4 else f"2001:db8:1::{number}"
    key = ServerKey(family, address, 8000 + number)
    forward = draw.choice(("masq", "masq", "gateway", "ipip")) if family == service.family else "ipip"
    tunnel = {"tun_type": "gue", "tun_port": 6080, "tun_flags": 1} if forward == "ipip" and number % 2 else {}
    return RealServer(key, u_threshold=50, l_threshold=10).replace(
        forward=forward, weight=draw.randint(0, 1000), **tunnel
    )


@pytest.mark.parametrize("seed", range(3))
def test_both_interfaces_tell_the_same(netns: Namespace, seed: int) -> None:
    draw = random.Random(seed)
    changes: list[Change] = []
    for number in range(1, 151):
        key = service_key(draw, number)
        changes.append(AddService(VirtualService(key, draw.choice(("rr", "wlc", "sh")))))
        changes += [AddServer(key, server(draw, key, n)) for n in range(1, draw.randint(1, 6))]
    with KernelBackend(f"/run/netns/{netns.name}") as backend:
        assert backend.submit(changes) == []
        over_netlink = backend.services()
        assert len(over_netlink) == 150
        assert backend.services(counters=False) == over_netlink
        forwards = {real.config.forward for service in over_netlink for real in service.servers}
        assert forwards == {"masq", "gateway", "ipip"}


def test_a_large_listing_equals_the_peers(netns: Namespace) -> None:
    dump = []
    for number in range(120):
        name = f"10.1.{number}.1:80"
        dump.append(f"-A -t {name} -s wlc\n")
        dump += [f"-a -t {name} -r 10.2.{number}.{n}:80 -m -w {n}\n" for n in range(1, 4)]
    assert netns.ours("-R", stdin="".join(dump)).status == 0
    for words in (("-Ln",), ("-Sn",), ("-Ln", "--thresholds"), ("-Ln", "--persistent-conn"), ("-Ln", "--nosort")):
        assert netns.ours(*words) == netns.peer(*words), words
