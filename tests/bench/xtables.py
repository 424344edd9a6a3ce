"""Time iptables' replacements against the C tools, in a network namespace of our own; script/bench runs this as root.

The table is what kube-proxy makes of services with three endpoints each. Exits with 1 where a ratio is over its budget.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.timing import Figure, alternate, over, run, running, seconds
from support import netns

SERVICES = 5000
ENDPOINTS = 3
BIN = Path(sys.executable).parent
PEER = Path("/usr/sbin")


def _chain(kind: str, name: str) -> str:
    return f"KUBE-{kind}-{hashlib.sha256(name.encode()).hexdigest()[:16].upper()}"


def dump(services: int) -> str:
    """Return a nat table of ``services``, each with a chain of its own and one for each endpoint."""
    hooks = ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")
    chains = [f":{hook} ACCEPT [0:0]" for hook in hooks] + [":KUBE-SERVICES - [0:0]", ":KUBE-MARK-MASQ - [0:0]"]
    rules = [
        "-A PREROUTING -j KUBE-SERVICES",
        "-A OUTPUT -j KUBE-SERVICES",
        "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
    ]
    for number in range(services):
        service, name = _chain("SVC", str(number)), f"ns{number % 40}/svc{number}:http"
        chains.append(f":{service} - [0:0]")
        rules.append(
            f"-A KUBE-SERVICES -d 10.{96 + (number >> 16)}.{number >> 8 & 255}.{number & 255}/32 -p tcp -m comment"
            f' --comment "{name} cluster IP" -m tcp --dport 80 -j {service}'
        )
        for place in range(ENDPOINTS):
            endpoint, address = _chain("SEP", f"{number} {place}"), f"10.{place}.{number >> 8 & 255}.{number & 255}"
            left = ENDPOINTS - place
            share = f" -m statistic --mode random --probability {1 / left:.11f}" if left > 1 else ""
            chains.append(f":{endpoint} - [0:0]")
            rules += [
                f'-A {service} -m comment --comment "{name} -> {address}:8080"{share} -j {endpoint}',
                f'-A {endpoint} -s {address}/32 -m comment --comment "{name}" -j KUBE-MARK-MASQ',
                f'-A {endpoint} -p tcp -m comment --comment "{name}" -m tcp -j DNAT --to-destination {address}:8080',
            ]
    return "\n".join(["*nat", *chains, *rules, "COMMIT", ""])


def clear() -> None:
    """Empty the tables."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("*nat\nCOMMIT\n*filter\nCOMMIT\n")
        file.flush()
        seconds([PEER / "iptables-legacy-restore"], file.name)


def compare(rounds: int) -> list[Figure]:
    """Measure everything that has a budget, and one -A on an empty and on a large table."""
    ours, peer, nft = BIN / "iptables", PEER / "iptables-legacy", PEER / "iptables-nft"
    bare = running(sys.executable, "-c", "pass")
    add = ("-t", "nat", "-A", "OUTPUT", "-s", "192.0.2.1", "-j", "ACCEPT")
    remove = ("-t", "nat", "-D", "OUTPUT", "-s", "192.0.2.1", "-j", "ACCEPT")
    few = max(5, 3 * rounds)
    figures = [
        alternate("iptables -A, empty table", few, running(ours, *add), running(peer, *add)),
        alternate("iptables -A (other: python -c pass)", few, running(ours, *add), bare, 2.0),
        alternate("iptables -h (other: python -c pass)", few, running(ours, "-h"), bare, 2.0),
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".rules") as file:
        file.write(dump(SERVICES))
        file.flush()

        def restored(program: Path) -> float:
            clear()
            return seconds([program], file.name)

        size = f"{dump(SERVICES).count(chr(10) + '-A ')} rules"
        other = PEER / "iptables-legacy-restore"
        figures += [
            alternate(
                f"iptables-restore, {size}",
                rounds,
                lambda: restored(BIN / "iptables-restore"),
                lambda: restored(other),
                1.0,
            ),
            alternate(
                f"iptables-restore, {size} (other: nft)",
                rounds,
                lambda: restored(BIN / "iptables-restore"),
                lambda: seconds([PEER / "iptables-nft-restore"], file.name),
            ),
            alternate(
                f"iptables-save, {size}",
                rounds,
                running(BIN / "iptables-save"),
                running(PEER / "iptables-legacy-save"),
                2.0,
            ),
            alternate(f"iptables -A, {size}", rounds, running(ours, *add), running(peer, *add)),
        ]
        seconds([nft, "-t", "nat", "-F"])
        seconds([peer, *remove])
        figures.append(memory(BIN / "iptables-restore", other, file.name))
    return figures


def memory(ours: Path, other: Path, dump_path: str) -> Figure:
    """Measure the peak memory of two restores, in MiB."""
    mine, theirs = (
        statistics.median(run([program], dump_path)[1] for _ in range(3)) / 1024 for program in (ours, other)
    )
    figure = Figure("peak memory of that restore, MiB", mine, theirs, mine / theirs, 2.0)
    print(f"{figure.what:<52}{mine:>9.1f}{theirs:>9.1f}{figure.ratio:>8.2f} x   budget {figure.budget} x", flush=True)
    return figure


def growth(sizes: tuple[int, ...]) -> None:
    """Print what a rule of a restore costs as tables grow."""
    print(f"\n{'us a rule of a restore, services':<52}{'ours':>9}{'other':>9}")
    for size in sizes:
        text = dump(size)
        with tempfile.NamedTemporaryFile("w", suffix=".rules") as file:
            file.write(text)
            file.flush()
            costs = []
            for program in (BIN / "iptables-restore", PEER / "iptables-legacy-restore"):
                clear()
                costs.append(min(seconds([program], file.name) for _ in range(3)) / text.count("\n-A ") * 1e6)
        print(f"{size:<52}{costs[0]:>9.1f}{costs[1]:>9.1f}", flush=True)


def main() -> int:
    """Measure; return the exit status."""
    quick = "--quick" in sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, netns.fresh() as namespace, namespace.entered():
        os.environ["XTABLES_LOCKFILE"] = f"{folder}/lock"
        print(f"{'median of whole processes, ms':<52}{'ours':>9}{'other':>9}{'ratio':>8}")
        figures = compare(3 if quick else 7)
        growth((100, 1000, 5000) if quick else (100, 1000, 5000, 10000))
    return int(over(figures))


if __name__ == "__main__":
    sys.exit(main())
