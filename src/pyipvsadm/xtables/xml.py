"""Dumps as XML, as iptables-xml(1) writes it: a conversion of words, which knows no match and no target.

The C tool's document is kept with all its oddities: names of elements are not escaped, a rule of a chain that the dump
does not declare stands in whatever is open, and a mistake ends the document where it is.
"""

from __future__ import annotations

from pyipvsadm.errors import PyIpvsadmError, UsageError
from pyipvsadm.xtables.kinds import read_counter
from pyipvsadm.xtables.model import VERDICTS
from pyipvsadm.xtables.words import LONGEST_WORD, cut_words, pieces, split_blanks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Final

    Words = Sequence[tuple[str, bool]]  # and whether each was in quotes

_LONGEST_NAME: Final = 32  # bytes
_MOST_WORDS: Final = 254
_JUMPS: Final = frozenset(("-j", "--jump", "-g", "--goto"))
_GOTOS: Final = frozenset(("-g", "--goto"))
_NAMING: Final = _JUMPS | {"-m"}  # what the name of a match or target follows
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


class Malformed(PyIpvsadmError):
    """A dump with a line that cannot be converted; what comes before it has been."""


class _Chain:
    """A chain as the dump declares it."""

    __slots__ = ("attributes", "written")

    def __init__(self, attributes: str) -> None:
        self.attributes = attributes
        self.written = False


