"""How modules and settings are called, and where they are looked for."""

from __future__ import annotations

import pytest

from pyipvsadm.doctor.check import Unknown
from pyipvsadm.doctor.machine import Machine, module_of, service_name, setting_name
from pyipvsadm.ipvs import ServiceKey


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("kernel/net/netfilter/ipvs/ip_vs.ko: kernel/net/netfilter/nf_conntrack.ko\n", "ip_vs"),
        ("kernel/net/netfilter/ipvs/ip_vs_wlc.ko.xz:\n", "ip_vs_wlc"),
        ("kernel/drivers/net/dummy.ko\n", "dummy"),
        ("kernel/crypto/sha1-ssse3.ko.zst:\n", "sha1_ssse3"),
    ],
)
def test_modules_of_lists(line: str, name: str) -> None:
    assert module_of(line) == name


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("net/ipv4/ip_forward",), "net.ipv4.ip_forward"),
        (("net/ipv4/conf", "eth0", "rp_filter"), "net.ipv4.conf.eth0.rp_filter"),
        (("net/ipv4/conf", "eth0.100", "rp_filter"), "net/ipv4/conf/eth0.100/rp_filter"),
    ],
)
def test_names_of_settings(parts: tuple[str, ...], name: str) -> None:
    assert setting_name(*parts) == name


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (ServiceKey(4, "tcp", "192.0.2.1", 80), "TCP 192.0.2.1:80"),
        (ServiceKey(6, "udp", "2001:db8::1", 53), "UDP [2001:db8::1]:53"),
        (ServiceKey(4, fwmark=3), "FWM 3"),
        (ServiceKey(6, fwmark=3), "FWM 3 IPv6"),
    ],
)
def test_names_of_services(key: ServiceKey, name: str) -> None:
    assert service_name(key) == name


def test_settings_that_are_there_and_are_not() -> None:
    here = Machine(None, None, "")
    assert here.setting("net/ipv4/ip_forward") in (0, 1)
    assert here.setting("net/ipv4/no_such_thing") is None
    with pytest.raises(Unknown, match="Is a directory"):
        here.setting("net/ipv4")
