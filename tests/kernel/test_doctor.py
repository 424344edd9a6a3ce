"""doctor beside IPVS: a fault is made, is found, its own commands are run, and it is gone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyipvsadm import doctor, ipvs
from support.doctor import ROOT, as_nobody, fault, is_well, look, run, sysctl
from support.netns import PATH
from support.traffic import NEAR, SERVERS, VIP, Network, until

if TYPE_CHECKING:
    from support.netns import Namespace

IN, OUT = "in.1", "out.1"  # a dot in a name has sysctl(8) take slashes
NAT = "-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1\n"
NAT6 = "-A -t [2001:db8::1]:80 -s rr\n-a -t [2001:db8::1]:80 -r [fd00::1]:80 -m -w 1\n"
DIRECT = NAT.replace(" -m ", " -g ")
TUNNEL = NAT.replace(" -m ", " -i ")


def ip(namespace: Namespace, *commands: str) -> None:
    done = namespace.run(["ip", "-batch", "-"], "\n".join(commands))
    assert done == (0, "", ""), done


def configure(namespace: Namespace, dump: str) -> None:
    assert namespace.ours("-R", stdin=dump) == (0, "", "")


def iptables(namespace: Namespace, *words: str, tool: str = "iptables-nft", lock: Path) -> None:
    done = namespace.run([tool, *words], env={"XTABLES_LOCKFILE": str(lock)})
    assert done.status == 0, done


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """Give a lock that no other test has."""
    return tmp_path / "lock"


@pytest.fixture
def director(netns: Namespace) -> Namespace:
    """Give a namespace with the virtual addresses on one interface, a network of servers on another."""
    ip(
        netns,
        *[f"link add {name} type veth peer name peer{number}" for number, name in enumerate((IN, OUT))],
        *[f"link set {name} up" for name in (IN, OUT, "peer0", "peer1")],
        f"address add 192.0.2.1/24 dev {IN}",
        f"address add 2001:db8::1/64 dev {IN} nodad",
        f"address add 10.0.0.254/24 dev {OUT}",
        f"address add fd00::254/64 dev {OUT} nodad",
    )
    sysctl(netns, net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
    sysctl(netns, **{f"net__ipv4__conf__{place}__rp_filter": 0 for place in ("all", "default")})
    for name in (IN, OUT):
        assert netns.run(["sysctl", "-qw", f"net/ipv4/conf/{name}/rp_filter=0"]).status == 0
    return netns


def test_a_director_that_works_has_no_problem(director: Namespace) -> None:
    configure(director, NAT + NAT6)
    found = doctor.examine(director.name)
    wrong = [finding for finding in found if finding.status in ("problem", "warning", "could-not-tell")]
    assert wrong == []


# -- services ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7"])
def test_virtual_address(director: Namespace, address: str) -> None:
    name = f"[{address}]" if ":" in address else address
    configure(director, f"-A -t {name}:80 -s rr\n")
    found = fault(director, "virtual-address")
    assert found.status == "problem"
    assert IN in found.mend[0]
    run(found)
    until(lambda: look(director, "virtual-address")[0].status, lambda status: status == "ok")  # after IPv6 asked around


def test_virtual_address_that_is_local_by_a_route(director: Namespace) -> None:
    configure(director, "-A -t 203.0.113.5:80 -s rr\n")
    assert fault(director, "virtual-address").mend
    ip(director, "route add local 203.0.113.0/24 dev lo")
    assert is_well(director, "virtual-address")


def test_nonlocal_bind(director: Namespace) -> None:
    configure(director, "-A -t 192.0.2.7:80 -s rr\n-A -t [2001:db8::7]:80 -s rr\n")
    found = look(director, "nonlocal-bind")
    assert [finding.status for finding in found] == ["info"] * 2
    for finding in found:
        run(finding)
    assert is_well(director, "nonlocal-bind")


def test_no_servers(director: Namespace) -> None:
    configure(director, "-A -t 192.0.2.1:80 -s rr\n")
    assert fault(director, "no-servers").reason.startswith("TCP 192.0.2.1:80 ")
    configure(director, "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1\n")
    assert is_well(director, "no-servers")


@pytest.mark.parametrize(
    "dump",
    [
        "-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 0 -x 50 -y 10\n",
        "-A -f 7 -s rr\n-a -f 7 -r 10.0.0.1:0 -i -w 0 --tun-type gue --tun-port 6080\n",
        "-A -u [2001:db8::1]:53 -s rr\n-a -u [2001:db8::1]:53 -r [fd00::1]:53 -g -w 0\n",
    ],
)
def test_no_weight(director: Namespace, dump: str) -> None:
    configure(director, dump)
    with ipvs.open(director.name) as table:
        before = table.services()[0].servers[0].config
        run(fault(director, "no-weight"))
        assert is_well(director, "no-weight")
        assert table.services()[0].servers[0].config == before.replace(weight=1)


def test_server_unreachable(director: Namespace) -> None:
    configure(director, NAT + "-a -t 192.0.2.1:80 -r 172.16.0.1:80 -m -w 1\n")
    assert fault(director, "server-unreachable").reason.startswith("172.16.0.1, ")
    ip(director, "route add 172.16.0.0/16 via 10.0.0.9")
    assert is_well(director, "server-unreachable")
    ip(director, "route replace blackhole 172.16.0.0/16")
    fault(director, "server-unreachable")
    ip(director, "route replace unreachable 172.16.0.0/16")
    fault(director, "server-unreachable")


@pytest.mark.parametrize(
    ("server", "method", "status", "words"),
    [
        ("10.0.0.254", "-m", "info", "listens on this address"),
        ("10.0.0.254", "-g", "info", "listens on the virtual address"),
        ("127.0.0.1", "-m", "warning", "another address"),
    ],
)
def test_server_local(director: Namespace, server: str, method: str, status: str, words: str) -> None:
    configure(director, f"{NAT}-a -t 192.0.2.1:80 -r {server}:80 {method} -w 1\n")
    found = fault(director, "server-local")
    assert found.status == status
    assert words in found.reason
    configure(director, f"-d -t 192.0.2.1:80 -r {server}:80\n")
    assert is_well(director, "server-local")


def test_direct_routing_gateway(director: Namespace) -> None:
    configure(director, DIRECT)
    assert is_well(director, "direct-routing-gateway")
    ip(director, "route add 172.16.0.0/16 via 10.0.0.9")
    configure(director, "-a -t 192.0.2.1:80 -r 172.16.0.1:80 -g -w 1\n")
    assert "10.0.0.9" in fault(director, "direct-routing-gateway").reason


def test_tunnel_server(director: Namespace, other_netns: Namespace) -> None:
    assert is_well(director, "tunnel-server")
    configure(director, TUNNEL)
    found = fault(director, "tunnel-server")
    assert found.on == "10.0.0.1"
    assert not found.mend[0].startswith("ip netns")
    done = other_netns.run(["sh", "-e", "-c", "\n".join(found.mend)])  # on the server
    assert done.status == 0, done
    for code in ("arp-ignore", "arp-announce", "rp-filter-tunnel"):
        assert is_well(other_netns, code)


def test_tunnel_mtu(director: Namespace, other_netns: Namespace, lock: Path) -> None:
    configure(director, TUNNEL)
    found = fault(director, "tunnel-mtu")
    assert "1480" in found.reason
    done = other_netns.run(["sh", "-e", "-c", "\n".join(found.mend)], env={"XTABLES_LOCKFILE": str(lock)})
    assert done.status == 0, done
    assert "--set-mss 1440" in other_netns.run(["iptables-save"]).stdout
    ip(director, f"link set {OUT} mtu 1520")
    assert is_well(director, "tunnel-mtu")


# -- forwarding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dump", "code", "setting"),
    [
        (NAT, "ip-forward", "net__ipv4__ip_forward"),
        (NAT6, "ipv6-forward", "net__ipv6__conf__all__forwarding"),
    ],
)
def test_forwarding(director: Namespace, dump: str, code: str, setting: str) -> None:
    sysctl(director, **{setting: 0})
    assert is_well(director, code)
    configure(director, dump)
    found = fault(director, code)
    assert found.status == "problem"
    run(found)
    assert is_well(director, code)


def test_direct_routing_needs_no_forwarding(director: Namespace) -> None:
    sysctl(director, net__ipv4__ip_forward=0)
    configure(director, DIRECT)
    assert is_well(director, "ip-forward")


def test_interface_forward(director: Namespace) -> None:
    configure(director, NAT)
    assert director.run(["sysctl", "-qw", f"net/ipv4/conf/{OUT}/forwarding=0"]).status == 0
    found = fault(director, "interface-forward")
    assert f"net/ipv4/conf/{OUT}/forwarding=1" in found.mend[0]
    run(found)
    assert is_well(director, "interface-forward")


@pytest.mark.parametrize("place", [IN, "all"])
def test_rp_filter(director: Namespace, place: str) -> None:
    configure(director, NAT)
    ip(director, "route add default via 10.0.0.9")
    assert is_well(director, "rp-filter")
    assert director.run(["sysctl", "-qw", f"net/ipv4/conf/{place}/rp_filter=1"]).status == 0
    found = fault(director, "rp-filter")
    assert OUT in found.reason
    run(found)
    assert is_well(director, "rp-filter")


def test_rp_filter_where_clients_come_in_by_the_default_route(director: Namespace) -> None:
    configure(director, NAT)
    ip(director, "route add default via 192.0.2.254")
    assert director.run(["sysctl", "-qw", "net.ipv4.conf.all.rp_filter=1"]).status == 0
    assert is_well(director, "rp-filter")


@pytest.mark.parametrize(("address", "status"), [("192.0.2.1/32", "problem"), ("192.0.2.1/24", "warning")])
def test_rp_filter_tunnel(netns: Namespace, address: str, status: str) -> None:
    subprocess.run(["modprobe", "ipip"], env={"PATH": PATH}, check=True)
    ip(netns, "link set tunl0 up", f"address add {address} dev tunl0")
    sysctl(netns, net__ipv4__conf__all__rp_filter=1)
    found = fault(netns, "rp-filter-tunnel")
    assert found.status == status
    run(found)
    assert is_well(netns, "rp-filter-tunnel")


def test_a_directors_own_addresses_may_be_asked_for(director: Namespace) -> None:
    ip(director, "address add 192.0.2.9/32 dev lo", "link add hidden type dummy", "link set hidden up")
    ip(director, "address add 192.0.2.8/32 dev hidden")
    found = look(director, "arp-ignore")
    assert [finding.reason.split()[0] for finding in found] == ["192.0.2.9", "192.0.2.8"]
    configure(director, "-A -t 192.0.2.9:80 -s rr\n-A -t 192.0.2.8:80 -s rr\n")
    assert is_well(director, "arp-ignore")


# -- connection tracking -----------------------------------------------------------------------------------------------


def test_conntrack_full(director: Namespace, lock: Path) -> None:
    iptables(director, "-A", "OUTPUT", "-m", "conntrack", "--ctstate", "NEW", lock=lock)
    most = Path("/proc/sys/net/netfilter/nf_conntrack_max")
    before = most.read_text()
    try:
        most.write_text("40")
        with director.entered():
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with sender:
            for port in range(5001, 5033):
                sender.sendto(b"?", ("10.0.0.1", port))
            assert fault(director, "conntrack-full").status == "warning"
            for port in range(5033, 5039):
                sender.sendto(b"?", ("10.0.0.1", port))
        found = fault(director, "conntrack-full")
        assert found.status == "problem"
        assert found.mend == ("sysctl -w net.netfilter.nf_conntrack_max=80",)  # of all namespaces
        run(found)
        assert is_well(director, "conntrack-full")
    finally:
        most.write_text(before)


@pytest.mark.parametrize("tool", ["iptables-nft", "iptables-legacy"])
@pytest.mark.parametrize(("match", "status"), [(["-m", "ipvs", "--ipvs"], "problem"), ([], "info")])
def test_vs_conntrack(director: Namespace, lock: Path, tool: str, match: list[str], status: str) -> None:
    # The guest's module loader is not where iptables-legacy looks for it.
    subprocess.run(["modprobe", "-a", "ip_tables", "iptable_nat"], env={"PATH": PATH}, check=True)
    configure(director, NAT)
    sysctl(director, net__ipv4__vs__conntrack=0)
    assert is_well(director, "vs-conntrack")
    iptables(director, "-t", "nat", "-A", "POSTROUTING", *match, "-j", "MASQUERADE", tool=tool, lock=lock)
    found = fault(director, "vs-conntrack")
    assert found.status == status
    assert tool.endswith("legacy") == ("rule of legacy" in found.reason)
    run(found)
    assert is_well(director, "vs-conntrack")


def test_return_path_that_is_not_seen(director: Namespace, lock: Path) -> None:
    configure(director, NAT + NAT6)
    found = look(director, "return-path")
    assert [finding.status for finding in found] == ["info"] * 2
    for finding in found:
        run(finding, lock)
    assert is_well(director, "return-path")
    assert is_well(director, "vs-conntrack")


def test_return_path_in_the_same_network(director: Namespace, lock: Path) -> None:
    configure(director, NAT.replace("192.0.2.1", "10.0.0.254"))
    found = fault(director, "return-path")
    assert found.status == "warning"
    run(found, lock)
    assert is_well(director, "return-path")


def test_the_commands_for_the_return_path_bring_answers_back(lock: Path) -> None:
    """A client in the servers' network has its answers from the servers themselves, until the commands are run."""
    with Network() as network:
        [(address, _), *_] = SERVERS.values()
        configure(network.director, f"-A -t {VIP}:80 -s rr\n-a -t {VIP}:80 -r {address}:80 -m -w 1\n")
        with network.client.entered(), pytest.raises(TimeoutError):
            socket.create_connection((VIP, 80), 3, (NEAR, 0))
        run(fault(network.director, "return-path"), lock)
        assert network.request(NEAR) == "s1"


