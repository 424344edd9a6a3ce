"""What the commands around iptables share: their names and messages, the lock, the tables."""

from __future__ import annotations

import errno

from pyipvsadm.cli.console import complain, environment, say
from pyipvsadm.errors import KernelError, UsageError
from pyipvsadm.xtables import VERSION, lock
from pyipvsadm.xtables.backend.legacy import LegacyBackend
from pyipvsadm.xtables.names import Resolver
from pyipvsadm.xtables.render import Renderer
from pyipvsadm.xtables.syntax import RuleParser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final, TypeVar

    from pyipvsadm.xtables.backend.base import Backend, Listing, Table
    from pyipvsadm.xtables.backend.sandbox import SandboxBackend
    from pyipvsadm.xtables.command import Help
    from pyipvsadm.xtables.options import Family

    T = TypeVar("T")

_OWN: Final = {"--sandbox": "file", "--netns": "namespace"}
_REFUSED: Final = 1
_TRY_AGAIN: Final = 4
_NO_TABLE: Final = 3


class Tool:
    """One of the commands, as what it is called: the prefix of its messages, its family, what it works with."""

    def __init__(self, name: str, family: Family) -> None:
        self.name = name
        self.family = family
        self.names = Resolver(complain)
        self.backend: Backend = LegacyBackend(family)
        self.parser = RuleParser(family, self.names, self.backend, program=name, warn=complain)
        self.renderer = Renderer(family, self.names)
        self._lock: int | None = None
        self._sandbox: SandboxBackend | None = None

    def choose(self, words: Sequence[str]) -> list[str]:
        """Choose the tables by --sandbox FILE, PYIPVSADM_SANDBOX or --netns NAME; return the other words.

        Raises UsageError.
        """
        own, rest = _take_own(words)
        sandbox = own.get("--sandbox")
        if sandbox is None and "--netns" not in own:
            sandbox = environment("PYIPVSADM_SANDBOX")
        if sandbox is not None:
            from pyipvsadm.xtables.backend.sandbox import SandboxBackend

            self.backend = self.parser.backend = self._sandbox = SandboxBackend(self.family, sandbox)
        elif "--netns" in own:
            self.backend = self.parser.backend = LegacyBackend(self.family, own["--netns"])
        return rest

    def version(self) -> str:
        """Return the line of -V."""
        return f"{self.name} {VERSION}\n"

    def usage(self, asked: Help) -> str:
        """Return the text of -h."""
        from pyipvsadm.xtables.usage import usage

        return usage(self.name, self.family, asked.extensions)

    def take_lock(self, wait: int | None) -> None:
        """Take the lock of all tables, once. Raises LockHeldError."""
        if self._sandbox is not None:
            self._sandbox.hold()
        elif self._lock is None:
            self._lock = lock.take(environment(lock.VARIABLE) or lock.PATH, wait)

    def open(self, table: str) -> Table:
        """Open a table; raises UsageError (status 3) where there is none of this name."""
        return self._opened(self.backend.open, table)

    def read(self, table: str) -> Listing:
        """Open a table to look at it, as ``open`` does."""
        return self._opened(self.backend.read, table)

    def _opened(self, how: Callable[[str], T], table: str) -> T:
        try:
            return how(table)
        except KernelError as error:
            raise UsageError(
                f"can't initialize {self.name} table `{table}': {error.reason}\n"
                "Perhaps iptables or your kernel needs to be upgraded.",
                exit_status=_NO_TABLE,
            ) from None

    def blame(self, error: UsageError) -> int:
        """Print what is wrong with the arguments, or with a line of a dump; return the exit status."""
        text = "" if error.message.startswith("Bad argument") else f"{self.name} {VERSION}: "
        text += error.message
        if error.line is not None:
            text += f"\nError occurred at line: {error.line}"
        if error.exit_status == 2:
            text += f"\nTry `{self.name} -h' or '{self.name} --help' for more information."
        complain(text)
        return error.exit_status

    def refused(self, error: KernelError) -> int:
        """Print what the kernel refused; return the exit status."""
        complain(f"{self.name}: {error.reason}.{dmesg(error)}")
        return _TRY_AGAIN if error.errno == errno.EAGAIN else _REFUSED

    def say(self, text: str) -> None:
        """Print to standard output."""
        say(text)


def _take_own(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the options that the C tool does not have, and what is left; no abbreviation stands for them."""
    own: dict[str, str] = {}
    rest = []
    waiting = iter(words)
    for word in waiting:
        name, equals, text = word.partition("=")
        if name not in _OWN:
            rest.append(word)
            continue
        if name in own:
            raise UsageError(f"multiple {name} flags not allowed")
        own[name] = text if equals else next(waiting, "")
        if not own[name]:
            raise UsageError(f"{name}: missing name of a {_OWN[name]}")
    if len(own) > 1:
        raise UsageError("--netns and --sandbox name two different places")
    return own, rest


def dmesg(error: KernelError) -> str:
    """Return where the kernel may have said more about a refusal."""
    return " Run `dmesg' for more information." if error.errno == errno.EINVAL else ""
