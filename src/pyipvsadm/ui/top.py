"""Numbers that change, as lines in two levels: sorted, filtered and scrolled with keys.

Only what the window shows is drawn, so thousands of lines cost little more than the reading of them.
"""

from __future__ import annotations

import time
from textwrap import wrap
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, NamedTuple, Protocol, TypeVar

from rich.cells import cell_len
from rich.text import Text

from pyipvsadm.ui.cells import bar_of, clean, human
from pyipvsadm.ui.screen import scrolled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

State = TypeVar("State")
State_contra = TypeVar("State_contra", contravariant=True)

FASTEST: Final = 0.25  # seconds between two looks
SLOWEST: Final = 64.0

_HELP: Final = (
    ("arrows, page up, page down", "scroll; also k and j, home and end"),
    ("< >", "sort by the column on the left, on the right; also the arrows"),
    ("n", "sort by name"),
    ("r", "turn the order round"),
    ("/", "show what has a text in its name: enter keeps it, escape drops it"),
    ("z", "hide what nothing comes to"),
    ("s", "hide or show the second level"),
    ("t", "second level alone, sorted as a whole"),
    ("e", "rates from the kernel's estimates, or from its counters"),
    ("space", "stand still, go on"),
    ("+ -", "look more often, less often"),
    ("q", "end"),
)

_FOOT: Final = "q end  ? help  / filter  < > sort  r reverse  s level 2  t flat  z idle  e estimate  space pause"
_HELP_INDENT: Final = 30
_NARROWEST_NAME: Final = 20
_WIDEST_BAR: Final = 12
_NARROWEST_BAR: Final = 4


class Column(NamedTuple):
    """A column of numbers; of columns for which there is no room, those with the lowest ``rank`` go first.

    ``rate``: what is not zero in one of these columns is not idle.
    """

    title: str
    rank: int
    rate: bool = False


class Row(NamedTuple):
    """A line: ``numbers`` for each column, None for what is not known (yet).

    ``path`` is the name where it stands alone, without the line that it belongs to.
    """

    name: str
    numbers: tuple[float | None, ...]
    style: str = ""
    path: str = ""
    below: Sequence[Row] = ()


class Snapshot(NamedTuple):
    """What was read: a line about all of it, and the lines."""

    headline: str
    rows: Sequence[Row]


class Source(Protocol[State_contra]):
    """What makes lines of what is read."""

    @property
    def columns(self) -> Sequence[Column]:
        """The columns of all lines."""

    @property
    def sort(self) -> int:
        """The number of the column to begin with."""

    @property
    def has_estimates(self) -> bool:
        """Whether the kernel estimates rates."""

    def update(self, state: State_contra, now: float) -> None:
        """Take what was read at a time, in seconds of a clock that runs evenly."""
        ...

    def snapshot(self, *, estimated: bool) -> Snapshot:
        """Return it as lines, with rates that were measured, or the kernel's estimates."""
        ...


