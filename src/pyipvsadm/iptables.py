"""Netfilter's tables: chains and rules, and changes to them that are one commit, all or nothing.

    import pyipvsadm

    with pyipvsadm.iptables.open("nat", family=4) as table:
        table.append("PREROUTING", "-p tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8080")
        for rule in table.rules("PREROUTING"):
            print(rule.protocol, rule.target, rule.counters.packets)

Whole sets of tables are read from a kernel or a dump, written as a dump and restored:

    before = pyipvsadm.iptables.read(family=4)
    pyipvsadm.iptables.restore(pyipvsadm.iptables.save(before), family=4)

Rules are given as text in the syntax of iptables(8), without the command and the chain, or as ``Rule``; what they mean
is in iptables-extensions(8). Chains are named; rules are counted from 1. The kernel is reached over libiptc, as
iptables-legacy does; importing this module opens nothing.
"""

from __future__ import annotations

import errno
import os
from _thread import get_ident

from pyipvsadm.errors import KernelError, PyIpvsadmError, SandboxFileError, Unsupported, UsageError, WireError
from pyipvsadm.netns import NetworkNamespace
from pyipvsadm.record import Record
from pyipvsadm.xtables import command, entry, lock
from pyipvsadm.xtables.backend.legacy import LegacyBackend
from pyipvsadm.xtables.backend.sandbox import SandboxBackend
from pyipvsadm.xtables.build import Builder
from pyipvsadm.xtables.engine import Engine
from pyipvsadm.xtables.lock import LockFileError, LockHeldError
from pyipvsadm.xtables.model import TABLES
from pyipvsadm.xtables.model import Rule as Entry
from pyipvsadm.xtables.names import DumpResolver, Resolver
from pyipvsadm.xtables.parts import Counters, Match, Option, Parts, Rule, Target
from pyipvsadm.xtables.plan import Change, alike, plan, same
from pyipvsadm.xtables.render import Renderer, dump
from pyipvsadm.xtables.restore import CommitMissing, LineFailed, Restore, commit_all
from pyipvsadm.xtables.ruleset import ChainState, Ruleset, TableState
from pyipvsadm.xtables.syntax import RuleParser
from pyipvsadm.xtables.update import ChangeRefused, RuleReader, carry_out
from pyipvsadm.xtables.words import split_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
    from types import TracebackType
    from typing import Any, Final, Self, TypeVar

    from pyipvsadm.xtables import model
    from pyipvsadm.xtables.backend.base import Backend, Listing
    from pyipvsadm.xtables.backend.base import Table as BackendTable
    from pyipvsadm.xtables.options import Family
    from pyipvsadm.xtables.syntax import Command

    T = TypeVar("T")

__all__ = [
    "BuildError",
    "Chain",
    "ChainState",
    "Change",
    "ChangeRefused",
    "CommitMissing",
    "Counters",
    "KernelError",
    "LineFailed",
    "LockFileError",
    "LockHeldError",
    "Match",
    "Option",
    "PyIpvsadmError",
    "Rule",
    "Ruleset",
    "SandboxFileError",
    "Table",
    "TableState",
    "Target",
    "Unsupported",
    "UsageError",
    "WireError",
    "alike",
    "build",
    "data_of",
    "open",
    "parse",
    "plan",
    "read",
    "restore",
    "rule",
    "same",
    "sandbox",
    "save",
    "tables",
    "unused",
    "update",
]

_TRIES: Final = 10
_THIS_NAMESPACE: Final = "/proc/thread-self/ns/net"


def open(  # noqa: A001  # as in tarfile.open
    table: str = "filter", *, family: Family = 4, netns: str | None = None, wait: int | None = None
) -> Table:
    """Return a table ("filter", "nat", "mangle", "raw", "security") of IPv4 (``family`` 4) or IPv6 (6).

    ``netns`` is a name of ip-netns(8) or a path, None for the caller's namespace. The ``with`` block takes the xtables
    lock, for which it waits at most ``wait`` seconds, or for ever (None); it reads the table at its beginning.
    """
    return Table(table, LegacyBackend(_checked_family(family)), netns, wait)


