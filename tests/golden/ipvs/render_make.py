"""Record what the peer prints for tables of virtual services: writes render_*.txt and render_*.json beside it.

Run as root on a kernel with IPVS, on a machine to throw away (it appends to /etc/hosts and /etc/services):

    gcc -shared -fPIC -O2 -o render_shim.so render_shim.c
    unshare -n /usr/bin/python3 render_make.py DIRECTORY

A .txt holds commands, each after a "$ ", with what they print; the .json beside it the values of pyipvsadm.ipvs.model
that stand for the table then, in the kernel's order. Nothing of pyipvsadm takes part in making them.
"""

from __future__ import annotations

import json
import os
import platform
import random
import shlex
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
IPVSADM = "/usr/sbin/ipvsadm"
FORMS = ("", "--stats", "--rate", "--thresholds", "--persistent-conn", "--tun-info", "--exact")
COMBINED = (
    "--stats --rate --exact",
    "--rate --thresholds",
    "--thresholds --persistent-conn",
    "--tun-info --persistent-conn",
)
FLAGS = {"persistent": 1, "ops": 4, "flag-1": 8, "flag-2": 16, "flag-3": 32}
OPTIONS = {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service"}
FORWARD = {"masq": "-m", "gateway": "-g", "ipip": "-i"}
CHECKSUM = {0: "--tun-nocsum", 1: "--tun-csum", 2: "--tun-remcsum"}

Service = dict[str, Any]


def service(
    at: str, *servers: Service, protocol: str | None = "tcp", flags: tuple[str, ...] = (), **settings: Any
) -> Service:
    """Describe a service at "address/port" or "mark/family"."""
    address, number = at.split("/")
    if protocol is None:
        key = {"family": int(number), "protocol": None, "address": "", "port": 0, "fwmark": int(address)}
    else:
        family = ip_address(address).version
        key = {"family": family, "protocol": protocol, "address": address, "port": int(number), "fwmark": 0}
    mask = sum(FLAGS[flag] for flag in flags)
    config = {"key": key, "scheduler": "rr", "flags": mask, "timeout": 0, "netmask": None, "pe_name": "", **settings}
    return {"config": config, "servers": list(servers)}


def server(at: str, forward: str = "masq", **settings: Any) -> Service:
    """Describe a real server at "address/port"."""
    address, port = at.split("/")
    return {
        "key": {"family": ip_address(address).version, "address": address, "port": int(port)},
        "forward": forward,
        **settings,
    }


def endpoint(key: Service) -> str:
    return f"[{key['address']}]:{key['port']}" if key["family"] == 6 else f"{key['address']}:{key['port']}"


def spelling(key: Service) -> list[str]:
    if key["protocol"] is None:
        return ["-f", str(key["fwmark"]), *(["-6"] if key["family"] == 6 else [])]
    return [OPTIONS[key["protocol"]], endpoint(key)]


def listed(key: Service) -> str:
    """Spell a service as a numeric listing does."""
    if key["protocol"] is None:
        signed = key["fwmark"] - (key["fwmark"] >> 31 << 32)
        return f"FWM  {signed} IPv6" if key["family"] == 6 else f"FWM  {signed}"
    return f"{key['protocol'].upper():<4} {endpoint(key)}"


def add(entry: Service) -> None:
    """Put a service and its servers into the kernel."""
    config = entry["config"]
    line = ["-A", *spelling(config["key"]), "-s", config["scheduler"]]
    if config["flags"] & 1:
        line += ["-p", str(config["timeout"])]
    mask = config["netmask"]
    if mask is not None:
        line += ["-M", str(mask) if config["key"]["family"] == 6 else str(ip_address(mask))]
    if config["flags"] & 4:
        line += ["-o"]
    if config["flags"] & 56:
        line += ["-b", ",".join(name for name in ("flag-1", "flag-2", "flag-3") if config["flags"] & FLAGS[name])]
    if config["pe_name"]:
        line += ["--pe", config["pe_name"]]
    subprocess.run([IPVSADM, *line], check=True)
    for real in entry["servers"]:
        line = ["-a", *spelling(config["key"]), "-r", endpoint(real["key"]), FORWARD[real["forward"]]]
        line += ["-w", str(real.get("weight", 1))]
        line += ["-x", str(real.get("u_threshold", 0)), "-y", str(real.get("l_threshold", 0))]
        if "tun_type" in real:
            line += ["--tun-type", real["tun_type"]]
            line += ["--tun-port", str(real["tun_port"])] if "tun_port" in real else []
            line += [CHECKSUM[real["tun_flags"]]] if "tun_flags" in real else []
        subprocess.run([IPVSADM, *line], check=True)


def in_kernel_order(services: list[Service]) -> list[Service]:
    """Sort services and their servers as the kernel gives them, from an unsorted listing."""
    listing = subprocess.run([IPVSADM, "-Ln", "--nosort", "--stats"], check=True, capture_output=True, text=True).stdout
    names = [line[:-45].rstrip() for line in listing.splitlines()[3:]]
    heads = [name for name in names if not name.startswith("  ->")]
    ordered = sorted(services, key=lambda entry: heads.index(listed(entry["config"]["key"])))
    for entry in ordered:
        start = names.index(listed(entry["config"]["key"]))
        entry["servers"].sort(key=lambda real: names.index(f"  -> {endpoint(real['key'])}", start))
    return ordered


def capture(command: str) -> str:
    """Run a command line; return it and what it prints."""
    words = shlex.split(command)
    settings = {word.split("=")[0]: word.split("=", 1)[1] for word in words if word[:3] in ("U64", "U32", "U16", "U8=")}
    preload = {"LD_PRELOAD": str(HERE / "render_shim.so")} if settings else {}
    done = subprocess.run(
        [IPVSADM, *words[len(settings) + 1 :]],
        env={**os.environ, **preload, **settings},
        capture_output=True,
        check=True,
    )
    return f"$ {command}\n{done.stdout.decode()}"


def record(directory: Path, name: str, services: list[Service], commands: list[str], **more: Any) -> None:
    """Make a table and write down what commands print about it."""
    subprocess.run([IPVSADM, "-C"], check=True)
    for entry in services:
        add(entry)
    text = "".join(capture(f"ipvsadm {command}" if command[0] == "-" else command) for command in commands)
    made = {
        "tool": "ipvsadm 1.31 (Debian 12)",
        "kernel": platform.release(),
        "services": in_kernel_order(services),
        **more,
    }
    (directory / f"render_{name}.txt").write_text(text)
    (directory / f"render_{name}.json").write_text(json.dumps(made, indent=1) + "\n")


def every_form(*first: str) -> list[str]:
    return [f"{command} {form}".strip() for command in first for form in FORMS + COMBINED]


MIXED = [
    service("10.0.0.1/80", server("192.168.0.2/80"),
            server("192.168.0.1/8080", weight=0, u_threshold=10, l_threshold=5),
            server("127.0.0.1/80", "gateway"), server("2001:db8::2/80", "ipip")),
    service("10.0.0.1/0", server("10.200.100.200/0", "ipip", weight=65535, tun_type="gue", tun_port=6080, tun_flags=1),
            server("10.200.100.201/0", "ipip", tun_type="gue", tun_port=65535, tun_flags=2),
            server("10.200.100.202/0", "ipip", tun_type="gue", tun_port=1, tun_flags=0),
            server("10.200.100.203/0", "ipip", tun_type="gre", tun_flags=0),
            server("10.200.100.204/0", "ipip", tun_type="gre", tun_flags=1),
            server("10.200.100.205/0", "ipip", tun_type="ipip"),
            scheduler="wlc", flags=("persistent",), timeout=600, netmask=0xFFFFFF00),
    service("10.0.0.1/443", scheduler="sed", protocol="sctp"),
    service("2001:db8::1/443", server("2001:db8:1111:2222:3333:4444:5555:6666/443", "gateway", weight=2147483647),
            server("1.2.3.4/443", "ipip"), flags=("persistent",), timeout=300, netmask=64),
    service("2001:db8:1111:2222:3333:4444:5555:6666/65535", protocol="udp", flags=("ops",)),
    service("1/4", server("10.9.9.9/0"), server("10.9.9.9/99", "gateway", u_threshold=65535, l_threshold=65535),
            protocol=None),
    service("1/6", server("2001:db8::99/99", "ipip"), protocol=None, flags=("persistent",), timeout=20),
    service("4000000000/4", protocol=None, flags=("ops",)),
    service("2147483648/6", protocol=None),
    service("10.0.0.7/5060", protocol="udp", flags=("persistent", "ops"), timeout=60, pe_name="sip",
            netmask=0xFFFF0000),
    service("100.0.0.1/80", scheduler="ovf"),
    service("200.0.0.1/80", scheduler="lblcr"),
]  # fmt: skip

SETTINGS = [
    service(f"10.0.{n}.{bits}/53", protocol="udp", scheduler=scheduler,
            flags=tuple(f"flag-{bit + 1}" for bit in range(3) if bits >> bit & 1))
    for n, scheduler in enumerate(("rr", "sh", "mh")) for bits in range(8)
] + [
    service(f"10.1.0.{n}/80", flags=("persistent",), timeout=timeout, netmask=netmask)
    for n, (timeout, netmask) in enumerate(((1, 0xFFFFFFFF), (86400, 0xFF00FF00), (360, 1), (360, 0xFFFF0000)))
] + [
    service(f"2001:db8::{n}/80", flags=("persistent",), timeout=360, netmask=n) for n in (1, 64, 127, 128)
]  # fmt: skip

LONG = "this.is.a.very.long.host.name.example.com"
LONGER = "a2345678.b2345678.c2345678.d2345678.e2345678.f2345678.g2345678.h2345678"
HOSTS = {
    "10.78.0.1": "a.example", "10.78.0.2": "exactly-seventeen", "10.78.0.3": LONG, "10.78.0.4": LONGER,
    "2001:db8:78::1": "six.example", "2001:db8:78::3": LONG, "2001:db8:78::4": LONGER,
}  # fmt: skip
PORTS = {"80/tcp": "http", "7701/tcp": "averylongservicename", "7701/udp": "averylongservicename",
         "7702/tcp": "tcponly", "7703/udp": "udponly", "7704/sctp": "sctponly"}  # fmt: skip
NAMED = [
    service(f"{address}/80", *[server(f"{real}/{port}", "ipip" if ":" in real + address else "masq")
            for real in HOSTS for port in ((80,) if ":" in real + address else (80, 7701, 7702, 7703, 60001))])
    for address in HOSTS
] + [
    service("10.78.0.1/7701", protocol="udp"), service("10.78.0.3/7703", protocol="udp"),
    service("10.78.0.1/7704", protocol="sctp"), service("10.78.0.1/80", protocol="sctp"),
    service("10.78.0.9/7702"), service("10.78.0.9/0", flags=("persistent",), timeout=360),
    service("7/4", server("10.78.0.1/80"), server("10.78.0.1/0"), protocol=None),
    service("7/6", server("2001:db8:78::3/7701"), server("10.78.0.4/80", "ipip"), protocol=None),
]  # fmt: skip


def scattered() -> list[Service]:
    """Make services whose addresses and marks lie anywhere, where the peer's comparison goes in circles."""
    chance = random.Random(131)

    def address(family: int) -> str:
        while True:
            found = ip_address(chance.getrandbits(32 if family == 4 else 128))
            if not (
                found.is_multicast
                or found.is_loopback
                or found.is_link_local
                or found.is_unspecified
                or found.packed[0] in (0, 255)
            ):
                return str(found)

    def servers(family: int, count: int) -> list[Service]:
        return [server(f"{address(family if real % 3 else 10 - family)}/80", "ipip") for real in range(count)]

    return [
        service(f"{address(family)}/80", *servers(family, chance.randrange(6)),
                protocol=chance.choice(["tcp", "udp", "sctp"]))
        for family in (4, 4, 6) for _ in range(20)
    ] + [service(f"{chance.getrandbits(32)}/{chance.choice('46')}", protocol=None) for _ in range(20)]  # fmt: skip


def counters() -> list[str]:
    """Make commands that show numbers around every change of unit.

    Servers have 32 bits, which the kernel cuts; attributes of other things would change with the first two counters.
    """
    commands = []
    for power in (0, 4, 7, 8, 9, 11, 14, 15, 19):
        for number in (10**power - 1, 10**power * 155 // 100):
            wide = ",".join(f"{kind}={number + kind}" for kind in range(1, 11))
            narrow = ",".join(f"{kind}={(number + kind) % 2**32}" for kind in (3, 6, 7, 8, 9, 10))
            forms = ("--stats", "--rate", "--stats --exact", "--rate --exact")
            commands += [f"U64={wide} U32={narrow} ipvsadm -Ln {form}" for form in forms]
    return commands


CONNECTIONS = """\
TCP 0A4E0001 C350 0A4E0001 0050 0A4E0003 0050 ESTABLISHED     890
UDP C0A8FFFF FFFF C0A8FEFE FFFF C0A8FDFE FFFF UDP              59
TCP 01020304 C350 01020305 0050 7F000002 0050 SYN_RECV       3600
TCP 01020304 C350 01020305 0050 7F000002 0050 NONE         360000
TCP 01020304 0000 01020305 0000 7F000002 0000 NONE              0
IP  01020304 0000 00000001 0000 0A4E0003 0050 NONE             60
IP  01020304 0000 EE6B2800 0000 0A4E0003 0000 NONE             60
SCTP 01020304 04D2 0A4E0001 1E18 0A4E0003 0050 ESTABLISHED    400
UDP 0A4E0001 1E15 0A4E0004 1E15 0A4E0003 1E15 UDP              59 sip callid@host
UDP 0A4E0001 1E15 0A4E0001 1E15 0A4E0001 0001 UDP              59 averyveryverylongname callid@host
TCP {0}0001 C350 {0}0003 0050 {0}0004 0050 FIN_WAIT 90
UDP {0}0001 C350 2001:0db8:0078:1111:2222:3333:4444:5551 0050 0A4E0003 0050 UDP 8 sip x
""".format("2001:0db8:0078:0000:0000:0000:0000:")


def record_connections(directory: Path) -> None:
    """Let the peer read a connection table of ours, in a /proc that has nothing else."""
    title = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
    (directory / "render_connections.proc").write_text(title + CONNECTIONS)
    commands = ("ipvsadm -Lcn", "ipvsadm -Lc", "ipvsadm -Lcn --persistent-conn", "ipvsadm -Lc --persistent-conn")
    script = (
        "cp /proc/net/ip_vs /tmp/ip_vs && mount -t tmpfs none /proc && mkdir /proc/net && mv /tmp/ip_vs /proc/net/ &&"
        f' cp "{directory}/render_connections.proc" /proc/net/ip_vs_conn'
        + "".join(f" && echo '$ {command}' && {command.replace('ipvsadm', IPVSADM)}" for command in commands)
    )
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], check=True, capture_output=True, text=True)
    (directory / "render_connections.txt").write_text(done.stdout)
    made = {"tool": "ipvsadm 1.31 (Debian 12)", "kernel": platform.release(), "hosts": HOSTS, "ports": PORTS}
    (directory / "render_connections.json").write_text(json.dumps(made, indent=1) + "\n")


