"""What ``pyipvsadm show`` draws."""

from __future__ import annotations

from functools import partial as partial_of
from typing import TYPE_CHECKING, Final

from rich.console import Console

from pyipvsadm.ipvs import words
from pyipvsadm.ipvs.command import List
from pyipvsadm.ipvs.names import Numbers
from pyipvsadm.ui import rules_tables, tables
from pyipvsadm.ui.cells import human
from pyipvsadm.xtables.model import Chain
from pyipvsadm.xtables.render import Cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyipvsadm.filters import ChosenChain
    from pyipvsadm.ipvs.model import Info, ServerState, ServiceState
    from pyipvsadm.xtables.parts import Option, Rule

_QUOTED: Final = frozenset(" \t\"'\\")
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
    partial: bool = False,
    console: Console | None = None,
) -> str:
    """Return services with their servers: settings and connections, or what was counted, or how fast it grows.

    Of services of the kernel's listing, which are ``partial``, the first alone; "?" is what is not known.
    """
    options = List(numeric=True, stats=counters, rate=rates, exact=exact)
    console = console or make_console()
    more = {"\nState": _state_listed if partial else _state_of}
    settings = partial_of(words.settings, time="?") if partial else words.settings
    text = tables.listing(found, options, info, Numbers(), console, more, settings, bars=console.is_terminal)
    return _plain(text, console)


def rules(found: Sequence[ChosenChain], *, exact: bool = False, console: Console | None = None) -> str:
    """Return chains with their rules."""
    console = console or make_console()
    number = str if exact else human
    parts = []
    for chain in found:
        counters = (chain.counters.packets, chain.counters.bytes)
        head = Chain(chain.name, chain.policy, counters, chain.references)
        lines = [
            ((str(place), number(rule.counters.packets), number(rule.counters.bytes)), _cells(rule))
            for place, rule in chain.rules
        ]
        packets = [rule.counters.packets for _, rule in chain.rules]
        shares = [count / (max(packets) or 1) for count in packets] if console.is_terminal else []
        parts.append(rules_tables.chain_text(console, chain.table, head, lines, number, shares))
    return _plain("\n".join(parts) or "No chains.\n", console)


def _cells(rule: Rule) -> Cells:
    """Return what a rule says, a cell each."""
    fragment = {None: "", True: " -f", False: " !-f"}[rule.fragment]
    return Cells(
        rule.target.name if rule.target else "",
        _inverted(rule.protocol) + fragment,
        _inverted(rule.in_interface),
        _inverted(rule.out_interface),
        _inverted(rule.source),
        _inverted(rule.destination),
        details(rule),
    )


def details(rule: Rule) -> str:
    """Return the matches of a rule and the options of its target, in the words of a command line without dashes."""
    parts = ["goto"] if rule.goto else []
    for extension in (*rule.matches, *([rule.target] if rule.target else [])):
        said = [_said(option) for option in extension.options]
        if extension.data:
            said.append(f"[unknown revision {extension.revision}]")
        parts += [*([extension.name] if extension is not rule.target else []), *said]
    return " ".join(parts)


def _said(option: Option) -> str:
    values = [value if value and not set(value) & _QUOTED else repr(value) for value in option.values]
    return " ".join([*(["!"] if option.inverted else []), *([option.name] if option.name else []), *values])


def _inverted(text: str) -> str:
    return f"!{text[2:]}" if text.startswith("! ") else text


def _plain(text: str, console: Console) -> str:
    """Return text without blanks at the ends of lines where it is for programs."""
    return text if console.is_terminal else "".join([f"{line.rstrip()}\n" for line in text.splitlines()])


def _state_listed(server: ServerState) -> str:
    """Return the same without thresholds, so that a server with a weight may be full."""
    return "?" if server.config.weight else _state_of(server)


def _state_of(server: ServerState) -> str:
    """Return what becomes of new connections to a server, in a word."""
    connections = server.activeconns + server.inactconns
    if not server.config.weight:
        return "draining" if connections else "drained"
    return "full" if 0 < server.config.u_threshold <= connections else "up"
