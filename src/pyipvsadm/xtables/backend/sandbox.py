"""Tables of rules without a kernel: in memory, or kept in a file from one command to the next.

What libiptc and a kernel do was found by experiment (iptables 1.8.9, Linux 6.18), also where it is odd: a commit keeps
the counters of rules, but of policies those alone that were given since the table was opened.
"""

from __future__ import annotations

import binascii
import errno
import sys

from pyipvsadm.errors import KernelError, PyIpvsadmError
from pyipvsadm.record import Record
from pyipvsadm.sandbox import SandboxFile
from pyipvsadm.xtables import checks, entry
from pyipvsadm.xtables.model import TABLES, VERDICTS, Chain, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence
    from typing import Any, Final

    from pyipvsadm.xtables.model import Kind
    from pyipvsadm.xtables.options import Family

_LONGEST_TABLE: Final = 31  # XT_TABLE_MAXNAMELEN without its NUL
_LONGEST_CHAIN: Final = 31  # libiptc's limit; the kernel's own is shorter, and kept by the commands
_MEMBER: Final = "xtables"
_FAMILIES: Final[dict[Family, str]] = {4: "ipv4", 6: "ipv6"}
_POLICIES: Final = ("ACCEPT", "DROP")

_NO_SUCH: Final = "No chain/target/match by that name"
_NO_SUCH_RULE: Final = "Bad rule (does a matching rule exist in that chain?)"


class Stored(Record):
    """A chain as it is kept from one opening of its table to the next."""

    name: str
    policy: str | None
    counters: tuple[int, int]
    rules: tuple[Rule, ...]


Contents = tuple[Stored, ...]


class _Place:
    """A rule in an open table; ``to`` is the chain it jumps to, by whatever name."""

    __slots__ = ("new", "rule", "to")

    def __init__(self, rule: Rule, to: _Chain | None, *, new: bool) -> None:
        self.rule = rule
        self.to = to
        self.new = new

    def now(self) -> Rule:
        """Return the rule, its jump by the name that its chain has now."""
        if self.to is None or self.to.name == self.rule.jump:
            return self.rule
        return self.rule.replace(jump=self.to.name)


class _Chain:
    """A chain of an open table."""

    __slots__ = ("counters", "given", "name", "policy", "references", "rules", "zeroed")

    def __init__(self, name: str, policy: str | None = None, counters: tuple[int, int] = (0, 0)) -> None:
        self.name = name
        self.policy = policy
        self.counters = counters
        self.given = False  # whether a policy has come with counters
        self.rules: list[_Place] = []
        self.zeroed: set[_Place] = set()
        self.references = 0


