"""The text of a dump or document: where its words are, what its comments switch off, and what was found in it."""

from __future__ import annotations

import re

from pyipvsadm.check.catalogue import FINDINGS, kinds_of
from pyipvsadm.check.finding import Finding
from pyipvsadm.check.meant import Wrong
from pyipvsadm.errors import MisplacedOptionError, NoCommandError, UnknownOptionError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from pyipvsadm.check.finding import Source
    from pyipvsadm.check.meant import Part, Place

    Span = tuple[int, int]  # of characters of a line, counted from 0; the second is behind the last

_PLAIN_WORD: Final = re.compile(r"\S+")
_DIRECTIVE: Final = re.compile(r"#\s*pyipvsadm:\s*(\S*)\s*(.*)")
_WORD_OF_LIST: Final = re.compile(r"[^\s,]+")
_COMMANDS: Final = ("ignore", "ignore-file")
_LONGEST_SHOWN: Final = 80
_LONGEST_REASON: Final = 300  # of a document: a path, and what may be there


def shown(text: str, longest: int = _LONGEST_SHOWN) -> str:
    """Return a word as messages have it: short, and without what could steer a terminal."""
    text = " ".join(text.split())
    text = text if len(text) <= longest else f"{text[:longest]}..."
    return "".join([letter if letter.isprintable() else repr(letter)[1:-1] for letter in text])


def word_spans(line: str) -> list[Span]:
    """Return where the words of a line of iptables-save are, quotes included; see ``xtables.words.split_words``."""
    if '"' not in line:
        return [found.span() for found in _PLAIN_WORD.finditer(line)]
    spans: list[Span] = []
    begin = -1
    quoted = escaped = False
    for place, letter in enumerate(f"{line}\n"):
        if begin < 0 and letter not in " \t\n":
            begin = place
        if escaped:
            escaped = False
        elif letter == '"':
            quoted = not quoted
        elif quoted and letter == "\\":
            escaped = True
        elif not quoted and letter in " \t\n" and begin >= 0:
            spans.append((begin, place))
            begin = -1
    return spans


class Report:
    """What is found in one dump or document, where its comments do not say that it should not be.

    Findings are about numbers: of ``lines``, which a document has none of, or of its ``parts``.
    """

    def __init__(self, source: Source) -> None:
        self._text = source.text.split("\n")
        if self._text[-1] == "":
            self._text.pop()
        self._places: list[Place] | None = None
        self.lines: list[str] = self._text
        self.parts: list[Part] = []
        if source.parts is not None:
            self._places = [place for place, _ in source.parts]
            self.lines = []
            self.parts = [part for _, part in source.parts]
        self._found: dict[Finding, None] = {}
        self._ignored_here: dict[int, frozenset[str]] = {}
        self._ignored: frozenset[str] = frozenset()
        self._hosts: set[str] = set()
        if "pyipvsadm:" in source.text:
            self._read_directives()
        for number, part in enumerate(self.parts, 1):
            if isinstance(part, Wrong):
                self.add("S008", number, shown(part.reason, _LONGEST_REASON))

    def add(self, code: str, number: int, message: str, span: Span | None = None, hint: str = "") -> None:
        """Add a finding of a kind about part of a line, or all of it; ``hint`` is the kind's own where it is "".

        In a document it is about the line where a part begins, from there on.
        """
        line = self.told(number)
        if self._places is not None:
            span = None
        self._add(code, line, message, span or self._whole(number, line), hint)

    def told(self, number: int) -> int:
        """Return the line of the text that a number stands for."""
        return number if self._places is None else self._places[number - 1][0]

    def _add(self, code: str, line: int, message: str, span: Span, hint: str = "") -> None:
        kind = FINDINGS[code]
        found = Finding(code, kind.slug, kind.severity, line, span[0] + 1, span[1] + 1, message, hint or kind.hint)
        self._found[found] = None

    def _whole(self, number: int, line: int) -> Span:
        """Return where the text of a line is, or that of a part of a document in its first line."""
        text = self._text[line - 1] if line <= len(self._text) else ""
        end = len(text.rstrip())
        begin = len(text) - len(text.lstrip()) if self._places is None else self._places[number - 1][1] - 1
        return min(begin, end), end

    def add_usage(self, line: int, error: UsageError, spans: list[Span]) -> None:
        """Add what a parser says of a line whose words are at ``spans``."""
        place = error.argument
        span = spans[place] if place is not None and place < len(spans) else None
        if isinstance(error, UnknownOptionError):
            code = "S002"
        elif isinstance(error, MisplacedOptionError):
            code = "S003"
        else:
            code = "S004" if place else "S001"
        message = error.reason if isinstance(error, NoCommandError) else error.message
        self.add(code, line, shown(message), span)

    def add_hosts(self, line: int, hosts: list[str]) -> None:
        """Add the hosts that a line names, those that no line before it does."""
        for host in hosts:
            if host not in self._hosts:
                self._hosts.add(host)
                self.add("S007", line, f"{shown(host)} is looked up when the dump is restored")

    def findings(self) -> Iterator[Finding]:
        """Yield what was found and is not switched off, by line."""
        for found in sorted(self._found, key=lambda found: (found.line, found.column, found.code)):
            if found.code not in self._ignored and found.code not in self._ignored_here.get(found.line, ()):
                yield found

    def _read_directives(self) -> None:
        waiting: frozenset[str] = frozenset()
        for number, text in enumerate(self._text, 1):
            line = text if self._places is None else text.lstrip(" ")
            if not line.startswith("#"):
                if waiting and line.strip():
                    self._ignored_here[number] = waiting
                    waiting = frozenset()
                continue
            found = _DIRECTIVE.match(line)
            if found is None:
                continue
            codes = self._read_directive(number, found, len(text) - len(line))
            if found[1] == "ignore":
                waiting |= codes
            else:
                self._ignored |= codes

    def _read_directive(self, number: int, found: re.Match[str], before: int) -> frozenset[str]:
        """Return the codes of a comment, before which stand some blanks."""
        command = found.start(1) + before, found.end(1) + before
        if found[1] not in _COMMANDS:
            self._add("S005", number, f"no such comment for check: {shown(found[1])}", command)
            return frozenset()
        codes: frozenset[str] = frozenset()
        for word in _WORD_OF_LIST.finditer(found[2]):
            at = found.start(2) + before
            try:
                codes |= kinds_of(word[0])
            except UsageError:
                self._add("S005", number, f"no such finding: {shown(word[0])}", (at + word.start(), at + word.end()))
        if not codes and not _WORD_OF_LIST.search(found[2]):
            self._add("S005", number, f"{found[1]} names no finding", command)
        return codes
