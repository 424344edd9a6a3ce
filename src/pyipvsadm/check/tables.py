"""Tables of rules, read line by line as iptables-restore does, or part by part, but on after every mistake.

A table is built in the sandbox's memory. The counters of its rules hold the numbers of their lines, so that a rule is
known again wherever commands move it.
"""

from __future__ import annotations

import errno

from pyipvsadm.check.meant import NamedChain, NamedRule, NamedTable
from pyipvsadm.check.names import OfflineResolver
from pyipvsadm.check.text import shown, word_spans
from pyipvsadm.errors import KernelError, UsageError
from pyipvsadm.record import Record
from pyipvsadm.xtables import command, entry
from pyipvsadm.xtables.backend.sandbox import SandboxBackend
from pyipvsadm.xtables.build import Builder
from pyipvsadm.xtables.dump import DumpParser, NotPlain
from pyipvsadm.xtables.engine import Engine, changes
from pyipvsadm.xtables.kinds import quote
from pyipvsadm.xtables.model import TABLES, VERDICTS
from pyipvsadm.xtables.render import Renderer
from pyipvsadm.xtables.syntax import LONGEST_CHAIN, RuleParser
from pyipvsadm.xtables.words import split_text, split_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from pyipvsadm.check.meant import Part
    from pyipvsadm.check.text import Report, Span
    from pyipvsadm.xtables.backend.sandbox import SandboxTable
    from pyipvsadm.xtables.model import Rule
    from pyipvsadm.xtables.options import Family
    from pyipvsadm.xtables.syntax import Command

_WITH_RULES: Final = (command.Append, command.Insert, command.Replace)
_OF_RULES: Final = (*_WITH_RULES, command.Check, command.Delete)
_LOOKS: Final = (command.List, command.ListRules, command.Check, command.Help, command.Version)


class ChainRead(Record):
    """A chain as a dump leaves it: ``line`` is where it is named first, or 0; ``missing`` if nothing makes it."""

    name: str
    policy: str | None
    line: int
    rules: tuple[Rule, ...]
    missing: bool = False

    @property
    def builtin(self) -> bool:
        """Whether it belongs to a hook."""
        return self.policy is not None


class TableRead(Record):
    """A table as a dump leaves it; ``named`` are the lines of rules that name hosts."""

    name: str
    family: Family
    chains: tuple[ChainRead, ...]
    named: frozenset[int] = frozenset()


def line_of(rule: Rule) -> int:
    """Return the number of the line that a rule comes from."""
    return rule.counters[0]


