"""``pyipvsadm show``: a state as tables for people, or as a document."""

from __future__ import annotations

from itertools import chain, count
from typing import TYPE_CHECKING, Any, Final

import click

from pyipvsadm.app import options
from pyipvsadm.app import state as states
from pyipvsadm.app.errors import Trouble, complain
from pyipvsadm.app.state import Rules, Services
from pyipvsadm.filters import Filter, choose_rules, choose_services, network

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyipvsadm.app.options import Function
    from pyipvsadm.app.state import Place
    from pyipvsadm.kinds import Kind

# Options that choose rules, and their parameters.
_OF_RULES: Final = {"--table": "tables", "--chain": "chains", "--match": "matches", "--target": "targets"}

_EPILOG = """\b
Examples:
  pyipvsadm show
  pyipvsadm show --netns blue --rates --watch=5
  pyipvsadm show web.rules --address 10.0.0.0/24 --json
  pyipvsadm show --kind iptables --chain INPUT --never-hit
  iptables-save | pyipvsadm show - --port 22

Exit status: 0 shown, 2 trouble."""


def _names(option: str, parameter: str, told: str) -> Callable[[Function], Function]:
    """Add an option that names tables, chains, matches or targets, each that there is being offered to shells."""
    return click.option(
        option, parameter, multiple=True, metavar=option[2:].upper(), shell_complete=options.rule_names, help=told
    )


@click.command(epilog=_EPILOG)
@options.state()
@click.option("--address", "addresses", multiple=True, metavar="ADDRESS[/LENGTH]", help="What has to do with these.")
@click.option("--port", "ports", multiple=True, type=click.IntRange(0, 65535), metavar="PORT", help="Or with a port.")
@click.option("--protocol", "protocols", multiple=True, metavar="PROTOCOL", help="What is for a protocol (tcp).")
@_names("--table", "tables", "Of rules: those of a table.")
@_names("--chain", "chains", "Of rules: those of a chain.")
@_names("--match", "matches", "Of rules: those with a match (conntrack).")
@_names("--target", "targets", "Of rules: those with a target (DROP).")
@click.option("--hit", is_flag=True, help="What something has come to: a connection, a packet.")
@click.option("--never-hit", is_flag=True, help="What nothing has come to.")
@click.option("--counters", is_flag=True, help="Of services: what they and their servers have counted.")
@click.option("--rates", is_flag=True, help="Of services: what comes a second, as the kernel estimates it.")
@click.option("--exact", is_flag=True, help="Counters with all their digits.")
@options.watch
@options.kind
@options.as_json
@options.place
def command(state: str, kind: Kind | None, as_json: bool, watch: float | None, place: Place, **how: Any) -> None:
    """Show services with their real servers, or tables with their chains and rules.

    STATE is "live" (which it is where none is named), a file with a dump, a document or a sandbox, or "-" for standard
    input. Live are virtual services, unless --kind, or an option about rules, says otherwise.

    An option that chooses may be given several times: what fits one of its values is shown. What does not fit all the
    options is left out.

    Without root, live services are shown without what the kernel tells root alone, such as counters and thresholds.
    """
    about_rules = [option for option, parameter in _OF_RULES.items() if how[parameter]]
    if how["counters"] and how["rates"]:
        raise Trouble("--counters and --rates: they take the same place: leave one out")
    wanted = _filter(how)
    if watch is not None and state == states.STDIN:
        raise Trouble("--watch: standard input can be read once: name a file")
    if about_rules and kind is None and state == states.LIVE:
        kind = "iptables"
    found = states.read(state, place, kind, partial=True)
    _refuse_others(found, about_rules, how)
    if isinstance(found, Services) and found.partial:
        _refuse_counters(wanted, how)
        complain(states.NOT_SEEN)
    if watch is None:
        click.echo(_text(found, wanted, as_json=as_json, how=how), nl=False, color=True)
        return
    from pyipvsadm.app.terminal import repeat

    looks = chain([found], (states.read(state, place, kind, partial=True) for _ in count()))
    repeat(lambda: _text(next(looks), wanted, as_json=as_json, how=how), watch, scrolls=not as_json)


def _refuse_others(found: states.State, about_rules: Sequence[str], how: dict[str, Any]) -> None:
    """Refuse what is asked of one kind of tables where the other is there: left out it would seem to be answered."""
    if isinstance(found, Services) and about_rules:
        hint = "where it has rules too, say --kind iptables or ip6tables"
        raise Trouble(f"{about_rules[0]}: it is for rules, and {found.source} is virtual services: {hint}")
    for option in ("counters", "rates"):
        if isinstance(found, Rules) and how[option]:
            hint = "rules show what they count" if option == "counters" else f"see 'pyipvsadm top --kind {found.kind}'"
            raise Trouble(f"--{option}: it is for virtual services, and {found.source} is rules: {hint}")


def _refuse_counters(wanted: Filter, how: dict[str, Any]) -> None:
    """Refuse to show, or to choose by, what was counted."""
    asked = {
        "--counters": how["counters"],
        "--rates": how["rates"],
        "--hit": wanted.hit,
        "--never-hit": wanted.hit is False,
    }
    for option, value in asked.items():
        if value:
            raise Trouble(f"{option}: the kernel tells root alone what it has counted: run it as root")


def _filter(how: dict[str, Any]) -> Filter:
    """Return what is to be shown, by the options."""
    hit, never = how.pop("hit"), how.pop("never_hit")
    if hit and never:
        raise Trouble("--hit and --never-hit: nothing is both: leave one out")
    return Filter(
        networks=tuple([network(text) for text in how.pop("addresses")]),
        ports=how.pop("ports"),
        protocols=tuple([name.lower() for name in how.pop("protocols")]),
        tables=how.pop("tables"),
        chains=how.pop("chains"),
        matches=how.pop("matches"),
        targets=how.pop("targets"),
        hit=True if hit else False if never else None,
    )


def _text(found: states.State, wanted: Filter, *, as_json: bool, how: dict[str, Any]) -> str:
    if isinstance(found, Rules):
        return _rules_text(found, wanted, as_json=as_json, exact=how["exact"])
    services = choose_services(found.services, wanted)
    if as_json:
        from pyipvsadm.ui import json

        return json.document(services, found.info, partial=found.partial)
    from pyipvsadm.ui import show

    return show.services(services, found.info, partial=found.partial, **how)


def _rules_text(found: Rules, wanted: Filter, *, as_json: bool, exact: bool) -> str:
    chains = choose_rules(found.ruleset, wanted)
    if as_json:
        from pyipvsadm.ui import rules_json

        return rules_json.document(found.ruleset.family, chains)
    from pyipvsadm.ui import show

    return show.rules(chains, exact=exact)
