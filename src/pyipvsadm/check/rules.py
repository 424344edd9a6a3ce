"""What is wrong with tables of rules: places, jumps, and rules that do nothing."""

from __future__ import annotations

from pyipvsadm.check.flow import DECIDING, Flow
from pyipvsadm.check.packets import ESTABLISHED, NEW
from pyipvsadm.check.shadows import unmatched
from pyipvsadm.check.tables import line_of
from pyipvsadm.check.text import shown, word_spans
from pyipvsadm.errors import KernelError, UsageError
from pyipvsadm.xtables import entry
from pyipvsadm.xtables.checks import Checker, Reach
from pyipvsadm.xtables.options import Place
from pyipvsadm.xtables.render import find
from pyipvsadm.xtables.words import split_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from pyipvsadm.check.flow import Step
    from pyipvsadm.check.tables import ChainRead, TableRead
    from pyipvsadm.check.text import Report, Span
    from pyipvsadm.xtables.model import Kind, Rule

_JUMPS: Final = ("-j", "-g", "--jump", "--goto")
_MATCHES: Final = ("-m", "--match")
_TCP: Final = 6
_CODES: Final = {"contradiction": "T204", "duplicate": "T205", "shadowed": "T202", "unreachable": "T203"}


def check_table(table: TableRead, report: Report) -> None:
    """Add what is wrong with a table to a report."""
    flow = Flow(table)
    _Places(table, report).check()
    for chain in table.chains:
        if not chain.builtin and not chain.missing and chain.name not in flow.reached:
            report.add("T201", chain.line, f"no packet can come to the chain {shown(chain.name)}")
        _look_at_chain(flow, chain, report)
        if table.name == "filter" and chain.policy == "DROP":
            _look_for_answers(flow, chain, report)


def _look_at_chain(flow: Flow, chain: ChainRead, report: Report) -> None:
    for step, why, cause in unmatched(flow, chain.name):
        if cause is None:
            message = f"this never matches: {step.matched.never}"
        elif why == "duplicate":
            message = f"this is the rule of line {report.told(cause.line)} again"
        elif why == "shadowed":
            message = f"this never matches: line {report.told(cause.line)} takes all its packets"
        else:
            steps = flow.steps[chain.name]
            left = len(steps) - steps.index(step)
            rest = f", nor to the {left - 1} after it" if left > 1 else ""
            message = f"no packet comes to this rule{rest}: line {report.told(cause.line)} decides about all"
        report.add(_CODES[why], step.line, message)


def _look_for_answers(flow: Flow, chain: ChainRead, report: Report) -> None:
    """Tell where new TCP connections are accepted by their state, and established ones by no rule."""
    begins = 0
    for name in flow.reached_from(chain.name):
        for step in _met(flow.steps[name]):
            if not _accepts(step):
                continue
            states = step.matched.states
            if not any(_leaves_out_established(mask, inverted=inverted) for mask, inverted in states):
                return
            if step.matched.proto == _TCP and not step.matched.proto_inverted:
                begins = begins or (step.line if any(mask & NEW and not inverted for mask, inverted in states) else 0)
    if begins and chain.line:
        told = report.told(begins)
        report.add("T206", chain.line, f"line {told} accepts new TCP connections, but no rule accepts established ones")


def _met(steps: list[Step]) -> Iterator[Step]:
    """Yield the rules of a chain that packets may come to, up to one that decides about all, and may match."""
    for step in steps:
        if not step.matched.never:
            yield step
        if step.decides and step.matched.anything:
            return


def _accepts(step: Step) -> bool:
    return step.rule.jump in ("ACCEPT", "QUEUE") or (step.target in DECIDING and step.target != "REJECT")


def _leaves_out_established(mask: int, *, inverted: bool) -> bool:
    if inverted:
        return bool(mask & ESTABLISHED)
    return not mask & ~(1 << 0 | 1 << 2 | NEW | 1 << 8)  # the others can come to it: SNAT, DNAT


# -- where things may be -----------------------------------------------------------------------------------------------


class _Places:
    """Looks for what the kernel would refuse when it is given the table."""

    def __init__(self, table: TableRead, report: Report) -> None:
        self._table = table
        self._report = report
        self._reach = Reach(table.family, [(chain.name, chain.builtin, chain.rules) for chain in table.chains])

    def check(self) -> None:
        rules = {chain.name: chain.rules for chain in self._table.chains} if self._reach.loops else {}
        for name, to in self._reach.loops:
            rule = next(rule for rule in rules[name] if rule.jump == to)
            line = line_of(rule)
            self._report.add(
                "T105", line, f"packets could come back to {shown(to)} from here", self._span(line, _JUMPS, (to,))
            )
        checker = Checker(self._table.name, self._table.family)
        for chain in self._table.chains:
            for index, rule in enumerate(chain.rules):
                hooks = self._reach.hooks_of(chain.name, index)
                try:
                    checker.check(rule, hooks)
                except KernelError:
                    self._explain(rule, hooks)

    def _explain(self, rule: Rule, hooks: frozenset[str]) -> None:
        header = entry.unpack_header(rule.header, self._table.family)
        protocol = entry.protocol(header)
        unpacked = [entry.unpack_extension(block) for block in rule.matches]
        place = Place(self._table.name, hooks, protocol, tuple([(name, payload) for name, _, payload in unpacked]))
        blocks: list[tuple[Kind, tuple[str, int, bytes]]] = [("match", match) for match in unpacked]
        if rule.target:
            blocks.append(("target", entry.unpack_extension(rule.target)))
        for kind, (name, revision, payload) in blocks:
            extension = find(kind, name, revision, self._table.family)
            if extension is None or extension.allowed(payload, place):
                continue
            if extension.tables and place.table not in extension.tables:
                why = f"can be in the table {' or '.join(extension.tables)} alone"
            elif extension.hooks and not place.only(*extension.hooks):
                others = sorted(hooks - set(extension.hooks))
                why = f"is for packets of {', '.join(extension.hooks)}, and those of {', '.join(others)} come here"
            elif extension.protocols and protocol not in extension.protocols:
                why = "can be in a rule for its protocol (-p) alone"
            else:
                why = "cannot be here with these options"
            line = line_of(rule)
            names = (extension.typed_name(payload), name, extension.alias)
            span = self._span(line, _MATCHES if kind == "match" else _JUMPS, names)
            self._report.add("T108", line, f"{names[0]} {why}", span)

    def _span(self, line: int, options: tuple[str, ...], names: tuple[str, ...]) -> Span | None:
        """Return where a name stands after one of some options; None where there is no line to look at."""
        if not self._report.lines:
            return None
        text = self._report.lines[line - 1]
        spans = word_spans(text)
        try:
            words = split_words(text)
        except UsageError:
            return None
        for place in range(1, min(len(words), len(spans))):
            if words[place] in names and words[place - 1] in options:
                return spans[place]
        return None
