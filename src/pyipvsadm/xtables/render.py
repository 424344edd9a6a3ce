"""What ``iptables -S``, ``-L`` and iptables-save print, byte for byte as iptables 1.8.9: rules in, text out.

The parts of rules repeat (a large table has few shapes of them), so what was made of each part is remembered.
"""

from __future__ import annotations

import struct
from _socket import AF_INET, AF_INET6, inet_ntop

from pyipvsadm.errors import WireError
from pyipvsadm.memo import Answers
from pyipvsadm.record import Record
from pyipvsadm.xtables import entry, registry
from pyipvsadm.xtables.blob import Snapshot, unpack_verdict
from pyipvsadm.xtables.kinds import U64, show_address
from pyipvsadm.xtables.model import (
    F_FRAG,
    INV_DSTIP,
    INV_FRAG,
    INV_PROTO,
    INV_SRCIP,
    INV_VIA_IN,
    INV_VIA_OUT,
    goto_flag,
)
from pyipvsadm.xtables.options import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Final

    from pyipvsadm.xtables.backend.base import Listing
    from pyipvsadm.xtables.command import List
    from pyipvsadm.xtables.model import Chain, Header, Kind, Rule
    from pyipvsadm.xtables.names import Resolver
    from pyipvsadm.xtables.options import Extension, Family

    QuickSave = Callable[[bytes, Family], str | None]


_PIECE: Final = 1 << 12  # words of a rule
_MOST_TEXTS: Final = 1 << 9


class Cells(Record):
    """What is shown of a rule, "" for what it does not ask for."""

    target: str
    protocol: str
    in_interface: str
    out_interface: str
    source: str
    destination: str
    details: str


class _Texts(dict):  # type: ignore[type-arg]
    """What ``-S`` prints of matches, or of targets, of rules for one protocol, by their bytes.

    Those that were asked for lately are in here, few enough to stay in the processor's cache; what took long to word is
    kept longer. The kernel leaves rubbish behind names: the same text may be there more than once.
    """

    __slots__ = ("_extensions", "_family", "_kind", "_option", "_view", "_words")

    def __init__(self, kind: Kind, option: str, view: View) -> None:
        self._kind = kind
        self._option = option
        self._view = view
        self._family = view.family
        # By what stands before a payload: the name behind its option, and the short cut.
        self._extensions: dict[bytes, tuple[str, QuickSave | None]] = {}
        self._words = Answers(self._word)

    def _find(self, block: bytes) -> tuple[str, QuickSave | None]:
        name, revision, _ = entry.unpack_extension(block)
        extension = find(self._kind, name, revision, self._family)
        known = f" {self._option} {name}", extension.quick_save if extension else None
        self._extensions[block[: entry.PAYLOAD_AT]] = known
        return known

    def __missing__(self, block: bytes) -> str:
        text, quick = self._extensions.get(block[: entry.PAYLOAD_AT]) or self._find(block)
        short = quick(block[entry.PAYLOAD_AT :], self._family) if quick else None
        text = self._words[block] if short is None else text + short
        if len(self) >= _MOST_TEXTS:
            self.clear()
        self[block] = text
        return text

    def _word(self, block: bytes) -> str:
        name, revision, payload = entry.unpack_extension(block)
        extension = find(self._kind, name, revision, self._family)
        text = f" {self._option} {name}"
        if extension is None:
            return text + _unknown(revision, payload)
        try:
            if extension.typed:
                text = f" {self._option} {extension.typed_name(payload)}"
            return text + extension.save(payload, self._view)
        except WireError:
            return text + _unknown(revision, payload)


# The text after addresses, -j or -g, which addresses are inverted, the texts of matches and of targets.
_Saved = tuple[str, str, int, _Texts, _Texts]
# The text of a header, -j or -g, the texts of matches and of targets.
_Beginning = tuple[str, str, _Texts, _Texts]


