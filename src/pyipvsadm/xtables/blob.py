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
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Final

    from pyipvsadm.xtables.options import Family

    Memory = bytes | mmap.mmap
    Place = tuple[int, int, int]  # where an entry begins, where its target does, where it ends

NAME: Final = "32s"
INFO: Final = struct.Struct(f"@{NAME}I5I5III")  # struct ipt_getinfo
GET_ENTRIES: Final = struct.Struct(f"@{NAME}I0Q")  # struct ipt_get_entries, before its entries
REPLACE: Final = struct.Struct(f"@{NAME}III5I5IIP")  # struct ipt_replace, before its entries
COUNTERS_INFO: Final = struct.Struct(f"@{NAME}I0Q")  # struct xt_counters_info, before its counters
COUNTERS: Final = struct.Struct("@QQ")  # struct xt_counters
GET_REVISION: Final = struct.Struct("@29sB")  # struct xt_get_revision

_ERROR_TARGET: Final = struct.Struct("@H29sB30s0Q")  # struct xt_error_target
_ERROR_NAME: Final = _ERROR_TARGET.size - entry.PAYLOAD_AT
_VERDICT_AT: Final = 32  # of a standard target
_VERDICTS: Final = {-1: "DROP", -2: "ACCEPT", -4: "QUEUE", -5: "RETURN"}  # - NF_* - 1; XT_RETURN
_sizes: Final = struct.Struct("@HH").unpack_from  # of an entry: where its target begins, and where it ends
unpack_size: Final = struct.Struct("@H").unpack_from  # of a match or target
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
    """Return the packed counters of all entries of a table that the kernel gave."""
    found = []
    end_at = entry.HEADER_SIZE[family] + 6
    counters_at = entry.MATCHES_AT[family] - COUNTERS.size
    at = 0
    while at < len(entries):
        found.append(entries[at + counters_at : at + counters_at + COUNTERS.size])
        (length,) = unpack_size(entries, at + end_at)
        at += length
    return found


class Snapshot:
    """A table as it was when the kernel was asked, to look at; see base.Listing. Raises WireError."""

    def __init__(self, family: Family, name: str, head: Head, entries: Memory) -> None:
        self.family = family
        self.name = name
        self.entries = entries
        self._policies = policies(family, head, entries)
        # By chain, in the kernel's order: where its first rule begins, its rules, where its policy or RETURN is.
        found = _walk(family, head, entries)
        self._chains = {name: found[name] for name in self._policies}
        self._chains.update({name: found[name] for name in in_order(found) if name not in self._policies})
        # What a verdict leads to: one by its number, a chain by the offset of its first rule.
        self.goals = dict(_VERDICTS)
        self.goals.update({begin: name for name, (begin, _, _) in self._chains.items()})

    # -- chains --------------------------------------------------------------------------------------------------------

    def chains(self, *, references: bool = True) -> list[Chain]:
        """Return the chains: the built-in ones in the order of hooks, the others by name."""
        jumps = self._count_jumps() if references else {}
        return [
            Chain(name, self._policies.get(name), self._chain_counters(name, end), jumps.get(begin, 0))
            for name, (begin, _, end) in self._chains.items()
        ]

    def _count_jumps(self) -> dict[int, int]:
        """Return how many rules jump, by the offsets of what they jump to."""
        entries = self.entries
        jumps: dict[int, int] = {}
        for _, places, _ in self._chains.values():
            for _, target, end in places:
                if not entries[target + 2]:
                    (verdict,) = unpack_verdict(entries, target)
                    if verdict != end:
                        jumps[verdict] = jumps.get(verdict, 0) + 1
        return jumps

    def _chain_counters(self, name: str, end: int) -> tuple[int, int]:
        if name not in self._policies:
            return _NO_COUNTERS
        return COUNTERS.unpack_from(self.entries, end + entry.MATCHES_AT[self.family] - COUNTERS.size)

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
        return _unpack_rules(self.family, self.entries, self.places(chain), self.jump)

    def places(self, chain: str) -> list[Place]:
        """Return the offsets of the entries of a chain's rules, of their targets and of their ends."""
        return self._chains[chain][1] if chain in self._chains else []

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


