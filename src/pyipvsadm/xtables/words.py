"""The words of a dump's line, as iptables-restore(8) cuts them."""

from __future__ import annotations

from pyipvsadm.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

_BLANKS: Final = (" ", "\t")
LONGEST_WORD: Final = 1023  # bytes
_NEVER_TOO_LONG: Final = LONGEST_WORD // 4  # characters
LONGEST_LINE: Final = 10239  # bytes, the newline among them: what is longer is read as several


def pieces(line: str) -> Iterator[str]:
    """Yield a line, with its newline if it has one, as fgets(3) reads it into the C tool's buffer: in several if long.

    A NUL hides what is behind it, the newline too.
    """
    if 4 * len(line) <= LONGEST_LINE:
        yield line.partition("\0")[0]
        return
    data = line.encode("utf-8", "surrogateescape")
    for start in range(0, len(data), LONGEST_LINE):
        piece = data[start : start + LONGEST_LINE].partition(b"\0")[0]
        yield piece.decode("utf-8", "surrogateescape")


def split_blanks(text: str) -> list[str]:
    """Return what stands between spaces and tabs, and nothing else that some call white space."""
    if text.isprintable():
        return text.split()
    return [word for word in text.replace("\t", " ").split(" ") if word]


def split_words(line: str, end: str = "\n") -> list[str]:
    """Return the words of a line. Raises UsageError for a word that the C tool has no room for."""
    words = split_text(line, end)
    if len(line) > _NEVER_TOO_LONG and any(
        len(word.encode("utf-8", "surrogateescape")) > LONGEST_WORD for word in words
    ):
        raise UsageError("Parameter too long!")
    return words


def split_text(line: str, end: str = "\n") -> list[str]:
    """Return the words of a line: spaces and tabs between them, double quotes around those that have some in them.

    Within quotes a backslash makes the next character stand for itself. A quote that closes ends its word, one that is
    left open takes what is left with the ``end`` of the line.
    """
    if '"' not in line:
        return split_blanks(line)
    parts = line.split('"')
    if "\\" in line or len(parts) % 2 == 0:
        return [word for word, _ in cut_words(line + end)]
    words = split_blanks(parts[0])
    for quoted, bare in zip(parts[1::2], parts[2::2], strict=True):
        words.append(quoted)
        words += split_blanks(bare)
    for bare in parts[:-1:2]:
        if bare[-1:] not in _BLANKS:
            return [word for word, _ in cut_words(line + end)]
    return words


def cut_words(text: str) -> list[tuple[str, bool]]:
    """Return the words of a line, with its newline if it has one, and of each whether a quote closed it."""
    words: list[tuple[str, bool]] = []
    word: str | None = None  # the one that is being read, None between words
    quoted = escaped = False
    for letter in text:
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
            words.append((word, quoted))
            word, quoted = None, False
    if word:
        words.append((word, False))
    return words
