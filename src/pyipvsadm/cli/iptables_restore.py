"""iptables-restore(8) and ip6tables-restore(8): tables as a dump has them, all or none."""

from __future__ import annotations

import os

from pyipvsadm.cli.console import complain, guarded, program, read_input, say
from pyipvsadm.cli.options import parse_options
from pyipvsadm.cli.xtables import Tool
from pyipvsadm.errors import KernelError, UsageError
from pyipvsadm.xtables import command
from pyipvsadm.xtables.dump import DumpParser, split_words
from pyipvsadm.xtables.engine import Engine
from pyipvsadm.xtables.kinds import read_number
from pyipvsadm.xtables.lock import LockFileError, LockHeldError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from pyipvsadm.cli.options import Given
    from pyipvsadm.xtables.backend.base import Table
    from pyipvsadm.xtables.model import Chain, Rule

    State = list[tuple[Chain, list[Rule]]]

# Letter, word, argument ("1": one, "?": one that may be missing).
OPTIONS: Final = (
    ("c", "counters", ""),
    ("v", "verbose", ""),
    ("V", "version", ""),
    ("t", "test", ""),
    ("h", "help", ""),
    ("n", "noflush", ""),
    ("w", "wait", "?"),
    ("W", "wait-interval", "?"),
    ("T", "table", "1"),
    ("M", "modprobe", "1"),
    ("b", "binary", ""),
)
_NO_COUNTERS: Final = (0, 0)
_LONGEST_CHAIN: Final = 28


