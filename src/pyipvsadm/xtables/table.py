"""A table of rules in memory: chains and rules, and what libiptc refuses to do to them.

What libiptc does was found by experiment (iptables 1.8.9), also where it is odd: a commit keeps the counters of rules,
but of policies those alone that were given since the table was opened.
"""

from __future__ import annotations

import errno

from pyipvsadm.errors import KernelError
from pyipvsadm.record import Record, maker
from pyipvsadm.xtables import entry
from pyipvsadm.xtables.model import POLICIES, VERDICTS, Chain, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from pyipvsadm.xtables.options import Family

    # A rule in an open table, the chain it jumps to by whatever name, whether it is new.
    _Place = tuple[Rule, "MemoryChain | None", bool]

_LONGEST_CHAIN: Final = 31  # bytes; libiptc's limit; the kernel's own is shorter, and kept by the commands

_NO_SUCH: Final = "No chain/target/match by that name"
_NO_SUCH_RULE: Final = "Bad rule (does a matching rule exist in that chain?)"


class Stored(Record):
    """A chain as it is kept from one opening of its table to the next."""

    name: str
    policy: str | None
    counters: tuple[int, int]
    rules: tuple[Rule, ...]


Contents = tuple[Stored, ...]

_make_rule: Final = maker(Rule)


def _now(place: _Place) -> Rule:
    """Return the rule of a place, its jump by the name that its chain has now."""
    rule, to, _ = place
    if to is None or to.name == rule.jump:
        return rule
    return rule.replace(jump=to.name)


class MemoryChain:
    """A chain of an open table; ``given`` are the counters that came with its policy since it was opened."""

    __slots__ = ("counters", "given", "name", "policy", "references", "rules", "zeroed")

    def __init__(
        self,
        name: str,
        policy: str | None = None,
        given: tuple[int, int] | None = None,
        counters: tuple[int, int] = (0, 0),
    ) -> None:
        self.name = name
        self.policy = policy
        self.counters = counters if given is None else given
        self.given = given
        self.rules: list[_Place] = []
        self.zeroed: set[int] = set()  # old places, by their id()
        self.references = 0


