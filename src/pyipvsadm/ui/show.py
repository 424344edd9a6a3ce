"""What ``pyipvsadm show`` draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console

from pyipvsadm.ipvs.command import List
from pyipvsadm.ipvs.names import Numbers
from pyipvsadm.ui import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyipvsadm.ipvs.model import Info, ServiceState

_UNBROKEN: Final = 1000  # columns of what is no terminal: lines are for grep, not for a width


def make_console() -> Console:
    """Return the console of standard output: without colours and without line breaks where it is no terminal."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_UNBROKEN)
    return console


def services(found: Sequence[ServiceState], info: Info, console: Console | None = None) -> str:
    """Return services with their servers."""
    return tables.listing(found, List(numeric=True), info, Numbers(), console or make_console())
