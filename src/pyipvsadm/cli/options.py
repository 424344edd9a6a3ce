"""Options as getopt_long(3) reads them, for commands that have no more to their syntax."""

from __future__ import annotations

from pyipvsadm.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Final

    # The arguments of what was given, by letter; None for one that is missing. What takes no argument has its letter,
    # as often as it was given.
    Given = dict[str, str | None]
    Declared = Sequence[
        tuple[str, str, str]
    ]  # letter, word, argument ("": none, "1": one, "?": one that may be missing, and stands apart, "!": none, and what
    # follows is not looked at)


_TAKING: Final = ("1", "?")


def _raise(mistake: str) -> None:
    raise UsageError(mistake)


def parse_options(
    words: Sequence[str],
    declared: Declared,
    refuse: Callable[[str], object] = _raise,
    met: Callable[[str, str | None], object] = lambda _, __: None,
) -> tuple[Given, list[str]]:
    """Return the options among words, and the other words, which may stand between them.

    Each mistake is given to ``refuse``, which raises UsageError; where another does not, what is wrong is left out.
    ``met`` takes the letter and the argument of each option, before what follows it is looked at.
    """
    given: Given = {}
    rest: list[str] = []
    letters = {letter: argument for letter, _, argument in declared}
    for letter, text in _each(list(words), letters, declared, refuse):
        if not letter:
            rest.append(text or "")
            continue
        given[letter] = text if letters[letter] in _TAKING else (given.get(letter) or "") + letter
        met(letter, text)
        if letters[letter] == "!":
            return given, []
    return given, rest


def _each(
    waiting: list[str], letters: dict[str, str], declared: Declared, refuse: Callable[[str], object]
) -> Iterator[tuple[str, str | None]]:
    """Yield the letter of each option with its argument, and "" with each word that is none."""
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            yield from [("", word) for word in waiting]
            return
        if word[:2] == "--":
            letter, text = _long(word, declared, refuse)
            if not letter:
                continue
            if text is None and letters[letter] in _TAKING:
                text = _next(letters[letter], waiting, f"option '{word}' requires an argument")
            yield letter, text
        elif word[:1] == "-" and word != "-":
            yield from _short(word, letters, waiting, refuse)
        else:
            yield "", word


def _long(word: str, declared: Declared, refuse: Callable[[str], object]) -> tuple[str, str | None]:
    """Return the letter of a long option, "" for none, and what is written to it."""
    name, equals, text = word[2:].partition("=")
    found = [row for row in declared if row[1] == name] or [row for row in declared if row[1].startswith(name)]
    if len(found) != 1:
        refuse(f"option '{word}' is ambiguous" if found else f"unrecognized option '{word}'")
        return "", None
    letter, _, argument = found[0]
    if equals and argument not in _TAKING:
        refuse(f"option '--{found[0][1]}' doesn't allow an argument")
        return "", None
    return letter, text if equals else None


def _short(
    word: str, letters: dict[str, str], waiting: list[str], refuse: Callable[[str], object]
) -> Iterator[tuple[str, str | None]]:
    for place, letter in enumerate(word[1:], 2):
        argument = letters.get(letter)
        if argument is None:
            refuse(f"invalid option -- '{letter}'")
            continue
        attached = word[place:]
        if argument not in _TAKING or (argument == "?" and attached):
            yield letter, None
            continue
        yield letter, attached or _next(argument, waiting, f"option requires an argument -- '{letter}'")
        return


def _next(argument: str, waiting: list[str], error: str) -> str | None:
    """Take the next word for an option; one that may be missing is not taken from what looks like an option."""
    if argument == "?" and (not waiting or waiting[0][:1] in ("-", "!")):
        return None
    if not waiting:
        raise UsageError(error)
    return waiting.pop(0)
