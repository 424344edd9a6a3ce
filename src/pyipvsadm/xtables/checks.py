"""What a kernel looks at before it takes a table: loops, and whether matches and targets may be where they are.

Found by experiment on Linux 6.18. What no packet of a hook can come to has no hooks: a loop there is none, and targets
may be there that may not be at any hook, if only they may be in the table.
"""

from __future__ import annotations

import errno

from pyipvsadm.memo import Answers
from pyipvsadm.xtables import entry, registry
from pyipvsadm.xtables.model import VERDICTS
from pyipvsadm.xtables.options import Place
from pyipvsadm.xtables.reasons import commit_refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Final

    from pyipvsadm.xtables.model import Kind, Rule
    from pyipvsadm.xtables.options import Extension, Family

    Chain = tuple[str, bool, Sequence[Rule]]  # name, whether it is built in, rules

_NO_HOOKS: Final[frozenset[str]] = frozenset()


def check(table: str, family: Family, chains: Sequence[Chain]) -> None:
    """Raise KernelError where the kernel would not take a table; ``chains`` are in the order of its entries."""
    reach = Reach(family, chains)
    if reach.loops:
        raise commit_refused(errno.ELOOP)
    checker = Checker(table, family)
    for name, _, rules in chains:
        for index, rule in enumerate(rules):
            checker.check(rule, reach.hooks_of(name, index))


class Reach:
    """Which hooks' packets come to which chains. A rule that always decides hides those behind it in its chain.

    ``loops`` are the jumps (from one chain to another) with which a packet could go round.
    """

    def __init__(self, family: Family, chains: Sequence[Chain]) -> None:
        self._family = family
        self.last: dict[str, int] = {}  # the last rule that a packet can come to
        self._jumps: dict[str, list[str]] = {}
        self.hooks: dict[str, frozenset[str]] = {}
        self.loops: dict[tuple[str, str], None] = {}
        for name, _, rules in chains:
            self.last[name], self._jumps[name] = self._cut(rules)
        for name, builtin, _ in chains:
            if builtin:
                self._follow(name)

    def hooks_of(self, chain: str, index: int) -> frozenset[str]:
        """Return the hooks whose packets come to a rule."""
        return self.hooks.get(chain, _NO_HOOKS) if index <= self.last[chain] else _NO_HOOKS

    def _cut(self, rules: Sequence[Rule]) -> tuple[int, list[str]]:
        nothing = bytes(entry.HEADER_SIZE[self._family])
        jumps: list[str] = []
        for index, rule in enumerate(rules):
            if rule.jump in VERDICTS:
                if not rule.matches and rule.header == nothing:
                    return index, jumps
            elif rule.jump:
                jumps.append(rule.jump)
        return len(rules) - 1, jumps

    def _follow(self, hook: str) -> None:
        """Go from a hook wherever a packet can."""
        seen = {hook}
        path: dict[str, Iterator[str]] = {hook: iter(self._jumps[hook])}
        while path:
            chain, jumps = path.popitem()
            target = next(jumps, None)
            if target is None:
                self.hooks[chain] = self.hooks.get(chain, frozenset()) | {hook}
                continue
            path[chain] = jumps
            if target in path:
                self.loops[chain, target] = None
            elif target not in seen:
                seen.add(target)
                path[target] = iter(self._jumps[target])


class Checker:
    """Looks at the matches and targets of rules; what is right in a place whatever its payload is remembered."""

    def __init__(self, table: str, family: Family) -> None:
        self._table = table
        self._family = family
        self._right: set[tuple[object, ...]] = set()
        self._rest_at = 16 if family == 4 else 64  # of a header, behind addresses and masks
        self._protocols = Answers(self._protocol)

    def check(self, rule: Rule, hooks: frozenset[str]) -> None:
        """Raise KernelError where a match or the target of a rule that is reached from some hooks is refused."""
        blocks: list[tuple[Kind, bytes]] = [("match", block) for block in rule.matches]
        if rule.target:
            blocks.append(("target", rule.target))
        if not blocks:
            return
        protocol = self._protocols[rule.header[self._rest_at :]]
        for kind, block in blocks:
            key = kind, len(block), block[2 : entry.PAYLOAD_AT], protocol, hooks
            if key not in self._right and self._check_extension(kind, block, rule, protocol, hooks):
                self._right.add(key)

    def _protocol(self, rest: bytes) -> int:
        return entry.protocol(entry.unpack_header(bytes(self._rest_at) + rest, self._family))

    def _check_extension(self, kind: Kind, block: bytes, rule: Rule, protocol: int, hooks: frozenset[str]) -> bool:
        """Return whether another payload is taken as well. Raises KernelError where this is refused."""
        name, revision, payload = entry.unpack_extension(block)
        extension = self._extension(kind, name, revision)
        if extension is None:
            raise commit_refused(errno.ENOENT)
        matches = [entry.unpack_extension(match) for match in rule.matches]
        place = Place(self._table, hooks, protocol, tuple([(name, payload) for name, _, payload in matches]))
        if len(payload) != extension.size or not extension.allowed(payload, place):
            raise commit_refused(errno.EINVAL)
        return extension.accepts is None

    def _extension(self, kind: Kind, name: str, revision: int) -> Extension | None:
        for extension in registry.revisions(kind, name, self._family):
            if extension.revision == revision and extension.name == name:
                return extension
        return None