class Top(Generic[State]):
    """The view of what ``read`` returns."""

    def __init__(self, source: Source[State], read: Callable[[], State], interval: float) -> None:
        self.interval = min(max(interval, FASTEST), SLOWEST)
        self._source = source
        self._columns = source.columns
        self._read = read
        self._sort: int | None = source.sort  # a column, or None for names
        self._reverse = False
        self._estimated = False
        self._filter = ""
        self._typing: str | None = None  # the filter while it is typed
        self._idle = True
        self._levels = True
        self._flat = False
        self._paused = False
        self._help = False
        self._first = 0
        self._page = 1
        self._snapshot = Snapshot("", ())
        self._lines: list[tuple[int, str, Row, float]] | None = None

    # -- what is there -------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read, unless it is to stand still."""
        if not self._paused:
            self._source.update(self._read(), time.monotonic())
            self._take()

    def _take(self) -> None:
        self._snapshot = self._source.snapshot(estimated=self._estimated)
        self._lines = None

    def lines(self) -> list[tuple[int, str, Row, float]]:
        """Return what there is to scroll through: level, name, row, and the most that a row beside it has."""
        if self._lines is None:
            self._lines = list(self._arranged())
        return self._lines

    def _arranged(self) -> Iterable[tuple[int, str, Row, float]]:
        rows: Iterable[Row] = self._snapshot.rows
        if self._flat:
            rows = [row._replace(name=row.path or row.name) for group in rows for row in group.below]
        chosen = self._sorted([row for row in map(self._chosen, rows) if row is not None])
        most = self._most(chosen)
        for row in chosen:
            yield 0, row.name, row, most
            if self._levels and not self._flat:
                below = self._sorted(row.below)
                most_below = self._most(below)
                for line in below:
                    yield 1, line.name, line, most_below

    def _chosen(self, row: Row) -> Row | None:
        """Return a row with what is wanted below it, None where neither is wanted."""
        below = row.below
        named = self._filter.casefold() in row.name.casefold()
        if self._filter and not named:
            below = [line for line in below if self._filter.casefold() in line.name.casefold()]
        if not self._idle:
            below = [line for line in below if self._is_busy(line)]
        if below or (named and (self._idle or self._is_busy(row))):
            return row._replace(below=below)
        return None

    def _is_busy(self, row: Row) -> bool:
        return any(number for column, number in zip(self._columns, row.numbers, strict=True) if column.rate)

    def _sorted(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return rows in the order that is asked for: the most first, names as they came."""
        if self._sort is None:
            return list(reversed(rows)) if self._reverse else rows
        place = self._sort
        return sorted(rows, key=lambda row: row.numbers[place] or 0, reverse=not self._reverse)

    def _most(self, rows: Iterable[Row]) -> float:
        if self._sort is None:
            return 0
        place = self._sort
        return max((row.numbers[place] or 0 for row in rows), default=0)

    # -- keys ----------------------------------------------------------------------------------------------------------

    def key(self, name: str) -> bool:
        """Do what a key asks for."""
        if self._typing is not None:
            self._type(name)
        elif self._help:
            self._help = False
            return name not in ("q", "Q")
        elif name in ("q", "Q"):
            return False
        elif name in self._actions:
            self._actions[name](self)
            self._lines = None
        else:
            name = {"k": "up", "j": "down"}.get(name, name)
            self._first = scrolled(self._first, name, self._page, len(self.lines()))
        return True

    def _type(self, name: str) -> None:
        assert self._typing is not None
        if name == "enter":
            self._typing = None
        elif name == "escape":
            self._typing, self._filter = None, ""
        elif name == "backspace":
            self._typing = self._filter = self._typing[:-1]
        elif len(name) == 1:
            self._typing = self._filter = self._typing + name
        self._lines = None
        self._first = 0

    def _move_sort(self, step: int) -> None:
        place = -1 if self._sort is None else self._sort
        place = (place + step + 1) % (len(self._columns) + 1) - 1
        self._sort = None if place < 0 else place

    def _sort_before(self) -> None:
        self._move_sort(-1)

    def _sort_after(self) -> None:
        self._move_sort(1)

    def _sort_by_name(self) -> None:
        self._sort = None

    def _turn(self) -> None:
        self._reverse = not self._reverse

    def _begin_filter(self) -> None:
        self._typing = self._filter

    def _drop_filter(self) -> None:
        self._filter = ""

    def _toggle_idle(self) -> None:
        self._idle = not self._idle
        self._first = 0

    def _toggle_levels(self) -> None:
        self._levels = not self._levels
        self._first = 0

    def _toggle_flat(self) -> None:
        self._flat = not self._flat
        self._first = 0

    def _toggle_estimates(self) -> None:
        if self._source.has_estimates:
            self._estimated = not self._estimated
            self._take()

    def _pause(self) -> None:
        self._paused = not self._paused

    def _show_help(self) -> None:
        self._help = True

    def _faster(self) -> None:
        self.interval = max(self.interval / 2, FASTEST)

    def _slower(self) -> None:
        self.interval = min(self.interval * 2, SLOWEST)

    _actions: ClassVar[dict[str, Callable[[Top[Any]], None]]] = {
        "<": _sort_before,
        "left": _sort_before,
        ">": _sort_after,
        "right": _sort_after,
        "n": _sort_by_name,
        "r": _turn,
        "/": _begin_filter,
        "escape": _drop_filter,
        "z": _toggle_idle,
        "s": _toggle_levels,
        "t": _toggle_flat,
        "e": _toggle_estimates,
        " ": _pause,
        "?": _show_help,
        "h": _show_help,
        "+": _faster,
        "-": _slower,
    }

    # -- drawing -------------------------------------------------------------------------------------------------------

    def draw(self, width: int, height: int, *, plain: bool) -> list[Text]:
        """Return the lines of the window."""
        if self._help:
            return _help_lines(width)[:height]
        lines = self.lines()
        self._page = max(height - 4, 1)
        self._first = scrolled(self._first, "", self._page, len(lines))
        shown = lines[self._first : self._first + self._page]
        arrow = "->" if plain else "\N{RIGHTWARDS ARROW}"
        names = [clean(f"{arrow} {name}" if level else name) for level, name, _, _ in shown]
        places, room, bar = self._layout(width, max(map(cell_len, names), default=0))
        drawn = [
            Text(self._snapshot.headline, style="bold"),
            Text(self._status(len(lines)), style="dim"),
            self._titles(places, room, plain=plain),
        ]
        for name, (level, _, row, most) in zip(names, shown, strict=True):
            drawn.append(self._line(name, row, places, room, bar if most else 0, most, bold=not level, plain=plain))
        drawn += [Text() for _ in range(self._page - len(shown))]
        drawn.append(self._foot(width))
        return drawn[:height]

    def _layout(self, width: int, longest: int) -> tuple[list[int], int, int]:
        """Return which columns there is room for, the width of names, and that of bars."""
        places = list(range(len(self._columns)))
        while True:
            room = width - sum([self._width(place) for place in places])
            if room >= min(longest, _NARROWEST_NAME) and (room >= longest or len(places) <= 2):
                break
            if len(places) <= 1:
                break
            droppable = [place for place in places if place != self._sort] or places
            places.remove(min(droppable, key=lambda place: self._columns[place].rank))
        bar = min(room - longest - 1, _WIDEST_BAR)
        return (places, room - bar - 1, bar) if bar >= _NARROWEST_BAR else (places, max(room, 1), 0)

    def _width(self, place: int) -> int:
        return max(len(self._columns[place].title), 5) + 2

    def _status(self, count: int) -> str:
        parts = []
        if count > self._page:
            parts.append(f"lines {self._first + 1}-{min(self._first + self._page, count)} of {count}")
        if self._filter:
            parts.append(f"filter {self._filter!r}")
        if not self._idle:
            parts.append("without what is idle")
        parts.append("standing still" if self._paused else f"every {self.interval:g} s")
        if self._source.has_estimates:
            parts.append("rates as the kernel estimates them" if self._estimated else "rates as measured")
        return ", ".join(parts)

    def _titles(self, places: Sequence[int], room: int, *, plain: bool) -> Text:
        mark = ("^" if self._reverse else "*") if plain else "\u25b2" if self._reverse else "\u25bc"
        titles = Text(f"{mark}Name" if self._sort is None else "Name", style="reverse")
        titles.pad_right(room - len(titles))
        for place in places:
            title = self._columns[place].title
            shown = f"{mark}{title}" if place == self._sort else title
            titles.append(f"{shown:>{self._width(place)}}", style="bold" if place == self._sort else "")
        return titles

    def _line(
        self, name: str, row: Row, places: Sequence[int], room: int, bar: int, most: float, *, bold: bool, plain: bool
    ) -> Text:
        line = Text(name, style=f"{row.style} bold" if bold else row.style)
        line.truncate(room, overflow="crop" if plain else "ellipsis", pad=True)
        for place in places:
            number = row.numbers[place]
            line.append(f"{number_text(number):>{self._width(place)}}", style="" if number else "dim")
        if bar and self._sort is not None:
            share = min((row.numbers[self._sort] or 0) / most, 1)
            line.append(f" {bar_of(share, bar, plain=plain)}", style="green")
        return line

    def _foot(self, width: int) -> Text:
        if self._typing is not None:
            return Text(f"/{self._typing}_  (enter keeps it, escape drops it)", style="reverse")
        text = Text(_fitting(_FOOT, width), style="reverse")
        text.truncate(width, pad=True)
        return text


def _help_lines(width: int) -> list[Text]:
    """Return what keys do, in lines of at most ``width`` columns unless that is very little."""
    lines = [Text("Keys; any key goes back", style="bold")]
    for key, told in _HELP:
        for number, part in enumerate(wrap(told, max(width - _HELP_INDENT, _NARROWEST_NAME))):
            lines.append(Text(f"  {'' if number else key}".ljust(_HELP_INDENT) + part))
    return lines


def _fitting(keys: str, width: int) -> str:
    """Return as many of the keys, which two blanks part, as there is room for."""
    while len(keys) > width and "  " in keys:
        keys = keys.rpartition("  ")[0]
    return keys


def number_text(number: float | None) -> str:
    """Return a number in at most five characters; "-" for what is not known."""
    if number is None:
        return "-"
    if number != round(number) and number < 9.95:
        return f"{number:.1f}"
    return human(round(number))
