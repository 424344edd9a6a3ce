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
    from typing import Final

    from pyipvsadm.xtables.backend.base import Table
    from pyipvsadm.xtables.options import Family

_REFUSED: Final = 1
_TRY_AGAIN: Final = 4
_NO_TABLE: Final = 3


class Tool:
    """One of the commands, as what it is called: the prefix of its messages, its family, what it works with."""

    def __init__(self, name: str, family: Family) -> None:
        self.name = name
        self.family = family
        self.names = Resolver()
        self.backend = LegacyBackend(family)
        self.parser = RuleParser(family, self.names, self.backend, program=name)
        self.renderer = Renderer(family, self.names)
        self._lock: int | None = None

    def version(self) -> str:
        """Return the line of -V."""
        return f"{self.name} {VERSION}\n"

    def take_lock(self, wait: int | None) -> None:
        """Take the lock of all tables, once. Raises LockHeldError."""
        if self._lock is None:
            self._lock = lock.take(environment(lock.VARIABLE) or lock.PATH, wait)

    def open(self, table: str) -> Table:
        """Open a table; raises UsageError (status 3) where there is none of this name."""
        try:
            return self.backend.open(table)
        except KernelError as error:
            raise UsageError(
                f"can't initialize {self.name} table `{table}': {error.reason}\n"
                "Perhaps iptables or your kernel needs to be upgraded.",
                exit_status=_NO_TABLE,
            ) from None

    def blame(self, error: UsageError, line: int = 0) -> int:
        """Print what is wrong with the arguments, or with a line of a dump; return the exit status."""
        if error.message.startswith("Bad argument"):
            text = error.message
        else:
            text = f"{self.name} {VERSION}: {error.message}"
        if line:
            text += f"\nError occurred at line: {line}"
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


def dmesg(error: KernelError) -> str:
    """Return where the kernel may have said more about a refusal."""
    return " Run `dmesg' for more information." if error.errno == errno.EINVAL else ""
