"""pyipvsadm sandbox in namespaces of the running kernel: how it begins, with rights and without, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.boxes import alive, parent, until
from support.schema import validated

if TYPE_CHECKING:
    from support.netns import Namespace

PYIPVSADM = Path(sys.executable).with_name("pyipvsadm")
RULES = """*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:WEB - [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -i lo -j WEB
COMMIT
"""
RULES6 = RULES.replace("-p tcp -m tcp --dport 22", "-s 2001:db8::/32")
# Root without the right to make namespaces: what an ordinary user is, who can read this tree wherever it lies.
# It may make a user namespace, unless it is in a chroot.
WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Give an environment whose folder for temporary files is empty."""
    (tmp_path / "tmp").mkdir()
    return {"TMPDIR": str(tmp_path / "tmp"), "HOME": str(tmp_path), "XTABLES_LOCKFILE": str(tmp_path / "lock")}


def test_from_live(netns: Namespace, environment: dict[str, str]) -> None:
    for tool, dump in (("iptables", RULES), ("ip6tables", RULES6)):
        assert netns.run([f"{tool}-legacy-restore"], dump, environment).status == 0
    script = "iptables -D INPUT 1; iptables -t nat -A OUTPUT -j ACCEPT; ip6tables -F; ip -br link"
    words = ["sandbox", "--from", "live", "--diff", "--", "sh", "-c", script]
    done = netns.run([str(PYIPVSADM), *words], env=environment)
    assert done.status == 0
    assert "pyipvsadm: sandbox in a network namespace of this kernel" in done.stderr
    links, _, changes = done.stdout.partition("--- iptables")
    assert [line.split()[0] for line in links.splitlines()] == ["lo"]
    assert changes.splitlines() == [
        " at the beginning",
        "+++ iptables at the end",
        "  filter INPUT",
        "-     1  -p tcp -m tcp --dport 22 -j ACCEPT",
        "  nat OUTPUT",
        "+     1  -j ACCEPT",
        "--- ip6tables at the beginning",
        "+++ ip6tables at the end",
        "  filter INPUT",
        "-     1  -s 2001:db8::/32 -j ACCEPT",
        "-     2  -i lo -j WEB",
    ]
    saved = netns.run(["iptables-legacy-save"], env=environment).stdout
    assert [line for line in saved.splitlines() if not line.startswith("#")] == RULES.splitlines()
    assert os.listdir(environment["TMPDIR"]) == []


def has_user_namespaces() -> bool:
    """Whether a process without rights can make a user namespace here."""
    return subprocess.run([*WITHOUT_RIGHTS, "unshare", "-r", "true"], capture_output=True, check=False).returncode == 0


def test_without_rights_in_a_user_namespace(netns: Namespace, environment: dict[str, str], tmp_path: Path) -> None:
    if not has_user_namespaces():
        pytest.skip("user namespaces are refused here, as in a chroot")
    (tmp_path / "rules").write_text(RULES)
    script = "iptables -A WEB -j RETURN; iptables -S WEB; readlink /proc/self/ns/user; iptables-legacy -S WEB"
    words = ["sandbox", "--from", str(tmp_path / "rules"), "--diff", "--", "sh", "-c", script]
    done = netns.run([*WITHOUT_RIGHTS, str(PYIPVSADM), *words], env=environment)
    assert done.status == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == ["-N WEB", "-A WEB -j RETURN"]
    assert lines[2] != os.readlink("/proc/self/ns/user")
    assert lines[3:5] == lines[:2]
    assert lines[-2:] == ["  filter WEB", "+     1  -j RETURN"]


def test_rules_can_be_read_in_a_user_namespace_of_somebody_else_than_root(netns: Namespace) -> None:
    if not has_user_namespaces():
        pytest.skip("user namespaces are refused here, as in a chroot")
    # Nothing is imported or run as that user, who may not be able to read this tree.
    program = """
import ctypes, fcntl, os, socket, struct
from pyipvsadm import clib, isolation
clib.open_library(None)
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
PR_SET_DUMPABLE = 4  # as whoever was that user when the program started is: else its maps are not for it to write
ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
isolation.enter_network()
print(os.stat("/proc/net/ip_tables_names").st_uid)
open("/proc/net/ip_tables_names").close()
"""
    done = netns.run([sys.executable, "-c", program])
    assert (done.status, done.stdout, done.stderr) == (0, "0\n", "")


def test_with_no_right_at_all_it_is_in_memory(netns: Namespace, environment: dict[str, str]) -> None:
    words = [str(PYIPVSADM), "sandbox", "--", "sh", "-c", "iptables -A INPUT -j DROP && echo $PYIPVSADM_SANDBOX"]
    without = [*WITHOUT_RIGHTS, *words]
    if has_user_namespaces():
        # The limit of a user namespace counts for those below it: in one with none left, without the right to another.
        limit = "echo 0 >/proc/sys/user/max_user_namespaces"
        without = ["unshare", "-r", "sh", "-c", f'{limit} && exec "$@"', "sh", *without]
    done = netns.run(without, env=environment)
    assert done.stderr.startswith("pyipvsadm: sandbox in memory: no network namespace without being root: ")
    assert done.status == 0
    assert done.stdout.startswith(environment["TMPDIR"])


def test_what_a_kernel_lacks(netns: Namespace, environment: dict[str, str]) -> None:
    if Path("/proc/net/ip_vs").exists():
        pytest.skip("the running kernel has ip_vs")
    done = netns.run([str(PYIPVSADM), "sandbox", "--", "ipvsadm", "-A", "-t", "192.0.2.1:80"], env=environment)
    assert (done.status, done.stdout) == (0, "")
    assert done.stderr.startswith("pyipvsadm: sandbox in memory: ipvs does not work in a namespace here (")
    done = netns.run([str(PYIPVSADM), "sandbox", "--json", "--", "true"], env=environment)
    assert done.stderr.startswith("pyipvsadm: sandbox in a network namespace of this kernel, without ipvs (")
    document = validated(done.stdout, "diff")
    assert (document["place"], document["status"]) == ("namespace", 0)
    assert [(part["of"], part["same"]) for part in document["differences"]] == [("iptables", True), ("ip6tables", True)]


def users(namespace: str) -> list[str]:
    """Return the processes in a network namespace."""
    found = []
    for path in Path("/proc").glob("[0-9]*/ns/net"):
        try:
            if os.readlink(path) == namespace:
                found.append(path.parts[2])
        except OSError:
            continue
    return found


@pytest.mark.parametrize("whom", ["guard", "worker", "command"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_namespace_is_left(
    netns: Namespace, environment: dict[str, str], tmp_path: Path, whom: str, number: signal.Signals
) -> None:
    script = "setsid sh -c 'echo $$ >daemon; exec sleep 1000' & echo $$ >command; wait; sleep 1000"
    with netns.entered():
        process = subprocess.Popen(
            [PYIPVSADM, "sandbox", "--", "sh", "-c", script],
            env={"PATH": os.environ["PATH"], **environment}, cwd=tmp_path, stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    with process:
        for name in ("command", "daemon"):
            file = tmp_path / name
            until(lambda file=file: file.exists() and file.read_text().strip(), name)  # type: ignore[misc]
        command = int((tmp_path / "command").read_text())
        inside = os.readlink(f"/proc/{command}/ns/net")
        assert inside not in (os.readlink("/proc/self/ns/net"), os.readlink(f"/proc/{os.getppid()}/ns/net"))
        assert len(users(inside)) >= 4
        os.kill({"guard": process.pid, "worker": parent(command), "command": command}[whom], number)
        process.wait(60)
        until(lambda: not alive(command) and not users(inside), "the namespace")
        until(lambda: not os.listdir(environment["TMPDIR"]), "the folder")
