"""Whole tables as the kernel gives and takes them: one entry after the other, for rules and for what parts chains.

A chain of a hook begins where the table's head says and ends with its policy, an unconditional verdict. The others
follow: each begins with an entry that has the target ERROR and the chain's name, and ends with an unconditional RETURN.
A jump goes to the byte at which the first rule of its chain begins; one to what follows it is no jump at all. The last
entry has the target ERROR too. Pure functions on bytes; headers linux/netfilter_ipv4/ip_tables.h,
linux/netfilter_ipv6/ip6_tables.h and linux/netfilter/x_tables.h.
"""

from __future__ import annotations

import struct

from pyipvsadm.errors import WireError
from pyipvsadm.record import Record, maker
from pyipvsadm.xtables import entry
from pyipvsadm.xtables.model import HOOKS, POLICIES, Chain, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable, Iterable, Iterator
    from typing import Final

    from pyipvsadm.xtables.options import Family

    Memory = bytes | mmap.mmap
    Place = tuple[int, int, int]  # where an entry begins, where its target does, where it ends

NAME: Final = "32s"
INFO: Final = struct.Struct(f"@{NAME}I5I5III")  # struct ipt_getinfo
GET_ENTRIES: Final = struct.Struct(f"@{NAME}I0Q")  # struct ipt_get_entries, before its entries
REPLACE: Final = struct.Struct(f"@{NAME}III5I5IIP")  # struct ipt_replace, before its entries
COUNTERS_INFO: Final = struct.Struct(f"@{NAME}I0Q")  # struct xt_counters_info, before its counters
GET_REVISION: Final = struct.Struct("@29sB")  # struct xt_get_revision

_ERROR_TARGET: Final = struct.Struct("@H29sB30s0Q")  # struct xt_error_target
_ERROR_NAME: Final = _ERROR_TARGET.size - entry.PAYLOAD_AT
_VERDICT_AT: Final = 32  # of a standard target
_VERDICTS: Final = {number: name for name, number in entry.VERDICT_NUMBERS.items()}
unpack_verdict: Final = struct.Struct(f"@{_VERDICT_AT}xi").unpack_from  # of a target for verdicts and jumps
_make_rule: Final = maker(Rule)


class Head(Record):
    """What the kernel tells of a table beside its entries (struct ipt_getinfo); offsets are bytes, by hook."""

    valid_hooks: int
    hook_entry: tuple[int, ...]
    underflow: tuple[int, ...]
    num_entries: int
    size: int

    def hooks(self) -> list[int]:
        """Return the numbers of the table's hooks."""
        return [hook for hook in range(len(HOOKS)) if self.valid_hooks & 1 << hook]


def unpack_head(data: bytes) -> Head:
    """Return what is in a struct ipt_getinfo."""
    found = INFO.unpack(data)
    return Head(found[1], found[2:7], found[7:12], found[12], found[13])


def policies(family: Family, head: Head, entries: Memory) -> dict[str, str]:
    """Return the policies of a table's hooks by the names of their chains. Raises WireError."""
    return {HOOKS[hook]: _policy(family, entries, head.underflow[hook]) for hook in head.hooks()}


def _policy(family: Family, entries: Memory, at: int) -> str:
    (verdict,) = unpack_verdict(entries, at + entry.MATCHES_AT[family])
    policy = _VERDICTS.get(verdict)
    if policy not in POLICIES:
        raise WireError("struct xt_standard_target", at, "the verdict of a policy", str(verdict))
    return policy


def request(name: bytes, head: Head, entries_before: int, old_counters: int) -> bytes:
    """Return the struct ipt_replace that stands before a table's entries.

    ``entries_before`` is how many the table has that is to be replaced, ``old_counters`` the address of memory for
    their counters.
    """
    numbers = head.valid_hooks, head.num_entries, head.size, *head.hook_entry, *head.underflow
    return REPLACE.pack(name, *numbers, entries_before, old_counters)


