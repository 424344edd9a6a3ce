"""rich's tables, drawn in a small part of the time.

rich lays out each cell as if it were a page: of a hundred thousand of them it takes half a minute. Most cells are a few
words that have room, which are written at once here. rich lays out those that have to be broken, and all of a table in
which several columns have to give way. What is printed is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import table
from rich.cells import cell_len
from rich.measure import Measurement
from rich.segment import Segment
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.style import Style

    Line = list[Segment]

_NEW_LINE: Final = Segment.line()


class Table(table.Table):
    """A table as ``cells.new_table`` makes it: with a box but no edges, and blanks on the right of cells alone.

    Titles are str, cells mostly Text. What divides columns is the same in all lines of the box.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield what a console prints."""
        cells = [list(column.cells) for column in self.columns]
        widths = self._widths(cells, options.max_width - len(cells) + 1, console, options)
        if widths is None:
            yield from super().__rich_console__(console, options)
            return
        plain = console.color_system is None
        for line in _Painter(self, console, options, widths).lines(cells):
            if plain:
                yield Segment("".join([segment.text for segment in line]))
            else:
                yield from line
            yield _NEW_LINE

    @property
    def blanks(self) -> list[int]:
        """How many there are behind the cells of each column."""
        return [*[self.padding[1]] * (len(self.columns) - 1), 0]

    def _widths(
        self, cells: Sequence[Sequence[RenderableType]], room: int, console: Console, options: ConsoleOptions
    ) -> list[int] | None:
        """Return the widths of columns without the blanks behind them; None where rich has to find them."""
        widths = []
        for column, own, blank in zip(self.columns, cells, self.blanks, strict=True):
            sizes = [
                _width(cell.plain) if isinstance(cell, Text) else Measurement.get(console, options, cell).maximum
                for cell in own
            ]
            widest = max(sizes, default=0)
            titled = _width(str(column.header)) if self.show_header else 0
            least = 0 if blank else 1
            widths.append(column.width or max(widest, titled, column.min_width or least))
        excess = sum(widths) + sum(self.blanks) - room
        if excess > 0:
            flexible = [place for place, column in enumerate(self.columns) if not column.no_wrap and not column.width]
            if len(flexible) != 1:
                return None
            [place] = flexible
            widths[place] -= excess
            if widths[place] < (self.columns[place].min_width or 1):
                return None
        return widths


def _width(text: str) -> int:
    """Return how many columns of a terminal the widest line of a text takes."""
    if text.isascii() and "\n" not in text:
        return len(text)
    return max(map(cell_len, text.split("\n")))


class _Painter:
    """Writes the lines of a table whose columns have these widths."""

    def __init__(self, drawn: Table, console: Console, options: ConsoleOptions, widths: Sequence[int]) -> None:
        self._table = drawn
        assert drawn.box is not None
        self._box = drawn.box.substitute(options)
        self._divider = Segment(self._box.mid_vertical)
        self._console = console
        self._options = options
        self._widths = widths
        self._blanks = drawn.blanks
        self._right = [column.justify == "right" for column in drawn.columns]

    def lines(self, cells: Sequence[Sequence[RenderableType]]) -> Iterator[Line]:
        """Yield the lines, of cells by column."""
        style_of = self._console.get_style
        if self._table.show_header:
            heads = [Text(str(column.header)) for column in self._table.columns]
            yield from self._row(heads, style_of(self._table.header_style or ""), bottom=True)
            widths = [width + blank for width, blank in zip(self._widths, self._blanks, strict=True)]
            yield [Segment(self._box.get_row(widths, "head", edge=False))]
        for row, *own in zip(self._table.rows, *cells, strict=True):
            yield from self._row(own, style_of(row.style or ""))

    def _row(self, own: Sequence[RenderableType], style: Style, *, bottom: bool = False) -> Iterator[Line]:
        """Yield the lines of a row; cells with fewer of them than others stand at the top, or at the ``bottom``."""
        cells = [self._cell(cell, place, style) for place, cell in enumerate(own)]
        height = max(map(len, cells))
        for number in range(height):
            line: Line = []
            for place, cell in enumerate(cells):
                at = number - height + len(cell) if bottom else number
                if place:
                    line.append(self._divider)
                if 0 <= at < len(cell):
                    line += cell[at]
                else:
                    line.append(Segment(" " * (self._widths[place] + self._blanks[place]), style))
            yield line

    def _cell(self, cell: RenderableType, place: int, style: Style) -> Sequence[Line]:
        """Return the lines of a cell, all of the same width."""
        width = self._widths[place]
        blanks = [Segment(" " * self._blanks[place], style)] if self._blanks[place] else []
        size = _width(cell.plain) if isinstance(cell, Text) and not cell.spans and "\n" not in cell.plain else None
        if not isinstance(cell, Text) or size is None or size > width:
            column = self._table.columns[place]
            options = self._options.update(
                width=width, justify=column.justify, overflow=column.overflow, no_wrap=column.no_wrap, height=None
            )
            return [[*line, *blanks] for line in self._console.render_lines(cell, options, style=style)]
        room = " " * (width - size)
        shown = room + cell.plain if self._right[place] else cell.plain + room
        own = style + self._console.get_style(cell.style) if cell.style else style
        return [[Segment(shown, own), *blanks]]
