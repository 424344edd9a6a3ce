"""What show draws of services of which not all is known; the rest is in tests/unit/app/test_show.py."""

from __future__ import annotations

from rich.console import Console

from pyipvsadm import ipvs
from pyipvsadm.ui import show

WEB = ipvs.VirtualService(ipvs.ServiceKey(4, "tcp", "192.0.2.1", 80), "wlc", flags=1, netmask=0xFFFFFF00)
SERVERS = tuple(
    [
        ipvs.ServerState(ipvs.RealServer(ipvs.ServerKey(4, f"10.0.0.{number}", 80), "masq", weight), active)
        for number, (weight, active) in enumerate([(3, 7), (0, 7), (0, 0)], 1)
    ]
)


def test_what_is_not_known() -> None:
    services = [ipvs.ServiceState(WEB, SERVERS)]
    info = ipvs.Info(0x010201, 4096)
    lines = show.services(services, info, partial=True, console=Console(width=100)).splitlines()
    assert [line.split() for line in lines[4:]] == [
        ["TCP", "192.0.2.1:80", "wlc", "14", "0", "persistent", "?", "mask", "255.255.255.0"],
        ["→", "10.0.0.1:80", "Masq", "3", "?", "7", "0"],
        ["→", "10.0.0.2:80", "Masq", "0", "draining", "7", "0"],
        ["→", "10.0.0.3:80", "Masq", "0", "drained", "0", "0"],
    ]