def counters(family: Family, entries: bytes) -> list[bytes]:
    """Return the packed counters of all entries of a table."""
    found = []
    end_at = entry.HEADER_SIZE[family] + 6
    counters_at = entry.MATCHES_AT[family] - entry.COUNTERS.size
    at = 0
    while at < len(entries):
        found.append(entries[at + counters_at : at + counters_at + entry.COUNTERS.size])
        (length,) = entry.unpack_size(entries, at + end_at)
        at += length
    return found


class Snapshot:
    """A table as it was when the kernel was asked, to look at; see base.Listing. Raises WireError."""

    def __init__(self, family: Family, name: str, head: Head, entries: Memory) -> None:
        self.family = family
        self.name = name
        self.entries = entries
        self._policies = policies(family, head, entries)
        # By chain: where its first rule begins, and its policy or RETURN, which is behind the last one.
        self._chains = {HOOKS[hook]: (head.hook_entry[hook], head.underflow[hook]) for hook in head.hooks()}
        found = _find_chains(family, head, entries)
        self._chains.update({name: found[name] for name in in_order(found)})
        # What a verdict leads to: one by its number, a chain by the offset of its first rule.
        self.goals = dict(_VERDICTS)
        self.goals.update({begin: name for name, (begin, _) in self._chains.items()})

    # -- chains --------------------------------------------------------------------------------------------------------

    def chains(self, *, references: bool = True) -> list[Chain]:
        """Return the chains: the built-in ones in the order of hooks, the others by name."""
        jumps = self._count_jumps() if references else {}
        return [
            Chain(name, self._policies.get(name), self._chain_counters(name, end), jumps.get(begin, 0))
            for name, (begin, end) in self._chains.items()
        ]

    def _count_jumps(self) -> dict[int, int]:
        """Return how many rules jump, by the offsets of what they jump to."""
        entries = self.entries
        jumps: dict[int, int] = {}
        for name in self._chains:
            for _, target, end in self._places(name):
                if not entries[target + 2]:
                    (verdict,) = unpack_verdict(entries, target)
                    if verdict != end:
                        jumps[verdict] = jumps.get(verdict, 0) + 1
        return jumps

    def _chain_counters(self, name: str, end: int) -> tuple[int, int]:
        if name not in self._policies:
            return _NO_COUNTERS
        return entry.COUNTERS.unpack_from(self.entries, end + entry.MATCHES_AT[self.family] - entry.COUNTERS.size)

    def chain_names(self) -> list[str]:
        """Return the names of the chains, in the same order."""
        return list(self._chains)

    def has_chain(self, chain: str) -> bool:
        """Whether there is a chain of this name."""
        return chain in self._chains

    def is_builtin(self, chain: str) -> bool:
        """Whether a chain belongs to a hook."""
        return chain in self._policies

    # -- rules ---------------------------------------------------------------------------------------------------------

    def rules(self, chain: str) -> list[Rule]:
        """Return the rules of a chain."""
        return _unpack_rules(self.family, self.entries, self._places(chain), self.jump)

    def _places(self, chain: str) -> Iterator[Place]:
        """Yield the offsets of the entries of a chain's rules, of their targets and of their ends."""
        entries, sizes, sizes_at = self.entries, entry.unpack_sizes, entry.HEADER_SIZE[self.family] + 4
        at, last = self.bounds(chain)
        while at < last:
            target, size = sizes(entries, at + sizes_at)
            yield at, at + target, at + size
            at += size

    def bounds(self, chain: str) -> tuple[int, int]:
        """Return where the first rule of a chain begins, and where the last one ends."""
        return self._chains.get(chain, (0, 0))

    def jump(self, verdict: int, end: int) -> str:
        """Return what the verdict of a rule, whose entry ends at an offset, leads to; "" where it goes on there."""
        goal = self.goals.get(verdict)
        if goal is None:
            if verdict == end:
                return ""
            raise WireError("struct xt_standard_target", end, "a verdict or the beginning of a chain", str(verdict))
        return goal

    def close(self) -> None:
        """Do nothing: nothing is held open."""


