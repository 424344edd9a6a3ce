"""Dumps, which iptables-save prints and iptables-restore reads: tables, their chains, and commands, a line each.

A large dump has few shapes of rules: what a part of a rule means (a match with its options, a target) is remembered by
its words. Only what is written plainly goes that way; everything else is read as a command line is.
"""

from __future__ import annotations

from _socket import AF_INET, AF_INET6, inet_pton

from pyipvsadm.errors import UsageError
from pyipvsadm.memo import Answers
from pyipvsadm.xtables import command, entry
from pyipvsadm.xtables.model import HOOK_CHAINS, INV_DSTIP, INV_SRCIP
from pyipvsadm.xtables.syntax import prefix_mask
from pyipvsadm.xtables.words import split_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final

    from pyipvsadm.xtables.model import Kind
    from pyipvsadm.xtables.options import Family
    from pyipvsadm.xtables.syntax import Command, RuleParser

    Quick = Callable[[str, Family, int], bytes | None]  # see options.Extension

_MOST_PARTS: Final = 1 << 9
_INTERFACES: Final = frozenset(("-i", "-o", "--in-interface", "--out-interface"))
_MOST_WORDS: Final = 251  # of a line, with three for its counters
_NEVER_TOO_MANY: Final = 2 * (_MOST_WORDS - 3)  # characters


def _may_count(word: str) -> bool:
    """Whether a word may be -c, be it with others or abbreviated, or the "--" that ends all options."""
    if word[:2] == "--":
        return "--set-counters".startswith(word.partition("=")[0])
    return word[:1] == "-" and "c" in word


class NotPlain(Exception):
    """A line, or a piece of one, that is not as iptables-save writes it, or not surely: it has to be parsed."""


class _Pieces(dict):  # type: ignore[type-arg]
    """What follows a -m, or a -j, in rules for one protocol: packed matches or targets, and their names, by their text.

    Asked for as ``pieces[text]``; raises NotPlain. Behind the name of a match is a blank. Those that were asked for
    lately are in here, few enough to stay in the processor's cache; what took long to read is kept longer.
    """

    __slots__ = ("_extensions", "_family", "_kind", "_parser", "_protocol", "_read")

    def __init__(self, parser: RuleParser, kind: Kind, protocol: int) -> None:
        self._parser = parser
        self._family = parser.family
        self._kind = kind
        self._protocol = protocol
        # By their names: what stands before their payloads, the short cut, the name as it is returned.
        self._extensions: dict[str, tuple[bytes, Quick | None, str]] = {}
        self._read = Answers(self._read_slowly)

    def _find(self, name: str) -> tuple[bytes, Quick | None, str]:
        extension = self._parser.extension(self._kind, name)
        if extension is None:
            raise NotPlain
        head = entry.extension_head(extension) if extension.quick else b""
        found = self._extensions[name] = head, extension.quick, f"{name} " if self._kind == "match" else name
        return found

    def __missing__(self, piece: str) -> tuple[bytes, str]:
        name, _, options = piece.partition(" ")
        head, quick, label = self._extensions.get(name) or self._find(name)
        if not piece.isprintable():  # which other white space is not
            raise NotPlain
        payload = quick(options, self._family, self._protocol) if quick else None
        block = self._read[piece] if payload is None else head + payload
        if block is None:
            raise NotPlain
        if len(self) >= _MOST_PARTS:
            self.clear()
        part = self[piece] = block, label
        return part

    def _read_slowly(self, piece: str) -> bytes | None:
        name, _, options = piece.partition(" ")
        extension = self._parser.extension(self._kind, name)
        if extension is None:
            return None
        if '"' in options and ("\\" in options or options.count('"') % 2):
            return None  # it may have been cut within quotes
        try:
            return self._parser.read_part(extension, split_words(options), self._protocol)
        except UsageError:  # a word that is too long
            return None


class _Beginning:
    """What the beginning of a rule means, and what can follow it."""

    __slots__ = ("header", "matches", "names_interfaces", "rest", "targets")

    def __init__(self, header: bytes, rest: bytes, pieces: tuple[_Pieces, _Pieces], *, names_interfaces: bool) -> None:
        self.header = header  # for any addresses
        self.rest = rest  # of it, behind addresses and masks
        self.matches, self.targets = pieces
        self.names_interfaces = names_interfaces


