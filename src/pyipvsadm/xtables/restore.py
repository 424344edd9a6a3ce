"""A dump, as iptables-save(8) prints it, on its way into the tables: they are edited in memory, then committed."""

from __future__ import annotations

import errno

from pyipvsadm.errors import KernelError, PyIpvsadmError, UsageError
from pyipvsadm.xtables import command
from pyipvsadm.xtables.dump import DumpParser, NotPlain
from pyipvsadm.xtables.engine import Engine, changes
from pyipvsadm.xtables.entry import is_shorter
from pyipvsadm.xtables.kinds import read_counter
from pyipvsadm.xtables.words import LONGEST_LINE, pieces, split_blanks, split_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Final

    from pyipvsadm.xtables.backend.base import Backend, Table
    from pyipvsadm.xtables.command import Help, Version
    from pyipvsadm.xtables.render import Renderer
    from pyipvsadm.xtables.syntax import RuleParser

_NO_COUNTERS: Final = (0, 0)
_LONGEST_CHAIN: Final = 28
_NEVER_TOO_LONG: Final = LONGEST_LINE // 4 - 1  # characters of a line
_NEW_CHAIN: Final = "- [0:0]"  # what iptables-save writes behind the names of all chains that no hook has

_OTHER_CHAINS: Final = (command.NewChain, command.DeleteChain, command.RenameChain)  # there are after these


class LineFailed(PyIpvsadmError):
    """A line that cannot be carried out; nothing has changed. ``reason`` is "" where the line itself says it all."""

    def __init__(self, line: int, reason: str = "", exit_status: int = 1) -> None:
        super().__init__(f"line {line} failed{reason and f': {reason}'}")
        self.line = line
        self.reason = reason
        self.exit_status = exit_status


class _Ended(Exception):
    """A line asks for help or the version, and that is all that happens."""

    def __init__(self, asked: Help | Version) -> None:
        super().__init__()
        self.asked = asked


class CommitMissing(PyIpvsadmError):
    """A dump that ends within a table; nothing has changed."""

    def __init__(self, line: int) -> None:
        super().__init__(f"COMMIT expected at line {line}")
        self.line = line