class SandboxTable:
    """A table in memory; see base.Table."""

    def __init__(self, backend: SandboxBackend, name: str, contents: Contents) -> None:
        self.family = backend.family
        self.name = name
        self._backend = backend
        self._contents = contents
        self._changed = False
        self._chains = {stored.name: _Chain(stored.name, stored.policy, stored.counters) for stored in contents}
        for stored in contents:
            self._chains[stored.name].rules = [self._old_place(rule) for rule in stored.rules]

    # -- what is there -------------------------------------------------------------------------------------------------

    def _sorted(self) -> list[_Chain]:
        """Return the chains in libiptc's order; names are compared as bytes."""
        builtin = [chain for chain in self._chains.values() if chain.policy is not None]
        others = [chain for chain in self._chains.values() if chain.policy is None]
        return builtin + sorted(others, key=lambda chain: chain.name.encode("utf-8", "surrogateescape"))

    def chains(self) -> list[Chain]:
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
                yield place.now()

    # -- rules ---------------------------------------------------------------------------------------------------------

    def _chain(self, name: str, operation: str, reason: str = _NO_SUCH) -> _Chain:
        try:
            return self._chains[name]
        except KeyError:
            raise KernelError(operation, errno.ENOENT, reason) from None

    def _old_place(self, rule: Rule) -> _Place:
        to = None if not rule.jump or rule.jump in VERDICTS else self._chains[rule.jump]
        if to is not None:
            to.references += 1
        return _Place(rule, to, new=False)

    def _place(self, rule: Rule, operation: str) -> _Place:
        """Return a place for a new rule, its jump or target being what libiptc takes the name for."""
        name = entry.unpack_extension(rule.target)[0] if rule.target else rule.jump
        to = self._chains.get(name)
        if to is not None:
            if to.policy is not None:
                raise KernelError(operation, errno.EINVAL, "Invalid argument")
            to.references += 1
            return _Place(rule.replace(target=b"", jump=name), to, new=True)
        if rule.jump and rule.jump not in VERDICTS:  # an extension, which the kernel may have
            target = entry.pack(rule.replace(matches=()), self.family)[entry.MATCHES_AT[self.family] :]
            rule = rule.replace(target=target, jump="")
        return _Place(rule, None, new=True)

    def _take_away(self, place: _Place) -> None:
        if place.to is not None:
            place.to.references -= 1

    def _numbered(self, chain: _Chain, number: int, operation: str, what: str, past: int = 0) -> int:
        """Return the index of the rule with a number, which may be ``past`` the last one."""
        if not 1 <= number <= len(chain.rules) + past:
            raise KernelError(operation, errno.E2BIG, f"Index of {what} too big")
        return number - 1

    def append(self, chain: str, rule: Rule) -> None:
        """Add a rule at a chain's end."""
        self._chain(chain, "append_entry").rules.append(self._place(rule, "append_entry"))
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

    def _index(self, chain: str, rule: Rule, mask: bytes, operation: str) -> tuple[_Chain, int]:
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
        found.zeroed.update(found.rules)
        self._changed = True

    def zero_number(self, chain: str, number: int) -> None:
        """Set the counters of a rule to zero."""
        found = self._chain(chain, "zero_counter")
        found.zeroed.add(found.rules[self._numbered(found, number, "zero_counter", "counter")])
        self._changed = True

    # -- chains --------------------------------------------------------------------------------------------------------

    def _new_name(self, name: str, operation: str, reason: str) -> None:
        if name in self._chains or name in VERDICTS:
            raise KernelError(operation, errno.EEXIST, reason)
        if len(name.encode("utf-8", "surrogateescape")) > _LONGEST_CHAIN:
            raise KernelError(operation, errno.EINVAL, "Invalid argument")

    def create(self, chain: str) -> None:
        """Make a chain."""
        self._new_name(chain, "create_chain", "Chain already exists")
        self._chains[chain] = _Chain(chain)
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
        if policy not in _POLICIES:
            raise KernelError("set_policy", errno.EINVAL, "Bad policy name")
        found = self._chains[chain]
        found.policy = policy
        found.given = counters is not None
        if counters is not None:
            found.counters = counters
        self._changed = True

    def entries_text(self) -> str:
        """Return nothing: there are no bytes in a file."""
        return ""

    # -- the whole -----------------------------------------------------------------------------------------------------

    def _stored(self, chain: _Chain) -> Stored:
        rules = []
        for place in chain.rules:
            rule = place.now()
            if not place.new and place in chain.zeroed:
                rule = rule.replace(counters=(0, 0))
            rules.append(rule)
        return Stored(chain.name, chain.policy, chain.counters if chain.given else (0, 0), tuple(rules))

    def commit(self) -> None:
        """Have the sandbox take the table. Raises KernelError (EAGAIN) where somebody else has changed it meanwhile."""
        if not self._changed:
            return
        new = tuple([self._stored(chain) for chain in self._sorted()])
        checks.check(self.name, self.family, [(chain.name, chain.policy is not None, chain.rules) for chain in new])
        self._backend.store(self.name, self._contents, new)

    def close(self) -> None:
        """Do nothing: nothing is held open."""


def _same(place: _Place, other: _Place, mask: bytes, family: Family) -> bool:
    """Whether two rules are the same where ``mask``, which is for an entry, has ones."""
    mine, its = place.rule, other.rule
    if place.to is not other.to or mine.header != its.header or len(mine.matches) != len(its.matches):
        return False
    if place.to is None and mine.jump != its.jump:
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


