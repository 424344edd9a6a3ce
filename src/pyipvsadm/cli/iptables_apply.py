"""iptables-apply(8) and ip6tables-apply(8): new rules, taken back unless somebody confirms them in time."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # as in console.py
import os
import select
import termios

from pyipvsadm import iptables
from pyipvsadm.cli import iptables_save
from pyipvsadm.cli.console import STDIN, complain, environment, guarded, program, say
from pyipvsadm.cli.options import parse_options
from pyipvsadm.cli.xtables import Tool
from pyipvsadm.errors import PyIpvsadmError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final

    from pyipvsadm.iptables import Ruleset
    from pyipvsadm.xtables.options import Family

VERSION: Final = "1.1"  # of the C tools' script, whose words and status these are
OPTIONS: Final = (
    ("t", "timeout", "1"),
    ("w", "write", "1"),
    ("c", "command", ""),
    ("h", "help", "!"),
    ("V", "version", "!"),
)

_TIMEOUT: Final = "10"  # seconds
_LONGEST: Final = 9  # digits of a number of seconds: 30 years
_ENDING: Final = (_signal.SIGHUP, _signal.SIGINT, _signal.SIGTERM)

_WRONG: Final = 1
_NO_RULES: Final = 2
_NO_TABLES: Final = 3
_NOT_APPLIED: Final = 5
_NO_COMMAND: Final = 6
_COMMAND_FAILED: Final = 7
_NOT_WRITTEN: Final = 9
_TAKEN_BACK: Final = 255


class _Interrupted(Exception):
    """Somebody wants this to end."""


def main(argv: list[str] | None = None) -> int:
    """Run ``iptables-apply`` with the arguments ``argv`` (None: the process's own); return its exit status."""
    return guarded(lambda words: run(4, words), argv)


def main6(argv: list[str] | None = None) -> int:
    """Run ``ip6tables-apply``."""
    return guarded(lambda words: run(6, words), argv)


def run(family: Family, words: Sequence[str]) -> int:
    """Apply rules, ask, and take them back; return the exit status."""
    tool = "iptables" if family == 4 else "ip6tables"
    name = f"{tool}-apply"
    try:
        given, operands = parse_options(words, OPTIONS)
    except UsageError as error:
        complain(f"{name}: {error}")
        return _WRONG
    if "h" in given:
        complain(_usage(name, tool))
        return 0
    if "V" in given:
        complain(f"{name} {VERSION}")
        return 0
    timeout = given.get("t", _TIMEOUT) or ""
    if not (timeout.isascii() and timeout.isdigit()):
        complain("Error: timeout must be a positive number")
        return _WRONG
    by_command = "c" in given
    source = operands[0] if operands else f"/etc/network/{tool}.up.{'run' if by_command else 'rules'}"
    if by_command and not (os.path.isfile(source) and os.access(source, os.X_OK)):
        complain(f"Error: runcmd not executable: {source}")
        return _NO_COMMAND
    if not by_command and not os.access(source, os.R_OK):
        complain(f"Error: rulesfile not readable: {source}")
        return _NO_RULES
    savefile = given.get("w") or f"/etc/network/{tool}.up.rules" if "w" in given else None
    return _Application(family, tool).run(source, by_command, int(timeout.lstrip("0")[:_LONGEST] or "0"), savefile)


class _Application:
    """One change of the tables of a family, and the tables from before."""

    def __init__(self, family: Family, tool: str) -> None:
        self._family = family
        self._tool = tool
        self._sandbox = environment("PYIPVSADM_SANDBOX")

    def run(self, source: str, by_command: bool, timeout: int, savefile: str | None) -> int:
        """Make the change and ask whether it is right; return the exit status."""
        try:
            self._before = iptables.read(family=self._family, sandbox=self._sandbox)
        except PyIpvsadmError as error:
            complain(f"Error: {self._tool} support lacking from the kernel: {error}")
            return _NO_TABLES
        _signal.signal(_signal.SIGPIPE, _signal.SIG_IGN)
        _on_ending(_interrupt)
        try:
            status = self._by_command(source) if by_command else self._by_file(source)
            if not status:
                say("done.\nCan you establish NEW connections to the machine? (y/N) ")
                answer = _answer(timeout)
                say("\n")
                if answer in ("y", "Y"):
                    return self._keep(savefile)
                status = _TAKEN_BACK
                reason = "No affirmative response!" if answer else "Timeout! Something happened (or did not)."
                say(f"{reason} Better play it safe...\n")
        except (_Interrupted, OSError):  # the terminal is gone, for instance
            status = _TAKEN_BACK
            _try_to_say("\nInterrupted! Better play it safe...\n")
        self._take_back()
        return status

    def _by_file(self, source: str) -> int:
        say(f"Applying new iptables rules from '{source}'... ")
        try:
            with open(source, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
                dump = file.read()
            iptables.restore(dump, family=self._family, sandbox=self._sandbox)
        except UsageError as error:
            reason = f"line {error.line}: {error}"
        except PyIpvsadmError as error:
            reason = str(error)
        except OSError as error:
            reason = f"{source}: {error.strerror}"
        else:
            return 0
        say("failed.\n")
        complain(f"Error: {reason}\nError: unknown error applying new iptables rules: {source}")
        return _NOT_APPLIED

    def _by_command(self, source: str) -> int:
        say(f"Running command '{source}'... ")
        path = source if "/" in source else f"./{source}"
        try:
            child = os.posix_spawn(path, [path], os.environ, setsigdef=(_signal.SIGPIPE, *_ENDING))
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        except OSError as error:
            complain(f"{source}: {error.strerror}")
            status = 1
        if not status:
            return 0
        say("failed.\n")
        complain(f"Error: unknown error running command: {source}")
        return _COMMAND_FAILED

    def _keep(self, savefile: str | None) -> int:
        if savefile is not None:
            say(f"Writing successfully applied rules to '{savefile}'...\n")
            if not self._save(savefile):
                complain(f"Error: unknown error writing successfully applied rules: {savefile}")
                return _NOT_WRITTEN
        say("... then my job is done. See you next time.\n")
        return 0

    def _save(self, path: str) -> bool:
        tool = Tool(f"{self._tool}-save", self._family)
        tool.choose([])
        try:
            with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
                return not iptables_save.save(tool, write=file.write)
        except OSError as error:
            complain(f"{path}: {error.strerror}")
            return False

    def _take_back(self) -> None:
        """Make the tables again what they were, with their counters; those that were not used are empty."""
        _on_ending(_signal.SIG_IGN)
        _try_to_say("Reverting to old iptables rules... ")
        try:
            iptables.update(self._wanted, family=self._family, sandbox=self._sandbox, counters=True)
        except PyIpvsadmError as error:
            _try_to_say("failed.\n")
            complain(f"Error: unknown error reverting to old iptables rules: {error}")
        else:
            _try_to_say("done.\n")

    def _wanted(self, now: Ruleset) -> Ruleset:
        used = {table.name for table in self._before.tables}
        new = [iptables.unused(table.name) for table in now.tables if table.name not in used]
        return self._before.replace(tables=(*self._before.tables, *new))


def _on_ending(what: Callable[[int, object], None] | int) -> None:
    for number in _ENDING:
        _signal.signal(number, what)


def _interrupt(_: int, __: object) -> None:
    _on_ending(_signal.SIG_IGN)  # what is to be done now is to be done whole
    raise _Interrupted


def _try_to_say(text: str) -> None:
    try:
        say(text)
    except OSError:
        pass


def _answer(timeout: int) -> str:
    """Return the character that is typed within so many seconds; "" for none, and for a blank. Raises OSError."""
    try:
        before = termios.tcgetattr(STDIN)
        termios.tcsetattr(STDIN, termios.TCSADRAIN, [*before[:3], before[3] & ~termios.ICANON, *before[4:]])
    except termios.error:  # no terminal
        before = []
    try:
        if not select.select([STDIN], [], [], timeout)[0]:
            return ""
        return os.read(STDIN, 1).decode("latin-1").strip()
    finally:
        try:
            if before:
                termios.tcsetattr(STDIN, termios.TCSADRAIN, before)
        except termios.error:  # it is gone
            pass


def _usage(name: str, tool: str) -> str:
    return (
        f"Usage: {name} [-hV] [-t SECONDS] [-w FILE] [FILE | -c [COMMAND]]\n\n"
        f"Restores FILE (/etc/network/{tool}.up.rules), or runs COMMAND (/etc/network/{tool}.up.run), and asks if\n"
        f"all is well. What was there before comes back where the answer is not yes, or not there in time.\n\n"
        f"  -t  --timeout SECONDS  time for the answer ({_TIMEOUT})\n"
        f"  -w  --write FILE       save what was confirmed (to /etc/network/{tool}.up.rules where FILE is '')\n"
        f"  -c  --command          run a command\n"
        f"  -h  --help             print this\n"
        f"  -V  --version          print the version\n"
    )


if __name__ == "__main__":
    program(main)
