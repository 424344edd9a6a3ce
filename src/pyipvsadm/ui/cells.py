"""What tables are made of: columns, and values as cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from pyipvsadm.ui.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console, RenderableType

GAP: Final = 2  # blanks between columns
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_NARROWEST_NAME: Final = 23  # an arrow, an IPv4 address and a port


def clean(text: str) -> str:
    """Return text without what could steer a terminal: names and call ids come from the network."""
    if text.isprintable():
        return text
    return "".join([c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text])


def human(number: int) -> str:
    """Return a number in at most five characters: 999, 1.23k, 12.3M, 123G."""
    if number < 1000:
        return str(number)
    scaled, unit = number / 1000, "k"
    for larger in "MGTPE":
        if scaled < 999.5:
            break
        scaled, unit = scaled / 1000, larger
    digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
    return f"{scaled:.{digits}f}{unit}"


def plural(count: int, noun: str) -> str:
    """Return a number of things."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def duration(seconds: int) -> str:
    """Return a time as in "900 s (15m)", the second part only from a minute on."""
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")]
    if seconds < 60:
        return f"{seconds} s"
    return f"{seconds} s ({''.join([f'{count}{unit}' for count, unit in parts if count])})"


def bar_of(share: float, width: int, *, plain: bool) -> str:
    """Return a bar that is ``share`` (0 to 1) of a width; what is not zero can be seen."""
    if not share:
        return ""
    eighths = max(1, round(share * width * 8))
    if plain:
        return "#" * max(1, eighths // 8)
    return _EIGHTHS[8] * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def new_table(*, roomy: bool = True) -> Table:
    """Make an empty table with GAP blanks between columns, or one where it has to be."""
    padding = (0, GAP - 1 if roomy else 0, 0, 0)
    return Table(box=SIMPLE_HEAD, pad_edge=False, padding=padding, show_edge=False, header_style="bold")


def number_columns(table: Table, *titles: str) -> None:
    """Add columns that keep to the right and in one line."""
    for title in titles:
        table.add_column(title, justify="right", overflow="fold", no_wrap=True)


def text_columns(table: Table, *titles: str) -> None:
    """Add columns whose cells go on in the next line where they are too narrow."""
    for title in titles:
        table.add_column(title, overflow="fold")


def column_widths(lines: Iterable[Sequence[str]]) -> list[int]:
    """Return how wide columns have to be for lines of cells, which may have lines of their own."""
    return [max(cell_len(part) for cell in column for part in cell.split("\n")) for column in zip(*lines, strict=True)]


def is_crowded(console: Console, widths: Sequence[int]) -> bool:
    """Tell whether the columns after the first leave too little for it."""
    return console.width - sum(widths[1:]) - len(widths[1:]) < min(widths[0], _NARROWEST_NAME)


def sentence(titles: Iterable[str], cells: Iterable[str]) -> str:
    """Return in a sentence what there is no room for in columns."""
    words_of = [title.strip().replace("\n/", "/").replace("\n", " ") for title in titles]
    return ", ".join([f"{title[0].lower()}{title[1:]} {cell}" for title, cell in zip(words_of, cells, strict=True)])


def with_note(name: str, note: str) -> RenderableType:
    """Return a name with a note below it, all of whose lines are indented."""
    return Group(Text(name), Padding(Text(note, style="not bold"), (0, 0, 0, 5))) if note else Text(name)


def text_of(console: Console, *parts: RenderableType) -> str:
    """Return what printing parts would put on a console."""
    with console.capture() as capture:
        console.print(Group(*parts), markup=False, highlight=False, emoji=False)
    return capture.get()
