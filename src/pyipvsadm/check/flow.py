"""How packets go through the chains of a table: which rules decide, which chains come back, what is changed on the way.

All of it leans to one side: where it is not certain that a packet goes no further, or is not changed, it may.
"""

from __future__ import annotations

from pyipvsadm.check.packets import Reader
from pyipvsadm.check.tables import line_of
from pyipvsadm.xtables import entry
from pyipvsadm.xtables.model import VERDICTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from pyipvsadm.check.packets import Matched
    from pyipvsadm.check.tables import ChainRead, TableRead
    from pyipvsadm.xtables.model import Rule

# What targets may change of a packet on its way to the next rule.
NOTHING: Final = 0
ABOUT_IT: Final = 1  # its marks, its connection, fields of headers that no "fixed" match looks at, sets
ANYTHING: Final = 2

# Targets after which no rule of the table sees the packet again.
DECIDING: Final = frozenset(("DNAT", "MASQUERADE", "NETMAP", "NFQUEUE", "REDIRECT", "REJECT", "SNAT", "TPROXY"))
_CHANGES: Final = {
    **dict.fromkeys(
        ("AUDIT", "CHECKSUM", "CLASSIFY", "IDLETIMER", "LED", "LOG", "NFLOG", "RATEEST", "TEE", "TRACE", "ULOG"),
        NOTHING,
    ),
    **dict.fromkeys(DECIDING, NOTHING),
    **dict.fromkeys(
        ("CONNMARK", "CONNSECMARK", "CT", "DSCP", "ECN", "HL", "HMARK", "MARK", "NOTRACK", "SECMARK", "SET", "TOS",
         "TTL"),
        ABOUT_IT,
    ),
}  # fmt: skip


class Step:
    """A rule as packets meet it."""

    __slots__ = ("changes", "decides", "goes_to", "matched", "rule", "target")

    def __init__(self, rule: Rule, matched: Matched, target: str, goes_to: str, changes: int, *, decides: bool) -> None:
        self.rule = rule
        self.matched = matched
        self.target = target  # the name of the extension, "" for verdicts and chains
        self.goes_to = goes_to  # a chain, by -j or -g
        self.changes = changes  # what the next rule of the chain may find changed
        self.decides = decides  # whether no packet that it matches comes to the next rule of the chain

    @property
    def line(self) -> int:
        """The number of its line."""
        return line_of(self.rule)


class Flow:
    """The steps of each chain of a table; ``reached`` are the chains that packets can come to from a hook."""

    def __init__(self, table: TableRead) -> None:
        self.chains = {chain.name: chain for chain in table.chains}
        self.steps: dict[str, list[Step]] = {}
        self.reached: dict[str, None] = {}
        self._family = table.family
        self._named = table.named
        self._reader = Reader(table.family)
        self._stays: set[str] = set()  # chains that packets never come back from
        self._changes: dict[str, int] = {}  # what may be changed by a chain that is come back from
        self._pure: set[str] = set()  # chains that do the same for the same packet
        for chain in self._called_first():
            self._follow(chain)
        for chain in table.chains:
            if chain.builtin:
                self._reach(chain.name)

    def is_pure(self, step: Step) -> bool:
        """Whether a rule does the same for the same packet and changes nothing."""
        if not step.matched.known or self._own_changes(step.goes_to, step.target):
            return False
        return not step.goes_to or step.goes_to in self._pure

    def reached_from(self, hook: str) -> list[str]:
        """Return the chains that packets of a hook may come to, itself first."""
        seen = {hook: None}
        waiting = [hook]
        while waiting:
            for chain in self._jumps(waiting.pop()):
                if chain not in seen:
                    seen[chain] = None
                    waiting.append(chain)
        return list(seen)

    def _reach(self, hook: str) -> None:
        for chain in self.reached_from(hook):
            self.reached[chain] = None

    def _jumps(self, chain: str) -> Iterator[str]:
        for rule in self.chains[chain].rules:
            if rule.jump in self.chains:
                yield rule.jump

    def _called_first(self) -> list[ChainRead]:
        """Return the chains so that those to which a chain jumps come before it, as far as there is no loop."""
        order: dict[str, None] = {}
        for name in self.chains:
            path = {name: self._jumps(name)} if name not in order else {}
            while path:
                chain, jumps = path.popitem()
                to = next((jump for jump in jumps if jump not in order and jump not in path and jump != chain), None)
                if to is None:
                    order[chain] = None
                else:
                    path[chain] = jumps
                    path[to] = self._jumps(to)
        return [self.chains[name] for name in order]

    def _follow(self, chain: ChainRead) -> None:
        """Work out the steps of a chain, and what it does to packets."""
        steps = self.steps[chain.name] = []
        changes = NOTHING
        pure = not chain.missing
        open_end, returned = True, chain.missing
        for rule in chain.rules:
            step = self._step(rule)
            steps.append(step)
            changes = max(changes, self._step_changes(step))
            pure = pure and self.is_pure(step)
            leaves = rule.jump == "RETURN" or (step.goes_to not in ("", *self._stays) and self._is_goto(rule))
            returned = returned or (open_end and leaves and not step.matched.never)
            if step.decides and step.matched.anything:
                open_end = False
        if not (open_end or returned):
            self._stays.add(chain.name)
        self._changes[chain.name] = ANYTHING if chain.missing else changes
        if pure:
            self._pure.add(chain.name)

    def _step(self, rule: Rule) -> Step:
        matched = self._reader.matched(rule, named=line_of(rule) in self._named)
        target = entry.unpack_extension(rule.target)[0] if rule.target else ""
        goes_to = rule.jump if rule.jump and rule.jump not in VERDICTS else ""
        decides = (
            rule.jump in VERDICTS
            or target in DECIDING
            or (bool(goes_to) and (self._is_goto(rule) or goes_to in self._stays))
        )
        changes = ABOUT_IT if matched.alters else NOTHING
        if not decides:
            changes = max(changes, self._own_changes(goes_to, target))
        return Step(rule, matched, target, goes_to, changes, decides=decides)

    def _step_changes(self, step: Step) -> int:
        """Return what may be changed of a packet that a chain's caller sees again after this rule."""
        own = ABOUT_IT if step.matched.alters else NOTHING
        return own if step.goes_to in self._stays else max(own, self._own_changes(step.goes_to, step.target))

    def _own_changes(self, goes_to: str, target: str) -> int:
        if goes_to:
            return self._changes.get(goes_to, ANYTHING)
        return _CHANGES.get(target, ANYTHING) if target else NOTHING

    def _is_goto(self, rule: Rule) -> bool:
        return entry.is_goto(rule.header, self._family)