class Converter:
    """One dump on its way into a document.

    ``combine`` makes one rule of those that follow each other in a chain with the same conditions, up to the first that
    ends them; ``verbose`` adds each line as a comment. ``program`` is named in errors.
    """

    def __init__(self, program: str, *, combine: bool = False, verbose: bool = False) -> None:
        self._program = program
        self._combine = combine
        self._verbose = verbose
        self._in_table = False
        self._chains: list[_Chain] = []  # of the table
        self._by_name: dict[str, list[_Chain]] = {}  # of which there may be several
        self._chain = ""  # whose element is open
        self._rule_open = False
        self._before: list[str] = []  # words of the rule before, up to its jump; [] where no action is to be added

    def convert(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield the document in pieces, as lines come; the last of these is what follows the last newline.

        Raises UsageError, with its line, and Malformed.
        """
        yield '<iptables-rules version="1.0">\n'
        number = 0
        for number, line in enumerate(_as_read(lines), 1):
            try:
                yield from self._line(line, number)
            except UsageError as error:
                error.line = number
                raise
        if self._in_table:
            raise Malformed(f"COMMIT expected at line {number + 1}")
        yield "</iptables-rules>\n"

    def _line(self, line: str, number: int) -> Iterator[str]:
        first = line[:1]
        if first == "\n":
            return
        if first == "#":
            yield f"<!-- {_commented(line)} -->\n"
            return
        if self._verbose:
            yield f"<!-- line {number} {_commented(line)} -->\n"
        if first == "*":
            yield from self._table(line, number)
        elif not self._in_table:
            raise Malformed(f"line {number} failed")
        elif line == "COMMIT\n":
            yield from self._end_table()
        elif first == ":":
            self._declare(line, number)
        else:
            yield from self._rule(line, number)

    # -- tables and chains ---------------------------------------------------------------------------------------------

    def _table(self, line: str, number: int) -> Iterator[str]:
        words = split_blanks(line[1:].rstrip("\n"))
        if not words:
            raise UsageError(f"{self._program}: line {number} table name invalid")
        if self._in_table:
            yield from self._end_table()
        yield f'  <table name="{_escaped(_cut(words[0]))}" >\n'
        self._in_table = True

    def _end_table(self) -> Iterator[str]:
        yield from self._close_chain()
        for chain in self._chains:
            if not chain.written:
                yield f"    <chain {chain.attributes} />\n"
        yield "  </table>\n"
        self._chains.clear()
        self._by_name.clear()
        self._in_table = False

    def _declare(self, line: str, number: int) -> None:
        words = split_blanks(line[1:].rstrip("\n"))
        if not words:
            raise UsageError(f"{self._program}: line {number} chain name invalid")
        if len(words) < 2:
            raise UsageError(f"{self._program}: line {number} policy invalid")
        policy = "" if words[1] == "-" else f'policy="{_escaped(words[1])}" '
        packets, octets = _chain_counters(words[2] if len(words) > 2 else "")
        attributes = f'name="{_escaped(_cut(words[0]))}" {policy}packet-count="{packets}" byte-count="{octets}"'
        chain = _Chain(attributes)
        self._chains.append(chain)
        self._by_name.setdefault(words[0], []).append(chain)

    def _open_chain(self, name: str) -> Iterator[str]:
        if name == self._chain:
            return
        for chain in self._by_name.get(name, ()):
            yield from self._close_chain()
            yield f"    <chain {chain.attributes} >\n"
            self._chain = _cut(name)
            chain.written = True

    def _close_chain(self) -> Iterator[str]:
        if self._chain:
            yield from self._close_rule()
            yield "    </chain>\n"
            self._chain = ""

    # -- rules ---------------------------------------------------------------------------------------------------------

    def _rule(self, line: str, number: int) -> Iterator[str]:
        attributes = ""
        if line[:1] == "[":
            packets, octets, line = _split_counters(line, number)
            attributes = f'packet-count="{_escaped(packets)}" byte-count="{_escaped(octets)}" '
        words = cut_words(line)
        _check_room(words)
        chain = next((words[place + 1][0] for place, (word, _) in enumerate(words[:-1]) if word == "-A"), None)
        if chain is None:
            raise Malformed(f"line {number} failed - no chain found")
        yield from self._open_chain(chain)
        jump = next((place for place in range(2, len(words)) if _is(_JUMPS, words[place])), None)
        before, self._before = self._before, _addable(words, jump)
        if self._combine and jump is not None and [word for word, _ in words[:jump]] == before:
            yield "<!-- Combine action from next rule -->\n"
        else:
            yield from self._close_rule()
            yield f"      <rule {attributes}>\n"
            self._rule_open = True
            if words[2:] and words[2][0] not in _JUMPS:
                yield f"       <conditions>\n{_Part(self._is_chain).conditions(words, 2)}       </conditions>\n"
            yield "       <actions>\n"
        if jump is not None:
            yield _Part(self._is_chain).actions(words, jump)

    def _is_chain(self, name: str) -> bool:
        return name in self._by_name or name == self._chain

    def _close_rule(self) -> Iterator[str]:
        if self._rule_open:
            yield "       </actions>\n\n      </rule>\n\n"
            self._rule_open = False


def _as_read(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines as fgets(3) reads them: with their newlines, in pieces where they are long."""
    before: str | None = None
    for line in lines:
        if before is not None:
            yield from pieces(f"{before}\n")
        before = line
    if before:
        yield from pieces(before)


def _cut(name: str) -> str:
    data = name.encode("utf-8", "surrogateescape")
    return data[:_LONGEST_NAME].decode("utf-8", "surrogateescape")


def _commented(line: str) -> str:
    """Return a line as it can stand in a comment, where two dashes would end it: none is beside another."""
    first, *rest = line.rstrip("\n").split("-")
    return first + "".join([("*-", " *-")[place % 2] + part for place, part in enumerate(rest)])


def _escaped(text: str) -> str:
    """Return text as it can stand in a document of ASCII: what is not becomes its bytes, a character each."""
    if text.isalnum() and text.isascii():
        return text
    data = text.encode("utf-8", "surrogateescape")
    return "".join([_ENTITIES.get(letter := chr(byte), letter if byte < 0x7F else f"&#{byte};") for byte in data])


def _chain_counters(text: str) -> tuple[int, int]:
    """Return ``[packets:bytes]`` as sscanf(3) reads it, as far as it goes, and 0 for what is not there.

    What is 2**63 or more is negative.
    """
    counts = [0, 0]
    packets, colon, octets = text[1:].partition(":")
    for place, digits in enumerate((packets, octets)):
        count = read_counter(digits) if text[:1] == "[" else None
        if count is None:
            break
        counts[place] = count - (1 << 64) if count >> 63 else count
        if not colon or not digits[-1:].isdigit():
            break
    return counts[0], counts[1]


def _split_counters(line: str, number: int) -> tuple[str, str, str]:
    """Return the counters before a rule, whatever they are, and the rest of the line; see strtok(3)."""
    bracket = line.find("]")
    begin = len(line) - len(line[1:].lstrip(":"))
    colon = line.find(":", begin)
    begin_octets = colon + 1 + len(line[colon + 1 :]) - len(line[colon + 1 :].lstrip("]"))
    if bracket < 0 or colon < 0 or begin_octets == len(line):
        raise UsageError(f"Bad line {number}: need ]")
    end = line.find("]", begin_octets)
    octets = line[begin_octets:end] if end >= 0 else line[begin_octets:]
    # strtok() ends strings where the colon and the bracket were
    stops = [place for place in (colon, end) if place > bracket]
    return line[begin:colon], octets, line[bracket + 1 : min(stops, default=len(line))]


def _check_room(words: Words) -> None:
    """Raise UsageError for words that are too many or too long for the C tool."""
    for place, (word, _) in enumerate(words):
        if len(word.encode("utf-8", "surrogateescape")) > LONGEST_WORD:
            raise UsageError("Parameter too long!")
        if place == _MOST_WORDS:
            raise UsageError("Parser cannot handle more arguments")


def _addable(words: Words, jump: int | None) -> list[str]:
    """Return the words of a rule up to its jump, which those of the next are compared with.

    [] where no action can follow its own: it has no conditions, or what it does is the end of the matter.
    """
    if jump is None or jump == 2 or words[jump][0] in _GOTOS:
        return []
    if jump + 1 < len(words) and words[jump + 1][0] in VERDICTS:
        return []
    return [word for word, _ in words[:jump]]


class _Part:
    """The elements of a rule's conditions, or of its actions, as its words come."""

    def __init__(self, is_chain: Callable[[str], bool]) -> None:
        self._is_chain = is_chain
        self._out: list[str] = []
        self._tag: str | None = None  # whose element is open, of a match or a target
        self._option: str | None = None  # whose element is open in that
        self._spacer = ""  # before the next word of text
        self._inverted = False

    def conditions(self, words: Words, place: int) -> str:
        """Return the elements of the words from ``place`` on, up to a jump."""
        first = words[place + 1 : place + 2] if words[place][0] == "!" else words[place : place + 1]
        if any(word[:1] == "-" and word != "-m" and word not in _JUMPS for word, _ in first):
            self._open("match")
        while place < len(words) and not _is(_JUMPS, words[place]):
            place = self._read(words, place)
        return self._end()

    def actions(self, words: Words, place: int) -> str:
        """Return the elements of the words from ``place`` on, where a jump is."""
        while place < len(words):
            place = self._read(words, place)
        return self._end()

    def _read(self, words: Words, place: int) -> int:
        """Write one word, and a name that follows it; return the place behind."""
        word, quoted = words[place]
        following = words[place + 1][0] if place + 1 < len(words) else None
        if _is(_NAMING, words[place]):
            self._close()
            if following is not None:
                self._begin(word, following, words[place + 2 : place + 3])
            return place + 2
        if word == "!" and not quoted and following is not None and following[:1] == "-":
            self._inverted = True
            self._spacer = " "
        elif word[:1] == "-" and not quoted:
            self._begin_option(word.lstrip("-"), has_value=following is not None and following[:1] != "-")
        else:
            quote = "&quot;" if quoted or " " in word else ""
            self._out.append(f"{self._spacer}{quote}{_escaped(word)}{quote}")
            self._spacer = " "
        return place + 1

    def _begin(self, word: str, name: str, following: Words) -> None:
        if word != "-m" and self._is_chain(name):
            self._open("goto" if word in _GOTOS else "call")
            self._out.append(f"          <{name} />\n")
        elif not following or _is(_NAMING, following[0]):
            self._out.append(f"        <{name}  />\n")
        else:
            self._open(name)

    def _begin_option(self, name: str, *, has_value: bool) -> None:
        self._close_option()
        self._out.append(f"          <{name} " + (' invert="1"' if self._inverted else ""))
        self._inverted = False
        self._spacer = ""
        self._out.append(">" if has_value else " />\n")
        self._option = name if has_value else None

    def _open(self, tag: str) -> None:
        self._out.append(f"        <{tag} >\n")
        self._tag = tag

    def _close_option(self) -> None:
        if self._option is not None:
            self._out.append(f"</{self._option}>\n")
            self._option = None

    def _close(self) -> None:
        self._close_option()
        if self._tag is not None:
            self._out.append(f"        </{self._tag}>\n")
            self._tag = None
        self._spacer = ""
        self._inverted = False

    def _end(self) -> str:
        self._close()
        return "".join(self._out)


def _is(known: frozenset[str], word: tuple[str, bool]) -> bool:
    """Whether a word is one of those known, which within quotes it is not."""
    return word[0] in known and not word[1]