class _Beginnings(dict):  # type: ignore[type-arg]
    """What ``-S`` prints of headers, by their bytes; those with addresses, which seldom come again, are not kept."""

    __slots__ = ("_domain", "_masks", "_nothing", "_rest_at", "_rests", "_save_rest", "_unpack")

    def __init__(self, family: Family, save_rest: Callable[[bytes], _Saved]) -> None:
        size = 4 if family == 4 else 16
        self._domain = AF_INET if family == 4 else AF_INET6
        self._nothing = bytes(size)
        self._rest_at = 4 * size
        self._unpack = struct.Struct(4 * f"{size}s").unpack_from
        self._masks = Answers(_mask_text)
        self._rests: dict[bytes, _Saved] = {}  # by headers without their addresses
        self._save_rest = save_rest

    def __missing__(self, header: bytes) -> _Beginning:
        rest = header[self._rest_at :]
        known = self._rests.get(rest)
        if known is None:
            known = self._rests[rest] = self._save_rest(header)
        text, option, inverted, matches, targets = known
        src, dst, smsk, dmsk = self._unpack(header)
        nothing = self._nothing
        # "! -s 0.0.0.0/0" is printed, so what is inverted counts
        addresses = ""
        if smsk != nothing or src != nothing or inverted & INV_SRCIP:
            sign = _sign(inverted & INV_SRCIP) if inverted else ""
            addresses = f"{sign} -s {inet_ntop(self._domain, src)}/{self._masks[smsk]}"
        if dmsk != nothing or dst != nothing or inverted & INV_DSTIP:
            sign = _sign(inverted & INV_DSTIP) if inverted else ""
            addresses += f"{sign} -d {inet_ntop(self._domain, dst)}/{self._masks[dmsk]}"
        if addresses:
            return addresses + text, option, matches, targets
        begun = self[header] = text, option, matches, targets
        return begun


