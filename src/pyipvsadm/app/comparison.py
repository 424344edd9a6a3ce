"""What differs between two states, whatever kind they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyipvsadm import apply, diff
from pyipvsadm.app.state import Rules, Services
from pyipvsadm.ui.differences import Differences

if TYPE_CHECKING:
    from pyipvsadm.app.state import State
    from pyipvsadm.iptables import Ruleset


def compare(before: State, after: State, *, counters: bool = False) -> Differences:
    """Return what differs from one state to another of its kind; with ``counters`` what was counted as well."""
    names = before.kind, before.source, after.source
    if isinstance(before, Services) and isinstance(after, Services):
        one, two = before.snapshot, after.snapshot
        return Differences(
            *names,
            services=diff.services(one.services, two.services, counters=counters),
            timeouts=diff.timeouts(one.timeouts, two.timeouts),
            daemons=diff.daemons(one.daemons, two.daemons),
        )
    assert isinstance(before, Rules)
    assert isinstance(after, Rules)
    return Differences(*names, chains=diff.rules(*_comparable(before, after), counters=counters))


def _comparable(one: Rules, two: Rules) -> tuple[Ruleset, Ruleset]:
    """Return what can be compared of two states: a dump says nothing of live tables and policies that it leaves out."""
    rulesets = []
    for mine, other in ((one, two), (two, one)):
        found = mine.ruleset if mine.policies is None else apply.without_policies(mine.ruleset, mine.policies)
        if mine.policies is None and other.policies is not None:
            found = found.replace(tables=tuple([table for table in found.tables if other.ruleset.table(table.name)]))
        rulesets.append(found)
    return rulesets[0], rulesets[1]
