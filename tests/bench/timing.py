"""How commands are timed beside the C tools: whole processes, in turns, because machines are noisy."""

from __future__ import annotations

import os
import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class Figure(NamedTuple):
    """One line of the report: what was measured, how often ours took as long as the other, and how often it may."""

    what: str
    ours: float
    other: float
    ratio: float
    budget: float | None


def run(argv: Sequence[str | Path], stdin: str = os.devnull, status: int = 0) -> tuple[float, int]:
    """Return the wall time of a process in seconds and its peak memory in KiB.

    Raises RuntimeError where it ends with another status.
    """
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
    ]
    words = [str(word) for word in argv]
    start = time.perf_counter()
    child = os.posix_spawn(words[0], words, os.environ, file_actions=actions)
    _, ended, usage = os.wait4(child, 0)
    took = time.perf_counter() - start
    if os.waitstatus_to_exitcode(ended) != status:
        raise RuntimeError(f"{' '.join(words)}: status {os.waitstatus_to_exitcode(ended)}")
    return took, usage.ru_maxrss


def seconds(argv: Sequence[str | Path], stdin: str = os.devnull, status: int = 0) -> float:
    """Return the wall time of a process, which is to end with a status."""
    return run(argv, stdin, status)[0]


def running(*argv: str | Path) -> Callable[[], float]:
    """Return what measures a command."""
    return lambda: seconds(argv)


def alternate(
    what: str, rounds: int, ours: Callable[[], float], other: Callable[[], float], budget: float | None = None
) -> Figure:
    """Measure both in turns, after one turn that does not count."""
    ours()
    other()
    pairs = [(ours(), other()) for _ in range(rounds)]
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    figure = Figure(what, mine, theirs, ratio, budget)
    limit = "" if budget is None else f"   budget {budget} x{'' if ratio <= budget else '   OVER'}"
    print(f"{what:<52}{mine * 1000:>9.1f}{theirs * 1000:>9.1f}{ratio:>8.2f} x{limit}", flush=True)
    return figure


def over(figures: Sequence[Figure]) -> bool:
    """Whether a ratio is over its budget."""
    return any(figure.budget is not None and figure.ratio > figure.budget for figure in figures)
