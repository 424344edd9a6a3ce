"""``pyipvsadm top``: what comes to services and servers, or to rules, every second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pyipvsadm.app import options
from pyipvsadm.app import state as states
from pyipvsadm.ui.live import RuleLines, ServiceLines
from pyipvsadm.ui.top import Top

if TYPE_CHECKING:
    from pyipvsadm.app.state import Place
    from pyipvsadm.kinds import Kind

_EPILOG = """\b
Examples:
  pyipvsadm top
  pyipvsadm top --netns blue --every 1

Exit status: 0 ended with q, 2 trouble, 130 ended with Ctrl-C."""


@click.command(epilog=_EPILOG)
@click.option(
    "--every",
    type=options.Seconds(),
    default=2.0,
    metavar="SECONDS",
    help="How often to look; the kernel's counters are summed up every 2 seconds.",
)
@options.kind
@options.place
def command(every: float, kind: Kind | None, place: Place) -> None:
    """Watch the rates of services and servers, or of rules.

    Rates of services are measured from one look to the next, or are the kernel's own estimates (key e), which follow
    slowly. The key ? shows all keys.
    """
    from pyipvsadm.app.terminal import show

    if kind not in (None, "ipvs"):
        family = states.family_of(kind)
        show(Top(RuleLines(place.name), lambda: states.read_rules(place, family), every))
        return
    with states.open_services(place) as table:
        show(Top(ServiceLines(place.name), table.services, every))
