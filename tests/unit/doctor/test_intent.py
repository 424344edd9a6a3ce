"""Files that say that a machine is meant to balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyipvsadm.doctor import intent
from pyipvsadm.doctor.check import Unknown

if TYPE_CHECKING:
    from pathlib import Path

KEEPALIVED = """! a comment
vrrp_instance VI_1 {
    state MASTER
}
"""


@pytest.mark.parametrize(
    ("name", "text", "wants"),
    [
        ("etc/ipvsadm.rules", "# ipvsadm.rules\n", False),
        ("etc/ipvsadm.rules", "# empty\n-A -f 1 -s rr\n", True),
        ("etc/sysconfig/ipvsadm", "ipvsadm --add-service -f 1\n", True),
        ("etc/default/ipvsadm", 'AUTO="false"\nDAEMON="none"\n', False),
        ("etc/default/ipvsadm", 'AUTO="false"\nDAEMON="backup"\n', True),
        ("etc/keepalived/keepalived.conf", KEEPALIVED, False),
        ("etc/keepalived/keepalived.conf", f"{KEEPALIVED}virtual_server 192.0.2.1 80 {{\n}}\n", True),
        ("etc/ha.d/ldirectord.cf", "checktimeout=3\n# virtual=192.0.2.1:80\n", False),
        ("etc/ha.d/ldirectord.cf", "virtual = 192.0.2.1:80\n", True),
        ("etc/ldirectord.cf", "virtual6=[2001:db8::1]:80\n\xff", True),
    ],
)
def test_files(tmp_path: Path, name: str, text: str, wants: bool) -> None:
    root = f"{tmp_path}/"
    assert intent.to_balance(root) is None
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(text, encoding="latin-1")
    assert intent.to_balance(root) == (f"{root}{name}" if wants else None)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "etc/keepalived/keepalived.conf").mkdir(parents=True)
    with pytest.raises(Unknown, match="whether IPVS is wanted: Is a directory"):
        intent.to_balance(f"{tmp_path}/")
    (tmp_path / "etc/ldirectord.cf").write_text("virtual=192.0.2.1:80\n")
    assert intent.to_balance(f"{tmp_path}/") == f"{tmp_path}/etc/ldirectord.cf"
