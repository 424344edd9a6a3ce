"""``pyipvsadm top``: what comes to services and servers, or to rules, every second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from pyipvsadm.app import options
from pyipvsadm.app import state as states
from pyipvsadm.app.errors import Trouble
from pyipvsadm.app.terminal import repeat, show
from pyipvsadm.rates import Meter, of_rules, of_services, rule_counters
from pyipvsadm.ui import top_json
from pyipvsadm.ui.live import RuleLines, ServiceLines
from pyipvsadm.ui.top import FASTEST, Top

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from pyipvsadm.app.state import Place
    from pyipvsadm.iptables import Ruleset
    from pyipvsadm.kinds import Kind

    State = TypeVar("State")

_EPILOG = """\b
Examples:
  pyipvsadm top
  pyipvsadm top --netns blue --every 1
  pyipvsadm top --json --count 2

Exit status: 0 ended with q or after --count, 2 trouble, 130 ended with Ctrl-C."""


@click.command(epilog=_EPILOG)
@click.option(
    "--every",
    type=options.Seconds(),
    default=2.0,
    metavar="SECONDS",
    help="How often to look; the kernel's counters are summed up every 2 seconds.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document on a line for each look.")
@click.option("--count", type=click.IntRange(1), metavar="NUMBER", help="With --json: end after so many looks.")
@options.kind
@options.place
def command(every: float, as_json: bool, count: int | None, kind: Kind | None, place: Place) -> None:
    """Watch the rates of services and servers, or of rules.

    Rates of services are measured from one look to the next, or are the kernel's own estimates (key e), which follow
    slowly. The key ? shows all keys.

    With --json both are printed. The first look has no measured rates, as there is none before it.
    """
    if count is not None and not as_json:
        raise Trouble("--count is for --json: what lives on the terminal ends with q")
    if kind in (None, "ipvs"):
        with states.open_services(place) as table:
            if as_json:
                _stream(table.services, of_services, top_json.services, every, count)
            else:
                show(Top(ServiceLines(place.name), table.services, every))
        return
    family = states.family_of(kind)
    if as_json:
        _stream(lambda: states.read_rules(place, family), _rule_counters, top_json.rules, every, count)
    else:
        show(Top(RuleLines(place.name), lambda: states.read_rules(place, family), every))


def _rule_counters(ruleset: Ruleset) -> dict[Any, tuple[int, ...]]:
    return of_rules(rule_counters(ruleset))


def _stream(
    read: Callable[[], State],
    counters: Callable[[State], Mapping[Any, tuple[int, ...]]],
    line: Callable[..., str],
    every: float,
    count: int | None,
) -> None:
    """Print a line for each look."""
    meter: Meter[Any] = Meter()

    def look() -> str:
        state = read()
        rates = meter.read(time.monotonic(), counters(state))
        return line(state, rates, time=time.time(), took=meter.took)

    repeat(look, max(every, FASTEST), scrolls=False, times=count)
