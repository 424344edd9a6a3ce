"""Dumps, which iptables-save prints and iptables-restore reads: tables, their chains, and commands, a line each.

A large dump has few shapes of rules: what a part of a rule means (a match with its options, a target) is remembered by
its words. Only what is written plainly goes that way; everything else is read as a command line is.
"""

from __future__ import annotations

from _socket import AF_INET, AF_INET6, inet_pton

from pyipvsadm.errors import UsageError
from pyipvsadm.record import maker
from pyipvsadm.xtables import command, entry
from pyipvsadm.xtables.model import HOOK_CHAINS, INV_DSTIP, INV_SRCIP, VERDICTS, Rule
from pyipvsadm.xtables.syntax import prefix_mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from pyipvsadm.xtables.syntax import Command, RuleParser

    Words = tuple[str, ...]

_MOST_PARTS: Final = 1 << 16
_INTERFACES: Final = frozenset(("-i", "-o", "--in-interface", "--out-interface"))
_PARTS: Final = frozenset(("-m", "-j", "-g"))
_BLANKS: Final = (" ", "\t")
_LONGEST_WORD: Final = 1023  # bytes
_NEVER_TOO_LONG: Final = _LONGEST_WORD // 4  # characters
_MOST_WORDS: Final = 251  # of a line, with three for its counters
_make_rule: Final = maker(Rule)


def split_words(line: str) -> list[str]:
    """Return the words of a line. Raises UsageError for a word that the C tool has no room for."""
    words = split_text(line)
    if len(line) > _NEVER_TOO_LONG and any(
        len(word.encode("utf-8", "surrogateescape")) > _LONGEST_WORD for word in words
    ):
        raise UsageError("Parameter too long!")
    return words


def split_text(line: str) -> list[str]:
    """Return the words of a line: spaces and tabs between them, double quotes around those that have some in them.

    Within quotes a backslash makes the next character stand for itself. A quote that closes ends its word, one that is
    left open takes what is left with the end of the line.
    """
    if '"' not in line:
        return _split_bare(line)
    parts = line.split('"')
    if "\\" in line or len(parts) % 2 == 0:
        return _split_slowly(line)
    words = _split_bare(parts[0])
    for quoted, bare in zip(parts[1::2], parts[2::2], strict=True):
        words.append(quoted)
        words += _split_bare(bare)
    for bare in parts[:-1:2]:
        if bare[-1:] not in _BLANKS:
            return _split_slowly(line)
    return words


def _split_bare(text: str) -> list[str]:
    words = text.replace("\t", " ").split(" ")  # split() would take every white space that there is
    return [word for word in words if word] if "" in words else words


def _split_slowly(line: str) -> list[str]:
    words: list[str] = []
    word: str | None = None  # the one that is being read, None between words
    quoted = escaped = False
    for letter in f"{line}\n":
        if escaped:
            escaped = False
            word = (word or "") + letter
        elif quoted and letter == "\\":
            escaped = True
        elif letter == '"' and not quoted:
            quoted = True
            word = word or ""
        elif letter != '"' and (quoted or letter not in " \t\n"):
            word = (word or "") + letter
        elif word is not None:
            words.append(word)
            word, quoted = None, False
    if word is not None:
        words.append(word)
    return words


