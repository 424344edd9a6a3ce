"""Measure what pyipvsadm top takes for a look at a large table; script/bench runs it where there is a kernel with IPVS.

A look is one refresh: reading the table, the rates, the order, and drawing the window. Its CPU time, in user space and
in the kernel, stands beside that of one ``ipvsadm -Ln --stats``, which reads the same. Exits with 1 where it is over
its budget.
"""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console

from bench.ipvs import PEER, SERVERS, SERVICES, dump
from bench.timing import Figure, over
from pyipvsadm import ipvs
from pyipvsadm.app.garbage import few_collections
from pyipvsadm.ui.live import ServiceLines
from pyipvsadm.ui.top import Top
from support import netns

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 120, 40


def cpu() -> float:
    """Return the CPU time of this process."""
    return time.process_time()


def of_peer() -> float:
    """Return the CPU time of the C tool's listing."""
    before = os.times()
    subprocess.run([PEER / "ipvsadm", "-Ln", "--stats"], stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def draw(console: Console, top: Top[Sequence[ipvs.ServiceState]]) -> None:
    """Draw as Screen does."""
    for line in top.draw(WIDTH, HEIGHT, plain=False):
        console.print(line)


def looks(rounds: int) -> tuple[list[float], list[float], list[float]]:
    """Return the CPU times of reading, of a whole look, and of the peer's listing, in turns."""
    reading, whole, peer = [], [], []
    console = Console(file=io.StringIO(), width=WIDTH, force_terminal=True)
    with ipvs.open() as table:

        def read() -> Sequence[ipvs.ServiceState]:
            start = cpu()
            services = table.services()
            reading.append(cpu() - start)
            return services

        top = Top(ServiceLines("live"), read, 2.0)
        top.refresh()
        draw(console, top)
        reading.clear()
        for _ in range(rounds):
            start = cpu()
            top.refresh()
            draw(console, top)
            whole.append(cpu() - start)
            peer.append(of_peer())
    return reading, whole, peer


def main() -> int:
    """Measure in a network namespace of our own; return the exit status."""
    rounds = 3 if "--quick" in sys.argv[1:] else 9
    with netns.fresh() as namespace, namespace.entered():
        with tempfile.NamedTemporaryFile("w", suffix=".rules") as file:
            file.write(dump(SERVICES, SERVERS))
            file.flush()
            with open(file.name) as rules:
                subprocess.run([PEER / "ipvsadm", "-R"], stdin=rules, check=True)
        with few_collections():
            reading, whole, peer = map(statistics.median, looks(rounds))
    print(f"CPU time, ms, {SERVICES} services x {SERVERS}: a look of top {whole * 1000:.0f}, of which reading")
    figure = Figure("a look of top", whole, peer, whole / peer, 2.0)
    print(
        f"{reading * 1000:.0f}; ipvsadm -Ln --stats {peer * 1000:.0f}; ratio {figure.ratio:.2f}, budget {figure.budget}"
    )
    return int(over([figure]))


if __name__ == "__main__":
    sys.exit(main())