def _walk(family: Family, head: Head, entries: Memory) -> dict[str, tuple[int, list[Place], int]]:
    """Return the chains of a table: where the first rule begins, the rules, where the policy or RETURN is."""
    sizes_at, matches_at = entry.HEADER_SIZE[family] + 4, entry.MATCHES_AT[family]
    beginning = matches_at + _ERROR_TARGET.size
    found: dict[str, tuple[int, list[Place], int]] = {}
    places: list[Place] = []
    policies_at = {head.underflow[hook]: hook for hook in head.hooks()}
    name: str | None = None  # the chain that no hook has, once there is one
    at = begin = 0
    while at < head.size:
        target, size = _sizes(entries, at + sizes_at)
        if not matches_at <= target < size:
            raise WireError(
                "struct ipt_entry", at, f"at least {matches_at} bytes, then a target", f"{target} and {size}"
            )
        end = at + size
        if size == beginning and entries[at + target + 2 : at + target + 8] == b"ERROR\0":
            if name is not None:
                last = places.pop()[0]
                found[name] = begin, places, last
                places = []
            begin = end
            name = entries[at + target + entry.PAYLOAD_AT : end].partition(b"\0")[0].decode("utf-8", "surrogateescape")
        elif name is None and at in policies_at:
            hook = policies_at[at]
            found[HOOKS[hook]] = head.hook_entry[hook], places, at
            places = []
        else:
            places.append((at, at + target, end))
        at = end
    return found  # the last ERROR begins no chain


def _unpack_rules(
    family: Family, entries: Memory, places: list[Place], jump_of: Callable[[int, int], str]
) -> list[Rule]:
    """Return the rules at some places; ``jump_of`` tells what a verdict leads to, by that and where the entry ends."""
    header_size, matches_at = entry.HEADER_SIZE[family], entry.MATCHES_AT[family]
    counters_at = matches_at - COUNTERS.size
    rules = []
    for at, target, end in places:
        place = at + matches_at
        matches = []
        while place < target:
            (size,) = unpack_size(entries, place)
            if not size:
                raise WireError("struct xt_entry_match", place, "a size", "0")
            matches.append(entries[place : place + size])
            place += size
        if entries[target + 2]:  # the target for verdicts and jumps has no name
            block, jump = entries[target:end], ""
        else:
            (verdict,) = unpack_verdict(entries, target)
            block, jump = b"", jump_of(verdict, end)
        counters = COUNTERS.unpack_from(entries, at + counters_at)
        rules.append(_make_rule((Rule, entries[at : at + header_size], tuple(matches), block, jump, counters)))
    return rules


class Packed(Record):
    """A table to be put in the place of another: its head, its entries in pieces, the counters of those that have some.

    Counters are by the numbers of their entries.
    """

    head: Head
    entries: list[bytes | bytearray]
    counters: dict[int, tuple[int, int]]

    def packed_counters(self) -> list[bytes] | None:
        """Return the counters of all entries as the kernel takes them, None where all are zero."""
        if not self.counters:
            return None
        packed = [bytes(COUNTERS.size)] * self.head.num_entries
        for number, pair in self.counters.items():
            packed[number] = COUNTERS.pack(*pair)
        return packed


class WrittenChain:
    """A chain of a table that is being written: the entries of its rules, and what is still missing in them."""

    __slots__ = ("counters", "entries", "given", "jumps", "policy", "size")

    def __init__(self, policy: str | None, given: tuple[int, int] | None = None) -> None:
        self.policy = policy
        self.given = given  # the counters that came with the policy
        self.entries = bytearray()
        self.size = 0  # how many rules there are
        self.counters: dict[int, tuple[int, int]] = {}  # of rules, by where they are in the chain, that have some
        self.jumps: list[tuple[int, str]] = []  # where the target for a chain is, or for the next rule ("")


