"""How many bytes or packets the packet's connection has had.

Struct: ``struct xt_connbytes_info``, linux/netfilter/xt_connbytes.h. Syntax: iptables-extensions(8), "connbytes".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.spans import read_span
from pyipvsadm.xtables.kinds import U64, read_number
from pyipvsadm.xtables.layout import Layout, u8, u64
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout("struct xt_connbytes_info", u64("from"), u64("to"), u8("what"), u8("direction"))

_MODES: Final = {"packets": 0, "bytes": 1, "avgpkt": 2}  # XT_CONNBYTES_*
_DIRECTIONS: Final = {"original": 0, "reply": 1, "both": 2}  # XT_CONNBYTES_DIR_*


def _read_counts(text: str, draft: Draft) -> tuple[int, int]:
    first, last = read_span(text, draft, U64, lambda word: read_number(word, 0, U64))
    if ":" not in text:
        last = U64
    if first > last:
        raise draft.bad(text, "the range is upside down")
    return (last, first) if draft.inverted else (first, last)


def _write_counts(value: tuple[int, int], _: View) -> str:
    first, last = min(value), max(value)
    return f"{first}:{last}" if 0 < last < U64 else str(first)


class _Counts(Option):
    """It is inverted where the kernel finds the range upside down, not by a bit."""

    __slots__ = ()

    def inverted(self, values: Values) -> bool:
        return bool(values["from"] > values["to"])


def _word(words: dict[str, int]) -> Kind:
    """Return a kind for one of some words, in these letters."""

    def read(text: str, draft: Draft) -> int:
        if text not in words:
            raise draft.bad(text, f"none of {', '.join(words)}")
        return words[text]

    names = {value: word for word, value in words.items()}
    return Kind(read, lambda value, _: names.get(value, str(value)), "|".join(words))


_OPTIONS: Final = (
    _Counts(
        "connbytes",
        kind=Kind(_read_counts, _write_counts, "FROM[:TO]"),
        to=("from", "to"),
        inverts=("what", 0),
        needed=True,
        when=lambda _: True,
    ),
    Option("connbytes-mode", kind=_word(_MODES), to="what", needed=True, when=lambda _: True),
    Option("connbytes-dir", kind=_word(_DIRECTIONS), to="direction", needed=True, when=lambda _: True),
)


def _show(values: Values, view: View) -> str:
    counts, mode, direction = [option.save(values, view) for option in _OPTIONS]
    return (
        counts.replace("--", "", 1)
        + mode.replace("--connbytes-mode", "connbytes mode", 1)
        + direction.replace("--connbytes-dir", "connbytes direction", 1)
    )


EXTENSIONS: Final = (
    Extension(
        "match",
        "connbytes",
        0,
        BOTH,
        LAYOUT,
        _OPTIONS,
        summary="bytes or packets of the connection",
        show=_show,
    ),
)
