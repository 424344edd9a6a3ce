"""What differs between two states: virtual servers, or tables of rules.

Differences are of what is configured; order counts where it does for packets, among the rules of a chain. They are as
few as can be: they are what ``apply`` would change to make the first state the second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pyipvsadm import iptables, ipvs
from pyipvsadm.edits import common
from pyipvsadm.filters import service_text
from pyipvsadm.record import Record
from pyipvsadm.snapshot import agree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pyipvsadm.iptables import Rule, Ruleset, TableState

Outcome = Literal["added", "removed", "changed", "same"]

_COUNTED = ("conns", "inpkts", "outpkts", "inbytes", "outbytes")  # of ipvs.Stats; the others are rates


class Field(Record):
    """A setting or counter that differs: its name, the value in the first state, and that in the second."""

    name: str
    before: Any
    after: Any


def _fields(before: Record, after: Record, but: str = "key") -> tuple[Field, ...]:
    old, new = before.asdict(), after.asdict()
    return tuple([Field(name, old[name], new[name]) for name in old if name != but and old[name] != new[name]])


# -- virtual servers ---------------------------------------------------------------------------------------------------


class ServerDifference(Record):
    """A real server that differs; ``before`` is None where it was added, ``after`` where it was removed."""

    outcome: Outcome
    before: ipvs.RealServer | None
    after: ipvs.RealServer | None
    fields: tuple[Field, ...] = ()

    @property
    def server(self) -> ipvs.RealServer:
        """The server as it is, or was."""
        found = self.after or self.before
        assert found
        return found


class ServiceDifference(Record):
    """A virtual service that differs, or is the "same" and its servers differ.

    Of one that was added or removed, all servers are in ``servers``.
    """

    outcome: Outcome
    before: ipvs.VirtualService | None
    after: ipvs.VirtualService | None
    fields: tuple[Field, ...] = ()
    servers: tuple[ServerDifference, ...] = ()

    @property
    def service(self) -> ipvs.VirtualService:
        """The service as it is, or was."""
        found = self.after or self.before
        assert found
        return found


def services(
    before: Sequence[ipvs.ServiceState], after: Sequence[ipvs.ServiceState], *, counters: bool = False
) -> list[ServiceDifference]:
    """Return the services that differ, by their names; with ``counters`` those also that have counted otherwise."""
    old = {state.config.key: state for state in before}
    new = {state.config.key: state for state in after}
    edited: set[object] = set()
    for change in ipvs.changes(before, after):
        if isinstance(change, ipvs.EditService):
            edited.add(change.service.key)
        elif isinstance(change, ipvs.EditServer):
            edited.add((change.service, change.server.key))
    found = []
    for key in sorted({**old, **new}, key=lambda key: (service_text(key), key.family)):
        one, two = old.get(key), new.get(key)
        servers = tuple(_servers(key, one, two, edited, counters=counters))
        fields: tuple[Field, ...] = ()
        if one and two:
            fields = _fields(one.config, two.config) if key in edited else ()
            fields += _counters(one.stats, two.stats) if counters else ()
        outcome = _outcome(one, two, fields)
        if servers or outcome != "same":
            found.append(
                ServiceDifference(outcome, one.config if one else None, two.config if two else None, fields, servers)
            )
    return found


def _servers(
    service: ipvs.ServiceKey,
    before: ipvs.ServiceState | None,
    after: ipvs.ServiceState | None,
    edited: set[object],
    *,
    counters: bool,
) -> Iterator[ServerDifference]:
    old = {state.config.key: state for state in before.servers} if before else {}
    new = {state.config.key: state for state in after.servers} if after else {}
    for key in sorted({**old, **new}, key=lambda key: (key.family, key.address, key.port)):
        one, two = old.get(key), new.get(key)
        fields: tuple[Field, ...] = ()
        if one and two:
            fields = _fields(one.config, two.config) if (service, key) in edited else ()
            fields += _counters(one.stats, two.stats) if counters else ()
        outcome = _outcome(one, two, fields)
        if outcome != "same":
            yield ServerDifference(outcome, one.config if one else None, two.config if two else None, fields)


def _outcome(before: object | None, after: object | None, fields: Sequence[Field]) -> Outcome:
    if before is None:
        return "added"
    if after is None:
        return "removed"
    return "changed" if fields else "same"


def _counters(before: ipvs.Stats, after: ipvs.Stats) -> tuple[Field, ...]:
    return tuple([field for field in _fields(before, after) if field.name in _COUNTED])


def timeouts(before: ipvs.Timeouts | None, after: ipvs.Timeouts | None) -> tuple[Field, ...]:
    """Return the timeouts that differ; what a state does not say (None, or 0) is the same as anything."""
    if before is None or after is None:
        return ()
    return tuple([field for field in _fields(before, after) if field.before and field.after])


class DaemonDifference(Record):
    """A synchronisation daemon that runs, or is to, in one of two states."""

    outcome: Outcome
    daemon: ipvs.SyncDaemon


def daemons(
    before: Iterable[ipvs.SyncDaemon] | None, after: Iterable[ipvs.SyncDaemon] | None
) -> tuple[DaemonDifference, ...]:
    """Return the daemons that differ; one with other settings is removed and added. None says nothing of daemons.

    A setting that one of the states leaves to the kernel is the same as any.
    """
    if before is None or after is None:
        return ()
    old, new = list(before), list(after)
    gone = [DaemonDifference("removed", daemon) for daemon in old if not any(agree(daemon, one) for one in new)]
    come = [DaemonDifference("added", daemon) for daemon in new if not any(agree(daemon, one) for one in old)]
    return (*gone, *come)


# -- tables of rules ---------------------------------------------------------------------------------------------------


class RuleDifference(Record):
    """A rule that differs: ``before`` and ``after`` are its numbers in its chain, from 1, or None where it is not.

    ``outcome`` is "moved" for one that is in another place among those that stay, and "counted" for one that has only
    counted otherwise: ``counters`` is then what the first state says.
    """

    outcome: Literal["added", "removed", "moved", "counted"]
    before: int | None
    after: int | None
    rule: Rule
    counters: iptables.Counters | None = None


class ChainDifference(Record):
    """A chain that differs; ``policy`` has names of policies, ``counters`` what came to them, where that differs.

    Of one that was added or removed, all rules are in ``rules``, which are in the order of the chain.
    """

    table: str
    chain: str
    outcome: Outcome
    policy: Field | None = None
    counters: Field | None = None
    rules: tuple[RuleDifference, ...] = ()


def rules(before: Ruleset, after: Ruleset, *, counters: bool = False) -> list[ChainDifference]:
    """Return the chains that differ, by table; with ``counters`` those also that have counted otherwise.

    A table that is not there is like one that nobody has used. A policy that is None for a built-in chain is the same
    as any.
    """
    names = {table.name: None for table in (*before.tables, *after.tables)}
    found: list[ChainDifference] = []
    for name in names:
        old, new = (state.table(name) or iptables.unused(name) for state in (before, after))
        found += _chains(old, new, counters=counters)
    return found


def _chains(before: TableState, after: TableState, *, counters: bool) -> Iterator[ChainDifference]:
    old = {chain.name: chain for chain in before.chains}
    new = {chain.name: chain for chain in after.chains}
    built_in = {chain.name for chain in iptables.unused(before.name).chains}
    for name in {**old, **new}:
        one, two = old.get(name), new.get(name)
        edits = tuple(_rules(one.rules if one else (), two.rules if two else (), counters=counters))
        if not (one and two):
            if name not in built_in or edits:
                yield ChainDifference(after.name, name, _outcome(one, two, ()), rules=edits)
            continue
        policy = count = None
        if one.policy and two.policy:
            policy = Field("policy", one.policy, two.policy) if one.policy != two.policy else None
            if counters and one.counters != two.counters:
                count = Field("counters", one.counters, two.counters)
        if edits or policy or count:
            yield ChainDifference(after.name, name, "changed", policy, count, edits)


def _rules(before: Sequence[Rule], after: Sequence[Rule], *, counters: bool) -> Iterator[RuleDifference]:
    if not counters and iptables.alike(before, after):
        return
    old, new = [iptables.same(rule) for rule in before], [iptables.same(rule) for rule in after]
    places: dict[object, list[int]] = {}
    pairs = common(old, new)
    stay = dict(pairs)
    for place, item in enumerate(old):
        if place not in stay:
            places.setdefault(item, []).append(place)
    came = {*range(len(new))} - {*stay.values()}
    from_where = {place: waiting.pop(0) for place in sorted(came) if (waiting := places.get(new[place]))}
    moved = {*from_where.values()}
    one = two = 0
    for pair in (*pairs, (len(old), len(new))):
        for place in range(one, pair[0]):
            if place not in moved:
                yield RuleDifference("removed", place + 1, None, before[place])
        for place in range(two, pair[1]):
            if place in from_where:
                yield RuleDifference("moved", from_where[place] + 1, place + 1, after[place])
            else:
                yield RuleDifference("added", None, place + 1, after[place])
        one, two = pair[0] + 1, pair[1] + 1
        if counters and pair[0] < len(old) and before[pair[0]].counters != after[pair[1]].counters:
            counted = before[pair[0]].counters
            yield RuleDifference("counted", pair[0] + 1, pair[1] + 1, after[pair[1]], counted)
