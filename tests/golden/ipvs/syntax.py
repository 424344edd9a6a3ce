"""Make syntax.jsonl anew: run Debian's ipvsadm on every command line and dump in it, and write down what it does.

    python3 tests/golden/ipvs/syntax.py            (needs ipvsadm, cc, and /etc/services; no rights, no ip_vs)

A row has ``argv`` or ``dump`` (the input of -R), the exit ``status`` (139: the peer crashed), the first line of
``stderr``, the ``requests`` that would have gone to the kernel, and ``shows``: what is printed, told by its words.
To add a case, append a row with argv or dump alone and run this again.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
COMMANDS = {
    1: "new service", 2: "set service", 3: "del service", 4: "get service", 5: "new dest", 6: "set dest", 7: "del dest",
    8: "get dest", 9: "new daemon", 10: "del daemon", 11: "get daemon", 12: "set config", 13: "get config", 16: "zero",
    17: "flush",
}  # fmt: skip
NAMES = {
    1: {1: "af", 2: "protocol", 3: "addr", 4: "port", 5: "fwmark", 6: "sched", 7: "flags", 8: "timeout", 9: "netmask",
        11: "pe"},
    2: {1: "addr", 2: "port", 3: "fwd", 4: "weight", 5: "u", 6: "l", 11: "af", 13: "tun_type", 14: "tun_port",
        15: "tun_flags"},
    3: {1: "state", 2: "ifn", 3: "syncid", 4: "maxlen", 5: "group", 6: "group6", 7: "mcast_port", 8: "ttl"},
}  # fmt: skip
SHOWS = {
    "ipvsadm v1.31": "version", "Timeout (tcp": "timeouts", "IPVS connection": "connections", "Conns": "stats",
    "CPS": "rate", "Uthreshold": "thresholds", "PersistConn": "persistent", "TunnelInfo": "tunnels",
    "InActConn": "list",
}  # fmt: skip


def attributes(data: bytes) -> dict[int, bytes]:
    found = {}
    while data:
        size, kind = struct.unpack_from("=HH", data)
        found[kind & 0x3FFF] = data[4:size]
        data = data[(size + 3) & ~3 :]
    return found


def value(name: str, data: bytes, family: int) -> str:
    if name in ("addr", "group", "group6"):
        size = 16 if name == "group6" or (name == "addr" and family == 10) else 4
        return socket.inet_ntop(socket.AF_INET6 if size == 16 else socket.AF_INET, data[:size])
    if name in ("port", "tun_port"):
        return str(int.from_bytes(data, "big"))
    if name in ("sched", "pe", "ifn"):
        return os.fsdecode(data.rstrip(b"\0"))
    if name == "netmask":
        return str(int.from_bytes(data, "little")) if family == 10 else socket.inet_ntop(socket.AF_INET, data)
    return str(int.from_bytes(data[:4], "little"))  # of the flags, without their mask


def request(line: str) -> str:
    """Return a logged request as words: what it does, then name=value of every attribute that says something."""
    number, _, digits = line.strip().partition(" ")
    words = [COMMANDS[int(number.rstrip("*"))] + number[len(number.rstrip("*")) :]]
    for kind, data in attributes(bytes.fromhex(digits)).items():
        if kind > 3:
            words.append(f"{kind}={int.from_bytes(data, 'little')}")
            continue
        inner = attributes(data)
        family = int.from_bytes(inner.get(11 if kind == 2 else 1, b"\2"), "little")
        words += [f"{NAMES[kind][key]}={value(NAMES[kind][key], data, family)}" for key, data in inner.items()]
    return " ".join(words)


def run(row: dict[str, object], scratch: Path) -> dict[str, object]:
    log = scratch / "log"
    log.write_text("")
    argv, dump = row.get("argv"), row.get("dump")
    assert isinstance(argv, list) or isinstance(dump, str)
    words = [os.fsencode(word) for word in (argv if isinstance(argv, list) else ["-R"])]
    environment = {"LD_PRELOAD": f"{scratch}/tap.so", "NETLINK_TAP": str(log), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    done = subprocess.run(
        [b"ipvsadm", *words], executable="/usr/sbin/ipvsadm", env=environment, capture_output=True, check=False,
        input=os.fsencode(dump) if isinstance(dump, str) else b"",
    )  # fmt: skip
    requests = [request(line) for line in log.read_text().splitlines() if not line.startswith("15")]
    made: dict[str, object] = (
        {"argv": [os.fsdecode(word) for word in words]} if isinstance(argv, list) else {"dump": dump}
    )
    made["status"] = 128 - done.returncode if done.returncode < 0 else done.returncode
    if done.stderr:
        made["stderr"] = os.fsdecode(done.stderr).partition("\n")[0]
    if requests:  # with one service asked for, its servers are asked for too; which, is not a matter of syntax
        made["requests"] = [text for text in requests if not text.startswith("get dest")]
    out = done.stdout.decode("utf-8", "replace")
    shows = ["help"] if "Usage:" in out else [name for words, name in SHOWS.items() if words in out]
    if shows and argv is not None:
        made["shows"] = shows[0]
    return made


def main() -> int:
    rows = [json.loads(line) for line in (HERE / "syntax.jsonl").read_text().splitlines()[1:]]
    version = subprocess.run(["dpkg-query", "-W", "ipvsadm"], capture_output=True, text=True, check=True).stdout.split()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        build = ["cc", "-shared", "-fPIC", "-o", f"{scratch}/tap.so", str(HERE / "syntax.c")]
        subprocess.run(build, check=True)
        made = [run(row, scratch) for row in rows]
    head = {"made by": "tests/golden/ipvs/syntax.py", "peer": " ".join(version)}
    (HERE / "syntax.jsonl").write_text("".join([f"{json.dumps(row)}\n" for row in [head, *made]]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