class _Failed(Exception):
    """A line that the table refuses; the text is the whole message."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def main(argv: list[str] | None = None) -> int:
    """Run ``iptables-restore`` with the arguments ``argv`` (None: the process's own); return its exit status."""
    return guarded(lambda words: run(Tool("iptables-restore", 4), words), argv)


def main6(argv: list[str] | None = None) -> int:
    """Run ``ip6tables-restore``."""
    return guarded(lambda words: run(Tool("ip6tables-restore", 6), words), argv)


def run(tool: Tool, words: Sequence[str]) -> int:
    """Restore what standard input, or a file, has; return the exit status."""
    try:
        given, files = parse_options(tool.choose(words), OPTIONS)
    except UsageError as error:
        complain(f"{tool.name}: {error}\nTry `{tool.name} -h' for more information.")
        return 1
    if "V" in given:
        say(tool.version())
        return 0
    if "h" in given:
        say(_usage(tool.name))
        return 0
    if len(files) > 1:
        complain("Unknown arguments found on commandline")
        return 1
    try:
        text = _read(files[0] if files else None)
    except OSError as problem:
        complain(f"Can't open {files[0]}: {problem.strerror}")
        return 1
    try:
        _check_wait(given)
    except UsageError as error:
        return tool.blame(error)
    if "W" in given:
        complain("Ignoring deprecated --wait-interval option.")
        if "w" not in given:
            complain("Option --wait-interval requires option --wait")
            return 1
    return _Restore(tool, given).run(text)


def _check_wait(given: Given) -> None:
    for letter, what in (("w", "seconds"), ("W", "interval")):
        text = given.get(letter)
        if text is not None and read_number(text, 0, 0x7FFFFFFF) is None:
            raise UsageError(f"wait {what} not numeric")
    if "W" in given and given["W"] is None:
        raise UsageError("wait interval value required")


def _usage(name: str) -> str:
    rows = [f"  -{letter}  --{word}\n" for letter, word, _ in OPTIONS]
    return f"Usage: {name} [options] [file]\n{''.join(rows)}"


def _read(path: str | None) -> str:
    if path is None:
        return read_input().decode("utf-8", "surrogateescape")
    with open(path, "rb") as file:
        return file.read().decode("utf-8", "surrogateescape")


class _Restore:
    """A dump on its way into the tables: each is edited in memory, and all are committed when it ends."""

    def __init__(self, tool: Tool, given: Given) -> None:
        self.tool = tool
        self.counters = "c" in given
        self.comments = "v" in given
        self.test = "t" in given
        self.noflush = "n" in given
        self.verbose = 0 if self.noflush else len(given.get("v") or "")  # of commands: -n hushes them at the C tool too
        self.only = given.get("T")
        wait = given.get("w")
        self.wait = read_number(wait or "", 0, 0x7FFFFFFF) or -1  # without seconds, or with none: as long as it takes
        self.tables: dict[str, Table] = {}
        self.befores: dict[str, State] = {}
        self.several = False
        self.table: Table | None = None
        self.skipped = False  # within a table that is not the one of -T
        self.engine: Engine | None = None
        self.dump = DumpParser(tool.parser)
        self.extensions: set[str] = set()  # whose names no chain of the table has

    def run(self, text: str) -> int:
        lines = text.split("\n")
        if lines[-1] == "":
            lines.pop()
        self.several = text.count("\n*") + text.startswith("*") > 1
        number = 0
        try:
            for number, line in enumerate(lines, 1):
                if line[:3] != "-A " or not self.append(line):
                    self.read_line(line, number)
            return self.end(number)
        except UsageError as error:
            return self.tool.blame(error, number)
        except (_Failed, LockHeldError, LockFileError) as error:
            complain(str(error))
            return error.status if isinstance(error, _Failed) else error.exit_status
        except KernelError as error:
            complain(f"{self.tool.name}: line {number} failed: {error.reason}")
            complain(f"{self.tool.name}: line {number} failed")
            return 1

    def end(self, number: int) -> int:
        if self.table is not None or self.skipped:
            raise _Failed(f"{self.tool.name}: COMMIT expected at line {number + 1}")
        return self.commit(number)

    def read_line(self, line: str, number: int) -> None:
        first = line[:1]
        if not line:
            return
        if first == "#":
            if self.comments:
                say(f"{line}\n")
        elif self.skipped:
            self.skipped = line != "COMMIT"
        elif self.table is None:
            if first != "*":
                raise _Failed(f"{self.tool.name}: line {number} failed")
            self.begin_table(line, number)
        elif line == "COMMIT":
            self.table = None
        elif first == ":":
            self.read_chain(line, number)
        else:
            self.read_command(line)

    def begin_table(self, line: str, number: int) -> None:
        words = line[1:].split()
        if not words:
            raise UsageError(f"{self.tool.name}: line {number} table name invalid")
        name = words[0]
        if self.only is not None and name != self.only:
            self.skipped = True
            return
        self.tool.take_lock(self.wait)
        table = self.tables.get(name)
        if table is None:
            try:
                table = self.tool.backend.open(name)
            except KernelError:
                raise UsageError(f"{self.tool.name}: unable to initialize table '{name}'") from None
            self.tables[name] = table
            if self.several:
                self.befores[name] = [(chain, list(table.rules(chain.name))) for chain in table.chains()]
        self.table = table
        self.dump.chains.clear()
        self.extensions.clear()
        self.engine = Engine(table, self.tool.renderer, self.tool.say, complain)
        if not self.noflush:
            once = min(self.verbose, 1)  # entries are printed after the lines of a dump alone
            self.engine.run(command.Flush(verbose=once))
            self.engine.run(command.DeleteChain(verbose=once))

    def read_chain(self, line: str, number: int) -> None:
        words = line[1:].split()
        table = self.table
        assert table is not None
        if not words:
            raise UsageError(f"{self.tool.name}: line {number} chain name invalid")
        name = words[0]
        if len(name.encode("utf-8", "surrogateescape")) > _LONGEST_CHAIN:
            raise UsageError(f"Invalid chain name `{name}' ({_LONGEST_CHAIN} chars max)")
        if not table.is_builtin(name):
            if self.noflush and table.has_chain(name):
                table.flush(name)
            else:
                self.create(table, name)
            self.dump.chains.add(name)
        if len(words) < 2:
            raise UsageError(f"{self.tool.name}: line {number} policy invalid")
        if words[1] != "-":
            counters = _counters(words[2]) if self.counters and len(words) > 2 else None
            if self.counters and counters is None:
                raise UsageError(f"invalid policy counters for chain '{name}'")
            try:
                table.set_policy(name, words[1], counters)
            except KernelError as error:
                raise UsageError(
                    f"Can't set policy `{words[1]}' on `{name}' line {number}: {error.reason}", exit_status=1
                ) from None

    def create(self, table: Table, name: str) -> None:
        try:
            table.create(name)
        except KernelError as error:
            raise UsageError(f"error creating chain '{name}':{error.reason}") from None

    def read_command(self, line: str) -> None:
        counters = None
        if line[0] == "[":
            text, bracket, line = line.partition("]")
            counters = _counters(f"{text}]") if bracket else None
            if counters is None:
                raise UsageError("Bad line: need counters as [packets:bytes]")
        words = split_words(line)
        table, engine = self.table, self.engine
        assert table
        assert engine
        if not self.verbose and self.append_words(words, (counters if self.counters else None) or (0, 0)):
            return
        asked = self.dump.parse(words, table.name, counters if self.counters else None)
        if self.verbose and not isinstance(asked, (command.Help, command.Version, command.Nothing)):
            asked = asked.replace(verbose=asked.verbose + self.verbose)
        engine.run(asked)

    def append(self, line: str) -> bool:
        """Add the rule of a line, if it is written plainly; return whether it is."""
        if self.table is None or self.verbose:
            return False
        return self.append_words(split_words(line), _NO_COUNTERS)

    def append_words(self, words: Sequence[str], counters: tuple[int, int]) -> bool:
        if len(words) < 2 or words[0] != "-A":
            return False
        rule = self.dump.read_rule(words, counters)
        if rule is None or not self.table:
            return False
        jump = rule.jump
        if jump not in self.dump.chains and not self.is_plain(jump, rule.target):
            return False
        self.table.append(words[1], rule)
        return True

    def is_plain(self, jump: str, target: bytes) -> bool:
        """Whether a rule's target is what it seems to be: no chain has the name of an extension."""
        if not target:
            return not (jump == "DROP" and self.table and self.table.name == "nat")
        if jump not in self.extensions:
            if self.table is None or self.table.has_chain(jump):
                return False
            self.extensions.add(jump)
        return True

    def commit(self, number: int) -> int:
        """Commit the tables, one after the other; a refusal takes back those before it."""
        if self.test:
            return 0
        done: list[str] = []
        for name, table in self.tables.items():
            try:
                table.commit()
            except KernelError as error:
                for earlier in reversed(done):
                    _put_back(self.tool.backend.open(earlier), self.befores[earlier])
                complain(f"{self.tool.name}: {error.reason}.")
                raise _Failed(f"{self.tool.name}: line {number} failed", 4 if error.errno == 11 else 1) from None
            done.append(name)
        return 0


def _counters(text: str) -> tuple[int, int] | None:
    if text[:1] != "[" or text[-1:] != "]":
        return None
    packets, _, octets = text[1:-1].partition(":")
    counts = read_number(packets, 0, (1 << 64) - 1), read_number(octets, 0, (1 << 64) - 1)
    return None if counts[0] is None or counts[1] is None else (counts[0], counts[1])


def _put_back(table: Table, state: State) -> None:
    """Make a table what it was."""
    for chain in table.chains():
        table.flush(chain.name)
    for chain in table.chains():
        if chain.policy is None:
            table.remove(chain.name)
    for chain, _ in state:
        if chain.policy is None:
            table.create(chain.name)
        else:
            table.set_policy(chain.name, chain.policy, chain.counters)
    for chain, rules in state:
        for rule in rules:
            table.append(chain.name, rule)
    table.commit()


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C")
    program(main)