class SandboxBackend:
    """The tables of one family; with ``path``, in the file of that name, which need not exist yet.

    The file is read when a table is opened and it has changed, and written once per commit, as a whole and atomically.
    Every method of it and its tables may raise SandboxFileError.
    """

    def __init__(self, family: Family, path: str | os.PathLike[str] | None = None) -> None:
        self.family = family
        self._file = None if path is None else SandboxFile(path)
        self._tables: dict[str, Contents] = {}

    def open(self, table: str) -> SandboxTable:
        """Read a table. Raises KernelError where there is none of this name."""
        if len(table.encode("utf-8", "surrogateescape")) > _LONGEST_TABLE:
            raise KernelError("init", errno.EINVAL, "Module is wrong version")
        if table not in TABLES:
            raise KernelError("init", errno.ENOENT, "Table does not exist (do you need to insmod?)")
        return SandboxTable(self, table, self._read(table))

    def hold(self) -> None:
        """Keep other writers of the file away as long as this process lasts, so that no commit comes too late."""
        if self._file is not None:
            self._file.lock().__enter__()

    def revision(self, kind: Kind, name: str, revisions: Sequence[int]) -> int | None:  # noqa: ARG002
        """Return the highest of some revisions: all that are declared are there."""
        return max(revisions, default=None)

    def names(self) -> list[str]:
        """Return the tables that have been changed, the last one first."""
        self._refresh()
        return list(reversed(self._tables))

    def _refresh(self) -> None:
        if self._file is None or not self._file.refresh():
            return
        try:
            tables = self._file.content.get(_MEMBER, {}).get(_FAMILIES[self.family], {})
            self._tables = {name: _load(self.family, name, chains) for name, chains in tables.items()}
        except (ValueError, TypeError, LookupError, AttributeError, PyIpvsadmError) as problem:
            raise self._file.foreign(problem) from None

    def _read(self, table: str) -> Contents:
        self._refresh()
        contents = self._tables.get(table)
        if contents is None:
            contents = tuple([Stored(chain, "ACCEPT", (0, 0), ()) for chain in TABLES[table]])
        return contents

    def store(self, table: str, old: Contents, new: Contents) -> None:
        """Keep a table in the place of ``old``. Raises KernelError (EAGAIN) where that is not what is there."""
        if self._file is None:
            self._keep(table, old, new)
            return
        with self._file.lock():
            self._keep(table, old, new)
            families = dict(self._file.content.get(_MEMBER, {}))
            families[_FAMILIES[self.family]] = {name: _dump(contents) for name, contents in self._tables.items()}
            self._file.write(**{_MEMBER: families})

    def _keep(self, table: str, old: Contents, new: Contents) -> None:
        if self._read(table) != old:
            raise KernelError("commit", errno.EAGAIN, "Resource temporarily unavailable")
        self._tables[table] = new


# -- the file ----------------------------------------------------------------------------------------------------------


def _text(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


def _dump(contents: Contents) -> list[dict[str, Any]]:
    return [{**chain.asdict(), "rules": [_dump_rule(rule) for rule in chain.rules]} for chain in contents]


def _dump_rule(rule: Rule) -> dict[str, Any]:
    return {
        "header": _text(rule.header),
        "matches": [_text(block) for block in rule.matches],
        "target": _text(rule.target),
        "jump": rule.jump,
        "counters": rule.counters,
    }


def _load(family: Family, table: str, chains: list[dict[str, Any]]) -> Contents:
    """Return the table of a file's members; raises one of many exceptions where they are not a table's."""
    contents = tuple(
        [
            Stored(
                _checked(chain["name"], str),
                None if chain["policy"] is None else _checked(chain["policy"], str),
                _load_counters(chain["counters"]),
                tuple([_load_rule(family, rule) for rule in chain["rules"]]),
            )
            for chain in chains
        ]
    )
    builtin = [chain.name for chain in contents if chain.policy is not None]
    names = {chain.name for chain in contents}
    if tuple(builtin) != TABLES[table] or len(names) != len(contents):
        raise ValueError(f"the chains of {table} are {[chain.name for chain in contents]}")
    for chain in contents:
        if chain.policy not in (None, *_POLICIES):
            raise ValueError(f'"policy" is {chain.policy!r}')
        for rule in chain.rules:
            if rule.jump and rule.jump not in names and rule.jump not in VERDICTS:
                raise ValueError(f"no chain {rule.jump!r}")
    # By the rules: what the kernel refuses is in no file of ours.
    checks.check(table, family, [(chain.name, chain.policy is not None, chain.rules) for chain in contents])
    return contents


def _load_rule(family: Family, rule: dict[str, Any]) -> Rule:
    header = binascii.a2b_base64(rule["header"], strict_mode=True)
    matches = tuple([binascii.a2b_base64(block, strict_mode=True) for block in rule["matches"]])
    target = binascii.a2b_base64(rule["target"], strict_mode=True)
    if len(header) != entry.HEADER_SIZE[family]:
        raise ValueError(f"a header of {len(header)} bytes")
    for block in (*matches, target):
        if block and int.from_bytes(block[:2], sys.byteorder) != len(block):
            raise ValueError(f"an extension of {len(block)} bytes")
    return Rule(header, matches, target, _checked(rule["jump"], str), _load_counters(rule["counters"]))


def _load_counters(counters: list[int]) -> tuple[int, int]:
    packets, octets = [_checked(counter, int) for counter in counters]
    if not (0 <= packets < 1 << 64 and 0 <= octets < 1 << 64):
        raise ValueError(f'"counters" are {counters!r}')
    return packets, octets


def _checked(value: Any, kind: type[Any]) -> Any:
    if type(value) is not kind:  # not isinstance: True is no number here
        raise ValueError(f"{value!r} is no {kind.__name__}")
    return value