class TableReader:
    """Reads the tables of a dump; ``tables`` are those that are there in the end."""

    def __init__(self, report: Report, family: Family) -> None:
        self.tables: list[TableRead] = []
        self._report = report
        self._family = family
        self._names = OfflineResolver()
        self._renderer = Renderer(family, self._names)
        program = "iptables-restore" if family == 4 else "ip6tables-restore"
        backend = SandboxBackend(family)
        self._dump = DumpParser(RuleParser(family, self._names, backend, program=program))
        self._builder = Builder(family, self._names, backend)
        self._table: SandboxTable | None = None
        self._begun = 0  # the line where the table begins, 0 outside of tables
        self._places: dict[str, int] = {}  # of chains
        self._missing: set[str] = set()
        self._named: set[int] = set()
        self._began: dict[str, int] = {}  # where each table came last
        for number, line in enumerate(report.lines, 1):
            if line[:3] != "-A " or not self._append(line, number):
                self._read(line, number)
        if self._begun:
            report.add("S001", self._begun, "this table has no COMMIT")
            self._end_table()
        for number, part in enumerate(report.parts, 1):
            self._take(part, number)
        self._end_table()

    # -- parts of documents --------------------------------------------------------------------------------------------

    def _take(self, part: Part, number: int) -> None:
        if isinstance(part, NamedTable):
            self._end_table()
            self._begin_table(part.name, number)
        elif self._table is None:
            pass  # a table that is none
        elif isinstance(part, NamedChain):
            self._take_chain(self._table, part, number)
        elif isinstance(part, NamedRule):
            self._take_rule(self._table, part, number)

    def _take_rule(self, table: SandboxTable, part: NamedRule, number: int) -> None:
        if isinstance(part.rule, str):
            self._read_command(f"-A {quote(part.chain)} {part.rule}", number)
            return
        try:
            rule = self._builder.build(part.rule, table.name)
        except UsageError as error:
            self._report.add_usage(number, error, [])
            return
        finally:
            self._tell_hosts(number)
        self._run(command.Append(part.chain, (rule,)), number, (), [])

    def _take_chain(self, table: SandboxTable, part: NamedChain, number: int) -> None:
        if table.is_builtin(part.name):
            if part.policy is None:
                self._report.add("T107", number, f"{part.name} is built in and needs a policy")
            else:
                self._set_policy(part.name, part.policy, number)
            self._places.setdefault(part.name, number)
            return
        try:
            asked = self._dump.parse(["-N", part.name], table.name)
        except UsageError as error:
            self._report.add_usage(number, error, [])
            return
        self._run(asked, number, (), [])
        self._dump.chains.add(part.name)
        if part.policy is not None:
            self._set_policy(part.name, part.policy, number)

    # -- lines ---------------------------------------------------------------------------------------------------------

    def _read(self, line: str, number: int) -> None:
        first = line[:1]
        if not first or first == "#":
            return
        if not self._begun:
            if first == "*":
                self._begin_table(_name(line), number)
            else:
                self._report.add("S001", number, 'this stands in no table: those begin with "*NAME"')
        elif line == "COMMIT":
            self._end_table()
        elif first == ":":
            self._read_chain(line, number)
        elif first == "*":
            self._report.add("S001", self._begun, "this table has no COMMIT")
            self._end_table()
            self._begin_table(_name(line), number)
        elif self._table is not None:
            self._read_command(line, number)

    def _begin_table(self, name: str, number: int) -> None:
        self._begun = number
        if name not in TABLES:
            self._report.add("T101", number, f"there is no table {shown(name)!r}" if name else "no table is named")
            self._table = None
            return
        if name in self._began:
            first = self._report.told(self._began[name])
            self._report.add("T110", number, f"the table {name} from line {first} is emptied again here")
            self.tables = [table for table in self.tables if table.name != name]
        self._began[name] = number
        self._table = SandboxBackend(self._family).open(name)
        self._engine = Engine(self._table, self._renderer, _ignore, _ignore)
        self._dump.chains.clear()
        self._places = {}
        self._missing = set()
        self._named = set()

    def _end_table(self) -> None:
        self._begun = 0
        table = self._table
        self._table = None
        if table is None:
            return
        chains = [
            ChainRead(
                chain.name,
                chain.policy,
                self._places.get(chain.name, 0),
                tuple(table.rules(chain.name)),
                chain.name in self._missing,
            )
            for chain in table.chains()
        ]
        self.tables.append(TableRead(table.name, self._family, tuple(chains), frozenset(self._named)))

    def _read_chain(self, line: str, number: int) -> None:
        table = self._table
        if table is None:
            return
        spans = [(begin + 1, end + 1) for begin, end in word_spans(line[1:])]
        words = line[1:].split()
        if len(words) < 2 or len(spans) < 2:
            self._report.add("S001", number, "a line of a chain has its name and its policy, or -")
            return
        name, policy = words[0], words[1]
        if len(name.encode("utf-8", "surrogateescape")) > LONGEST_CHAIN:
            self._report.add("S004", number, f"the name is longer than {LONGEST_CHAIN} bytes", spans[0])
            return
        if not table.is_builtin(name):
            if table.has_chain(name):
                self._report.add("T106", number, f"line {self._places[name]} makes the chain {shown(name)}", spans[0])
            else:
                try:
                    table.create(name)
                except KernelError:
                    self._report.add("S004", number, f"{shown(name)} is a verdict, not a chain", spans[0])
                    return
            self._dump.chains.add(name)
        self._places.setdefault(name, number)
        if policy != "-":
            self._set_policy(name, policy, number, spans[1])

    def _set_policy(self, name: str, policy: str, number: int, span: Span | None = None) -> None:
        table = self._table
        assert table is not None
        try:
            table.set_policy(name, policy, None)
        except KernelError:
            what = "built-in chains have ACCEPT or DROP"
            if not table.is_builtin(name):
                what = "only built-in chains have one"
            self._report.add("T107", number, f"{shown(policy)} is no policy here: {what}", span)

    # -- commands ------------------------------------------------------------------------------------------------------

    def _append(self, line: str, number: int) -> bool:
        """Add the rule of a line that is written as iptables-save does; return whether it is."""
        table = self._table
        if table is None or line[:3] != "-A ":
            return False
        try:
            chain, name, rule, jump = self._dump.read_rule(line)
        except NotPlain:
            return False
        if not table.has_chain(chain):
            return False
        if name not in self._dump.chains and (
            table.has_chain(name) if jump is None else name == "DROP" and table.name == "nat"
        ):
            return False
        table.append_plain(chain, rule, jump, (number, 0))
        return True

    def _read_command(self, line: str, number: int) -> None:
        begin = 0
        if line[0] == "[":
            begin = line.find("]") + 1
            counts = line[1 : begin - 1].split(":")
            if not begin or len(counts) != 2 or not all(count.isascii() and count.isdigit() for count in counts):
                self._report.add("S001", number, "counters are [PACKETS:BYTES]")
                return
            if self._append(line[begin:].lstrip(" "), number):
                return
        spans = [(first + begin, last + begin) for first, last in word_spans(line[begin:])]
        if split_text(f"{line[begin:]} --")[-1] != "--":
            quote = line.rfind('"')
            self._report.add("S001", number, "a quote is left open", (quote, len(line)))
            return
        try:
            words = split_words(line[begin:])
        except UsageError as error:
            self._report.add("S001", number, error.message)
            return
        if len(spans) != len(words):
            spans = []
        try:
            asked = self._dump.parse(words, self._table.name if self._table else "")
        except UsageError as error:
            self._report.add_usage(number, error, spans)
            return
        finally:
            self._tell_hosts(number)
        if isinstance(asked, _LOOKS):
            self._report.add("S006", number, "this command changes nothing")
        elif changes(asked):
            self._run(asked, number, words, spans)

    def _tell_hosts(self, number: int) -> None:
        hosts = self._names.stand_ins.asked()
        if hosts:
            self._named.add(number)
            self._report.add_hosts(number, hosts)

    def _run(self, asked: Command, number: int, words: Sequence[str], spans: list[Span]) -> None:
        table = self._table
        assert table is not None
        chain = getattr(asked, "chain", None)
        if chain is not None and not isinstance(asked, command.NewChain) and not table.has_chain(chain):
            self._tell_missing(chain, number, words, spans)
            if not isinstance(asked, _WITH_RULES) or not self._make(chain, number):
                return
        if isinstance(asked, _OF_RULES):
            if not self._can_jump(asked.rules[0], number, words, spans):
                return
            if isinstance(asked, _WITH_RULES):
                asked = asked.replace(rules=tuple([rule.replace(counters=(number, 0)) for rule in asked.rules]))
        try:
            self._engine.run(asked)
        except KernelError as error:
            again = isinstance(asked, command.NewChain) and error.errno == errno.EEXIST
            self._report.add("T106" if again else "T109", number, error.reason)
        except UsageError as error:
            self._report.add_usage(number, error, spans)
        if isinstance(asked, command.NewChain):
            self._places.setdefault(asked.chain, number)
        elif isinstance(asked, command.RenameChain):
            self._places[asked.name] = self._places.pop(asked.chain, number)

    def _tell_missing(self, chain: str, number: int, words: Sequence[str], spans: list[Span]) -> None:
        table = self._table
        assert table is not None
        hint = ""
        if chain in TABLES["mangle"]:
            others = [name for name, chains in TABLES.items() if chain in chains]
            hint = f"the table {table.name} has no {chain}: {', '.join(others)} have"
        self._report.add("T102", number, f"there is no chain {shown(chain)}", span_of(chain, words, spans), hint)

    def _make(self, chain: str, number: int) -> bool:
        """Make a missing chain, to go on as if it were there; return whether it can be."""
        table = self._table
        assert table is not None
        try:
            table.create(chain)
        except KernelError:
            return False
        self._missing.add(chain)
        self._places[chain] = number
        return True

    def _can_jump(self, rule: Rule, number: int, words: Sequence[str], spans: list[Span]) -> bool:
        table = self._table
        assert table is not None
        jump = rule.jump
        if not jump:
            return True
        span = span_of(jump, words, spans)
        if table.is_builtin(jump):
            self._report.add("T104", number, f"{jump} is a built-in chain", span)
            return False
        if table.has_chain(jump):
            return True
        if entry.is_goto(rule.header, self._family):
            self._report.add("T103", number, f"there is no chain {shown(jump)}", span)
            return False
        if not rule.target and jump not in VERDICTS:
            self._report.add("T103", number, f"there is neither a chain nor a target {shown(jump)}", span)
            return False
        return True


def _name(line: str) -> str:
    """Return the name of the table that a line begins."""
    words = line[1:].split()
    return words[0] if words else ""


def span_of(word: str, words: Sequence[str], spans: list[Span]) -> Span | None:
    """Return where a word of a line is, the last one of this text; None where it is none by itself."""
    found = next((place for place in reversed(range(len(words))) if words[place] == word), None)
    return None if found is None or found >= len(spans) else spans[found]


def _ignore(_: str) -> None:
    """Print nothing."""
