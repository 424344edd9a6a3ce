"""What ``pyipvsadm drain`` and ``undrain`` tell."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from pyipvsadm.filters import endpoint_text, service_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyipvsadm import ipvs
    from pyipvsadm.drain import Member, Undone

    Counts = Sequence[tuple[int, int]]


def _name(service: ipvs.ServiceKey, server: ipvs.RealServer) -> str:
    return f"{service_text(service)} {endpoint_text(server.key.address, server.key.port)}"


def plan(members: Sequence[Member], *, remove: bool) -> str:
    """Return what draining would do, a line for each server."""
    end = "then remove it" if remove else "leave it there"
    return "".join(
        [
            f"{_name(member.service, member.server)}: weight {member.server.weight} to 0, wait for"
            f" {member.state.activeconns + member.state.inactconns} connections, {end}\n"
            for member in members
        ]
    )


def undone_text(done: Sequence[Undone], *, dry_run: bool) -> str:
    """Return what became of servers that were to be put back, a line for each."""
    would = "would be " if dry_run else ""
    outcomes = {
        "restored": "{would}weight {weight} again",
        "added": "{would}added again, with weight {weight}",
        "up": "has weight {weight} already",
        "unknown": "no old weight is known: give one with --weight",
    }
    return "".join(
        [
            f"{_name(one.service, one.server)}: {outcomes[one.outcome].format(would=would, weight=one.server.weight)}\n"
            for one in done
        ]
    )


@contextmanager
def progress(members: Sequence[Member], *, quiet: bool) -> Iterator[Callable[[Counts], None]]:
    """Give a function that shows how many connections servers have: bars on a terminal, else a line a change."""
    console = Console()
    if quiet:
        yield lambda _: None
    elif console.is_terminal and not console.is_dumb_terminal:
        with _bars(console, members) as show:
            yield show
    else:
        yield _Lines(members).show


@contextmanager
def _bars(console: Console, members: Sequence[Member]) -> Iterator[Callable[[Counts], None]]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[active]} active, {task.fields[inactive]} inactive", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, auto_refresh=False, expand=True) as bars:
        tasks = [
            bars.add_task(_name(member.service, member.server), total=0, active=0, inactive=0) for member in members
        ]
        most = [0] * len(members)

        def show(counts: Counts) -> None:
            for place, (task, (active, inactive)) in enumerate(zip(tasks, counts, strict=True)):
                left = active + inactive
                most[place] = max(most[place], left, 1)
                bars.update(task, total=most[place], completed=most[place] - left, active=active, inactive=inactive)
            bars.refresh()

        yield show


class _Lines:
    """A line for each change of what a server has."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = members
        self._before: list[tuple[int, int] | None] = [None] * len(members)
        self._console = Console(soft_wrap=True)

    def show(self, counts: Counts) -> None:
        """Print what has changed."""
        for place, (member, now) in enumerate(zip(self._members, counts, strict=True)):
            if now != self._before[place]:
                self._before[place] = now
                line = f"{_name(member.service, member.server)}: {now[0]} active, {now[1]} inactive connections"
                self._console.print(line, markup=False, highlight=False, emoji=False)
