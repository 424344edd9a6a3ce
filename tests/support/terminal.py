"""Programs at a terminal of their own, which can go away."""

from __future__ import annotations

import os
import pty
import re
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE = 60  # seconds; a shared or emulated machine is slow


def until(wanted: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not wanted():
        assert time.monotonic() < end
        time.sleep(0.02)


class Begun:
    """A program that was begun at a terminal."""

    def __init__(self, program: Path, *words: str) -> None:
        self.process, self._terminal = pty.fork()
        if not self.process:
            for number in (signal.SIGHUP, signal.SIGINT):  # what began the tests in the background may ignore them
                signal.signal(number, signal.SIG_DFL)
            os.execv(program, [program.name, *words])  # noqa: S606  # no shell is wanted
        self.seen = ""

    def read(self, pattern: str) -> str:
        """Read what it prints until that is there; return it."""
        while not re.search(pattern, self.seen):
            try:
                data = os.read(self._terminal, 4096)
            except OSError:  # its end
                data = b""
            assert data, self.seen
            self.seen += data.decode()
        return self.seen

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def status(self) -> int:
        """Wait for its end; return its exit status."""
        with suppress(OSError):
            while os.read(self._terminal, 4096):
                pass
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])

    def hang_up(self) -> None:
        """Have the terminal be gone."""
        os.close(self._terminal)
        os.waitpid(self.process, 0)

    def kill(self) -> None:
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self._terminal)


def is_gone(process: int) -> bool:
    """Whether a process has ended."""
    try:
        with open(f"/proc/{process}/status") as file:
            return "State:\tZ" in file.read()
    except OSError:
        return True