# -- settings of IPVS --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "more", "status"),
    [
        ("expire-nodest-conn", "", "info"),
        ("conn-reuse-mode", "", "info"),
        ("expire-quiescent-template", "-E -t 192.0.2.1:80 -s rr -p 300\n", "info"),
        (
            "expire-quiescent-template",
            "-E -t 192.0.2.1:80 -s rr -p 300\n-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 0\n",
            "warning",
        ),
    ],
)
def test_settings(director: Namespace, code: str, more: str, status: str) -> None:
    sysctl(director, **{f"net__ipv4__vs__{code.replace('-', '_')}": 0})
    assert is_well(director, code)  # nobody is balanced
    configure(director, NAT + more)
    found = fault(director, code)
    assert found.status == status
    run(found)
    assert is_well(director, code)


# -- modules -----------------------------------------------------------------------------------------------------------

EXAMINE = f"""
import sys
sys.path.insert(0, {str(ROOT / "src")!r})
from pyipvsadm import doctor
for finding in doctor.examine(only=sys.argv[1:]):
    print(finding.status, finding.code, finding.reason)
"""


def unload(*modules: str) -> None:
    subprocess.run(["modprobe", "-r", *modules], env={"PATH": PATH}, check=True)


def test_ip_vs_ftp(director: Namespace) -> None:
    unload("ip_vs_ftp")
    configure(director, NAT.replace(":80", ":21"))
    found = fault(director, "module-ip-vs-ftp")
    assert found.mend == ("modprobe ip_vs_ftp",)
    run(found)
    assert is_well(director, "module-ip-vs-ftp")
    assert director.ours("-C").status == 0
    unload("ip_vs_ftp")


