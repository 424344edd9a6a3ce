"""pyipvsadm sandbox on a kernel that has IPVS: live's services in a namespace, and no old weights left behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.netns import Namespace

PYIPVSADM = Path(sys.executable).with_name("pyipvsadm")
DUMP = """-A -t 192.0.2.1:80 -s wlc -p 600
-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 3
-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 3
"""


def test_all_of_live(netns: Namespace, tmp_path: Path) -> None:
    environment = {"TMPDIR": str(tmp_path)}
    assert netns.peer("-R", stdin=DUMP).status == 0
    script = "pyipvsadm drain 10.0.0.2 --no-remove >&2; ls /run/pyipvsadm; /usr/sbin/ipvsadm -Sn"
    words = ["sandbox", "--from", "live", "--diff", "--", "sh", "-c", script]
    before = {*os.listdir("/run/pyipvsadm")} if os.path.exists("/run/pyipvsadm") else set()
    done = netns.run([str(PYIPVSADM), *words], env=environment)
    assert done.status == 0, done.stderr
    assert "pyipvsadm: sandbox in a network namespace of this kernel" in done.stderr
    lines = done.stdout.splitlines()
    weights = {line for line in lines if line.startswith("drained-")} - before
    saved = [line for line in lines if line.startswith(("-A -t", "-a -t"))][:3]
    assert saved == DUMP.replace("10.0.0.2:80 -m -w 3", "10.0.0.2:80 -m -w 0").splitlines()
    assert lines[-4:] == [
        "--- ipvs at the beginning",
        "+++ ipvs at the end",
        "  tcp:192.0.2.1:80",
        "~   10.0.0.2:80: weight 3 -> 0",
    ]
    assert len(weights) == 1
    assert {*os.listdir("/run/pyipvsadm")} == before
    assert netns.peer("-Sn").stdout == DUMP
    assert os.listdir(tmp_path) == []


def test_ipvs_without_rights_is_in_memory(netns: Namespace, tmp_path: Path) -> None:
    """Guests run tests in a chroot, where no user namespace can be made."""
    rights = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]
    words = ["sandbox", "--diff", "--", "ipvsadm", "-A", "-t", "192.0.2.1:80"]
    done = netns.run([*rights, str(PYIPVSADM), *words], env={"TMPDIR": str(tmp_path)})
    assert done.status == 0, done.stderr
    assert done.stderr.startswith("pyipvsadm: sandbox in memory: ")
    assert done.stdout.endswith("\n+ tcp:192.0.2.1:80 wlc\n")