class Restore:
    """One dump for the tables of a backend.

    ``counters`` has rules and policies counted as the dump says, which of policies it then has to say, unless
    ``counted`` is False. ``noflush`` leaves what is there and not named, with ``test`` nothing is committed, ``only``
    names the one table that is looked at; ``verbose`` is how often -v was given. ``lock`` is called before the first
    table is read; ``say`` and ``warn`` take what commands of the dump print.
    """

    def __init__(
        self,
        parser: RuleParser,
        renderer: Renderer,
        backend: Backend,
        *,
        lock: Callable[[], None],
        say: Callable[[str], None],
        warn: Callable[[str], None],
        counters: bool = False,
        counted: bool = True,
        noflush: bool = False,
        verbose: int = 0,
        test: bool = False,
        only: str | None = None,
    ) -> None:
        self._program = parser.program
        self._dump = DumpParser(parser)
        self._renderer = renderer
        self._backend = backend
        self._lock = lock
        self._say = say
        self._warn = warn
        self._counters = counters
        self._counted = counted
        self._noflush = noflush
        self._comments = verbose > 0
        self._verbose = 0 if noflush else verbose  # of commands: -n hushes them at the C tool too
        self._test = test
        self._only = only
        self._tables: dict[str, Table] = {}
        self._commits: dict[str, int] = {}  # the line of each table's COMMIT
        self._table: Table | None = None  # whose lines these are
        self._named = ""  # the table that was named last
        self._later = False  # whether these are not the table's first, and have not changed it yet
        self._engine: Engine | None = None
        self._append: Callable[[str, tuple[int, int]], bool] = (
            _append_nothing  # what reads lines with -A, where they are written plainly
        )

    def run(self, lines: Iterable[str]) -> Help | Version | None:
        """Carry out all of a dump, or nothing; the last of its lines is what follows the last newline.

        Raises UsageError, with its line, for what is no command; LineFailed for a line, or the commit of a table, that
        is refused; CommitMissing. Returns the line of a dump that asks for help or the version, which ends it without a
        change; None else.
        """
        number, line = 0, ""
        try:
            for number, line in enumerate(lines, 1):
                if line[:3] != "-A " or not self._append(line, _NO_COUNTERS):
                    self._read_line(line, number)
        except UsageError as error:
            error.line = number
            raise
        except KernelError as error:
            raise LineFailed(number, error.reason) from None
        except _Ended as end:
            return end.asked
        if self._table is not None:
            raise CommitMissing(number + bool(line))
        if number in self._commits.values() and line:
            raise UsageError("Bad argument `COMMIT'", line=number)  # to the C tool it is one with its newline only
        if not self._test:
            self._commit()
        return None

    def tables(self) -> dict[str, Table]:
        """Return the tables of the dump as it leaves them, in the order in which it names them."""
        return self._tables

    # -- lines ---------------------------------------------------------------------------------------------------------

    def _read_line(self, line: str, number: int) -> None:
        if len(line) <= _NEVER_TOO_LONG and "\0" not in line:
            self._read_piece(line, "\n", number)
            return
        for piece in pieces(f"{line}\n"):
            text = piece.removesuffix("\n")
            self._read_piece(text, piece[len(text) :], number)

    def _read_piece(self, line: str, end: str, number: int) -> None:
        """Read a line, or a part of one that has no newline at its ``end``."""
        first = line[:1]
        if first == ":" and self._table is not None:
            self._read_chain(self._table, line, number)
        elif not line and end:
            pass
        elif first == "#":
            if self._comments:
                self._say(line + end)
        elif self._table is None:
            if first == "*":
                self._begin_table(line, number)
            elif self._only in (None, self._named):
                raise LineFailed(number)
        elif line == "COMMIT" and end:
            self._commits[self._table.name] = number
            self._table = None
            self._append = _append_nothing
        else:
            self._read_command(line, end, number)

    def _begin_table(self, line: str, number: int) -> None:
        words = split_blanks(line[1:])
        if not words:
            raise UsageError(f"{self._program}: line {number} table name invalid")
        name = self._named = words[0]
        if self._only not in (None, name):
            return
        self._lock()
        known = name in self._tables
        table = self._tables[name] if known else self._open(name)
        self._tables[name] = self._table = table
        self._dump.chains.clear()
        self._engine = Engine(table, self._renderer, self._say, self._warn)
        self._later = known
        self._append = _append_nothing if known else self._appender(table)
        if not self._noflush and (known or self._verbose):
            self._change()
            once = min(self._verbose, 1)  # entries are printed after the lines of a dump alone
            self._engine.run(command.Flush(verbose=once))
            self._engine.run(command.DeleteChain(verbose=once))

    def _change(self) -> None:
        """Let go of the counters that came with policies, where the first change of a later section comes.

        To the C tool this is the table's second commit: that one keeps of them only what comes with it, and is not made
        where there is no change.
        """
        table = self._table
        if not self._later or table is None:
            return
        self._later = False
        self._append = self._appender(table)
        for chain in table.chains(references=False):
            if chain.policy is not None:
                table.set_policy(chain.name, chain.policy, None)

    def _open(self, name: str) -> Table:
        try:
            if self._noflush or self._verbose:  # which tells of each chain that goes
                return self._backend.open(name)
            return self._backend.rewrite(name)
        except KernelError:
            raise UsageError(f"{self._program}: unable to initialize table '{name}'") from None

    def _read_chain(self, table: Table, line: str, number: int) -> None:
        name, _, rest = line[1:].partition(" ")
        if (
            rest == _NEW_CHAIN
            and not self._noflush
            and name.isascii()
            and name.isprintable()
            and 0 < len(name) <= _LONGEST_CHAIN
        ):
            try:
                table.create(name)
            except KernelError:
                pass  # the name is looked at below
            else:
                self._dump.chains.add(name)
                return
        words = split_blanks(line[1:])
        if not words:
            raise UsageError(f"{self._program}: line {number} chain name invalid")
        name = words[0]
        if not is_shorter(name, _LONGEST_CHAIN + 1):
            raise UsageError(f"Invalid chain name `{name}' ({_LONGEST_CHAIN} chars max)")
        if not table.is_builtin(name):
            self._change()
            if self._noflush and table.has_chain(name):
                table.flush(name)
            else:
                try:
                    table.create(name)
                except KernelError as error:
                    raise UsageError(f"error creating chain '{name}':{error.reason}") from None
            self._dump.chains.add(name)
        if len(words) < 2:
            raise UsageError(f"{self._program}: line {number} policy invalid")
        if words[1] != "-":
            self._change()
            counters = _policy_counters(words[2]) if self._counters and len(words) > 2 else None
            if self._counters and counters is None and (self._counted or len(words) > 2):
                raise UsageError(f"invalid policy counters for chain '{name}'")
            try:
                table.set_policy(name, words[1], counters)
            except KernelError as error:
                raise UsageError(
                    f"Can't set policy `{words[1]}' on `{name}' line {number}: {error.reason}", exit_status=1
                ) from None

    def _read_command(self, line: str, end: str, number: int) -> None:
        counters: tuple[str, ...] = ()  # as words of an option
        if line[:1] == "[":
            text, bracket, line = line[1:].partition("]")
            packets, colon, octets = text.partition(":")
            if not (packets and colon and bracket):
                raise UsageError(f"Bad line {number}: need ] after [packets:bytes")
            if self._counters:
                counters = ("-c", packets, octets)
            line = line.lstrip(" ")
        if line[:3] == "-A ":
            counts = _plain_counters(counters)
            if counts is not None and self._append(line, counts):
                return
        table, engine = self._table, self._engine
        assert table
        assert engine
        asked = self._dump.parse([*counters, *split_words(line, end)], table.name)
        if isinstance(asked, (command.Help, command.Version)):
            raise _Ended(asked)
        if self._verbose:
            asked = asked.replace(verbose=asked.verbose + self._verbose)
            if isinstance(asked, (command.List, command.ListRules)) and asked.zero:
                asked = asked.replace(zero=asked.zero.replace(verbose=asked.verbose))
        if changes(asked):
            self._change()
        engine.run(asked)
        if isinstance(asked, _OTHER_CHAINS) and not self._later:  # what names mean has to be looked up again
            self._dump.chains.clear()
            self._append = self._appender(table)

    def _appender(self, table: Table) -> Callable[[str, tuple[int, int]], bool]:
        """Return what adds the rule of a line that begins with ``-A``, if it is written plainly; whether it is.

        The rule's target has to be what it seems to be: no chain has the name of an extension.
        """
        if self._verbose:  # which tells of each rule
            return _append_nothing
        read_rule, chains, append = self._dump.read_rule, self._dump.chains, table.append_plain
        extensions: set[str] = set()  # whose names no chain of the table has
        no_drop = table.name == "nat"

        def append_line(line: str, counters: tuple[int, int]) -> bool:
            try:
                chain, name, rule, jump = read_rule(line)
            except NotPlain:
                return False
            if name not in chains and name not in extensions:
                if jump is not None:
                    if name == "DROP" and no_drop:
                        return False
                elif table.has_chain(name):
                    return False
                else:
                    extensions.add(name)
            if '"' in chain or "\0" in chain:
                return False
            try:
                append(chain, rule, jump, counters)
            except KernelError:  # there may be more to say against the line
                return False
            return True

        return append_line

    # -- the end -------------------------------------------------------------------------------------------------------

    def _commit(self) -> None:
        """Commit the tables. Raises LineFailed."""
        refused = commit_all(self._backend, self._tables)
        if refused:
            name, error = refused
            status = 4 if error.errno == errno.EAGAIN else 1
            raise LineFailed(self._commits[name], error.reason, status)