def sandbox(table: str = "filter", *, family: Family = 4, path: str | os.PathLike[str] | None = None) -> Table:
    """Return a table as ``open`` does, of a sandbox: in memory, or kept in the file ``path``.

    It refuses what the kernel refuses, but needs none. A file that does not exist has empty tables. Any method may
    raise SandboxFileError.
    """
    return Table(table, SandboxBackend(_checked_family(family), path))


def tables(*, family: Family = 4, netns: str | None = None) -> list[str]:
    """Return the names of the tables that have been used in a namespace, the last one first; takes no lock.

    Source: /proc/net/ip_tables_names, ip6_tables_names. Raises KernelError (operation "names") where these may not be
    read, Unsupported where there is no such namespace.
    """
    with NetworkNamespace(netns):
        return LegacyBackend(family).names()


# -- whole sets of tables ----------------------------------------------------------------------------------------------


def read(*, family: Family = 4, netns: str | None = None, sandbox: str | os.PathLike[str] | None = None) -> Ruleset:
    """Return all tables that have been used in a namespace, or that a sandbox's file has; takes no lock.

    Raises KernelError (operation "init" or "names") where there is no right to them (EPERM, EACCES), Unsupported where
    there is no such namespace, SandboxFileError.
    """
    with _Tools(family, netns, sandbox) as tools:
        return tools.ruleset({name: tools.backend.read(name) for name in tools.backend.names()})


def parse(dump: str, *, family: Family = 4) -> Ruleset:
    """Return what a dump (iptables-save(8)) holds, with the counters that it has; no kernel is asked.

    Raises UsageError, with its ``line``, for one that is no command, LineFailed for one that makes no sense where it
    is, and CommitMissing.
    """
    with _Tools(family, None, None, memory=True) as tools:
        return tools.ruleset(tools.restore(dump, counters=True, counted=False, noflush=False, test=True))


class BuildError(PyIpvsadmError):
    """A part of a ruleset that no kernel could hold.

    ``table`` is its place among the tables, ``chain`` among that one's chains and ``rule`` among that one's rules, each
    from 0, None where it is about all of what is named before.
    """

    exit_status = 2

    def __init__(self, reason: str, table: int, chain: int | None = None, rule: int | None = None) -> None:
        super().__init__(" ".join(reason.split()))
        self.table = table
        self.chain = chain
        self.rule = rule


def rule(text: str, *, family: Family = 4, table: str = "filter") -> Rule:
    """Return the rule that a text in the syntax of iptables(8) means in a table, without command and chain.

    Raises UsageError for what is none, or stands for several.
    """
    with _Tools(family, None, None, memory=True) as tools:
        return tools.rule(text, table)


def build(ruleset: Ruleset) -> Ruleset:
    """Return tables as ``parse`` does, of rules that were made of parts: what a dump cannot hold is kept.

    Built-in chains that are left out are empty. Raises BuildError.
    """
    with _Tools(ruleset.family, None, None, memory=True) as tools:
        return tools.build(ruleset)


def data_of(ruleset: Ruleset) -> Ruleset:
    """Return tables in which each match and target whose options do not say all of it has its ``data``, no options.

    That is what ``build`` makes the same rules of, byte for byte but for what the kernel alone uses.
    """
    with _Tools(ruleset.family, None, None, memory=True) as tools:
        return tools.data_of(ruleset)