def _find_chains(family: Family, head: Head, entries: Memory) -> dict[str, tuple[int, int]]:
    """Return the chains that no hook has, in the kernel's order: where the first rule begins, and where RETURN is."""
    sizes, sizes_at, matches_at = entry.unpack_sizes, entry.HEADER_SIZE[family] + 4, entry.MATCHES_AT[family]
    beginning = matches_at + _ERROR_TARGET.size
    found: dict[str, tuple[int, int]] = {}
    name: str | None = None
    begin = before = at = 0
    while at < head.size:
        target, size = sizes(entries, at + sizes_at)
        if not matches_at <= target < size:
            raise WireError(
                "struct ipt_entry", at, f"at least {matches_at} bytes, then a target", f"{target} and {size}"
            )
        if size == beginning and entries[at + target + 2 : at + target + 8] == b"ERROR\0":
            if name is not None:
                found[name] = begin, before
            begin = at + size
            name = (
                entries[at + target + entry.PAYLOAD_AT : begin].partition(b"\0")[0].decode("utf-8", "surrogateescape")
            )
        before = at
        at += size
    return found  # the last ERROR begins no chain


def _unpack_rules(
    family: Family, entries: Memory, places: Iterable[Place], jump_of: Callable[[int, int], str]
) -> list[Rule]:
    """Return the rules at some places; ``jump_of`` tells what a verdict leads to, by that and where the entry ends."""
    header_size, matches_at = entry.HEADER_SIZE[family], entry.MATCHES_AT[family]
    counters_at = matches_at - entry.COUNTERS.size
    rules = []
    for at, target, end in places:
        place = at + matches_at
        matches = []
        while place < target:
            (size,) = entry.unpack_size(entries, place)
            if not size:
                raise WireError("struct xt_entry_match", place, "a size", "0")
            matches.append(entries[place : place + size])
            place += size
        if entries[target + 2]:  # the target for verdicts and jumps has no name
            block, jump = entries[target:end], ""
        else:
            (verdict,) = unpack_verdict(entries, target)
            block, jump = b"", jump_of(verdict, end)
        counters = entry.COUNTERS.unpack_from(entries, at + counters_at)
        rules.append(_make_rule((Rule, entries[at : at + header_size], tuple(matches), block, jump, counters)))
    return rules


class Packed(Record):
    """A table to be put in the place of another: its head, and its entries in pieces, which have their counters."""

    head: Head
    entries: list[bytes]
    counted: bool  # whether there are counters that are not zero


class WrittenChain:
    """A chain of a table that is being written."""

    __slots__ = ("begin", "first", "given", "pieces", "policy", "size")

    def __init__(self, policy: str | None, given: tuple[int, int] | None = None) -> None:
        self.policy = policy
        self.given = given  # the counters that came with the policy
        # The entries of its rules: one piece for each, or two, if its target is one for verdicts and jumps.
        self.pieces: list[bytes] = []
        self.size = 0  # of the pieces, in bytes
        # Where they are in a table that is packed: the first of its bytes, the number of the first piece.
        self.begin = self.first = 0


