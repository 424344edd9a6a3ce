"""The form of /proc/net/ip_vs; tests/kernel/test_api.py compares with what netlink says of the same table."""

from __future__ import annotations

import sys

import pytest

from pyipvsadm import ipvs
from pyipvsadm.errors import WireError
from pyipvsadm.ipvs.backend.listing import parse

HEADINGS = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
"""
# In the form of Debian's 6.1.0-56-amd64; prefixes are as a kernel of this machine's byte order prints them.
KERNEL = f"""\
{HEADINGS}\
TCP  C0000203:0050 none
TCP  C0000201:0050 wlc  persistent 150000 FFFFFF00
  -> 0A000003:0050      Tunnel  1      0          0
  -> 0A000001:0050      Masq    3      2          1
UDP  [2001:0db8:0000:0000:0000:0000:0000:0054]:0035 rr persistent 25000 {(64).to_bytes(4, sys.byteorder).hex().upper()}
  -> [2001:0db8:0002:0000:0000:0000:0000:0021]:0035      Route   1      0          0
FWM  00000007 sh persistent 5000 FFFFFFFF
  -> 0A000009:0000      Masq    1      0          0
FWM  0000000A mh persistent 90000 {(128).to_bytes(4, sys.byteorder).hex().upper()}
"""


def test_an_empty_table() -> None:
    assert parse(HEADINGS.splitlines()) == ipvs.Listed(ipvs.Info(0x010201, 4096), ())


def test_services() -> None:
    none, web, names, mark, other = parse(KERNEL.splitlines()).services
    assert none == ipvs.ServiceState(ipvs.VirtualService(ipvs.ServiceKey(4, "tcp", "192.0.2.3", 80), "none"))
    key = ipvs.ServiceKey(4, "tcp", "192.0.2.1", 80)
    assert web.config == ipvs.VirtualService(key, "wlc", flags=1, netmask=0xFFFFFF00)
    tunnel, masked = web.servers
    assert tunnel.config == ipvs.RealServer(ipvs.ServerKey(4, "10.0.0.3", 80), "ipip", 1)
    assert (masked.config.weight, masked.activeconns, masked.inactconns) == (3, 2, 1)
    assert names.config == ipvs.VirtualService(ipvs.ServiceKey(6, "udp", "2001:db8::54", 53), "rr", flags=1, netmask=64)
    assert names.servers[0].config.key == ipvs.ServerKey(6, "2001:db8:2::21", 53)
    assert mark.config == ipvs.VirtualService(ipvs.ServiceKey(4, fwmark=7), "sh", flags=1)
    assert other.config == ipvs.VirtualService(ipvs.ServiceKey(4, fwmark=10), "mh", flags=1)  # of whichever family


@pytest.mark.parametrize(
    "line",
    [
        "", "TCP", "  -> 0A000001:0050 Masq 1 0 0", "XYZ  CB00710A:0050 wlc", "TCP  CB00710A:0050", "TCP  [x]:1 rr",
        "TCP  CB0071:0050 rr", "TCP  CB00710A:0050 rr persistent", "TCP  CB00710A:0050 rr\n  -> 0A000001:0050 Masq 1",
    ],
)  # fmt: skip
def test_lines_of_another_form(line: str) -> None:
    with pytest.raises(WireError):
        parse([*HEADINGS.splitlines(), *line.split("\n")])


@pytest.mark.parametrize("text", ["", "IP Virtual Server", HEADINGS.replace("4096", "many")])
def test_headings_of_another_form(text: str) -> None:
    with pytest.raises(WireError):
        parse(text.splitlines())
