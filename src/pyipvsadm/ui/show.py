"""What ``pyipvsadm show`` draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console

from pyipvsadm.ipvs.command import List
from pyipvsadm.ipvs.names import Numbers
from pyipvsadm.ui import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyipvsadm.ipvs.model import Info, ServerState, ServiceState

_UNBROKEN: Final = 1000  # columns of what is no terminal: lines are for grep, not for a width


def make_console() -> Console:
    """Return the console of standard output: without colours and without line breaks where it is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=_UNBROKEN)


def services(
    found: Sequence[ServiceState],
    info: Info,
    *,
    counters: bool = False,
    rates: bool = False,
    exact: bool = False,
    console: Console | None = None,
) -> str:
    """Return services with their servers: settings and connections, or what was counted, or how fast it grows."""
    options = List(numeric=True, stats=counters, rate=rates, exact=exact)
    console = console or make_console()
    people = console.is_terminal
    text = tables.listing(found, options, info, Numbers(), console, {"\nState": _state_of}, bars=people)
    return text if people else "".join([f"{line.rstrip()}\n" for line in text.splitlines()])


def _state_of(server: ServerState) -> str:
    """Return what becomes of new connections to a server, in a word."""
    connections = server.activeconns + server.inactconns
    if not server.config.weight:
        return "draining" if connections else "drained"
    return "full" if 0 < server.config.u_threshold <= connections else "up"
