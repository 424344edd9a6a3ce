"""Texts that are cut to what their struct has room for, and what ``-L`` prints where it has the words of ``-S``."""

from __future__ import annotations

from pyipvsadm.xtables.kinds import quote
from pyipvsadm.xtables.options import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, Option, View


def cut_text(longest: int, *, quoted: bool = False, placeholder: str = "TEXT") -> Kind:
    """Return the kind of any text; what is beyond ``longest`` bytes is dropped.

    Written in quotes where it needs them if ``quoted``, else never.
    """
    return Kind(
        lambda word, _: _cut(word, longest), (lambda value, _: quote(value) if quoted else str(value)), placeholder
    )


def prefix(longest: int) -> Kind:
    """Return the kind of what logs put before their lines: one line, of at least one byte; longer ones are cut."""

    def read(word: str, draft: Draft) -> str:
        if not word:
            raise draft.bad(word, "needs at least one character")
        if "\n" in word:
            raise draft.bad(word, "no line breaks")
        return _cut(word, longest)

    return Kind(read, lambda value, _: quote(value), "PREFIX")


def _cut(word: str, longest: int) -> str:
    return word.encode("utf-8", "surrogateescape")[:longest].decode("utf-8", "surrogateescape")


def without_dashes(options: tuple[Option, ...], values: Values, defaults: Values, view: View) -> str:
    """Return the options that are set as ``-S`` prints them, less the dashes before their names."""
    return "".join(
        [option.save(values, view).replace(" --", " ", 1) for option in options if option.is_set(values, defaults)]
    )
