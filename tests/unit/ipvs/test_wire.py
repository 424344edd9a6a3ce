"""The wire format against what ipvsadm 1.31 and the kernel said to each other, and against pyroute2's attributes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.generic.ipvs import ipvsmsg

from pyipvsadm.abi import ip_vs as abi
from pyipvsadm.errors import WireError
from pyipvsadm.ipvs import wire
from pyipvsadm.ipvs.model import (
    RealServer,
    ServerKey,
    ServerState,
    ServiceKey,
    Stats,
    SyncDaemon,
    Timeouts,
    VirtualService,
)
from pyipvsadm.netlink.attrs import iterate
from pyipvsadm.netlink.genl import nested

WEB = ServiceKey(4, "tcp", "192.0.2.1", 80)
DNS = ServiceKey(6, "udp", "2001:db8::1", 53)
SIP = ServiceKey(4, "udp", "192.0.2.1", 5060)
MARK = ServiceKey(6, fwmark=7)

WEB_SERVICE = VirtualService(WEB, "wrr", abi.IP_VS_SVC_F_PERSISTENT, 300, 0xFFFFFF00)
DNS_SERVICE = VirtualService(DNS, "rr", abi.IP_VS_SVC_F_ONEPACKET)
SIP_SERVICE = VirtualService(SIP, "rr", abi.IP_VS_SVC_F_PERSISTENT, 60, pe_name="sip")
MARK_SERVICE = VirtualService(MARK, "sh", abi.IP_VS_SVC_F_SCHED1 | abi.IP_VS_SVC_F_SCHED2)
WEB_SERVER = RealServer(ServerKey(4, "10.0.0.1", 8080), "masq", 5, 100, 10)
DNS_SERVER = RealServer(
    ServerKey(4, "10.0.0.2", 53),
    "ipip",
    tun_type="gue",
    tun_port=6080,
    tun_flags=abi.IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM,
)


def _captured() -> dict[tuple[str, str, int], bytes]:
    """Return the golden messages by (arguments, direction, genetlink command), without their generic headers."""
    messages = {}
    arguments = ""
    path = Path(__file__).parents[2] / "golden/ipvs/wire.hex"
    for line in path.read_text().splitlines():
        if line.startswith("# ipvsadm "):
            arguments = line.removeprefix("# ipvsadm ")
        elif line.startswith(("sent ", "got ")):
            direction, digits = line.split()
            data = bytes.fromhex(digits)
            messages[arguments, direction, data[0]] = data[4:]
    return messages


CAPTURED = _captured()


@pytest.mark.parametrize(
    ("arguments", "service"),
    [
        ("-Ln -t 192.0.2.1:80", WEB_SERVICE),
        ("-Ln -u [2001:db8::1]:53", DNS_SERVICE),
        ("-Ln -u 192.0.2.1:5060", SIP_SERVICE),
        ("-Ln -f 7 -6", MARK_SERVICE),
    ],
)
def test_services_are_read_as_the_kernel_sends_them(arguments: str, service: VirtualService) -> None:
    data = CAPTURED[arguments, "got", abi.IPVS_CMD_NEW_SERVICE]
    assert wire.decode_service(data, 0, len(data)) == (service, Stats())
    padded = b"\xff" * 20 + data
    assert wire.decode_service(padded, 20, len(padded)) == (service, Stats()), "a layout learned before"


@pytest.mark.parametrize(
    ("arguments", "server"), [("-Ln -t 192.0.2.1:80", WEB_SERVER), ("-Ln -u [2001:db8::1]:53", DNS_SERVER)]
)
def test_servers_are_read_as_the_kernel_sends_them(arguments: str, server: RealServer) -> None:
    data = CAPTURED[arguments, "got", abi.IPVS_CMD_NEW_DEST]
    assert wire.decode_server(data, 0, len(data), 4) == ServerState(server)


def test_timeouts_are_read_as_the_kernel_sends_them() -> None:
    data = CAPTURED["-L --timeout", "got", abi.IPVS_CMD_SET_CONFIG]
    assert wire.decode_timeouts(data, 0, len(data)) == Timeouts(900, 120, 300)


def test_timeouts_are_sent_as_ipvsadm_sends_them() -> None:
    assert wire.encode_timeouts(Timeouts(1, 2, 3)) == CAPTURED["--set 1 2 3", "sent", abi.IPVS_CMD_SET_CONFIG]


def _attributes(data: bytes) -> dict[int, bytes]:
    """Return the attributes of the one nested attribute that ``data`` is; texts without their padding."""
    texts = (abi.IPVS_SVC_ATTR_SCHED_NAME,)
    [(_, start, end)] = iterate(data, 0, len(data), "test")
    return {
        number: data[at:to].rstrip(b"\0") if number in texts else data[at:to]
        for number, at, to in iterate(data, start, end, "test")
    }


@pytest.mark.parametrize(
    ("arguments", "command", "service"),
    [
        ("-A -t 192.0.2.9:80", abi.IPVS_CMD_NEW_SERVICE, VirtualService(ServiceKey(4, "tcp", "192.0.2.9", 80))),
        (
            "-E -t 192.0.2.1:80 -p 9",
            abi.IPVS_CMD_SET_SERVICE,
            VirtualService(WEB, flags=abi.IP_VS_SVC_F_PERSISTENT, timeout=9),
        ),
    ],
)
def test_services_are_sent_as_ipvsadm_sends_them(arguments: str, command: int, service: VirtualService) -> None:
    assert _attributes(wire.encode_service(service)) == _attributes(CAPTURED[arguments, "sent", command])


def _pyroute2(data: bytes, command: int) -> dict[str, Any]:
    """Decode attributes as pyroute2 does; return them by name, nested ones as dicts."""
    head = (20 + len(data)).to_bytes(4, "little") + bytes(12) + bytes((command, 1, 0, 0))
    message = ipvsmsg(head + data)
    message.decode()
    attributes: dict[str, Any] = _plain(message)
    return attributes


def _plain(value: Any) -> Any:
    if isinstance(value, dict) and "attrs" in value:
        return {name: _plain(inner) for name, inner in value["attrs"]}
    return value


def test_pyroute2_reads_a_service_of_ours() -> None:
    got = _pyroute2(wire.encode_service(WEB_SERVICE), abi.IPVS_CMD_NEW_SERVICE)["IPVS_CMD_ATTR_SERVICE"]
    flags = got.pop("IPVS_SVC_ATTR_FLAGS")
    assert (flags["flags"], flags["mask"]) == (abi.IP_VS_SVC_F_PERSISTENT, 0xFFFFFFFF)
    assert got == {
        "IPVS_SVC_ATTR_AF": 2,
        "IPVS_SVC_ATTR_PROTOCOL": 6,
        "IPVS_SVC_ATTR_ADDR": "192.0.2.1",
        "IPVS_SVC_ATTR_PORT": 80,
        "IPVS_SVC_ATTR_SCHED_NAME": "wrr",
        "IPVS_SVC_ATTR_TIMEOUT": 300,
        "IPVS_SVC_ATTR_NETMASK": "255.255.255.0",
    }


def test_pyroute2_reads_a_server_of_ours() -> None:
    got = _pyroute2(wire.encode_key(DNS) + wire.encode_server(DNS_SERVER), abi.IPVS_CMD_NEW_DEST)
    server = got["IPVS_CMD_ATTR_DEST"]
    # pyroute2 takes the tunnel port for host order, which the kernel does not (see the captured message above)
    assert server.pop("IPVS_DEST_ATTR_TUN_PORT") == int.from_bytes((6080).to_bytes(2, "big"), "little")
    assert server == {
        "IPVS_DEST_ATTR_ADDR_FAMILY": 2,
        "IPVS_DEST_ATTR_ADDR": "10.0.0.2",
        "IPVS_DEST_ATTR_PORT": 53,
        "IPVS_DEST_ATTR_FWD_METHOD": abi.IP_VS_CONN_F_TUNNEL,
        "IPVS_DEST_ATTR_WEIGHT": 1,
        "IPVS_DEST_ATTR_U_THRESH": 0,
        "IPVS_DEST_ATTR_L_THRESH": 0,
        "IPVS_DEST_ATTR_TUN_TYPE": abi.IP_VS_CONN_F_TUNNEL_TYPE_GUE,
        "IPVS_DEST_ATTR_TUN_FLAGS": abi.IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM,
    }


@given(
    daemon=st.builds(
        SyncDaemon,
        st.sampled_from(["master", "backup"]),
        st.text("abcdefgh0123.-", min_size=1, max_size=15),
        st.integers(0, 255),
        st.integers(0, 65535),
        st.sampled_from(["", "224.0.0.81", "ff02::81"]),
        st.integers(0, 65535),
        st.integers(0, 255),
    )
)
def test_daemons_survive_the_way_there_and_back(daemon: SyncDaemon) -> None:
    data = wire.encode_daemon(daemon)
    assert wire.decode_daemon(data, 0, len(data)) == daemon


def test_counters_are_read_with_all_their_bits() -> None:
    service = CAPTURED["-Ln -t 192.0.2.1:80", "got", abi.IPVS_CMD_NEW_SERVICE]
    stats = Stats(*[(1 << 40) + n for n in range(10)])
    at = service.index(wire.STATS64.encode(Stats()))
    counted = service[:at] + wire.STATS64.encode(stats) + service[at + len(wire.STATS64.encode(stats)) :]
    assert wire.decode_service(counted, 0, len(counted))[1] == stats
    assert wire.decode_service(counted, 0, len(counted), counters=False)[1] == Stats()


def test_a_kernel_without_64_bit_counters_is_read_too() -> None:
    stats = Stats(*range(1, 11))
    attributes = wire.SERVICE_KEY.encode(WEB) + wire.SERVICE_SETTINGS.encode(WEB_SERVICE)
    attributes += bytes.fromhex("08000900ffffff00") + nested(abi.IPVS_SVC_ATTR_STATS, wire.STATS.encode(stats))
    data = nested(abi.IPVS_CMD_ATTR_SERVICE, attributes)
    assert wire.decode_service(data, 0, len(data)) == (WEB_SERVICE, stats)


@pytest.mark.parametrize("command", [abi.IPVS_CMD_NEW_DEST, abi.IPVS_CMD_NEW_SERVICE])
@given(data=st.data())
def test_damaged_messages_are_errors_and_nothing_else(data: st.DataObject, command: int) -> None:
    damaged = bytearray(CAPTURED["-Ln -t 192.0.2.1:80", "got", command])
    for at in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=3)):
        damaged[at] = data.draw(st.integers(0, 255))
    end = data.draw(st.sampled_from([len(damaged), data.draw(st.integers(0, len(damaged)))]))
    try:
        if command == abi.IPVS_CMD_NEW_DEST:
            assert isinstance(wire.decode_server(bytes(damaged), 0, end, 4), ServerState)
        else:
            assert isinstance(wire.decode_service(bytes(damaged), 0, end)[0], VirtualService)
    except WireError:
        pass


def test_a_message_without_what_it_must_have_is_an_error() -> None:
    key = wire.encode_key(WEB)
    with pytest.raises(WireError, match="scheduler"):
        wire.decode_service(key, 0, len(key))


@pytest.mark.parametrize("name", ["a" * 16, "a\0b"])
def test_a_name_that_does_not_fit_is_an_error(name: str) -> None:
    with pytest.raises(WireError):
        wire.encode_service(WEB_SERVICE.replace(scheduler=name))


def test_a_number_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(WireError):
        wire.encode_server(WEB_SERVER.replace(weight=1 << 31))