class MemoryTable:
    """A table in memory; see base.Table. What becomes of it in the end is for those who derive from it to say."""

    def __init__(self, family: Family, name: str, contents: Contents) -> None:
        self.family = family
        self.name = name
        self._changed = False
        self._chains = {
            stored.name: MemoryChain(stored.name, stored.policy, counters=stored.counters) for stored in contents
        }
        for stored in contents:
            self._chains[stored.name].rules = [self._old_place(rule) for rule in stored.rules]

    # -- what is there -------------------------------------------------------------------------------------------------

    def _sorted(self) -> list[MemoryChain]:
        """Return the chains in libiptc's order; names are compared as bytes."""
        builtin = [chain for chain in self._chains.values() if chain.policy is not None]
        others = [chain for chain in self._chains.values() if chain.policy is None]
        return builtin + sorted(others, key=lambda chain: chain.name.encode("utf-8", "surrogateescape"))

    def chains(self, *, references: bool = True) -> list[Chain]:  # noqa: ARG002  # they are known anyway
        """Return the chains: the built-in ones in the order of hooks, the others by name."""
        return [Chain(chain.name, chain.policy, chain.counters, chain.references) for chain in self._sorted()]

    def chain_names(self) -> list[str]:
        """Return the names of the chains, in the same order."""
        return [chain.name for chain in self._sorted()]

    def has_chain(self, chain: str) -> bool:
        """Whether there is a chain of this name."""
        return chain in self._chains

    def is_builtin(self, chain: str) -> bool:
        """Whether a chain belongs to a hook."""
        return chain in self._chains and self._chains[chain].policy is not None

    def rules(self, chain: str) -> Iterator[Rule]:
        """Yield the rules of a chain."""
        if chain in self._chains:
            for place in self._chains[chain].rules:
                yield _now(place)

    # -- rules ---------------------------------------------------------------------------------------------------------

    def _chain(self, name: str, operation: str, reason: str = _NO_SUCH) -> MemoryChain:
        try:
            return self._chains[name]
        except KeyError:
            raise KernelError(operation, errno.ENOENT, reason) from None

    def _old_place(self, rule: Rule) -> _Place:
        to = None if not rule.jump or rule.jump in VERDICTS else self._chains[rule.jump]
        if to is not None:
            to.references += 1
        return rule, to, False

    def _place(self, rule: Rule, operation: str) -> _Place:
        """Return a place for a new rule, its jump or target being what libiptc takes the name for."""
        name = entry.extension_name(rule.target) if rule.target else rule.jump
        to = self._chains.get(name)
        if to is not None:
            if to.policy is not None:
                raise KernelError(operation, errno.EINVAL, "Invalid argument")
            to.references += 1
            return rule.replace(target=b"", jump=name) if rule.target else rule, to, True
        if not rule.target and rule.jump and rule.jump not in VERDICTS:  # an extension, which the kernel may have
            target = entry.pack(rule.replace(matches=()), self.family)[entry.MATCHES_AT[self.family] :]
            rule = rule.replace(target=target, jump="")
        return rule, None, True

    def _take_away(self, place: _Place) -> None:
        to = place[1]
        if to is not None:
            to.references -= 1

    def _numbered(self, chain: MemoryChain, number: int, operation: str, what: str, past: int = 0) -> int:
        """Return the index of the rule with a number, which may be ``past`` the last one."""
        if not 1 <= number <= len(chain.rules) + past:
            raise KernelError(operation, errno.E2BIG, f"Index of {what} too big")
        return number - 1

    def append(self, chain: str, rule: Rule) -> None:
        """Add a rule at a chain's end."""
        self._chain(chain, "append_entry").rules.append(self._place(rule, "append_entry"))
        self._changed = True

    def append_plain(self, chain: str, rule: bytes, jump: str | None, counters: tuple[int, int]) -> None:
        """Add a rule about which there is no doubt; see base.Table."""
        found = self._chain(chain, "append_entry")
        to = self._chains.get(jump) if jump else None
        if to is not None:
            to.references += 1
        found.rules.append((entry.unpack_plain(rule, self.family, jump, counters), to, True))
        self._changed = True

    def insert(self, chain: str, number: int, rule: Rule) -> None:
        """Add a rule that becomes the one with this number."""
        found = self._chain(chain, "insert_entry")
        index = self._numbered(found, number, "insert_entry", "insertion", 1)
        found.rules.insert(index, self._place(rule, "insert_entry"))
        self._changed = True

    def replace(self, chain: str, number: int, rule: Rule) -> None:
        """Put a rule in the place of another."""
        found = self._chain(chain, "replace_entry")
        index = self._numbered(found, number, "replace_entry", "replacement")
        place = self._place(rule, "replace_entry")
        self._take_away(found.rules[index])
        found.rules[index] = place
        self._changed = True

    def _index(self, chain: str, rule: Rule, mask: bytes, operation: str) -> tuple[MemoryChain, int]:
        found = self._chain(chain, operation, _NO_SUCH_RULE)
        place = self._place(rule, operation)
        self._take_away(place)
        for index, other in enumerate(found.rules):
            if _same(place, other, mask, self.family):
                return found, index
        # libiptc looks for a chain by the name of what the rule jumps to, and then reports that this failed.
        plain = not rule.target and (not rule.jump or rule.jump in VERDICTS)
        raise KernelError(operation, errno.ENOENT, _NO_SUCH_RULE if plain else _NO_SUCH)

    def check(self, chain: str, rule: Rule, mask: bytes) -> None:
        """Raise KernelError (ENOENT) where the chain has no such rule."""
        self._index(chain, rule, mask, "check_entry")

    def delete(self, chain: str, rule: Rule, mask: bytes) -> None:
        """Take the first such rule away; ``mask`` has ones where the entries must be the same."""
        found, index = self._index(chain, rule, mask, "delete_entry")
        self._take_away(found.rules.pop(index))
        self._changed = True

    def delete_number(self, chain: str, number: int) -> None:
        """Take a rule away."""
        found = self._chain(chain, "delete_num_entry")
        self._take_away(found.rules.pop(self._numbered(found, number, "delete_num_entry", "deletion")))
        self._changed = True

    def flush(self, chain: str) -> None:
        """Take all rules of a chain away."""
        found = self._chain(chain, "flush_entries")
        for place in found.rules:
            self._take_away(place)
        found.rules.clear()
        self._changed = True

    def zero(self, chain: str) -> None:
        """Set the counters of a chain and its rules to zero; rules that are new keep those they came with."""
        found = self._chain(chain, "zero_entries")
        found.zeroed.update(map(id, found.rules))
        self._changed = True

    def zero_number(self, chain: str, number: int) -> None:
        """Set the counters of a rule to zero."""
        found = self._chain(chain, "zero_counter")
        found.zeroed.add(id(found.rules[self._numbered(found, number, "zero_counter", "counter")]))
        self._changed = True

    # -- chains --------------------------------------------------------------------------------------------------------

    def _new_name(self, name: str, operation: str, reason: str) -> None:
        if name in self._chains or name in VERDICTS:
            raise KernelError(operation, errno.EEXIST, reason)
        if not self.is_fine(name):
            raise KernelError(operation, errno.EINVAL, "Invalid argument")

    @staticmethod
    def is_fine(name: str) -> bool:
        """Whether a chain that is not there yet may have a name."""
        return name not in VERDICTS and entry.is_shorter(name, _LONGEST_CHAIN + 1)

    def create(self, chain: str) -> None:
        """Make a chain."""
        self._new_name(chain, "create_chain", "Chain already exists")
        self._chains[chain] = MemoryChain(chain)
        self._changed = True

    def remove(self, chain: str) -> None:
        """Take an empty chain away to which no rule jumps."""
        found = self._chain(chain, "delete_chain")
        if found.policy is not None:
            raise KernelError("delete_chain", errno.EINVAL, "Invalid argument")
        if found.references:
            raise KernelError("delete_chain", errno.EMLINK, "Too many links")
        if found.rules:
            raise KernelError("delete_chain", errno.ENOTEMPTY, "Directory not empty")
        del self._chains[chain]
        self._changed = True

    def rename(self, old: str, new: str) -> None:
        """Give a chain another name; rules that jump to it still do."""
        self._new_name(new, "rename_chain", "File exists")
        found = self._chain(old, "rename_chain")
        if found.policy is not None:
            raise KernelError("rename_chain", errno.ENOENT, _NO_SUCH)
        found.name = new
        self._chains[new] = self._chains.pop(old)
        self._changed = True

    def set_policy(self, chain: str, policy: str, counters: tuple[int, int] | None) -> None:
        """Say what becomes of packets that come to the end of a built-in chain."""
        if not self.is_builtin(chain):
            raise KernelError("set_policy", errno.ENOENT, "Bad built-in chain name")
        if policy not in POLICIES:
            raise KernelError("set_policy", errno.EINVAL, "Bad policy name")
        found = self._chains[chain]
        found.policy = policy
        found.given = counters
        if counters is not None:
            found.counters = counters
        self._changed = True

    def entries_text(self) -> str:
        """Return nothing: libiptc has read nothing."""
        return ""

    def clear(self) -> None:
        """Take all rules away, and all chains that no hook has."""
        self._chains = {name: MemoryChain(name, chain.policy) for name, chain in self._chains.items() if chain.policy}
        self._changed = True

    # -- the whole -----------------------------------------------------------------------------------------------------

    def _stored(self, chain: MemoryChain) -> Stored:
        rules = []
        for place in chain.rules:
            rule = _now(place)
            if chain.zeroed and not place[2] and id(place) in chain.zeroed:
                rule = rule.replace(counters=(0, 0))
            rules.append(rule)
        return Stored(chain.name, chain.policy, chain.given or (0, 0), tuple(rules))

    def _contents(self) -> Contents:
        """Return what a commit makes of the table, its chains in the order of the kernel's entries."""
        return tuple([self._stored(chain) for chain in self._sorted()])

    def close(self) -> None:
        """Do nothing: nothing is held open."""


def _same(place: _Place, other: _Place, mask: bytes, family: Family) -> bool:
    """Whether two rules are the same where ``mask``, which is for an entry, has ones."""
    mine, to, _ = place
    its, its_to, _ = other
    if to is not its_to or mine.header != its.header or len(mine.matches) != len(its.matches):
        return False
    if to is None and mine.jump != its.jump:
        return False
    at = entry.MATCHES_AT[family]
    for block, its_block in zip((*mine.matches, mine.target), (*its.matches, its.target), strict=True):
        end = at + len(block)
        if len(block) != len(its_block) or _number(block, mask[at:end]) != _number(its_block, mask[at:end]):
            return False
        at = end
    return True


def _number(block: bytes, mask: bytes) -> int:
    return int.from_bytes(block, "big") & int.from_bytes(mask.ljust(len(block), b"\0"), "big")
