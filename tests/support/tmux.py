"""A real terminal to type at and to look at: a window of tmux, with a server of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from support.netns import PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PATIENCE = 60  # seconds; a shared or emulated machine is slow
PROMPT = "ready> "


class Terminal:
    """A shell in a terminal, for a ``with`` block; skips the test where there is no tmux."""

    def __init__(self, width: int = 100, height: int = 30, env: Mapping[str, str] | None = None) -> None:
        if not shutil.which("tmux", path=PATH):
            pytest.skip("tmux is not installed")
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)  # the server ends a moment later
        self._tmux = ["tmux", "-S", f"{self._folder.name}/socket", "-f", "/dev/null"]
        self._environment = {
            "PATH": PATH, "HOME": self._folder.name, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", **(env or {}),
        }  # fmt: skip
        size = ["-x", str(width), "-y", str(height)]
        shell = f"env PS1='{PROMPT}' bash --noprofile --norc -i"
        self._run("new-session", "-d", *size, shell)

    def __enter__(self) -> Self:
        self.wait(lambda screen: PROMPT.rstrip() in screen)
        return self

    def __exit__(self, *_: object) -> None:
        self._run("kill-server")
        self._folder.cleanup()

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [*self._tmux, *words], env=self._environment, capture_output=True, text=True, check=True, timeout=PATIENCE
        )
        return done.stdout

    def type(self, line: str) -> None:
        """Type a line for the shell."""
        self._run("send-keys", "-l", line)
        self.press("Enter")

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names ("q", "C-c", "Down")."""
        self._run("send-keys", *keys)

    def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        self._run("resize-window", "-x", str(width), "-y", str(height))

    def screen(self) -> str:
        """Return what can be seen, a line each."""
        return self._run("capture-pane", "-p")

    def asked(self, variable: str) -> str:
        """Return what tmux knows of the terminal ("alternate_on", "cursor_flag")."""
        return self._run("display-message", "-p", f"#{{{variable}}}").strip()

    def wait(self, wanted: Callable[[str], bool]) -> str:
        """Look until what is seen is wanted; return it."""
        end = time.monotonic() + PATIENCE
        while not wanted(seen := self.screen()):
            assert time.monotonic() < end, seen
            time.sleep(0.05)
        return seen

    def process(self, name: str) -> int:
        """Return the process that runs in the foreground, once it has a name in its command line."""
        shell = self.asked("pane_pid")
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for child in Path(f"/proc/{shell}/task/{shell}/children").read_text().split():
                if name.encode() in Path(f"/proc/{child}/cmdline").read_bytes():
                    return int(child)
            time.sleep(0.05)
        raise AssertionError(f"no {name} below {shell}: {os.listdir('/proc')}")