def save(ruleset: Ruleset, *, counters: bool = False) -> str:
    """Return tables as iptables-save(8) prints them, without its comments: ``*nat`` … ``COMMIT`` for each.

    Counters of policies are always there, those of rules with ``counters``.
    """
    texts = []
    for table in ruleset.tables:
        texts.append(f"*{table.name}\n")
        for chain in table.chains:
            packets, octets = chain.counters.packets, chain.counters.bytes
            texts.append(f":{chain.name} {chain.policy or '-'} [{packets}:{octets}]\n")
        for chain in table.chains:
            for rule in chain.rules:
                counts = f"[{rule.counters.packets}:{rule.counters.bytes}] " if counters else ""
                texts.append(f"{counts}-A {chain.name}{rule.text and ' '}{rule.text}\n")
        texts.append("COMMIT\n")
    return "".join(texts)


def restore(
    dump: str,
    *,
    family: Family = 4,
    netns: str | None = None,
    sandbox: str | os.PathLike[str] | None = None,
    counters: bool = False,
    noflush: bool = False,
    test: bool = False,
    wait: int | None = None,
) -> None:
    """Carry out a dump (iptables-save(8)) as iptables-restore(8) does: all its tables change, or none.

    With ``counters`` rules are counted as the dump says; ``noflush`` leaves what is there and not named; ``test``
    changes nothing. Waits at most ``wait`` seconds for the xtables lock, or for ever (None). Raises UsageError, with
    its ``line``, for a line that is no command, LineFailed for a line, or the commit of a table, that is refused,
    CommitMissing, LockHeldError, LockFileError, SandboxFileError, and Unsupported where there is no such namespace.
    """
    with _Tools(family, netns, sandbox) as tools:
        tools.restore(dump, counters=counters, noflush=noflush, test=test, wait=wait)


def update(
    make: Callable[[Ruleset], Ruleset],
    *,
    family: Family = 4,
    netns: str | None = None,
    sandbox: str | os.PathLike[str] | None = None,
    counters: bool = False,
    test: bool = False,
    wait: int | None = None,
) -> list[Change]:
    """Make tables what ``make`` says, with the fewest changes; return the changes, [] where it was so already.

    ``make`` is given all tables that have been used, as they are while the xtables lock is held, and returns what some
    or all of them are to be: others, and chains whose policy it leaves at None, stay as they are. It is called again
    where somebody changes a table without the lock. What is the same is not touched, so its counters go on; rules that
    are added, and policies that change, begin at zero, with ``counters`` at what they come with. A table is one commit;
    all of them change, or none. ``test`` changes nothing, and takes no lock.

    Raises ChangeRefused for what is refused; LockHeldError, LockFileError, SandboxFileError, Unsupported where there is
    no such namespace, KernelError (operation "init") where there is no right to the tables, or no such table.
    """
    with _Tools(family, netns, sandbox) as tools:
        for left in reversed(range(_TRIES)):
            try:
                return tools.update(make, counters=counters, test=test, wait=wait)
            except ChangeRefused as refused:
                if refused.errno != errno.EAGAIN or not left:
                    raise
    raise AssertionError


def _count_data(rule: Rule) -> int:
    return sum([bool(part.data) for part in (*rule.matches, rule.target) if part is not None])


