"""Time ipvsadm's replacements against the C tools; script/bench runs this where there is a kernel with IPVS.

Every figure is the wall time of whole processes; a ratio is the median over rounds of ours divided by the peer's in the
same round. Exits with 1 where a ratio is over its budget.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.timing import Figure, alternate, over, running, seconds
from support import netns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SERVICES = 2000
SERVERS = 5
BIN = Path(sys.executable).parent
PEER = Path("/usr/sbin")


def dump(services: int, servers: int) -> str:
    """Return a dump of ``services`` with ``servers`` each."""
    lines = []
    for number in range(services):
        name = f"10.{number // 250}.{number % 250}.1:80"
        lines.append(f"-A -t {name} -s wlc\n")
        lines += [f"-a -t {name} -r 192.168.{number % 250}.{n + 1}:8080 -m -w 1\n" for n in range(servers)]
    return "".join(lines)


def clear() -> None:
    """Empty the table."""
    seconds([PEER / "ipvsadm", "-C"])


def compare(rounds: int) -> list[Figure]:
    """Measure everything that has a budget, and one -A."""
    with tempfile.NamedTemporaryFile("w", suffix=".rules") as file:
        file.write(dump(SERVICES, SERVERS))
        file.flush()

        def restored(*argv: str | Path) -> Callable[[], float]:
            def measure() -> float:
                clear()
                return seconds(argv, file.name)

            return measure

        peer, ours = PEER / "ipvsadm", BIN / "ipvsadm"
        sizes = f"{SERVICES} services x {SERVERS}"
        figures = [
            alternate(f"ipvsadm -R, {sizes}", rounds, restored(ours, "-R"), restored(peer, "-R"), 0.6),
            alternate(
                f"ipvsadm-restore, {sizes} (peer: -R)",
                rounds,
                restored(BIN / "ipvsadm-restore"),
                restored(peer, "-R"),
                0.6,
            ),
        ]
        figures += [
            alternate(f"ipvsadm {option}, {sizes}", rounds, running(ours, option), running(peer, option), 1.2)
            for option in ("-Ln", "-Sn")
        ]
    clear()
    few = max(5, 3 * rounds)

    def added(program: Path) -> Callable[[], float]:
        def measure() -> float:
            clear()
            return seconds([program, "-A", "-t", "10.0.0.1:80"])

        return measure

    bare = running(sys.executable, "-c", "pass")
    figures.append(alternate("ipvsadm -A (other: the peer)", few, added(ours), added(peer)))
    figures.append(alternate("ipvsadm -A (other: python -c pass)", few, added(ours), bare, 2.0))
    figures.append(alternate("ipvsadm -h (other: python -c pass)", few, running(ours, "-h"), bare, 2.0))
    clear()
    return figures


def growth(sizes: Sequence[int]) -> None:
    """Print what a command of a restore costs as the table grows; ours should not grow more than the peer's.

    What one service takes, which is mostly starting up, is left out.
    """
    ours, peer = BIN / "ipvsadm", PEER / "ipvsadm"
    sizes = (1, *sizes)
    print(f"\n{'us a command of -R, services of 1 server':<44}{'ours':>9}{'other':>9}")
    alone: dict[Path, float] = {}
    for size in sizes:
        with tempfile.NamedTemporaryFile("w", suffix=".rules") as file:
            file.write(dump(size, 1))
            file.flush()
            costs = []
            for program in (ours, peer):
                took = []
                for _ in range(3 if size < 1000 else 1):
                    clear()
                    took.append(seconds([program, "-R"], file.name))
                alone.setdefault(program, min(took))
                costs.append((min(took) - alone[program]) / (2 * size) * 1e6)
        if size > 1:
            print(f"{size:<44}{costs[0]:>9.0f}{costs[1]:>9.0f}", flush=True)
    clear()


def main() -> int:
    """Measure in a network namespace of our own; return the exit status."""
    quick = "--quick" in sys.argv[1:]
    with netns.fresh() as namespace, namespace.entered():
        print(f"{'median of whole processes, ms':<52}{'ours':>9}{'other':>9}{'ratio':>8}")
        figures = compare(1 if quick else 5)
        growth((100, 1000) if quick else (100, 1000, 3000, 10000))
    return int(over(figures))


if __name__ == "__main__":
    sys.exit(main())
