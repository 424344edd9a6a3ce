"""The whole terminal as a place to draw on, and what is drawn there again and again."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Console
from rich.segment import Segment
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rich.console import ConsoleOptions, RenderResult


class View(Protocol):
    """What is drawn: it is refreshed every ``interval`` seconds, and told of keys in between."""

    interval: float

    def refresh(self) -> None:
        """Read what there is to show."""
        ...

    def key(self, name: str) -> bool:
        """Do what a key asks for, a character or a name ("page up"); return False to end."""
        ...

    def draw(self, width: int, height: int, *, plain: bool) -> Iterable[Text]:
        """Return at most ``height`` lines; ``plain`` where the terminal shows nothing beyond ASCII."""
        ...


class Screen:
    """The terminal's other screen, for a ``with`` block."""

    def __init__(self) -> None:
        self._console = Console()
        self._screen = self._console.screen(hide_cursor=True)

    @property
    def usable(self) -> bool:
        """Whether a cursor can be moved there."""
        return self._console.is_terminal and not self._console.is_dumb_terminal

    def __enter__(self) -> Self:
        self._screen.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # a terminal that is gone
            self._screen.__exit__(None, None, None)

    def draw(self, view: View) -> None:
        """Draw a view on all of the screen."""
        width, height = self._console.size
        lines = view.draw(width, height, plain=self._console.options.ascii_only)
        self._screen.update(_Lines(lines))


class _Lines:
    """Lines of text as they are, each cut where the terminal ends."""

    def __init__(self, lines: Iterable[Text]) -> None:
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._lines:
            line.truncate(options.max_width)
            yield from line.render(console)
            yield Segment.line()


class Pager:
    """A text that is made again and again, of which the window shows a part."""

    def __init__(self, make: Callable[[], str], interval: float) -> None:
        self.interval = interval
        self._make = make
        self._lines: list[Text] = []
        self._first = 0
        self._page = 1

    def refresh(self) -> None:
        """Make the text again."""
        self._lines = [Text.from_ansi(line) for line in self._make().splitlines()]

    def key(self, name: str) -> bool:
        """Scroll, or end."""
        self._first = scrolled(self._first, name, self._page, len(self._lines))
        return name not in {"q", "Q"}

    def draw(self, width: int, height: int, *, plain: bool) -> list[Text]:  # noqa: ARG002
        """Return the lines of the window, and where it is."""
        self._page = max(height - 1, 1)
        self._first = scrolled(self._first, "", self._page, len(self._lines))
        shown = self._lines[self._first : self._first + self._page]
        last = self._first + len(shown)
        foot = "q ends"
        if len(shown) < len(self._lines):
            foot += f", arrows scroll: {self._first + 1}-{last} of {len(self._lines)}"
        blank = [Text()] * (self._page - len(shown))
        return [*[line.copy() for line in shown], *blank, Text(foot, style="reverse")]


def scrolled(first: int, key: str, page: int, count: int) -> int:
    """Return the first of ``count`` lines that a window of ``page`` shows after a key."""
    moves = {"up": -1, "down": 1, "page up": -page, "page down": page, "home": -count, "end": count}
    return max(0, min(first + moves.get(key, 0), count - page))