def commit_all(backend: Backend, tables: Mapping[str, Table]) -> tuple[str, KernelError] | None:
    """Commit tables by their names, one after the other; a refusal, which is returned, takes back those before it."""
    done: list[tuple[str, object]] = []
    for name, table in tables.items():
        try:
            image = backend.image(name) if len(tables) > 1 else None
            table.commit()
        except KernelError as error:
            for earlier, before in reversed(done):
                backend.put_back(earlier, before)
            return name, error
        done.append((name, image))
    return None


def _append_nothing(_: str, __: tuple[int, int]) -> bool:
    return False


def _plain_counters(words: Sequence[str]) -> tuple[int, int] | None:
    """Return the counters of the words of -c, (0, 0) for none; None for what may be odd or wrong."""
    if not words:
        return _NO_COUNTERS
    _, packets, octets = words
    digits = packets + octets
    if not (octets and digits.isascii() and digits.isdigit()):
        return None
    return read_counter(packets) or 0, read_counter(octets) or 0


def _policy_counters(text: str) -> tuple[int, int] | None:
    """Return the counters behind a policy, as sscanf(3) reads them: what follows the last digit does not count."""
    packets, colon, octets = text[1:].partition(":")
    counts = read_counter(packets), read_counter(octets)
    if text[:1] != "[" or not colon or counts[0] is None or counts[1] is None:
        return None
    if packets.lstrip("\v\f\r")[1:].strip("0123456789"):  # behind the sign, or a digit
        return None
    return counts[0], counts[1]