def test_looking_loads_nothing(netns: Namespace) -> None:
    before = {line.split()[0] for line in Path("/proc/modules").read_text().splitlines()}
    doctor.examine(netns.name)
    assert {line.split()[0] for line in Path("/proc/modules").read_text().splitlines()} == before


def elsewhere(mounts: str, *codes: str) -> str:
    """Examine where other things are mounted."""
    command = ["unshare", "-m", "sh", "-e", "-c", f'{mounts}\nexec "$@"', "", sys.executable, "-c", EXAMINE, *codes]
    return subprocess.check_output(command, env={"PATH": PATH}, text=True)


def test_a_scheduler_that_is_missing(netns: Namespace, tmp_path: Path) -> None:
    unload("ip_vs_wlc")
    assert is_well(netns, "module-scheduler")
    release = os.uname().release
    listed = Path(f"/lib/modules/{release}/modules.dep").read_text().splitlines(keepends=True)
    (tmp_path / "modules.dep").write_text("".join([line for line in listed if "ip_vs_wlc" not in line]))
    seen = elsewhere(f"mount --bind {tmp_path}/modules.dep /lib/modules/{release}/modules.dep", "module-scheduler")
    assert seen.startswith("problem module-scheduler ipvsadm takes the scheduler wlc")


def test_a_kernel_that_was_upgraded(netns: Namespace) -> None:
    assert is_well(netns, "module-directory")
    mounts = "mount -t tmpfs none /lib/modules; mkdir /lib/modules/1.2.3"
    seen = elsewhere(mounts, "module-directory", "module-ip-vs").splitlines()
    assert seen[0].startswith("warning module-directory")
    assert "1.2.3" in seen[0]
    assert seen[1].startswith("ok module-ip-vs")  # it is loaded


# -- as an ordinary user -----------------------------------------------------------------------------------------------

EVERYTHING = """\
-A -t 192.0.2.1:80 -s wlc -p 600
-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 3
-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 0
-A -u 192.0.2.1:53 -s rr -o
-A -u [2001:db8::1]:53 -s rr
-a -u [2001:db8::1]:53 -r [fd00::1]:53 -i -w 100
-A --sctp-service 192.0.2.1:9 -s sh
-A -f 7 -s wrr -p 60
-a -f 7 -r 10.0.0.1:0 -g -w 1
-A -f 9 -6 -s wrr
-a -f 9 -6 -r [fd00::1]:0 -g -w 1
"""


def test_nobody_is_told_of_services(director: Namespace) -> None:
    configure(director, "-A -t 192.0.2.1:80 -s rr\n")
    with director.entered():
        seen = as_nobody(EXAMINE).splitlines()
    assert any(line.startswith("problem no-servers TCP 192.0.2.1:80") for line in seen)
    assert any(line.startswith("warning rights") for line in seen)