class TableWriter:
    """A table that is written from its beginning to its end: each rule is packed as it comes, whatever its chain."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.chains: dict[str, WrittenChain] = {}
        self._rules = 0
        self._counted = False  # whether there are rules with counters
        self._jumps: list[tuple[WrittenChain, int, str]] = []  # pieces that are targets for chains
        self._falls: list[tuple[WrittenChain, int, int]] = []  # those for the next rule, and where that begins

    def add(self, chain: WrittenChain, rule: bytes, jump: str | None, counters: tuple[int, int]) -> None:
        """Add a rule at the end of a chain; see base.Table.append_plain."""
        if counters != _NO_COUNTERS:
            rule = entry.count(rule, self.family, counters)
            self._counted = True
        self._rules += 1
        pieces = chain.pieces
        pieces.append(rule)
        if jump is None:
            chain.size += len(rule)
            return
        chain.size += len(rule) + entry.STANDARD_SIZE
        if jump in entry.verdict_targets:
            pieces.append(entry.verdict_targets[jump])
            return
        if jump:
            self._jumps.append((chain, len(pieces), jump))
        else:
            self._falls.append((chain, len(pieces), chain.size))
        pieces.append(entry.NO_TARGET)

    def rules(self) -> Iterator[tuple[str, Rule]]:
        """Yield the rules, chain by chain, and the names of their chains."""
        verdicts = {target: name for name, target in entry.verdict_targets.items()}
        jumps = {(id(chain), number): jump for chain, number, jump in self._jumps}
        sizes_at = entry.HEADER_SIZE[self.family] + 4
        for name, chain in self.chains.items():
            waiting = enumerate(chain.pieces)
            for _, rule in waiting:
                _, end = entry.unpack_sizes(rule, sizes_at)
                if len(rule) == end:
                    yield name, entry.unpack(rule, self.family, "")
                else:
                    number, target = next(waiting)
                    jump = verdicts.get(target) or jumps.get((id(chain), number), "")
                    yield name, entry.unpack(rule + target, self.family, jump)

    def pack(self) -> Packed:
        """Return the table: the chains of hooks in their order, then the others by name."""
        family = self.family
        beginning = _plain_entry(family, _error_target(""))[:-_ERROR_NAME]  # of a chain
        ends = {verdict: _plain_entry(family, target) for verdict, target in entry.verdict_targets.items()}
        chains = self._ordered()
        bounds = [(0, 0)] * len(HOOKS)
        counted = self._counted
        pieces = []
        targets = {}  # of jumps, by their chains
        valid_hooks = at = 0
        last, size, pack_standard = ends["RETURN"], len(beginning) + _ERROR_NAME, entry.pack_standard
        for name, chain in chains:
            if chain.policy is None:
                end = last
                pieces.append(beginning + _pack_name(encode(name)))
                at += size
                targets[name] = pack_standard(b"", at)
            else:
                end = ends[chain.policy]
                hook = HOOKS.index(name)
                valid_hooks |= 1 << hook
                bounds[hook] = at, at + chain.size
                if chain.given:
                    end = _plain_entry(family, entry.verdict_targets[chain.policy], chain.given)
                    counted = True
            chain.begin, chain.first = at, len(pieces)
            pieces += chain.pieces
            pieces.append(end)
            at += chain.size + len(end)
        pieces.append(beginning + _pack_name(b"ERROR"))
        at += size
        for chain, number, jump in self._jumps:
            pieces[chain.first + number] = targets[jump]
        for chain, number, next_at in self._falls:
            pieces[chain.first + number] = entry.pack_standard(b"", chain.begin + next_at)
        count = self._rules + 2 * len(chains) - valid_hooks.bit_count() + 1
        hook_entry, underflow = zip(*bounds, strict=True)
        return Packed(Head(valid_hooks, hook_entry, underflow, count, at), pieces, counted)

    def _ordered(self) -> list[tuple[str, WrittenChain]]:
        chains = self.chains
        hooks = [name for name, chain in chains.items() if chain.policy is not None]
        others = in_order([name for name, chain in chains.items() if chain.policy is None])
        return [(name, chains[name]) for name in (*hooks, *others)]


def _plain_entry(family: Family, target: bytes, counters: tuple[int, int] = (0, 0)) -> bytes:
    """Return an entry for all packets."""
    at = entry.MATCHES_AT[family]
    return bytes(entry.HEADER_SIZE[family]) + entry.pack_middle(family, at, at + len(target), counters) + target


def in_order(names: Iterable[str]) -> list[str]:
    """Return names in libiptc's order, which is that of their bytes."""
    names = list(names)
    # A text of ASCII has the order of its bytes; only that of bytes that were none of UTF-8 differs.
    return sorted(names) if "".join(names).isascii() else sorted(names, key=encode)


def encode(name: str) -> bytes:
    """Return the bytes of a table's or chain's name."""
    return name.encode("utf-8", "surrogateescape")


def _error_target(name: str) -> bytes:
    return _ERROR_TARGET.pack(_ERROR_TARGET.size, b"ERROR", 0, encode(name))


_NO_COUNTERS: Final = (0, 0)
_pack_name: Final = struct.Struct(f"@{_ERROR_NAME}s").pack  # of a chain, with what fills the last bytes of its entry