def main() -> None:
    """Make all files in the directory given."""
    directory = Path(sys.argv[1]).resolve()
    with open("/etc/hosts", "a") as hosts, open("/etc/services", "a") as ports:
        hosts.writelines(f"{address} {name}\n" for address, name in HOSTS.items())
        ports.writelines(f"{name} {port}\n" for port, name in PORTS.items() if not port.startswith("80/"))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    single = [f"-L -n {key} {form}" for key in ("-t 10.0.0.1:80", "-f 1 -6") for form in FORMS]
    single += ["-L -n -t [2001:db8::1]:443", "-L -n -f 1", "-L -n -t 10.0.0.1:0 --nosort"]
    record(directory, "mixed", MIXED, [*every_form("-L -n"), "-L -n --nosort", *single, "-S -n"])
    record(directory, "settings", SETTINGS, ["-L -n", "-S -n"])
    record(
        directory,
        "names",
        NAMED,
        ["-L", "-L --stats", "-L --tun-info", "-L -t 10.78.0.4:80", "-S"],
        hosts=HOSTS,
        ports=PORTS,
    )
    record(directory, "scattered", scattered(), ["-L -n", "-L -n --nosort", "-S -n"])
    record(directory, "empty", [], [*every_form("-L -n"), "-S -n"])
    record(directory, "counters", [service("10.0.0.1/80", server("10.0.0.2/80"))], counters())
    shown = ("", "--thresholds", "--persistent-conn", "--tun-info")
    large = [f"U32=7={n},8={n},9={n} ipvsadm -Ln {form}" for n in (1234567890, 2**32 - 1) for form in shown]
    local = [f"U32=3={method} ipvsadm {command}" for method in (1, 4) for command in ("-Ln", "-Ln --tun-info", "-Sn")]
    record(directory, "states", [service("10.0.0.1/80", server("10.0.0.2/80"))], large + local)
    record_connections(directory)


if __name__ == "__main__":
    main()