class Renderer:
    """Makes text of rules of one family."""

    def __init__(self, family: Family, names: Resolver) -> None:
        self.family = family
        self.names = names
        self._beginnings = _Beginnings(family, self._save_header)
        self._texts: dict[int, tuple[_Texts, _Texts]] = {}  # of matches and targets, by their rules' protocol

    # -- commands ------------------------------------------------------------------------------------------------------

    def save(self, rule: Rule, *, counters: bool = False) -> str:
        """Return a rule as ``-S`` prints it, without "-A CHAIN"; ``counters`` stand before its target."""
        _, header, blocks, target, jump, counts = rule[:]
        text, option, matches, targets = self._beginnings[header]
        for block in blocks:
            text += matches[block]
        if counters:
            text += f" -c {counts[0]} {counts[1]}"
        if target:
            return f"{text}{targets[target]}"
        return f"{text}{option}{jump}" if jump else text

    def save_all(self, table: Listing, chains: Iterable[str], *, counters: bool) -> Iterator[str]:
        """Yield the lines of a dump for the rules of some chains, many at a time; ``counters`` stand before each.

        What a kernel gave is worded as it lies there: values between the bytes and the text would take their time.
        """
        if isinstance(table, Snapshot):
            yield from self._save_snapshot(table, chains, counters=counters)
            return
        for chain in chains:
            yield "".join([self.dumped(chain, rule, counters=counters) for rule in table.rules(chain)])

    def _save_snapshot(self, table: Snapshot, chains: Iterable[str], *, counters: bool) -> Iterator[str]:
        beginnings, entries, goals = self._beginnings, table.entries, table.goals
        header_size, matches_at = entry.HEADER_SIZE[self.family], entry.MATCHES_AT[self.family]
        sizes, sizes_at, counters_at = entry.unpack_sizes, header_size + 4, matches_at - entry.COUNTERS.size
        unpack_size, unpack_counters = entry.unpack_size, entry.COUNTERS.unpack_from
        words: list[str] = []
        add = words.append
        for chain in chains:
            start = f"-A {chain}"
            at, last = table.bounds(chain)
            while at < last:
                if counters:
                    packets, octets = unpack_counters(entries, at + counters_at)
                    add(f"[{packets}:{octets}] ")
                add(start)
                text, option, matches, targets = beginnings[entries[at : at + header_size]]
                add(text)
                target, size = sizes(entries, at + sizes_at)
                place = at + matches_at
                target += at
                at += size
                while place < target:
                    (size,) = unpack_size(entries, place)
                    add(matches[entries[place : place + size]])
                    place += size
                if entries[target + 2]:
                    add(targets[entries[target:at]])
                else:
                    (verdict,) = unpack_verdict(entries, target)
                    jump = goals.get(verdict) or table.jump(verdict, at)
                    if jump:
                        add(option)
                        add(jump)
                add("\n")
            if len(words) > _PIECE:
                yield "".join(words)
                words.clear()
        yield "".join(words)

    def dumped(self, chain: str, rule: Rule, *, counters: bool) -> str:
        """Return the line of a dump for a rule of a chain."""
        counts = f"[{rule.counters[0]}:{rule.counters[1]}] " if counters else ""
        return f"{counts}-A {chain}{self.save(rule)}\n"

    def _save_header(self, data: bytes) -> _Saved:
        header = entry.unpack_header(data, self.family)
        inverted = header.invflags
        text = ""
        for option, name, bit in (("-i", header.iniface, INV_VIA_IN), ("-o", header.outiface, INV_VIA_OUT)):
            if name not in ("", "+"):
                text += f"{_sign(inverted & bit)} {option} {name}"
        if header.proto:
            text += f"{_sign(inverted & INV_PROTO)} -p {self.names.protocol(header.proto) or header.proto}"
        if self.family == 4 and header.flags & F_FRAG:
            text += f"{_sign(inverted & INV_FRAG)} -f"
        protocol = entry.protocol(header)
        texts = self._texts.get(protocol)
        if texts is None:
            view = View(self.family, self.names, protocol=protocol)
            texts = self._texts[protocol] = _Texts("match", "-m", view), _Texts("target", "-j", view)
        jump = " -g " if header.flags & goto_flag(self.family) else " -j "
        return text, jump, inverted & (INV_SRCIP | INV_DSTIP), *texts

    # -- tables --------------------------------------------------------------------------------------------------------

    def heading(self, chain: Chain, options: List) -> str:
        """Return the two lines above the rules of a chain."""
        if chain.policy is None:
            text = f"Chain {chain.name} ({chain.references} references)\n"
        else:
            counts = ""
            if options.verbose:
                packets, octets = (_count(number, exact=options.exact).strip() for number in chain.counters)
                counts = f" {packets} packets, {octets} bytes"
            text = f"Chain {chain.name} (policy {chain.policy}{counts})\n"
        if options.line_numbers:
            text += "num  "
        if options.verbose:
            text += "    pkts      bytes " if options.exact else " pkts bytes "
        text += "target     prot opt"
        if options.verbose:
            text += " in     out    "
        return text + " source               destination         \n"

    def line(self, rule: Rule, number: int, options: List) -> str:
        """Return the line of a rule."""
        header = entry.unpack_header(rule.header, self.family)
        view = View(self.family, self.names, numeric=options.numeric, protocol=entry.protocol(header))
        text = f"{number:<4} " if options.line_numbers else ""
        if options.verbose:
            text += "".join([f"{_count(count, exact=options.exact)} " for count in rule.counters])
        inverted = header.invflags
        text += f"{target_name(rule):<9} {_not(inverted & INV_PROTO)}{self._protocol_name(header, view):<4} "
        text += self._fragment(header) + " "
        if options.verbose:
            wild = "*" if options.numeric else "any"
            text += f" {_interface(header.iniface, inverted & INV_VIA_IN, wild):<6} "
            text += f"{_interface(header.outiface, inverted & INV_VIA_OUT, wild):<6} "
        for address, mask, bit in ((header.src, header.smsk, INV_SRCIP), (header.dst, header.dmsk, INV_DSTIP)):
            text += f"{_not(inverted & bit)}{self._network(address, mask, view):<19} "
        return f"{text}{self._details(rule, header, view)}\n"

    def sentence(self, rule: Rule) -> str:
        """Return the line that ``-v`` prints of a rule that is added, looked for or taken away."""
        header = entry.unpack_header(rule.header, self.family)
        view = View(self.family, self.names, protocol=entry.protocol(header))
        inverted = header.invflags
        protocol = self.names.listed_protocol(header.proto)
        text = f"{target_name(rule)} {_not(inverted & INV_PROTO)}{protocol} opt {self._fragment(header)} "
        text += f"in {_interface(header.iniface, inverted & INV_VIA_IN, '*')} "
        text += f"out {_interface(header.outiface, inverted & INV_VIA_OUT, '*')} "
        text += f"{_not(inverted & INV_SRCIP)}{self._network(header.src, header.smsk, view)} "
        text += f"{_not(inverted & INV_DSTIP)}-> {self._network(header.dst, header.dmsk, view)} "
        return f"{text} {self._details(rule, header, view)}\n"

    def cells(self, rule: Rule, *, numeric: bool) -> Cells:
        """Return what ``line`` prints of a rule, for other tables."""
        header = entry.unpack_header(rule.header, self.family)
        view = View(self.family, self.names, numeric=numeric, protocol=entry.protocol(header))
        inverted = header.invflags
        source, destination = [
            f"{'!' if inverted & bit else ''}{self._network(address, mask, view)}"
            if inverted & bit or any(mask)
            else ""
            for address, mask, bit in ((header.src, header.smsk, INV_SRCIP), (header.dst, header.dmsk, INV_DSTIP))
        ]
        named = View(self.family, self.names, numeric=False)
        protocol = f"{'!' if inverted & INV_PROTO else ''}{self._protocol_name(header, named)}" if header.proto else ""
        if header.flags & F_FRAG and self.family == 4:
            protocol = f"{protocol} {'!' if inverted & INV_FRAG else ''}-f".strip()
        return Cells(
            target_name(rule),
            protocol,
            _interface(header.iniface, inverted & INV_VIA_IN, ""),
            _interface(header.outiface, inverted & INV_VIA_OUT, ""),
            source,
            destination,
            self._details(rule, header, view).strip(),
        )

    def _details(self, rule: Rule, header: Header, view: View) -> str:
        text = "[goto] " if header.flags & goto_flag(self.family) else ""
        for block in rule.matches:
            text += self._show_extension("match", block, view)
        return text + (self._show_extension("target", rule.target, view) if rule.target else "")

    def _show_extension(self, kind: Kind, block: bytes, view: View) -> str:
        name, revision, payload = entry.unpack_extension(block)
        extension = find(kind, name, revision, self.family)
        try:
            return extension.show(payload, view) if extension else f" {name}{_unknown(revision, payload)}"
        except WireError:
            return f" {name}{_unknown(revision, payload)}"

    def _protocol_name(self, header: Header, view: View) -> str:
        if view.numeric:
            return str(header.proto)
        if not header.proto:
            return "all"
        return self.names.protocol(header.proto) or str(header.proto)

    def _fragment(self, header: Header) -> str:
        if self.family == 6:
            return "--"
        return ("!" if header.invflags & INV_FRAG else "-") + ("f" if header.flags & F_FRAG else "-")

    def _network(self, address: bytes, mask: bytes, view: View) -> str:
        if not any(address) and not any(mask):
            return ("0.0.0.0/0" if self.family == 4 else "::/0") if view.numeric else "anywhere"
        if not any(address) and self.family == 6 and not view.numeric:
            return "anywhere"  # whatever the mask is
        text = show_address(address) if view.numeric else self.names.host(address)
        bits = _mask_text(mask)
        return text if bits == str(8 * len(mask)) else f"{text}/{bits}"