class _Tools:
    """What reads and changes tables of one family as a whole, for the time of a ``with`` block."""

    def __init__(
        self,
        family: Family,
        netns: str | None,
        sandbox: str | os.PathLike[str] | None,
        *,
        memory: bool = False,
    ) -> None:
        if netns is not None and sandbox is not None:
            raise ValueError("netns and sandbox name two different places")
        self._family = _checked_family(family)
        self._inside = NetworkNamespace(netns)
        in_sandbox = memory or sandbox is not None
        self.backend: Backend = SandboxBackend(family, sandbox) if in_sandbox else LegacyBackend(family)
        names = self._names = DumpResolver() if memory else Resolver()
        self._renderer = Renderer(family, names)
        self._parser = RuleParser(family, names, self.backend)
        self._lock: int | None = None

    def __enter__(self) -> Self:
        self._inside.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inside.__exit__(kind, error, trace)
        if isinstance(self.backend, LegacyBackend):
            self.backend.close()
        if self._lock is not None:
            os.close(self._lock)

    def restore(
        self, dump: str, *, counters: bool, noflush: bool, test: bool, wait: int | None = None, counted: bool = True
    ) -> dict[str, BackendTable]:
        work = Restore(
            self._parser,
            self._renderer,
            self.backend,
            lock=lambda: self._take_lock(wait),
            say=_ignore,
            warn=_ignore,
            counters=counters,
            counted=counted,
            noflush=noflush,
            test=test,
        )
        work.run((dump if dump.endswith("\n") else f"{dump}\n").split("\n"))
        return work.tables()

    def rule(self, text: str, table: str) -> Rule:
        asked, _ = self._parser.parse(["-A", "X", *split_words(text)], table=table)
        if not isinstance(asked, command.Append) or len(asked.rules) != 1:
            raise UsageError("this is not one rule")
        return Parts(self._renderer).of(asked.rules[0])

    def build(self, ruleset: Ruleset) -> Ruleset:
        builder = Builder(self._family, self._names, self.backend)
        tables: dict[str, BackendTable] = {}
        for place, state in enumerate(ruleset.tables):
            if state.name in tables:
                raise BuildError(f"table {state.name} is there twice", place)
            table = tables[state.name] = _placed((place,), self.backend.rewrite, state.name)
            engine = Engine(table, self._renderer, _ignore, _ignore)
            for index, chain in enumerate(state.chains):
                _placed((place, index), self._build_chain, engine, chain)

            def append(chain: str, rule: Rule, table: str = state.name, engine: Engine = engine) -> None:
                engine.run(command.Append(chain, (builder.build(rule, table),)))

            for index, chain in enumerate(state.chains):
                for number, rule in enumerate(chain.rules):
                    _placed((place, index, number), append, chain.name, rule)
        return self.ruleset(tables)

    def _build_chain(self, engine: Engine, chain: ChainState) -> None:
        if engine.table.is_builtin(chain.name):
            if chain.policy is None:
                raise UsageError(f"chain {chain.name} is built in and needs a policy")
            engine.table.set_policy(chain.name, chain.policy, (chain.counters.packets, chain.counters.bytes))
            return
        if chain.policy is not None:
            raise UsageError(f"chain {chain.name} is not built in and has no policy")
        asked, _ = self._parser.parse(["-N", chain.name], table=engine.table.name)
        engine.run(asked)

    def data_of(self, ruleset: Ruleset) -> Ruleset:
        # A rule that was read of a dump has stand-ins for what one of the kernel's has by number.
        builders = [Builder(self._family, names, self.backend) for names in (self._names, Resolver())]

        def with_data(rule: Rule, table: str) -> Rule:
            found = builders[0].with_data(rule, table)
            return found if found is rule else min(found, builders[1].with_data(rule, table), key=_count_data)

        tables = []
        for table in ruleset.tables:
            chains = [
                chain.replace(rules=tuple([with_data(rule, table.name) for rule in chain.rules]))
                for chain in table.chains
            ]
            tables.append(table.replace(chains=tuple(chains)))
        return ruleset.replace(tables=tuple(tables))

    def _take_lock(self, wait: int | None) -> None:
        if self._lock is None and isinstance(self.backend, LegacyBackend):
            self._lock = lock.take(os.environ.get(lock.VARIABLE) or lock.PATH, wait)

    def update(
        self, make: Callable[[Ruleset], Ruleset], *, counters: bool, test: bool, wait: int | None
    ) -> list[Change]:
        if not test:
            self._take_lock(wait)
        now = self.ruleset({name: self.backend.read(name) for name in self.backend.names()})
        reader = RuleReader(self._parser)
        changes: list[Change] = []
        opened: dict[str, BackendTable] = {}
        try:
            for wanted in make(now).tables:
                steps = plan(now.table(wanted.name) or unused(wanted.name), wanted, counters=counters)
                if steps and not test:
                    table = opened[wanted.name] = self.backend.open(wanted.name)
                    # Numbers of rules are those of what is changed, should somebody do without the lock.
                    [here] = self.ruleset({wanted.name: table}).tables
                    steps = plan(here, wanted, counters=counters)
                    carry_out(Engine(table, self._renderer, _ignore, _ignore), steps, reader)
                changes += steps
            refused = commit_all(self.backend, opened)
        finally:
            for table in opened.values():
                table.close()
        if refused:
            name, error = refused
            raise ChangeRefused(name, [change for change in changes if change.table == name], error)
        return changes

    def ruleset(self, tables: Mapping[str, Listing]) -> Ruleset:
        parts = Parts(self._renderer)
        return Ruleset(
            self._family,
            tuple(
                [
                    TableState(
                        name,
                        tuple(
                            [
                                ChainState(
                                    chain.name,
                                    chain.policy,
                                    Counters(*chain.counters),
                                    tuple([parts.of(rule) for rule in table.rules(chain.name)]),
                                )
                                for chain in table.chains(references=False)
                            ]
                        ),
                    )
                    for name, table in tables.items()
                ]
            ),
        )


