"""Changes of a plan, carried out on a table."""

from __future__ import annotations

from pyipvsadm.errors import KernelError, PyIpvsadmError, UsageError
from pyipvsadm.xtables import command, entry
from pyipvsadm.xtables.dump import DumpParser, NotPlain
from pyipvsadm.xtables.entry import HEADER_SIZE
from pyipvsadm.xtables.model import Rule as Entry
from pyipvsadm.xtables.words import split_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, Final

    from pyipvsadm.xtables.engine import Engine
    from pyipvsadm.xtables.parts import Rule
    from pyipvsadm.xtables.plan import Action, Change
    from pyipvsadm.xtables.syntax import RuleParser


class ChangeRefused(PyIpvsadmError):
    """A table that is refused, and nothing has changed; ``changes`` are those of which one is the cause.

    ``errno`` is 0 where no kernel was asked, as what was wanted is no rule.
    """

    def __init__(self, table: str, changes: Sequence[Change], reason: KernelError | UsageError) -> None:
        where = changes[0].text if len(changes) == 1 else f"table {table}, one of {len(changes)} changes"
        super().__init__(f"{where}: {str(reason).rstrip()}")
        self.table = table
        self.changes = tuple(changes)
        self.errno = reason.errno if isinstance(reason, KernelError) else 0


def carry_out(engine: Engine, changes: Iterable[Change], reader: RuleReader) -> None:
    """Carry out changes on a table, which the caller commits. Raises ChangeRefused."""
    reader.forget_chains()
    for change in changes:
        try:
            rules = (reader.entry(change, engine),) if change.rule else ()
            engine.run(_COMMANDS[change.action](change, rules))
        except (KernelError, UsageError) as error:
            raise ChangeRefused(change.table, [change], error) from None


_COMMANDS: Final[dict[Action, Callable[[Change, tuple[Entry, ...]], Any]]] = {
    "create": lambda change, _: command.NewChain(change.chain),
    "append": lambda change, rules: command.Append(change.chain, rules),
    "insert": lambda change, rules: command.Insert(change.chain, change.number, rules),
    "replace": lambda change, rules: command.Replace(change.chain, change.number, rules),
    "delete": lambda change, _: command.DeleteNumber(change.chain, change.number),
    "flush": lambda change, _: command.Flush(change.chain),
    "policy": lambda change, _: command.SetPolicy(
        change.chain, change.policy, (change.counters.packets, change.counters.bytes)
    ),
    "remove": lambda change, _: command.DeleteChain(change.chain),
}


class RuleReader:
    """Makes the entries of rules anew, as a kernel wants them: a rule may have been read elsewhere."""

    def __init__(self, parser: RuleParser) -> None:
        self._parser = parser
        self._dump = DumpParser(parser)

    def forget_chains(self) -> None:
        """Begin with another table."""
        self._dump.chains.clear()

    def entry(self, change: Change, engine: Engine) -> Entry:
        """Return the rule of a change. Raises UsageError where it is none."""
        rule = change.rule
        assert rule
        found = self._kept(rule) or self._plain(change.chain, rule, engine) or self._parsed(change, rule)
        return found.replace(counters=(rule.counters.packets, rule.counters.bytes))

    def _kept(self, rule: Rule) -> Entry | None:
        """Return what a rule was read from, where it has parts that are not known here."""
        if rule.entry is None or len(rule.entry.header) != HEADER_SIZE[self._parser.family]:
            return None
        unknown = any(match.data for match in rule.matches) or (rule.target and rule.target.data)
        return rule.entry if unknown else None

    def _plain(self, chain: str, rule: Rule, engine: Engine) -> Entry | None:
        """Return a rule that is written as iptables-save does, if there is no doubt about it."""
        goal = rule.target.name if rule.target else ""
        if goal and not rule.goto and goal not in self._dump.chains and engine.table.has_chain(goal):
            self._dump.chains.add(goal)
        try:
            _, name, packed, jump = self._dump.read_rule(f"-A {chain} {rule.text}".rstrip(" "))
        except NotPlain:
            return None
        if (jump is None and engine.table.has_chain(name)) or (name == "DROP" and engine.table.name == "nat"):
            return None
        return entry.unpack_plain(packed, self._parser.family, jump)

    def _parsed(self, change: Change, rule: Rule) -> Entry:
        asked, _ = self._parser.parse(["-A", change.chain, *split_words(rule.text)], table=change.table)
        if not isinstance(asked, command.Append) or len(asked.rules) != 1:
            raise UsageError(f"not a rule: {rule.text}")
        return asked.rules[0]