def find(kind: Kind, name: str, revision: int, family: Family) -> Extension | None:
    """Return the declaration of a match or target that a rule has."""
    for extension in registry.revisions(kind, name, family):
        if extension.revision == revision and extension.name == name:
            return extension
    return None


def _unknown(revision: int, payload: bytes) -> str:
    return f" [unknown revision {revision}: {len(payload)} bytes]"


def _sign(inverted: int) -> str:
    return " !" if inverted else ""


def _not(inverted: int) -> str:
    return "!" if inverted else " "


def target_name(rule: Rule) -> str:
    """Return what a rule jumps to, "" where it only counts."""
    return entry.unpack_extension(rule.target)[0] if rule.target else rule.jump


def _interface(name: str, inverted: int, wild: str) -> str:
    return f"{'!' if inverted else ''}{name or wild}"


def network_text(address: bytes, mask: bytes) -> str:
    """Return ``address/mask`` as ``-S`` prints it."""
    return f"{show_address(address)}/{_mask_text(mask)}"


def _mask_text(mask: bytes) -> str:
    """Return how many bits a mask has, or the mask itself where they are not its first."""
    number = int.from_bytes(mask, "big")
    size = 8 * len(mask)
    bits = size - (number ^ ((1 << size) - 1)).bit_length()
    if number == ((1 << bits) - 1) << (size - bits):
        return str(bits)
    return show_address(mask)


def _count(number: int, *, exact: bool) -> str:
    """Return a counter in 8 characters, or in 5 of which the last can be a unit."""
    if exact:
        return f"{number:8}"
    if number <= 99999:
        return f"{number:5}"
    for unit in "KMG":
        number = _thousands(number)
        if number <= 9999:
            return f"{number:4}{unit}"
    return f"{_thousands(number):4}T"


def _thousands(number: int) -> int:
    """Return how many thousands a number has, rounded as the C tool does, whose sum wraps."""
    return (number + 500 & U64) // 1000


# -- whole tables ------------------------------------------------------------------------------------------------------


def chain_line(chain: Chain, *, counters: bool = False) -> str:
    """Return the line of ``-S`` about a chain itself."""
    if chain.policy is None:
        return f"-N {chain.name}\n"
    counts = f" -c {chain.counters[0]} {chain.counters[1]}" if counters else ""
    return f"-P {chain.name} {chain.policy}{counts}\n"


def dump(
    table: Listing, renderer: Renderer, *, counters: bool, rules_of: Callable[[str], Iterable[Rule]] | None = None
) -> Iterator[str]:
    """Yield the text of a table, as iptables-save prints it without the comments around it, a piece at a time.

    ``rules_of`` returns the rules of a chain by its name, where they are not just those of the table.
    """
    chains = table.chains(references=False)
    yield f"*{table.name}\n"
    yield "".join(
        [f":{chain.name} {chain.policy or '-'} [{chain.counters[0]}:{chain.counters[1]}]\n" for chain in chains]
    )
    if rules_of:
        for chain in chains:
            yield "".join([renderer.dumped(chain.name, rule, counters=counters) for rule in rules_of(chain.name)])
    else:
        yield from renderer.save_all(table, [chain.name for chain in chains], counters=counters)
    yield "COMMIT\n"
