"""The terminal, while a view lives on it: keys, signals, and how it was before.

Whatever ends a view (a key, a signal, an error) leaves the terminal as it was: its modes are put back first, as that
needs nothing of the terminal itself, then its screen.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import time
import tty
from codecs import getincrementaldecoder
from contextlib import contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Self

import click

from pyipvsadm.app.errors import Trouble, forget_output
from pyipvsadm.ui.screen import Pager, Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from pyipvsadm.ui.screen import View

_ENDS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_SPLIT: Final = 0.05  # seconds in which the rest of a key's sequence comes

# What terminals send for keys that are no characters.
_LETTERS: Final = {"A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end"}
_NUMBERS: Final = {"1": "home", "4": "end", "5": "page up", "6": "page down", "7": "home", "8": "end"}
_SEQUENCES: Final = {
    **{f"\x1b{bracket}{letter}": name for bracket in "[O" for letter, name in _LETTERS.items()},
    **{f"\x1b[{number}~": name for number, name in _NUMBERS.items()},
    "\r": "enter",
    "\n": "enter",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\t": "tab",
    "\x1b": "escape",
}


class Ended(BaseException):
    """A signal asked the process to end; not an Exception, so that nothing takes it for trouble of its own."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Have signals end the block with an exception, and the process with the status that they have in a shell.

    A second one ends the process at once, should putting things back wait for a terminal that stands still.
    """

    def end(number: int, _: FrameType | None) -> None:
        for one in _ENDS:
            signal.signal(one, signal.SIG_DFL)
        raise Ended(number)

    before = {number: signal.signal(number, end) for number in _ENDS}
    try:
        yield
    except Ended as ended:
        if ended.status == 128 + signal.SIGHUP:
            forget_output()
        raise click.exceptions.Exit(ended.status) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def unbroken() -> Iterator[None]:
    """Have signals that would end the process wait until the block has ended."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def has_keyboard() -> bool:
    """Whether standard input is there and is a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()


class Keyboard:
    """Keys as they are pressed, without an echo, for a ``with`` block."""

    def __init__(self) -> None:
        self._descriptor = sys.stdin.fileno()
        self._before: list[Any] | None = None
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._wake: tuple[int, int] | None = None
        self._handlers: dict[int, Any] = {}
        self._stop = False

    def __enter__(self) -> Self:
        self._before = termios.tcgetattr(self._descriptor)
        _, write = self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        self._handlers = {
            signal.SIGWINCH: signal.signal(signal.SIGWINCH, lambda *_: None),  # the wake-up is all
            signal.SIGTSTP: signal.signal(signal.SIGTSTP, self._asked_to_stop),
        }
        tty.setcbreak(self._descriptor, termios.TCSANOW)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        for descriptor in self._wake or ():
            os.close(descriptor)

    def _restore(self) -> None:
        if self._before is not None:
            with suppress(OSError, termios.error):  # a terminal that is gone
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._before)

    def _asked_to_stop(self, *_: object) -> None:
        self._stop = True

    def wait(self, seconds: float) -> list[str]:
        """Return the keys that are pressed next; [] after a time, or where the terminal has another size now."""
        assert self._wake is not None
        ready, _, _ = select.select([self._descriptor, self._wake[0]], [], [], max(seconds, 0))
        if self._wake[0] in ready:
            with suppress(BlockingIOError):
                os.read(self._wake[0], 4096)
        keys: list[str] = []
        if self._descriptor in ready:
            keys = self._read()
            if self._rest and select.select([self._descriptor], [], [], _SPLIT)[0]:
                keys += self._read()
        if self._rest:
            keys.append("escape")
            self._rest = ""
        return keys

    def _read(self) -> list[str]:
        data = os.read(self._descriptor, 4096)
        if not data:
            raise Ended(signal.SIGHUP)
        keys, self._rest = decode(self._rest + self._decoder.decode(data))
        return keys

    @property
    def stopping(self) -> bool:
        """Whether Ctrl-Z has been pressed; then ``stop`` is to be called."""
        return self._stop

    def stop(self) -> None:
        """Stop the process as Ctrl-Z does; returns when it goes on."""
        self._stop = False
        self._restore()
        os.kill(os.getpid(), signal.SIGSTOP)
        tty.setcbreak(self._descriptor, termios.TCSANOW)


def decode(text: str) -> tuple[list[str], str]:
    """Return the keys that a terminal sent, and the beginning of one whose rest is still to come."""
    keys: list[str] = []
    while text:
        end = 1
        if text[0] == "\x1b":
            if len(text) == 1:
                return keys, text
            if text[1] in "[O":
                end = next((place for place in range(2, len(text)) if "@" <= text[place] <= "~"), -1) + 1
                if not end:
                    return keys, text
        name = _SEQUENCES.get(text[:end], text[:end])
        if len(name) != 1 or name.isprintable():
            keys += [name] if not name.startswith("\x1b") else []  # what we have no name for
        text = text[end:]
    return keys, ""


def show(view: View) -> None:
    """Have a view on the terminal until it ends. Raises Trouble where there is no terminal."""
    screen = Screen()
    if not (screen.usable and has_keyboard()):
        raise Trouble("this takes a terminal: elsewhere --json, or 'pyipvsadm show --rates --watch' for text")
    view.refresh()  # before the screen changes: trouble is told where it was asked for
    with ended_by_signals(), screen, Keyboard() as keyboard:
        _loop(view, screen, keyboard)


def _loop(view: View, screen: Screen, keyboard: Keyboard) -> None:
    refreshed = rested = time.monotonic()
    while True:
        screen.draw(view)
        keys = keyboard.wait(max(refreshed + view.interval, rested) - time.monotonic())
        if keyboard.stopping:
            screen.__exit__()
            keyboard.stop()
            screen.__enter__()
        if not all(view.key(key) for key in keys):
            return
        now = time.monotonic()
        if now >= max(refreshed + view.interval, rested):
            view.refresh()
            refreshed, rested = now, 2 * time.monotonic() - now  # at most half of the time is spent on reading


def repeat(make: Callable[[], str], seconds: float, *, scrolls: bool, times: int | None = None) -> None:
    """Show a text again and again: on the terminal in a window that ``scrolls``, else one after the other.

    Without an end, unless ``times`` says how often.
    """
    screen = Screen()
    if scrolls and screen.usable and has_keyboard():
        show(Pager(make, seconds))
        return
    with ended_by_signals():
        for look in count() if times is None else range(times):
            if look:
                time.sleep(seconds)
            click.echo(make())
