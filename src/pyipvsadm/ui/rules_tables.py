"""Tables of rules for people: one for each chain, which fits the terminal.

Columns that no rule of a chain has anything to say in are left out, and nothing is cut: where the width is short, what
a rule asks for stands in a sentence below its target. Colours and characters follow what rich finds out about standard
output (NO_COLOR, TERM=dumb).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.text import Text

from pyipvsadm.ui.cells import (
    GAP,
    bar_of,
    clean,
    column_widths,
    human,
    new_table,
    number_columns,
    text_columns,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pyipvsadm.ui.table import Table
    from pyipvsadm.xtables.backend.base import Listing
    from pyipvsadm.xtables.command import List, ListRules
    from pyipvsadm.xtables.model import Chain, Rule
    from pyipvsadm.xtables.render import Cells, Renderer

_NUMBERS: Final = ("#", "Packets", "Bytes")
_WORDS: Final = ("Target", "Protocol", "In", "Out", "Source", "Destination", "Details")
_LABELS: Final = ("", "", "in ", "out ", "from ", "to ", "")  # in a sentence
_STYLES: Final = {"ACCEPT": "green", "DROP": "red", "REJECT": "red", "RETURN": "yellow", "QUEUE": "yellow"}
_JUMP: Final = "cyan"
_WIDEST_BAR: Final = 12
_NARROWEST_BAR: Final = 4
_WIDEST_DETAILS: Final = 24  # of which at least so many characters are to stand in a line


def listing(
    table: Listing,
    chains: Iterable[tuple[Chain, list[tuple[int, Rule]]]],
    asked: List | ListRules,
    renderer: Renderer,
    console: Console | None = None,
) -> Iterator[str]:
    """Yield the chains of a table, a piece for each; ``-n`` has no names, and ``-x`` counters in full."""
    console = console or Console()
    numeric = getattr(asked, "numeric", True)
    number: Callable[[int], str] = str if getattr(asked, "exact", False) else human
    separator = ""
    for chain, rules in chains:
        lines = [
            ((str(place), *[number(count) for count in rule.counters]), renderer.cells(rule, numeric=numeric))
            for place, rule in rules
        ]
        yield separator + chain_text(console, table.name, chain, lines, number)
        separator = "\n"


def chain_text(
    console: Console,
    table: str,
    chain: Chain,
    lines: Sequence[tuple[tuple[str, ...], Cells]],
    number: Callable[[int], str],
    shares: Sequence[float] = (),
) -> str:
    """Return a chain of a table: ``lines`` are the number, packets and bytes of rules, and what they say.

    ``shares``, 0 to 1 for each rule, are drawn as bars where there is room.
    """
    drawn = [_chain_table(console, lines, shares)] if lines else []
    return text_of(console, _heading(table, chain, number), *drawn)


def _heading(table: str, chain: Chain, number: Callable[[int], str]) -> Text:
    """Return the line above a chain's rules: its policy and what came to it, or how many rules lead there."""
    text = Text.assemble((clean(chain.name), "bold"), (f"  {clean(table)}", "dim"))
    if chain.policy is None:
        plural = "" if chain.references == 1 else "s"
        return text.append(f"  {chain.references} reference{plural}", style="" if chain.references else "yellow")
    packets, octets = chain.counters
    text.append("  policy ").append(chain.policy, style=_STYLES.get(chain.policy, ""))
    return text.append(f"  {number(packets)} packets, {number(octets)} bytes", style="dim")


def _chain_table(
    console: Console, lines: Sequence[tuple[tuple[str, ...], Cells]], shares: Sequence[float] = ()
) -> Table:
    rows = [(numbers, tuple([clean(cell) for cell in _texts(cells)])) for numbers, cells in lines]
    used = [place for place in range(len(_WORDS)) if place == 0 or any(words[place] for _, words in rows)]
    titles = (*_NUMBERS, *[_WORDS[place] for place in used])
    widths = column_widths([titles, *[(*numbers, *[words[place] for place in used]) for numbers, words in rows]])
    if _WORDS[used[-1]] == "Details":
        widths[-1] = min(widths[-1], _WIDEST_DETAILS)
    room = console.width - sum(widths) - GAP * (len(widths) - 1)
    if room < 0:
        return _narrow(rows, roomy=console.width > sum(widths[: len(_NUMBERS) + 1]) + GAP * len(_NUMBERS))
    bar = min(room - GAP, _WIDEST_BAR) if any(shares) else 0
    bars = [[Text(bar_of(share, bar, plain=console.options.ascii_only), style="green")] for share in shares]
    drawn = new_table()
    number_columns(drawn, *_NUMBERS)
    if bar >= _NARROWEST_BAR:
        drawn.add_column("", width=bar)
    else:
        bars = []
    text_columns(drawn, *titles[len(_NUMBERS) :])
    for column in drawn.columns[len(_NUMBERS) : len(drawn.columns) - (_WORDS[used[-1]] == "Details")]:
        column.no_wrap = True
    for (numbers, words), drawn_bar in zip(rows, bars or [[]] * len(rows), strict=True):
        texts = [Text(words[place]) for place in used[1:]]
        drawn.add_row(*_counts(numbers), *drawn_bar, _target(words[0]), *texts)
    return drawn


def _narrow(rows: Sequence[tuple[tuple[str, ...], tuple[str, ...]]], *, roomy: bool) -> Table:
    """Return a table whose last column has all words of a rule."""
    drawn = new_table(roomy=roomy)
    number_columns(drawn, *_NUMBERS)
    text_columns(drawn, "Rule")
    for numbers, words in rows:
        parts = [label + word for label, word in zip(_LABELS, words, strict=True) if word]
        text = _target(words[0])
        if words[0]:
            del parts[0]
        if parts:
            text.append(("\n" if words[0] else "") + " ".join(parts), style="not bold default")
        drawn.add_row(*_counts(numbers), text)
    return drawn


def _texts(cells: Cells) -> tuple[str, ...]:
    return (
        cells.target,
        cells.protocol,
        cells.in_interface,
        cells.out_interface,
        cells.source,
        cells.destination,
        cells.details,
    )


def _counts(numbers: Iterable[str]) -> list[Text]:
    place, *counts = numbers
    return [Text(place, style="dim"), *[Text(count, style="dim" if count == "0" else "") for count in counts]]


def _target(name: str) -> Text:
    return Text(name, style=_STYLES.get(name, _JUMP if name else ""))