def _placed(place: tuple[int, ...], do: Callable[..., T], *arguments: Any) -> T:
    """Do something about a part of a ruleset; its refusals become BuildErrors of that place."""
    try:
        return do(*arguments)
    except UsageError as error:
        raise BuildError(error.message, *place) from None
    except KernelError as error:
        raise BuildError(error.reason, *place) from None


def unused(name: str) -> TableState:
    """Return a table that nobody has used yet. Raises KernelError where there is none of this name."""
    if name not in TABLES:
        raise KernelError("init", errno.ENOENT, f"{name}: no such table")
    return TableState(name, tuple([ChainState(chain, "ACCEPT", Counters(), ()) for chain in TABLES[name]]))


def _checked_family(family: Family) -> Family:
    if family not in (4, 6):
        raise ValueError(f"family must be 4 or 6, not {family!r}")
    return family


# -- one table ---------------------------------------------------------------------------------------------------------


class Chain(Record):
    """A chain: ``policy`` ("ACCEPT", "DROP") and the ``counters`` of what came to it are a built-in chain's.

    They are None and zero for others. ``references`` is how many rules of the table jump to it.
    """

    name: str
    policy: str | None = None
    counters: Counters = Counters()
    references: int = 0


class Table:
    """A table while a ``with`` block lasts: what it holds, and changes to it.

    Changes are seen at once by this object, and by the kernel at the end of the block, in one commit; where an
    exception leaves the block, never. The commit raises KernelError (operation "commit") for what the kernel refuses,
    and nothing has changed then. Where another program has changed the table behind the lock's back (errno EAGAIN), the
    table is read again and the changes are made on what is there then; those by a rule's number only if that rule is
    still the same.

    Methods raise KernelError for what is refused: no such chain or rule (errno ENOENT), a chain of that name (EEXIST),
    a chain that is not empty (ENOTEMPTY) or has references (EMLINK); operations are the names of libiptc's functions.
    UsageError tells what is wrong with a rule. Other threads need objects of their own.
    """

    def __init__(
        self, name: str, backend: LegacyBackend | SandboxBackend, netns: str | None = None, wait: int | None = None
    ) -> None:
        self.name = name
        self.family = family = backend.family
        self._wait = wait
        self._inside = NetworkNamespace(netns)
        names = Resolver()
        self._backend = backend
        self._renderer = Renderer(family, names)
        self._parser = RuleParser(family, names, self._backend)
        self._parts = Parts(self._renderer)
        self._engine: Engine | None = None
        self._lock: tuple[_SharedLock, tuple[int, int, str]] | None = None
        self._changes: list[tuple[Command, Hashable]] = []
        self._numbered = _Numbered(self._entries)

    # -- the block -----------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Take the lock and read the table.

        Raises LockHeldError, LockFileError; KernelError (operation "init") where there is no such table (ENOENT) or no
        right to it (EPERM); Unsupported where there is no such namespace, or no libiptc.
        """
        if self._engine is not None:
            raise ValueError(f"table {self.name} is open already")
        with self._inside:
            held = None
            place = (os.stat(_THIS_NAMESPACE).st_ino, self.family, self.name)
            if isinstance(self._backend, LegacyBackend):
                held = _SharedLock.take(place, self._wait)
            try:
                self._engine = self._open()
            except BaseException:
                if held:
                    held.release(place)
                raise
        self._lock = (held, place) if held else None
        self._changes = []
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self._changes:
                self._commit()
        finally:
            self._close()
            if isinstance(self._backend, LegacyBackend):
                self._backend.close()
            if self._lock is not None:
                held, place = self._lock
                held.release(place)
                self._lock = None

    def _open(self) -> Engine:
        self._numbered = _Numbered(self._entries)
        return Engine(self._backend.open(self.name), self._renderer, _ignore, _ignore)

    def _close(self) -> None:
        if self._engine is not None:
            self._engine.table.close()
            self._engine = None

    def _commit(self) -> None:
        for left in reversed(range(_TRIES)):
            try:
                self._opened().table.commit()
            except KernelError as error:
                if error.errno != errno.EAGAIN or not left:
                    raise
                self._repeat(error)
            else:
                return

    def _repeat(self, error: KernelError) -> None:
        """Make all changes again on the table as it is now."""
        self._close()
        with self._inside:
            engine = self._engine = self._open()
        for asked, seen in self._changes:
            if seen is not None and self._seen(asked) != seen:
                raise error
            engine.run(asked)
            self._numbered.follow(asked)

    def _seen(self, asked: Command) -> Hashable:
        """Return what is ``same`` for the rule that a change means by its number; None for one by anything else."""
        number = 0
        if isinstance(asked, (command.Insert, command.Replace, command.DeleteNumber, command.Zero)):
            number = asked.number
        if number == 0 or (number == 1 and isinstance(asked, command.Insert)) or asked.chain is None:  # type: ignore[union-attr]
            return None
        found = self._numbered.rule(asked.chain, number)  # type: ignore[union-attr]
        if found is None:
            return _NO_RULE
        with self._inside:  # names of sets are asked for there
            return same(self._parts.of(found))

    def _opened(self) -> Engine:
        if self._engine is None:
            raise ValueError(f'table {self.name} is not open: use it in a "with" block')
        return self._engine

    def _change(self, asked: Command) -> None:
        engine = self._opened()
        seen = self._seen(asked)
        try:
            engine.run(asked)
        except KernelError:
            self._numbered.forget()  # of several rules some may have been taken
            raise
        self._numbered.follow(asked)
        self._changes.append((asked, seen))

    def _entries(self, chain: str) -> Iterator[Entry]:
        """Yield the rules of a chain.

        Until the commit libiptc shows the name of a chain where a rule that was added jumps to it, as if a target had
        it.
        """
        table = self._opened().table
        for rule in table.rules(chain):
            name = entry.unpack_extension(rule.target)[0] if len(rule.target) == entry.STANDARD_SIZE else ""
            yield rule.replace(target=b"", jump=name) if name and table.has_chain(name) else rule

    # -- looking -------------------------------------------------------------------------------------------------------

    def chains(self) -> list[Chain]:
        """Return the chains: the built-in ones in the order of the kernel's hooks, then the others by name."""
        return [_chain(chain) for chain in self._opened().table.chains()]

    def chain(self, name: str) -> Chain:
        """Return one chain. Raises KernelError (errno ENOENT) where there is none of this name."""
        found = next((chain for chain in self._opened().table.chains() if chain.name == name), None)
        if found is None:
            raise _no_chain()
        return _chain(found)

    def rules(self, chain: str) -> list[Rule]:
        """Return the rules of a chain in their order. Raises KernelError (errno ENOENT) where there is no chain."""
        table = self._opened().table
        if not table.has_chain(chain):
            raise _no_chain()
        with self._inside:  # names of sets are asked for there
            return [self._parts.of(rule) for rule in self._entries(chain)]

    def has(self, chain: str, rule: str | Rule) -> bool:
        """Whether a chain has a rule; one that stands for several, of "-s A,B", must be there whole."""
        engine = self._opened()
        if not engine.table.has_chain(chain):
            raise _no_chain()
        try:
            engine.run(self._command(command.Check, "-C", chain, rule))
        except KernelError as error:
            if error.errno != errno.ENOENT:
                raise
            return False
        return True

    def save(self, *, counters: bool = False) -> str:
        """Return the table as iptables-save(8) prints it, without its comments: ``*nat`` … ``COMMIT``."""
        table = self._opened().table
        with self._inside:
            return "".join(dump(table, self._renderer, counters=counters, rules_of=self._entries))

    # -- rules ---------------------------------------------------------------------------------------------------------

    def append(self, chain: str, rule: str | Rule) -> None:
        """Add a rule at a chain's end; one with several sources or destinations ("-s A,B") becomes several rules."""
        self._change(self._command(command.Append, "-A", chain, rule))

    def insert(self, chain: str, rule: str | Rule, number: int = 1) -> None:
        """Add a rule that becomes the one with this number, from 1 to one more than there are.

        Raises KernelError (errno E2BIG) for other numbers.
        """
        self._change(self._command(command.Insert, "-I", chain, rule, number))

    def replace(self, chain: str, number: int, rule: str | Rule) -> None:
        """Put a rule in the place of the one with this number. Raises KernelError (errno E2BIG) where there is none."""
        self._change(self._command(command.Replace, "-R", chain, rule, number))

    def delete(self, chain: str, rule: str | Rule | int) -> None:
        """Take away the first such rule, or the one with a number.

        Raises KernelError where there is none: errno ENOENT, for a number E2BIG.
        """
        if isinstance(rule, int):
            self._change(command.DeleteNumber(chain, _checked(rule)))
        else:
            self._change(self._command(command.Delete, "-D", chain, rule))

    def _command(self, kind: Any, letter: str, chain: str, rule: str | Rule, number: int | None = None) -> Command:
        """Return the command of a kind, which has that letter, about a rule."""
        numbers = [] if number is None else [_checked(number)]
        if isinstance(rule, str):
            words = split_words(rule)
        else:
            kept = self._kept(rule)
            if kept is not None:
                made: Command = kind(chain, *numbers, (kept,))
                return made
            packets, octets = rule.counters.packets, rule.counters.bytes
            words = ["-c", str(packets), str(octets)] if letter in _WITH_COUNTERS else []
            words += rule.words()
        with self._inside:  # which revisions there are is asked there
            asked, _ = self._parser.parse([letter, chain, *map(str, numbers), *words], table=self.name)
        if type(asked) is not kind:
            raise UsageError(f"not a rule: {rule if isinstance(rule, str) else rule.text}")
        return asked

    def _kept(self, rule: Rule) -> Entry | None:
        """Return the entry of a rule that was read from a table of this family."""
        if rule.entry is None or len(rule.entry.header) != entry.HEADER_SIZE[self.family]:
            return None
        return rule.entry

    # -- chains --------------------------------------------------------------------------------------------------------

    def create(self, chain: str) -> None:
        """Make a chain, of at most 28 bytes. Raises UsageError for a name that targets have."""
        self._change(self._plain("-N", chain))

    def remove(self, chain: str) -> None:
        """Take away a chain that is empty, not built in, and to which no rule jumps."""
        self._change(command.DeleteChain(chain))

    def rename(self, chain: str, name: str) -> None:
        """Give a chain another name; rules that jump to it still do."""
        self._change(self._plain("-E", chain, name))

    def flush(self, chain: str | None = None) -> None:
        """Take away all rules of a chain, or of all chains (None)."""
        self._change(command.Flush(chain))

    def zero(self, chain: str | None = None, number: int | None = None) -> None:
        """Set counters to zero: of a chain and its rules, of all chains (None), or of one rule of a chain.

        Only the commit does it: until then the counters are those that were read.
        """
        if number is not None and chain is None:
            raise ValueError("a rule's number needs a chain")
        self._change(command.Zero(chain, 0 if number is None else _checked(number)))

    def set_policy(self, chain: str, policy: str, counters: Counters | None = None) -> None:
        """Say what becomes of packets that come to the end of a built-in chain: "ACCEPT" or "DROP".

        None leaves its counters as they are.
        """
        counts = (counters.packets, counters.bytes) if counters else None
        self._change(command.SetPolicy(chain, policy, counts))

    def _plain(self, *words: str) -> Command:
        asked, _ = self._parser.parse(words, table=self.name)
        return asked


