"""The form of /proc/net/ip_vs; tests/kernel/test_doctor.py compares with what netlink says of the same table."""

from __future__ import annotations

import pytest

from pyipvsadm.doctor.listing import parse
from pyipvsadm.errors import WireError

HEADINGS = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
"""


def test_an_empty_table() -> None:
    assert parse(HEADINGS.splitlines()) == []
    assert parse([]) == []


@pytest.mark.parametrize(
    "line", ["TCP", "  -> 0A000001:0050 Masq 1 0 0", "XYZ  CB00710A:0050 wlc", "TCP  CB00710A:0050", "TCP  [x]:1 rr"]
)
def test_lines_of_another_form(line: str) -> None:
    with pytest.raises(WireError):
        parse([*HEADINGS.splitlines(), line])
