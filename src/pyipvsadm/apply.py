"""Making a live state what it is to be, with the fewest changes, and taking that back.

    changes = apply.service_changes(take(lvs), wanted)     # Snapshots; ipvs.Change, in order
    lvs.apply(*changes)

    changes = iptables.update(lambda now: apply.wanted_rules(now, named))     # iptables.Change

What is not named is removed or left, as ``prune`` says: False leaves all that is not named; None removes services and
servers that are not named, and chains of tables that are; True also empties tables that are not named.

Taking back is done to what is there by then: what others have changed in the meantime is left as it is where it can be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pyipvsadm import iptables, ipvs
from pyipvsadm.edits import common
from pyipvsadm.iptables import ChainState, Ruleset, TableState
from pyipvsadm.snapshot import Snapshot, agree

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

    Value = TypeVar("Value")

# -- virtual servers ---------------------------------------------------------------------------------------------------


def service_changes(now: Snapshot, wanted: Snapshot, *, prune: bool | None = None) -> list[ipvs.Change]:
    """Return the fewest changes that make of a table what is wanted.

    What is in both is not touched where it is the same; what comes, comes before anything goes, but for daemons, which
    stop before services change and start after: some do not get along with tunnels across families.
    """
    services = wanted.services if prune is not False else _with_others(wanted.services, now.services)
    mine, others = (() if one.daemons is None else one.daemons for one in (wanted, now))
    if wanted.daemons is None:
        mine = others
    going = [daemon for daemon in others if not any(agree(daemon, one) for one in mine)]
    if prune is False:  # only what one of these replaces
        going = [daemon for daemon in going if any(daemon.state == one.state for one in mine)]
    changes: list[ipvs.Change] = [ipvs.StopDaemon(daemon) for daemon in going]
    changes += ipvs.changes(now.services, services)
    if wanted.timeouts is not None:
        old = now.timeouts or ipvs.Timeouts(0, 0, 0)
        new = {name: value for name, value in wanted.timeouts.asdict().items() if value not in (0, old.asdict()[name])}
        changes += [ipvs.SetTimeouts(ipvs.Timeouts(0, 0, 0).replace(**new))] if new else []
    changes += [ipvs.StartDaemon(daemon) for daemon in mine if not any(agree(daemon, one) for one in others)]
    return changes


def _with_others(named: Iterable[ipvs.ServiceState], now: Iterable[ipvs.ServiceState]) -> tuple[ipvs.ServiceState, ...]:
    """Return services that are named, each with the servers that it has now and that are not, and the other services.

    Of a server that is named twice the first counts, as it does in a plan.
    """
    live = {state.config.key: state for state in now}
    merged = []
    for state in named:
        old = live.pop(state.config.key, None)
        have = {server.config.key for server in state.servers}
        more = tuple([server for server in old.servers if server.config.key not in have]) if old else ()
        merged.append(state.replace(servers=(*state.servers, *more)))
    return (*merged, *live.values())


def services_before(before: Snapshot, ours: Snapshot, now: Snapshot) -> Snapshot:
    """Return what a table is to be so that a change of ``before`` into ``ours`` is taken back, by now.

    What that change did not touch is as it is now.
    """
    old, mine, live = ({state.config.key: state for state in snapshot.services} for snapshot in (before, ours, now))
    services = []
    for key in {**live, **old}:
        states = [places.get(key) for places in (old, mine, live)]
        config: ipvs.VirtualService | None = _taken_back(*[state.config if state else None for state in states])
        if config is None:
            continue
        places = [{server.config.key: server for server in state.servers} if state else {} for state in states]
        servers = [_server_before(*[have.get(place) for have in places]) for place in {**places[2], **places[0]}]
        services.append(ipvs.ServiceState(config, tuple([server for server in servers if server])))
    times = now.timeouts
    if before.timeouts and ours.timeouts and now.timeouts:
        kept = zip(before.timeouts[1:], ours.timeouts[1:], now.timeouts[1:], strict=True)
        times = ipvs.Timeouts(*[_taken_back(*values) or 0 for values in kept])
    daemons = _list_before(before.daemons or (), ours.daemons or (), now.daemons or ())
    return Snapshot(tuple(services), times, tuple(daemons))


def _taken_back(before: Value, ours: Value, now: Value) -> Value:
    return now if before == ours else before


def _server_before(
    before: ipvs.ServerState | None, ours: ipvs.ServerState | None, now: ipvs.ServerState | None
) -> ipvs.ServerState | None:
    same = (before.config if before else None) == (ours.config if ours else None)
    return now if same else before


# -- tables of rules ---------------------------------------------------------------------------------------------------


def without_policies(named: Ruleset, but: Collection[tuple[str, str]]) -> Ruleset:
    """Return tables whose built-in chains have policies only where ``but`` has (table, chain); others stay, then."""

    def chain(table: str, state: ChainState) -> ChainState:
        return state if (table, state.name) in but else state.replace(policy=None)

    return named.replace(
        tables=tuple(
            [
                table.replace(chains=tuple([chain(table.name, state) for state in table.chains]))
                for table in named.tables
            ]
        )
    )


def wanted_rules(now: Ruleset, named: Ruleset, *, prune: bool | None = None) -> Ruleset:
    """Return what tables are to be, for ``iptables.update``.

    A built-in chain without a policy and rules is one that is not named.
    """
    tables = []
    for table in named.tables:
        live = {chain.name: chain for chain in (now.table(table.name) or iptables.unused(table.name)).chains}
        chains = []
        for chain in table.chains:
            old = live.pop(chain.name, None)
            if old and old.policy and not chain.policy:
                chains.append(old if prune is False and not chain.rules else chain.replace(policy=old.policy))
            else:
                chains.append(chain)
        chains += live.values() if prune is False else ()
        tables.append(table.replace(chains=tuple(chains)))
    if prune:
        tables += [iptables.unused(table.name) for table in now.tables if not named.table(table.name)]
    return Ruleset(now.family, tuple(tables))


def is_changed(ours: Ruleset, now: Ruleset) -> bool:
    """Whether tables are no longer what they were made; others do not matter, nor what was counted."""
    return any(iptables.plan(table, now.table(table.name) or iptables.unused(table.name)) for table in ours.tables)


def rules_before(before: Ruleset, ours: Ruleset, now: Ruleset) -> Ruleset:
    """Return what tables are to be so that a change of ``before`` into ``ours`` is taken back, by now.

    Rules and chains that others have added or removed in the meantime are as they are now. A chain that ours had added
    stays where others use it: where they have added rules to it, or rules that jump to it.
    """
    tables = []
    for table in ours.tables:
        states = [state.table(table.name) or iptables.unused(table.name) for state in (before, ours, now)]
        tables.append(_table_before(*states))
    return Ruleset(now.family, tuple(tables))


def _table_before(before: TableState, ours: TableState, now: TableState) -> TableState:
    old, mine, live = ({chain.name: chain for chain in state.chains} for state in (before, ours, now))
    chains: dict[str, ChainState] = {}
    for name in {**live, **old}:
        if name in mine and name not in live:  # others have removed it
            continue
        states = [places.get(name) for places in (old, mine, live)]
        rules = _list_before(*[state.rules if state else () for state in states], by=iptables.same)
        if name in mine and name not in old and not rules:
            continue
        first = old.get(name) or live[name]
        policies = [state.policy if state else None for state in states]
        chains[name] = first.replace(policy=_taken_back(*policies), rules=tuple(rules))
    empty = {name: chain.replace(rules=()) for name, chain in {**mine, **live}.items()}
    _complete(chains, {**empty, **old})
    return TableState(now.name, tuple(chains.values()))


def _complete(chains: dict[str, ChainState], known: Mapping[str, ChainState]) -> None:
    """Add chains that rules jump to, and that would be gone."""
    waiting = list(chains.values())
    while waiting:
        for rule in waiting.pop().rules:
            name = rule.target.name if rule.target else ""
            if name in known and name not in chains:
                chains[name] = known[name]
                waiting.append(chains[name])


def _list_before(
    before: Sequence[Any], ours: Sequence[Any], now: Sequence[Any], *, by: Any = lambda item: item
) -> list[Any]:
    """Return a sequence with a change of it taken back: without what came by it, with what went by it.

    ``by`` returns what is equal for items that are the same. What is now between two items stays between them; what
    comes back comes before what others have added there.
    """
    keys: list[list[Hashable]] = [[by(item) for item in items] for items in (before, ours, now)]
    if keys[0] in keys[1:]:
        return [*now]
    back, here = dict(_reversed(common(keys[0], keys[1]))), dict(_reversed(common(keys[2], keys[1])))
    made: list[Any] = []
    one = three = 0
    for place in range(len(ours) + 1):
        end, last = (len(before), len(now)) if place == len(ours) else (back.get(place), here.get(place))
        if end is not None:
            if last is None or keys[0][one:end] != keys[2][three:last]:  # others may have put the same there
                made += before[one:end]
            one = end + 1
        if last is not None:
            made += now[three:last]
            three = last + 1
        if place < len(ours) and end is not None and last is not None:
            made.append(now[last])
    return made


def _reversed(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(two, one) for one, two in pairs]