_WITH_COUNTERS: Final = ("-A", "-I", "-R")
_NO_RULE: Final = False  # where a change by number found none: at the end of a chain


class _Numbered:
    """The rules of chains by number, as changes are made; ``read`` returns those of a chain, and is called once."""

    def __init__(self, read: Callable[[str], Iterable[Entry]]) -> None:
        self._read = read
        self._chains: dict[str, list[Entry]] = {}

    def rule(self, chain: str, number: int) -> Entry | None:
        """Return the rule with a number, None where there is none."""
        rules = self._chains.get(chain)
        if rules is None:
            rules = self._chains[chain] = list(self._read(chain))
        return rules[number - 1] if number <= len(rules) else None

    def follow(self, asked: Command) -> None:
        """Do what a change has done; where it may have gone by anything but numbers, chains are read again."""
        if isinstance(asked, (command.Zero, command.SetPolicy, command.NewChain)):
            return
        if not isinstance(asked, (command.Append, command.Insert, command.Replace, command.DeleteNumber)):
            self.forget()
        elif asked.chain in self._chains:
            rules = self._chains[asked.chain]
            if isinstance(asked, command.DeleteNumber):
                del rules[asked.number - 1]
            elif isinstance(asked, command.Append):
                rules += asked.rules
            elif isinstance(asked, command.Insert):  # each before the one that came before it
                rules[asked.number - 1 : asked.number - 1] = reversed(asked.rules)
            else:
                rules[asked.number - 1 : asked.number] = asked.rules

    def forget(self) -> None:
        """Have all chains read again."""
        self._chains.clear()


