"""doctor in namespaces of the running kernel: a fault is made, is found, its own commands are run, and it is gone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyipvsadm import doctor
from support.doctor import as_nobody, fault, is_well, look, run, sysctl

if TYPE_CHECKING:
    from support.netns import Namespace


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """Give a lock that no other test has."""
    path = tmp_path / "lock"
    path.touch()
    return path


def command(netns: Namespace, *words: str, lock: Path) -> None:
    done = netns.run(words, env={"XTABLES_LOCKFILE": str(lock)})
    assert done.status == 0, done


# -- forwarding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", ["legacy", "nft"])
@pytest.mark.parametrize(
    ("tool", "code", "setting"),
    [
        ("iptables", "ip-forward", "net__ipv4__ip_forward"),
        ("ip6tables", "ipv6-forward", "net__ipv6__conf__all__forwarding"),
    ],
)
def test_forwarding(netns: Namespace, lock: Path, world: str, tool: str, code: str, setting: str) -> None:
    sysctl(netns, **{setting: 0})
    assert is_well(netns, code)
    command(netns, f"{tool}-{world}", "-t", "nat", "-A", "POSTROUTING", "-j", "MASQUERADE", lock=lock)
    found = fault(netns, code)
    assert found.status == "warning"
    assert found.mend == (f"ip netns exec {netns.name} sysctl -w {setting.replace('__', '.')}=1",)
    run(found)
    assert is_well(netns, code)


def test_a_namespace_by_its_path(netns: Namespace, lock: Path) -> None:
    sysctl(netns, net__ipv4__ip_forward=0)
    command(netns, "iptables-legacy", "-t", "nat", "-A", "POSTROUTING", "-j", "MASQUERADE", lock=lock)
    [found] = doctor.examine(f"/run/netns/{netns.name}", only=["ip-forward"])
    assert found.mend[0].startswith("nsenter --net=/run/netns/")
    run(found)
    assert is_well(netns, "ip-forward")


# -- ARP ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def real_server(netns: Namespace) -> Namespace:
    """Give a namespace with a virtual address as a real server has it, and a neighbourhood."""
    netns.run(["ip", "link", "add", "one", "type", "veth", "peer", "name", "two"])
    for link in ("one", "two"):
        assert netns.run(["ip", "link", "set", link, "up"]).status == 0
    assert netns.run(["ip", "address", "add", "192.0.2.9/32", "dev", "lo"]).status == 0
    return netns


@pytest.mark.parametrize(("code", "setting"), [("arp-ignore", "arp_ignore"), ("arp-announce", "arp_announce")])
def test_arp(real_server: Namespace, code: str, setting: str) -> None:
    sysctl(real_server, **{f"net__ipv4__conf__{place}__{setting}": 0 for place in ("all", "one", "two")})
    found = fault(real_server, code)
    assert found.status == "warning"
    assert "192.0.2.9" in found.reason
    run(found)
    assert is_well(real_server, code)


@pytest.mark.parametrize("code", ["arp-ignore", "arp-announce"])
def test_arp_on_each_interface_is_enough(real_server: Namespace, code: str) -> None:
    sysctl(real_server, **{f"net__ipv4__conf__all__{code.replace('-', '_')}": 0})
    value = 1 if code == "arp-ignore" else 2
    sysctl(real_server, **{f"net__ipv4__conf__one__{code.replace('-', '_')}": value})
    assert "two" in fault(real_server, code).reason
    sysctl(real_server, **{f"net__ipv4__conf__two__{code.replace('-', '_')}": value})
    assert is_well(real_server, code)


def test_arp_matters_where_an_address_stands_alone(netns: Namespace) -> None:
    for code in ("arp-ignore", "arp-announce"):
        assert is_well(netns, code)


# -- rules -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["iptables", "ip6tables"])
def test_two_worlds(netns: Namespace, lock: Path, tool: str) -> None:
    command(netns, f"{tool}-nft", "-A", "INPUT", "-p", "tcp", "-j", "ACCEPT", lock=lock)
    assert is_well(netns, "two-worlds")
    command(netns, f"{tool}-legacy", "-N", "users", lock=lock)
    command(netns, f"{tool}-legacy", "-A", "INPUT", "-p", "udp", "-j", "users", lock=lock)
    command(netns, f"{tool}-legacy", "-A", "users", "-p", "udp", "--dport", "53", "-j", "DROP", lock=lock)
    command(netns, f"{tool}-legacy", "-P", "FORWARD", "DROP", lock=lock)
    found = fault(netns, "two-worlds")
    assert "table filter" in found.reason
    assert "3 rules" in found.reason
    run(found, lock)
    assert is_well(netns, "two-worlds")
    moved = netns.run([f"{tool}-nft-save", "-t", "filter"]).stdout
    for line in (":FORWARD DROP", "-A INPUT -p tcp -j ACCEPT", "-A INPUT -p udp -j users", "-A users -p udp"):
        assert line in moved


def test_two_worlds_in_each_table_that_both_have(netns: Namespace, lock: Path) -> None:
    command(netns, "iptables-nft", "-A", "INPUT", "-j", "ACCEPT", lock=lock)
    command(netns, "iptables-legacy", "-A", "INPUT", "-j", "ACCEPT", lock=lock)
    command(netns, "iptables-legacy", "-t", "nat", "-A", "POSTROUTING", "-j", "MASQUERADE", lock=lock)
    command(netns, "ip6tables-legacy", "-A", "INPUT", "-j", "ACCEPT", lock=lock)
    found = look(netns, "two-worlds")
    assert [finding.status for finding in found] == ["warning"] * 2
    for finding in found:
        run(finding, lock)
    assert is_well(netns, "two-worlds")


def test_rules_are_seen_while_the_lock_is_held(netns: Namespace, lock: Path) -> None:
    command(netns, "iptables-legacy", "-A", "INPUT", "-j", "ACCEPT", lock=lock)
    command(netns, "iptables-nft", "-A", "INPUT", "-j", "ACCEPT", lock=lock)
    with holder(lock):
        assert look(netns, "two-worlds", lock_file=str(lock))[0].status == "warning"


# -- the lock ----------------------------------------------------------------------------------------------------------

HOLD = "import fcntl, sys, time; fcntl.flock(f := open(sys.argv[1]), fcntl.LOCK_EX); print(flush=True); time.sleep(600)"
# Takes the lock, leaves the open file to a child, and ends.
LEAVE = """
import fcntl, os, subprocess, sys
file = open(sys.argv[1])
os.set_inheritable(file.fileno(), True)
fcntl.flock(file, fcntl.LOCK_EX)
child = subprocess.Popen(["sleep", "600"], close_fds=False, stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
"""


class holder:  # noqa: N801  # used as a function
    """Another process that holds a lock for a while."""

    def __init__(self, lock: Path) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", HOLD, str(lock)], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.process.stdout.readline()

    def __enter__(self) -> subprocess.Popen[str]:
        return self.process

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


def test_a_holder_of_the_lock(netns: Namespace, lock: Path) -> None:
    assert is_well(netns, "lock", lock_file=str(lock))
    with holder(lock) as process:
        found = fault(netns, "lock", lock_file=str(lock))
        assert found.status == "problem"
        assert f"process {process.pid} ({sys.executable} -c import fcntl" in found.reason
        assert found.mend == (f"kill -TERM {process.pid}",)
        run(found)
        process.wait()
        assert is_well(netns, "lock", lock_file=str(lock))


def test_a_holder_that_is_stopped(netns: Namespace, lock: Path) -> None:
    with holder(lock) as process:
        process.send_signal(signal.SIGSTOP)
        while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            time.sleep(0.01)
        found = fault(netns, "lock", lock_file=str(lock))
        assert "stopped" in found.reason
        run(found)
        process.send_signal(signal.SIGTERM)  # which does not reach one that is stopped
        assert process.wait() == -signal.SIGTERM
    assert is_well(netns, "lock", lock_file=str(lock))


def test_a_dead_holder_whose_child_has_its_file(netns: Namespace, lock: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", LEAVE, str(lock)], stdout=subprocess.PIPE, text=True)
    child = int(parent.communicate()[0])
    found = fault(netns, "lock", lock_file=str(lock))
    assert f"process {parent.pid}, which has ended" in found.reason
    assert f"process {child} (sleep 600)" in found.reason
    run(found)
    assert is_well(netns, "lock", lock_file=str(lock))


def test_a_waiter_is_counted(netns: Namespace, lock: Path) -> None:
    with holder(lock):
        waiter = subprocess.Popen([sys.executable, "-c", HOLD, str(lock)], stdout=subprocess.DEVNULL)
        try:
            held = f":{lock.stat().st_ino} "
            while not any("->" in line and held in line for line in Path("/proc/locks").read_text().splitlines()):
                time.sleep(0.01)
            assert "(1 waiting)" in fault(netns, "lock", lock_file=str(lock)).reason
        finally:
            waiter.kill()
            waiter.wait()


def test_a_lock_that_is_let_go_of_is_at_work(netns: Namespace, lock: Path) -> None:
    program = HOLD.replace("600", "1")
    with subprocess.Popen([sys.executable, "-c", program, str(lock)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        assert is_well(netns, "lock", lock_file=str(lock))


def test_the_lock_is_not_taken(netns: Namespace, tmp_path: Path) -> None:
    assert is_well(netns, "lock", lock_file=str(tmp_path / "none"))
    assert not (tmp_path / "none").exists()


# -- rights ------------------------------------------------------------------------------------------------------------

EXAMINE = """
import sys
from pyipvsadm import doctor
for finding in doctor.examine(only=sys.argv[1:]):
    print(finding.status, finding.code, *finding.mend)
"""


def test_root_has_the_right(netns: Namespace) -> None:
    assert is_well(netns, "rights")


def test_nobody_is_told_what_cannot_be_seen(netns: Namespace, lock: Path) -> None:
    command(netns, "iptables-legacy", "-A", "INPUT", "-j", "ACCEPT", lock=lock)
    with netns.entered():
        seen = as_nobody(EXAMINE).splitlines()
    assert "warning rights sudo pyipvsadm doctor" in seen
    assert "could-not-tell two-worlds" in seen
    assert "ok arp-ignore" in seen


def test_a_right_of_another_user_namespace_does_not_count(netns: Namespace) -> None:
    """After unshare --user a process has every right, but not in a network namespace that is not its own."""
    words = ["unshare", "--user", "--map-root-user"]
    if netns.run([*words, "true"]).status:
        pytest.skip("the kernel makes no user namespaces here: none in a chroot, nor where they are turned off")
    examine = [sys.executable, "-c", EXAMINE, "rights"]
    assert netns.run([*words, *examine]).stdout == "warning rights sudo pyipvsadm doctor\n"
    assert netns.run([*words, "--net", *examine]).stdout == "ok rights\n"


# -- what the machine is for -------------------------------------------------------------------------------------------


def test_a_file_that_wants_virtual_servers(netns: Namespace) -> None:
    """Without IPVS in the kernel it is a problem; with it all is well, whatever is in /etc."""
    [asked] = doctor.examine(netns.name, only=["module-ip-vs"], kind="ipvs")
    for line, missing in (("# nothing", "info"), ("-A -f 1 -s rr", "problem")):
        mounts = f"mount -t tmpfs none /etc; echo '{line}' >/etc/ipvsadm.rules"
        words = ["unshare", "-m", "sh", "-e", "-c", f'{mounts}; exec "$@"', "", sys.executable, "-c", EXAMINE]
        seen = netns.run([*words, "module-ip-vs"]).stdout
        assert seen == f"{missing if asked.status == 'problem' else asked.status} module-ip-vs\n"


# -- the command -------------------------------------------------------------------------------------------------------


Installed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def pyipvsadm(lock: Path) -> Installed:
    """Give a way to run the installed command."""
    program = Path(sys.executable).with_name("pyipvsadm")

    def run_it(*words: str, **variables: str) -> tuple[int, str, str]:
        environment = {"PATH": os.environ["PATH"], "XTABLES_LOCKFILE": str(lock), **variables}
        done = subprocess.run([program, "doctor", *words], env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    return run_it


def test_problems_come_first_with_their_commands(netns: Namespace, lock: Path, pyipvsadm: Installed) -> None:
    command(netns, "iptables-legacy", "-A", "INPUT", "-j", "ACCEPT", lock=lock)
    command(netns, "iptables-nft", "-A", "INPUT", "-j", "ACCEPT", lock=lock)
    words = ("--netns", netns.name, "--only", "two-worlds", "--only", "lock", "--only", "rights")
    with holder(lock) as process:
        status, out, err = pyipvsadm(*words)
        assert (status, err) == (1, "")
        lines = out.splitlines()
        assert lines[0].split() == ["problem", "lock"]
        assert lines[2] == f"    kill -TERM {process.pid}"
        assert lines[3].split() == ["warning", "two-worlds"]
        assert lines[-2] == "ok              rights: the caller may change virtual services and rules"
        assert lines[-1] == "1 problem, 1 warning, 1 ok"
    status, out, err = pyipvsadm(*words, "--json")
    document = json.loads(out)
    assert (status, document["version"], document["kind"], document["netns"]) == (0, 1, "doctor", netns.name)
    assert [finding["status"] for finding in document["findings"]] == ["warning", "ok", "ok"]


def test_a_sandbox_that_commands_act_on_is_told(netns: Namespace, pyipvsadm: Installed) -> None:
    words = ("--netns", netns.name, "--only", "sandbox")
    assert pyipvsadm(*words)[1].splitlines()[-1] == "1 ok"
    status, out, _ = pyipvsadm(*words, PYIPVSADM_SANDBOX="/x.json")
    assert status == 0
    assert "/x.json" in out
    assert "    unset PYIPVSADM_SANDBOX\n" in out
