"""Options and arguments that subcommands share, as decorators."""

from __future__ import annotations

import functools
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from pyipvsadm.app.errors import Trouble
from pyipvsadm.app.state import LIVE, STDIN, Place, Rules, read, read_services
from pyipvsadm.errors import PyIpvsadmError
from pyipvsadm.filters import endpoint_text, service_text
from pyipvsadm.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pyipvsadm.ipvs import ServerKey, ServiceState
    from pyipvsadm.kinds import Kind

    Function = TypeVar("Function", bound=Callable[..., Any])

_NAMESPACES: Final = "/run/netns"  # ip-netns(8)


def as_json(command: Function) -> Function:
    """Add --json, the parameter ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")(command)


def kind(command: Function) -> Function:
    """Add --kind, the parameter ``kind``: None where it is to be found out."""
    return click.option("--kind", type=click.Choice(KINDS), help="What it is about, where that is not clear.")(command)


def netns(command: Function) -> Function:
    """Add --netns, the parameter ``netns``: None for the caller's own namespace."""
    return click.option(
        "--netns", metavar="NAME", shell_complete=_namespaces, help="Work in a network namespace, a name or a path."
    )(command)


def place(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --netns and --sandbox, the parameter ``place``: where what is ``live`` lives."""

    @netns
    @click.option(
        "--sandbox",
        metavar="FILE",
        envvar="PYIPVSADM_SANDBOX",
        show_envvar=True,
        type=click.Path(),
        help="Work on a sandbox that is kept in a file.",
    )
    @functools.wraps(command)
    def with_place(*args: Any, netns: str | None, sandbox: str | None, **others: Any) -> Any:
        if sandbox == "":
            raise Trouble("--sandbox: missing name of a file")
        if netns is not None and sandbox is not None:
            source = click.get_current_context().get_parameter_source("sandbox")
            if source is not ParameterSource.ENVIRONMENT:
                raise Trouble("--netns and --sandbox name two different places: leave one out")
            sandbox = None
        return command(*args, place=Place(netns, sandbox), **others)

    return with_place


class Seconds(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on
    """A time in seconds, or with a unit: 1.5, 90s, 5m, 1h."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds."""
        if isinstance(value, float):
            return value
        text = str(value)
        number, unit = (text[:-1], _UNITS[text[-1]]) if text[-1:] in _UNITS else (text, 1)
        try:
            seconds = float(number) * unit
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < _FOR_EVER:
            self.fail(f"{value!r} is no time: write seconds, or 90s, 5m, 1h", param, ctx)
        return seconds


_SERVER: Final = "SERVER[:PORT]"
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FOR_EVER: Final = 1e9


def watch(command: Function) -> Function:
    """Add --watch, the parameter ``watch``: seconds between two looks, None for one look."""
    return click.option(
        "--watch",
        type=Seconds(),
        is_flag=False,
        flag_value=2.0,
        metavar="[SECONDS]",
        help="Show it again every so many seconds (2) until Ctrl-C.",
    )(command)


def dry_run(command: Function) -> Function:
    """Add --dry-run, the parameter ``dry_run``."""
    return click.option("--dry-run", is_flag=True, help="Only say what would be done.")(command)


def service(command: Function) -> Function:
    """Add --service, the parameter ``service``: the name of one service, or None."""
    told = "Only in this service: [tcp:|udp:|sctp:]ADDRESS:PORT, or fwmark:NUMBER."
    return click.option("--service", metavar="SERVICE", shell_complete=_services, help=told)(command)


def server(command: Function) -> Function:
    """Add an argument that names real servers, the parameter ``server``."""
    return click.argument("server", metavar=_SERVER, shell_complete=_servers)(command)


def drained_server(command: Function) -> Function:
    """Add the same where drained servers are meant, of which some have been removed."""
    return click.argument("server", metavar=_SERVER, shell_complete=_drained_servers)(command)


def state(name: str = "state", *, required: bool = False, default: str | None = LIVE) -> Callable[[Function], Function]:
    """Add an argument that names a state, the parameter ``name``: ``default`` where it may be left out and is."""
    if required:  # where a default of None would do as a value
        return click.argument(name, metavar=name.upper(), shell_complete=states)
    metavar = f"[{name.upper()}]"
    return click.argument(name, metavar=metavar, required=False, default=default, shell_complete=states)


def _namespaces(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    try:
        names = sorted(os.listdir(_NAMESPACES))
    except OSError:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _place(ctx: click.Context) -> Place:
    """Return the place that a command line names so far."""
    return Place(ctx.params.get("netns"), ctx.params.get("sandbox"))


def _live_services(ctx: click.Context) -> Sequence[ServiceState]:
    """Return the services of the place, none where they cannot be read."""
    try:
        return read_services(_place(ctx), partial=True).services
    except (click.ClickException, PyIpvsadmError, OSError):
        return ()


def _beginning(incomplete: str, *kinds: Iterable[str]) -> list[CompletionItem]:
    """Offer the names that begin so, of the first kind that has any."""
    for names in kinds:
        found = sorted({name for name in names if name.startswith(incomplete)})
        if found:
            return [CompletionItem(name) for name in found]
    return []


def _services(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    names = [service_text(state.config.key) for state in _live_services(ctx)]
    return _beginning(incomplete, names, [name.partition(":")[2] for name in names])


def _server_names(incomplete: str, keys: Sequence[ServerKey]) -> list[CompletionItem]:
    """Offer addresses, and where what is there goes beyond one, addresses with ports."""
    ends = [endpoint_text(key.address, key.port) for key in keys]
    return _beginning(incomplete, [key.address for key in keys], ends)


def _servers(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _server_names(incomplete, [one.config.key for state in _live_services(ctx) for one in state.servers])


def _drained_servers(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from pyipvsadm.app.book import noted

    live = [one.config for state in _live_services(ctx) for one in state.servers]
    keys = [server.key for server in live if not server.weight]
    with suppress(click.ClickException, PyIpvsadmError, OSError):
        keys += [entry.server.key for entry in noted(_place(ctx))]
    return _server_names(incomplete, keys)


def rule_names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the tables, chains, matches or targets, as the parameter is called, of the state that is named so far."""
    # An option whose argument is still missing keeps click from giving arguments to parameters.
    state = ctx.args[0] if ctx.args else ctx.params.get("state") or LIVE
    place = _place(ctx)
    kind: Kind | None = ctx.params.get("kind") or ("iptables" if state == LIVE else None)
    try:
        found = None if state == STDIN else read(state, place, kind)
    except (click.ClickException, PyIpvsadmError, OSError):
        return []
    if not isinstance(found, Rules):
        return []
    tables = found.ruleset.tables
    chains = [chain for table in tables for chain in table.chains]
    rules = [rule for chain in chains for rule in chain.rules]
    names = {
        "tables": {table.name for table in tables},
        "chains": {chain.name for chain in chains},
        "matches": {match.name for rule in rules for match in rule.matches},
        "targets": {rule.target.name for rule in rules if rule.target},
    }[str(parameter.name)]
    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]


def states(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return what may stand for the name of a state."""
    words = [CompletionItem(word) for word in (LIVE, STDIN) if word.startswith(incomplete)]
    return [*words, CompletionItem(incomplete, type="file")]