class DumpParser:
    """Reads the commands of a dump's lines; remembers what it takes to read more like them fast."""

    def __init__(self, parser: RuleParser) -> None:
        self._parser = parser
        self._family = parser.family
        self._domain = AF_INET if parser.family == 4 else AF_INET6
        self._whole = prefix_mask(32 if parser.family == 4 else 128, parser.family)
        self._nothing = bytes(len(self._whole))
        self._beginnings: dict[str, _Beginning | None] = {}  # by their text, without addresses
        self._masks: dict[str, bytes] = {}
        self._pieces: dict[int, tuple[_Pieces, _Pieces]] = {}  # by the rule's protocol
        # By the names of the matches, a blank behind each, and of a target: those in which no option belongs to two.
        self._middles: dict[str, bytes] = {}
        self.chains: set[str] = set()  # that the dump has made: jumps to them are to nothing else

    def parse(self, words: Sequence[str], table: str) -> Command:
        """Return the command of a line's words, in a table. Raises UsageError."""
        if len(words) > _MOST_WORDS:
            raise UsageError("Parser cannot handle more arguments")
        asked, _ = self._parser.parse(words, table=table)
        return asked

    def read_rule(self, line: str) -> tuple[str, str, bytes, str | None]:
        """Return the rule of a line that begins with -A and is as iptables-save writes it.

        These are its chain and the name of its target, then the entry and the jump as base.Table.append_plain takes
        them.

        Raises NotPlain for others, and for those with which something may be wrong. What is within quotes may be cut
        too: then a piece is left with an open quote, which makes no part of a rule.
        """
        if len(line) > _NEVER_TOO_MANY:
            raise NotPlain
        pieces = line.split(" -m ")
        before, option, goal = pieces[-1].rpartition(" -j ")
        if option:
            pieces[-1] = before
            if not goal:
                raise NotPlain
        else:
            goal = ""
        chain, _, text = pieces[0][3:].partition(" ")
        begun = self._beginnings.get(text)
        if begun is None:
            begun, addresses = self._begin(text)
            parts = [addresses + begun.rest, b""]
        else:
            parts = [begun.header, b""]
        if begun.names_interfaces and chain in HOOK_CHAINS:
            raise NotPlain  # such a chain does not have both
        names = ""
        matches = begun.matches
        for piece in pieces[1:]:
            block, name = matches[piece]
            parts.append(block)
            names += name
        jump: str | None = goal
        if goal not in self.chains and goal and goal not in entry.verdict_targets:
            block, goal = begun.targets[goal]
            parts.append(block)
            names += goal
            jump = None
        parts[1] = self._middles.get(names) or self._middle(names, parts)
        return chain, goal, b"".join(parts), jump

    def _begin(self, text: str) -> tuple[_Beginning, bytes]:
        """Return what a rule's beginning means, and the addresses and masks in it. Raises NotPlain."""
        nothing = self._nothing
        option, _, more = text.partition(" ")
        if option in ("-s", "-d"):  # one address first, the rest known
            host, _, rest_text = more.partition(" ")
            begun = self._beginnings.get(rest_text)
            if begun:
                packed, mask = self._network(host)
                return begun, packed + nothing + mask + nothing if option == "-s" else nothing + packed + nothing + mask
        if '"' in text or not text.isprintable():
            raise NotPlain
        src = dst = smsk = dmsk = nothing
        rest: list[str] = []
        waiting = iter(text.split())
        for option in waiting:
            if option not in ("-s", "-d"):
                rest.append(option)
            elif rest[-1:] == ["!"]:
                raise NotPlain
            elif option == "-s" and smsk is nothing:
                src, smsk = self._network(next(waiting, ""))
            elif option == "-d" and dmsk is nothing:
                dst, dmsk = self._network(next(waiting, ""))
            else:
                raise NotPlain
        key = " ".join(rest)
        if key not in self._beginnings:
            self._beginnings[key] = self._parse_beginning(rest)
        begun = self._beginnings[key]
        if begun is None:
            raise NotPlain
        return begun, b"".join((src, dst, smsk, dmsk))

    def _network(self, text: str) -> tuple[bytes, bytes]:
        """Return an address and its mask. Raises NotPlain."""
        host, slash, bits = text.partition("/")
        try:
            packed = inet_pton(self._domain, host)
        except (OSError, ValueError):
            raise NotPlain from None
        if not slash:
            return packed, self._whole
        mask = self._masks.get(bits)
        if mask is None:
            size = 8 * len(packed)
            if not (bits.isascii() and bits.isdigit() and len(bits) < 4 and 0 < int(bits) <= size) or bits[0] == "0":
                raise NotPlain
            mask = self._masks[bits] = prefix_mask(int(bits), self._family)
        if mask == self._whole:
            return packed, self._whole
        number = int.from_bytes(packed, "big") & int.from_bytes(mask, "big")
        return number.to_bytes(len(packed), "big"), mask

    def _parse_beginning(self, words: list[str]) -> _Beginning | None:
        if any(map(_may_count, words)):
            return None
        try:
            asked, warnings = self._parser.try_parse(["-A", "x", *words])
        except UsageError:
            return None
        if warnings:  # which every such line is to say
            return None
        if not isinstance(asked, command.Append) or len(asked.rules) != 1 or asked.verbose:
            return None
        (rule,) = asked.rules
        header = entry.unpack_header(rule.header, self._family)
        if rule.matches or rule.jump or any(header.smsk + header.dmsk) or header.invflags & (INV_SRCIP | INV_DSTIP):
            return None
        protocol = entry.protocol(header)
        pieces = self._pieces.get(protocol)
        if pieces is None:
            parser = self._parser
            pieces = _Pieces(parser, "match", protocol), _Pieces(parser, "target", protocol)
            self._pieces[protocol] = pieces
        rest = rule.header[4 * len(self._nothing) :]
        return _Beginning(rule.header, rest, pieces, names_interfaces=not _INTERFACES.isdisjoint(words))

    def _middle(self, names: str, parts: list[bytes]) -> bytes:
        """Return what stands behind the header of an entry, which depends on what matches and target it has.

        Raises NotPlain where an option belongs to two of them.
        """
        matches, _, target = names.rpartition(" ")
        extensions = [self._parser.extension("match", name) for name in matches.split()]
        if target:
            extensions.append(self._parser.extension("target", target))
        options = [option for extension in extensions if extension for option in extension.by_name]
        if len(options) > len(set(options)):
            raise NotPlain
        sizes = [len(block) for block in parts[2:]]
        if not target:
            sizes.append(entry.STANDARD_SIZE)
        at = entry.MATCHES_AT[self._family] + sum(sizes[:-1])
        middle = self._middles[names] = entry.pack_middle(self._family, at, at + sizes[-1], (0, 0))
        return middle
