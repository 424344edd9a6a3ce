"""JSON documents: complete, in the form that the module describes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pyipvsadm.abi import ip_vs
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
from pyipvsadm.ui import json as documents

if TYPE_CHECKING:
    from pyipvsadm.ipvs.model import Family, Protocol

INFO = Info(version=0x010201, conn_tab_size=4096)


class NoNames:
    """Fails where a name is asked for: documents have none."""

    numeric = False

    def host(self, address: str, family: Family) -> str:
        pytest.fail(f"asked for the name of {address} ({family})")

    def service(self, port: int, protocol: Protocol | None) -> str:
        pytest.fail(f"asked for the name of {port}/{protocol}")


def parsed(text: str) -> dict[str, Any]:
    assert text.endswith("}\n")
    document: dict[str, Any] = json.loads(text)
    assert document.pop("version") == 1
    assert document.pop("kind") == "ipvs"
    return document


def test_a_service_has_every_field() -> None:
    huge = Stats(*range(2**64 - 10, 2**64))
    real = RealServer(
        key=ServerKey(family=4, address="10.0.0.2", port=0),
        forward="ipip",
        weight=7,
        u_threshold=20,
        l_threshold=10,
        tun_type="gue",
        tun_port=6080,
        tun_flags=ip_vs.IP_VS_TUNNEL_ENCAP_FLAG_CSUM,
    )
    config = VirtualService(
        key=ServiceKey(family=4, protocol="udp", address="10.0.0.1", port=0),
        scheduler="sh",
        flags=ip_vs.IP_VS_SVC_F_PERSISTENT | ip_vs.IP_VS_SVC_F_SCHED_SH_PORT,
        timeout=300,
        netmask=0xFFFF0000,
        pe_name="sip",
    )
    state = ServiceState(
        config=config,
        servers=(ServerState(config=real, activeconns=1, inactconns=2, persistconns=3, stats=huge),),
        stats=huge,
    )
    counters = {
        "conns": 2**64 - 10,
        "inpkts": 2**64 - 9,
        "outpkts": 2**64 - 8,
        "inbytes": 2**64 - 7,
        "outbytes": 2**64 - 6,
        "cps": 2**64 - 5,
        "inpps": 2**64 - 4,
        "outpps": 2**64 - 3,
        "inbps": 2**64 - 2,
        "outbps": 2**64 - 1,
    }
    assert parsed(documents.listing([state], List(), INFO, NoNames())) == {
        "ipvs": {"version": "1.2.1", "conn_tab_size": 4096},
        "services": [
            {
                "family": 4,
                "protocol": "udp",
                "address": "10.0.0.1",
                "port": 0,
                "fwmark": 0,
                "scheduler": "sh",
                "flags": 17,
                "persistent": True,
                "one_packet": False,
                "timeout": 300,
                "netmask": "255.255.0.0",
                "pe_name": "sip",
                "servers": [
                    {
                        "family": 4,
                        "address": "10.0.0.2",
                        "port": 0,
                        "forward": "ipip",
                        "weight": 7,
                        "u_threshold": 20,
                        "l_threshold": 10,
                        "tun_type": "gue",
                        "tun_port": 6080,
                        "tun_flags": 1,
                        "activeconns": 1,
                        "inactconns": 2,
                        "persistconns": 3,
                        "stats": counters,
                    }
                ],
                "stats": counters,
            }
        ],
    }


@pytest.mark.parametrize(
    ("family", "netmask", "shown"),
    [(4, None, "255.255.255.255"), (6, None, 128), (6, 64, 64), (4, 0x00FF00FF, "0.255.0.255")],
)
def test_netmasks(family: Family, netmask: int | None, shown: object) -> None:
    state = ServiceState(config=VirtualService(key=ServiceKey(family=family, fwmark=4000000000), netmask=netmask))
    (entry,) = parsed(documents.listing([state], List(), INFO, NoNames()))["services"]
    assert (entry["fwmark"], entry["protocol"], entry["netmask"]) == (4000000000, None, shown)


@pytest.mark.parametrize(("nosort", "addresses"), [(False, ["10.0.0.1", "10.0.0.2"]), (True, ["10.0.0.2", "10.0.0.1"])])
def test_order(nosort: bool, addresses: list[str]) -> None:
    def servers() -> tuple[ServerState, ...]:
        return tuple(
            ServerState(config=RealServer(key=ServerKey(family=4, address=f"10.0.0.{n}", port=80))) for n in (2, 1)
        )

    states = [
        ServiceState(
            config=VirtualService(key=ServiceKey(family=4, protocol="tcp", address=f"10.0.0.{n}", port=80)),
            servers=servers(),
        )
        for n in (2, 1)
    ]
    shown = parsed(documents.listing(states, List(nosort=nosort), INFO, NoNames()))["services"]
    assert [entry["address"] for entry in shown] == addresses
    assert [entry["address"] for entry in shown[0]["servers"]] == addresses


@pytest.mark.parametrize("count", [0, 1, 3, 1000, 2001])
def test_connections(count: int) -> None:
    entry = Connection(
        "UDP", "10.0.0.1", 5060, "10.0.0.2", 5060, "2001:db8::1", 5061, "UDP", 59, "sip", 'a"\udcff\x1b\n\N{SNOWMAN}'
    )
    text = "".join(documents.connections([entry] * count, List(connection=True), NoNames()))
    assert text.isascii()
    assert parsed(text) == {
        "connections": [
            {
                "protocol": "UDP",
                "client": "10.0.0.1",
                "client_port": 5060,
                "virtual": "10.0.0.2",
                "virtual_port": 5060,
                "server": "2001:db8::1",
                "server_port": 5061,
                "state": "UDP",
                "expires": 59,
                "pe_name": "sip",
                "pe_data": 'a"\udcff\x1b\n\N{SNOWMAN}',
            }
        ]
        * count
    }


def test_timeouts() -> None:
    assert parsed(documents.timeouts(Timeouts(tcp=900, tcp_fin=120, udp=300))) == {
        "timeouts": {"tcp": 900, "tcp_fin": 120, "udp": 300}
    }


def test_daemons() -> None:
    assert parsed(documents.daemons([])) == {"daemons": []}
    assert parsed(documents.daemons([SyncDaemon("backup", "eth0", 7, 1400, "ff02::99", 9999, 3)])) == {
        "daemons": [
            {
                "state": "backup",
                "mcast_ifn": "eth0",
                "syncid": 7,
                "sync_maxlen": 1400,
                "mcast_group": "ff02::99",
                "mcast_port": 9999,
                "mcast_ttl": 3,
            }
        ]
    }


def test_what_a_listing_does_not_tell_is_null() -> None:
    web = ServiceState(VirtualService(ServiceKey(4, "tcp", "192.0.2.1", 80), "rr", 1), (server(),))
    names = ServiceState(VirtualService(ServiceKey(6, "udp", "2001:db8::1", 53), "rr"))
    mark = ServiceState(VirtualService(ServiceKey(4, fwmark=9), "rr", 1))
    document = parsed(documents.document([web, names, mark], INFO, partial=True))
    assert document["ipvs"] == {"version": "1.2.1", "conn_tab_size": 4096}
    first, second, third = document["services"]
    assert first == {
        "family": 4, "protocol": "tcp", "address": "192.0.2.1", "port": 80, "fwmark": 0, "scheduler": "rr",
        "flags": None, "persistent": True, "one_packet": None, "timeout": None, "netmask": "255.255.255.255",
        "pe_name": None, "stats": None,
        "servers": [
            {
                "family": 4, "address": "10.0.0.1", "port": 80, "forward": "masq", "weight": 3, "u_threshold": None,
                "l_threshold": None, "tun_type": None, "tun_port": None, "tun_flags": None, "activeconns": 7,
                "inactconns": 8, "persistconns": None, "stats": None,
            }
        ],
    }  # fmt: skip
    assert (second["family"], second["persistent"], second["netmask"]) == (6, False, None)
    assert (third["family"], third["fwmark"], third["persistent"], third["netmask"]) == (None, 9, True, None)


def server() -> ServerState:
    return ServerState(RealServer(ServerKey(4, "10.0.0.1", 80), "masq", 3), 7, 8)