def _ignore(_: str) -> None:
    """Print nothing."""


def _chain(chain: model.Chain) -> Chain:
    return Chain(chain.name, chain.policy, Counters(*chain.counters), chain.references)


def _no_chain() -> KernelError:
    return KernelError("is_chain", errno.ENOENT, "No chain/target/match by that name")


def _checked(number: int) -> int:
    if not 1 <= number <= 0xFFFFFFFF:
        raise ValueError(f"rules are counted from 1: {number}")
    return number


class _SharedLock:
    """The xtables lock, which a thread with several tables open holds once; each table it can open once."""

    _held: Final[dict[tuple[str, int], _SharedLock]] = {}

    def __init__(self, key: tuple[str, int], descriptor: int) -> None:
        self._key = key
        self._descriptor = descriptor
        self._tables: list[tuple[int, int, str]] = []

    @classmethod
    def take(cls, table: tuple[int, int, str], wait: int | None) -> _SharedLock:
        """Take the lock for a table (its namespace, family and name), in the file that the commands use."""
        key = (os.environ.get(lock.VARIABLE) or lock.PATH, get_ident())
        held = cls._held.get(key)
        if held is None:
            held = cls._held[key] = cls(key, lock.take(key[0], wait))
        elif table in held._tables:
            raise ValueError(f"table {table[2]} is open already in this thread: its changes would be lost")
        held._tables.append(table)
        return held

    def release(self, table: tuple[int, int, str]) -> None:
        """Give back what was taken for a table."""
        self._tables.remove(table)
        if not self._tables:
            del self._held[self._key]
            os.close(self._descriptor)