class TableWriter:
    """A table that is written from its beginning to its end: each rule is packed as it comes."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.chains: dict[str, WrittenChain] = {}
        self._matches_at = entry.MATCHES_AT[family]
        self._middles = entry.uncounted_middles[family]

    def add(
        self,
        chain: WrittenChain,
        header: bytes,
        matches: Sequence[bytes],
        target: bytes,
        jump: str,
        counters: tuple[int, int],
    ) -> None:
        """Add a rule, given by its fields, at the end of a chain; a jump has the name of a chain or verdict."""
        blocks = b"".join(matches)
        size = self._matches_at + len(blocks)
        if not target:
            target = _standard_targets.get(jump, _NO_TARGET)
            if target is _NO_TARGET:
                chain.jumps.append((len(chain.entries) + size, jump))
        chain.entries += b"".join((header, self._middles[size << 16 | size + len(target)], blocks, target))
        if counters != _NO_COUNTERS:
            chain.counters[chain.size] = counters
        chain.size += 1

    def rules(self, name: str) -> Iterator[Rule]:
        """Yield the rules of a chain."""
        chain = self.chains[name]
        entries, jumps = bytes(chain.entries), dict(chain.jumps)

        def jump_of(verdict: int, end: int) -> str:
            name = jumps.get(end - entry.STANDARD_SIZE)
            return _VERDICTS[verdict] if name is None else name

        rules = _unpack_rules(self.family, entries, self._places(entries), jump_of)
        for number, rule in enumerate(rules):
            yield rule.replace(counters=chain.counters.get(number, _NO_COUNTERS))

    def _places(self, entries: bytes) -> list[Place]:
        places = []
        at = 0
        while at < len(entries):
            target, size = _sizes(entries, at + entry.HEADER_SIZE[self.family] + 4)
            places.append((at, at + target, at + size))
            at += size
        return places

    def pack(self) -> Packed:
        """Return the table: the chains of hooks in their order, then the others by name."""
        family, chains = self.family, self.chains
        order = [name for name, chain in chains.items() if chain.policy is not None]
        order += in_order([name for name, chain in chains.items() if chain.policy is None])
        beginning = _plain_entry(family, _error_target(""))[:-_ERROR_NAME]  # of a chain
        ends = {verdict: _plain_entry(family, target) for verdict, target in _standard_targets.items()}
        begins: dict[str, int] = {}
        pieces: list[bytes | bytearray] = []
        counters: dict[int, tuple[int, int]] = {}
        hooks = {}
        at = entries = 0
        for name in order:
            chain = chains[name]
            if chain.policy is None:
                pieces.append(beginning + encode(name).ljust(_ERROR_NAME, b"\0"))
                entries += 1
                at += len(beginning) + _ERROR_NAME
            begins[name] = at
            end = ends[chain.policy or "RETURN"]
            pieces += (chain.entries, end)
            if chain.counters:
                for number, pair in chain.counters.items():
                    counters[entries + number] = pair
            entries += chain.size
            at += len(chain.entries)
            if chain.policy is not None:
                hooks[HOOKS.index(name)] = begins[name], at
                if chain.given:
                    counters[entries] = chain.given
            entries += 1
            at += len(end)
        pieces.append(_plain_entry(family, _error_target("ERROR")))
        for name, chain in chains.items():
            begin, packed = begins[name], chain.entries
            for place, target in chain.jumps:
                goal = begins[target] if target else begin + place + entry.STANDARD_SIZE
                _pack_verdict(packed, place + _VERDICT_AT, goal)
        bounds = [hooks.get(hook, (0, 0)) for hook in range(len(HOOKS))]
        head = Head(
            sum([1 << hook for hook in hooks]),
            tuple([begin for begin, _ in bounds]),
            tuple([end for _, end in bounds]),
            entries + 1,
            at + len(pieces[-1]),
        )
        return Packed(head, pieces, counters)


def _plain_entry(family: Family, target: bytes) -> bytes:
    """Return an entry for all packets."""
    at = entry.MATCHES_AT[family]
    middle: bytes = entry.uncounted_middles[family][at << 16 | at + len(target)]
    return bytes(entry.HEADER_SIZE[family]) + middle + target


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


_pack_verdict: Final = struct.Struct("@i").pack_into
_NO_COUNTERS: Final = (0, 0)
_NO_TARGET: Final = entry.pack_standard(b"", 0)
_standard_targets: Final = {name: entry.pack_standard(b"", number) for number, name in _VERDICTS.items()}
