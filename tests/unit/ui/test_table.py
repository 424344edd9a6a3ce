"""Tables: what is printed is what rich's own tables print, byte for byte."""

from __future__ import annotations

import io
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from rich import table as rich_table
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.text import Text

from pyipvsadm.ui import table
from pyipvsadm.ui.cells import with_note

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    Fill = Callable[[rich_table.Table], None]

WORDS = (
    "",
    "x",
    "ACCEPT",
    "10.0.0.1/32",
    "a b  c",
    "[red]no markup[/red]",
    "多字",
    "e\N{COMBINING ACUTE ACCENT}",
    "#" * 30,
)
STYLES = ("", "dim", "green", "not bold", "bold red")


def printed(made: rich_table.Table, width: int, *, colour: bool, encoding: str) -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(
        file=stream,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
    )
    with console.capture() as capture:
        console.print(made)
    return capture.get()


def some_table(random: Random) -> tuple[dict[str, Any], Fill]:
    """Return what to make a table with, and what fills it."""
    options = {"padding": (0, random.randrange(3), 0, 0), "show_header": random.random() < 0.8}
    columns: list[tuple[str, dict[str, Any]]] = []
    for place in range(random.randrange(1, 7)):
        how: dict[str, Any] = {"overflow": "fold", "no_wrap": random.random() < 0.7}
        how["justify"] = random.choice(["left", "right"])
        kind = random.randrange(4)
        if kind == 0 and place:
            how["min_width"] = random.randrange(1, 12)
        columns.append((random.choice(["", "Title", "Two\nlines", "\nBelow"]), how))
        if kind == 1:
            columns[-1][1]["width"] = 30
        if kind < 2:  # never the last: there rich 13 and 14 are wider by a column's blanks
            columns.append(("End", {"overflow": "fold"}))
    rows = []
    for _ in range(random.randrange(6)):
        cells: list[RenderableType] = [Text(random.choice(WORDS), style=random.choice(STYLES)) for _ in columns]
        if random.random() < 0.3:
            cells[0] = with_note(random.choice(WORDS), "a note that may be long enough to be broken")
        rows.append((cells, random.choice(STYLES)))

    def fill(made: rich_table.Table) -> None:
        for title, how in columns:
            made.add_column(title, **how)
        for cells, style in rows:
            made.add_row(*cells, style=style)

    return options, fill


def both(seed: int) -> tuple[table.Table, rich_table.Table]:
    """Return the same table of ours and of rich."""
    options, fill = some_table(Random(seed))
    common: dict[str, Any] = {"box": SIMPLE_HEAD, "pad_edge": False, "show_edge": False, "header_style": "bold"}
    ours, theirs = table.Table(**common, **options), rich_table.Table(**common, **options)
    fill(ours)
    fill(theirs)
    return ours, theirs


@pytest.mark.parametrize("seed", range(120))
def test_it_prints_what_rich_prints(seed: int) -> None:
    ours, theirs = both(seed)
    for width, colour, encoding in product((24, 60, 100, 200), (False, True), ("utf-8", "ascii")):
        how: dict[str, Any] = {"colour": colour, "encoding": encoding}
        assert printed(ours, width, **how) == printed(theirs, width, **how), (width, how)


def test_those_tables_are_drawn_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is: the test above compares something."""
    by_rich = 0
    drawn = rich_table.Table.__rich_console__

    def counted(made: rich_table.Table, *args: Any) -> Any:
        nonlocal by_rich
        by_rich += 1
        return drawn(made, *args)

    monkeypatch.setattr(rich_table.Table, "__rich_console__", counted)
    tables = [both(seed)[0] for seed in range(120)]
    for made in tables:
        printed(made, 60, colour=False, encoding="utf-8")
    assert 10 < by_rich < 110