class DumpParser:
    """Reads the commands of a dump's lines; remembers what it takes to read more like them fast."""

    def __init__(self, parser: RuleParser) -> None:
        self._parser = parser
        self._family = parser.family
        self._domain = AF_INET if parser.family == 4 else AF_INET6
        self._whole = prefix_mask(32 if parser.family == 4 else 128, parser.family)
        self._nothing = bytes(len(self._whole))
        self._rests: dict[Words, tuple[bytes, int] | None] = {}  # of headers: all but addresses; protocol
        self._masks: dict[str, bytes] = {}
        self._blocks: dict[tuple[int, Words], bytes | None] = {}
        self._independent: dict[Words, bool] = {}
        self._targets: dict[tuple[int, Words], tuple[bytes, str] | None] = {}
        self.chains: set[str] = set()  # that the dump has made: jumps to them are to nothing else

    def parse(self, words: Sequence[str], table: str, counters: tuple[int, int] | None) -> Command:
        """Return the command of a line's words, in a table; ``counters`` are those before it. Raises UsageError."""
        given = list(words)
        if counters is not None:
            given = ["-c", str(counters[0]), str(counters[1]), *given]
        if len(given) > _MOST_WORDS:
            raise UsageError("Parser cannot handle more arguments")
        asked, wanted = self._parser.parse(given, table=table)
        for warning in wanted.warnings:
            self._parser.warn(warning)
        return asked

    def read_rule(self, words: Sequence[str], counters: tuple[int, int]) -> Rule | None:
        """Return the rule of words that begin with -A and a chain and are written as iptables-save does.

        None for others, and for those with which something may be wrong: they have to be parsed.
        """
        if len(words) > _MOST_WORDS - 3:
            return None
        bounds = [place for place, word in enumerate(words) if word in _PARTS]
        bounds.append(len(words))
        begin = bounds[0]
        found = self._read_header(words, begin)
        if found is None:
            return None
        header, protocol = found
        matches: list[bytes] = []
        names: list[str] = []
        target, jump = b"", ""
        for end in bounds[1:]:
            part = tuple(words[begin:end])
            begin = end
            if len(part) < 2 or jump:
                return None
            names.append(part[1])
            if part[0] == "-m":
                block = self._match(part, protocol)
                if block is None:
                    return None
                matches.append(block)
            else:
                read = self._target(part, protocol)
                if read is None:
                    return None
                target, jump = read
                if part[0] == "-g":
                    header = entry.with_goto(header, self._family)
        if len(names) > 1 and not self._are_independent(tuple(names), jump=bool(jump)):
            return None
        return _make_rule((Rule, header, tuple(matches), target, jump, counters))

    def _read_header(self, words: Sequence[str], end: int) -> tuple[bytes, int] | None:
        src = dst = smsk = dmsk = self._nothing
        rest: list[str] = []
        place = 2
        while place < end:
            option = words[place]
            if option in ("-s", "-d"):
                if place + 1 >= end or words[place - 1] == "!":
                    return None
                network = self._network(words[place + 1])
                if network is None:
                    return None
                if option == "-s":
                    if smsk is not self._nothing:
                        return None
                    src, smsk = network
                else:
                    if dmsk is not self._nothing:
                        return None
                    dst, dmsk = network
                place += 2
            else:
                rest.append(option)
                place += 1
        if rest and words[1] in HOOK_CHAINS and not _INTERFACES.isdisjoint(rest):
            return None  # such a chain does not have both
        key = tuple(rest)
        known = self._rests.get(key, ...)
        if known is ...:
            known = self._rests[key] = self._read_rest(key)
        if known is None:
            return None
        return b"".join((src, dst, smsk, dmsk, known[0])), known[1]

    def _network(self, text: str) -> tuple[bytes, bytes] | None:
        host, slash, bits = text.partition("/")
        try:
            packed = inet_pton(self._domain, host)
        except (OSError, ValueError):
            return None
        if not slash:
            return packed, self._whole
        mask = self._masks.get(bits)
        if mask is None:
            if (
                not (bits.isascii() and bits.isdigit() and len(bits) < 4 and 0 < int(bits) <= 8 * len(packed))
                or bits[0] == "0"
            ):
                return None
            mask = self._masks[bits] = prefix_mask(int(bits), self._family)
        if mask == self._whole:
            return packed, self._whole
        number = int.from_bytes(packed, "big") & int.from_bytes(mask, "big")
        return number.to_bytes(len(packed), "big"), mask

    def _read_rest(self, words: Words) -> tuple[bytes, int] | None:
        if "-c" in words:
            return None
        try:
            asked, wanted = self._parser.parse(["-A", "x", *words], table="")
        except UsageError:
            return None
        if wanted.warnings:
            return None
        if not isinstance(asked, command.Append) or len(asked.rules) != 1 or asked.verbose:
            return None
        (rule,) = asked.rules
        header = entry.unpack_header(rule.header, self._family)
        if rule.matches or rule.jump or any(header.smsk + header.dmsk) or header.invflags & (INV_SRCIP | INV_DSTIP):
            return None
        return rule.header[4 * len(self._whole) :], entry.protocol(header)

    def _match(self, part: Words, protocol: int) -> bytes | None:
        key = (protocol, part)
        block = self._blocks.get(key, ...)
        if block is ...:
            if len(self._blocks) >= _MOST_PARTS:
                self._blocks.clear()
            block = self._blocks[key] = self._parser.read_part("match", part[1], part[2:], protocol)
        return block

    def _target(self, part: Words, protocol: int) -> tuple[bytes, str] | None:
        name = part[1]
        if len(part) == 2 and name in self.chains:
            return b"", name
        if part[0] == "-g":
            return None
        if len(part) == 2 and name in VERDICTS:
            return b"", name
        key = (protocol, part)
        known = self._targets.get(key, ...)
        if known is ...:
            if len(self._targets) >= _MOST_PARTS:
                self._targets.clear()
            block = self._parser.read_part("target", name, part[2:], protocol)
            known = self._targets[key] = None if block is None else (block, name)
        return known

    def _are_independent(self, names: Words, *, jump: bool) -> bool:
        """Whether no option belongs to two of a rule's matches and its target (the last, with ``jump``)."""
        if jump and (names[-1] in self.chains or names[-1] in VERDICTS):
            names, jump = names[:-1], False
        key = (*names, "-j" if jump else "")
        known = self._independent.get(key)
        if known is None:
            matches = names[:-1] if jump else names
            declared = [self._parser.extension("match", name) for name in matches]
            if jump:
                declared.append(self._parser.extension("target", names[-1]))
            options = [name for extension in declared if extension for name in extension.by_name]
            known = self._independent[key] = len(options) == len(set(options))
        return known
