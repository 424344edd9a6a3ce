"""The changes that lead from one state of a table to another."""

from __future__ import annotations

from pyipvsadm.edits import common
from pyipvsadm.record import Record
from pyipvsadm.xtables.parts import Counters, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence
    from typing import Final, Literal

    from pyipvsadm.xtables.ruleset import TableState

    Action = Literal["create", "append", "insert", "replace", "delete", "flush", "policy", "remove"]

_LETTERS: Final[dict[Action, str]] = {
    "create": "-N",
    "append": "-A",
    "insert": "-I",
    "replace": "-R",
    "delete": "-D",
    "flush": "-F",
    "policy": "-P",
    "remove": "-X",
}
_UNKNOWN: Final = "[unknown revision "  # in the text of every rule that has data, and perhaps of others
_LONG: Final = 1000  # rules of a chain, which is sooner emptied than replaced one by one


class Change(Record):
    """A command of iptables(8) on a table.

    ``number`` is a rule's place, from 1, when its turn comes (insert, replace, delete); ``rule`` is what comes (append,
    insert, replace), ``gone`` what goes (replace, delete); ``policy`` is what a built-in chain's becomes, and it counts
    from ``counters`` on.
    """

    table: str
    action: Action
    chain: str
    number: int = 0
    rule: Rule | None = None
    gone: Rule | None = None
    policy: str = ""
    counters: Counters = Counters()

    @property
    def text(self) -> str:
        """The command, without the name of the program: ``-t nat -I PREROUTING 1 -j ACCEPT``."""
        words = ["-t", self.table, _LETTERS[self.action], self.chain]
        words += [str(self.number)] if self.number else []
        words += [self.policy] if self.policy else []
        words += [self.rule.text] if self.rule and self.rule.text else []
        return " ".join(words)


def same(rule: Rule) -> Hashable:
    """Return what is equal for rules that do the same, whatever they have counted."""
    if rule.entry is not None and _UNKNOWN not in rule.text:
        return rule.text
    data = tuple([match.data for match in rule.matches if match.data])
    if rule.target and rule.target.data:
        data += (rule.target.data,)
    return (rule.text, data) if data else rule.text


def alike(before: Sequence[Rule], after: Sequence[Rule]) -> bool:
    """Whether rules were read from the same bytes, so that they are surely the ``same``; counters do not matter."""
    if len(before) != len(after):
        return False
    for one, two in zip(before, after, strict=True):
        if one.entry is None or two.entry is None or one.entry[1:5] != two.entry[1:5]:
            return False
    return True


def plan(before: TableState, after: TableState, *, counters: bool = False) -> list[Change]:
    """Return the fewest changes that turn a table into another.

    As many rules as can be stay untouched, and with them what they have counted; one that goes to another place of its
    chain takes along what it has counted. Others that come begin at zero, as policies that change, with ``counters`` at
    what ``after`` says. A policy that is None in ``after`` for a built-in chain stays.
    """
    chains = {chain.name: chain for chain in before.chains}
    kept = {chain.name for chain in after.chains}
    gone = [chain for chain in before.chains if chain.name not in kept and chain.policy is None]
    changes = [Change(after.name, "create", chain.name) for chain in after.chains if chain.name not in chains]
    for chain in after.chains:
        now = chains.get(chain.name)
        changes += _rules(after.name, chain.name, now.rules if now else (), chain.rules, counters=counters)
    for chain in after.chains:
        now = chains.get(chain.name)
        if now and chain.policy is not None and now.policy != chain.policy:
            count = chain.counters if counters else Counters()
            changes.append(Change(after.name, "policy", chain.name, policy=chain.policy, counters=count))
    changes += [Change(after.name, "flush", chain.name) for chain in gone if chain.rules]
    changes += [Change(after.name, "remove", chain.name) for chain in gone]
    return changes


def _rules(
    table: str, chain: str, before: Sequence[Rule], after: Sequence[Rule], *, counters: bool
) -> Iterator[Change]:
    """Yield the changes of a chain, from its beginning to its end."""
    if alike(before, after):
        return
    old, new = [same(rule) for rule in before], [same(rule) for rule in after]
    pairs = common(old, new)
    moved: dict[Hashable, list[Rule]] = {}
    for one, _, end, _ in _gaps(pairs, len(before), len(after)):
        for place in range(one, end):
            moved.setdefault(old[place], []).append(before[place])

    def coming(place: int) -> Rule:
        counted = moved.get(new[place])
        count = counted.pop(0).counters if counted else after[place].counters if counters else Counters()
        return after[place].counted(count)

    appended = range(0)
    if not pairs and (len(after) + 1 < len(before) or min(len(before), len(after)) > _LONG):
        yield Change(table, "flush", chain)
        appended = range(len(after))
    else:
        for one, two, end, other in _gaps(pairs, len(before), len(after)):
            both = min(end - one, other - two)
            for step in range(both):
                yield Change(table, "replace", chain, two + step + 1, coming(two + step), before[one + step])
            for place in range(one + both, end):
                yield Change(table, "delete", chain, two + both + 1, gone=before[place])
            if end == len(before):
                appended = range(two + both, other)
                break
            for place in range(two + both, other):
                yield Change(table, "insert", chain, place + 1, coming(place))
    for place in appended:
        yield Change(table, "append", chain, rule=coming(place))


def _gaps(pairs: Sequence[tuple[int, int]], length: int, other: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield where both sequences begin to differ and where they end to, between their common items."""
    one = two = 0
    for pair in (*pairs, (length, other)):
        if (one, two) != pair:
            yield one, two, *pair
        one, two = pair[0] + 1, pair[1] + 1
