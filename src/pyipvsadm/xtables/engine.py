"""Commands carried out on a table."""

from __future__ import annotations

from pyipvsadm.errors import KernelError, UsageError
from pyipvsadm.xtables import command, entry, registry
from pyipvsadm.xtables.listing import Lister
from pyipvsadm.xtables.model import NO_EXTENSION, VERDICTS
from pyipvsadm.xtables.render import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from pyipvsadm.xtables.backend.base import Table
    from pyipvsadm.xtables.listing import Form
    from pyipvsadm.xtables.model import Rule
    from pyipvsadm.xtables.options import Family
    from pyipvsadm.xtables.render import Renderer
    from pyipvsadm.xtables.syntax import Command


class Engine:
    """Carries out commands on one table, which the caller commits; ``say`` takes what they print.

    ``form`` makes the text of listings, None the one of iptables.
    """

    def __init__(
        self,
        table: Table,
        renderer: Renderer,
        say: Callable[[str], None],
        warn: Callable[[str], None],
        form: Form | None = None,
    ) -> None:
        self.table = table
        self.renderer = renderer
        self.say = say
        self.warn = warn
        self.form = form

    def run(self, asked: Command) -> None:
        """Carry out a command. Raises KernelError for what the table refuses, UsageError for an unknown target.

        With more than one -v, what libiptc read is printed after whatever the command itself prints, refused or not.
        """
        refused: KernelError | None = None
        try:
            self._RUN[type(asked)](self, asked)
        except KernelError as error:
            refused = error
        if getattr(asked, "verbose", 0) > 1 and not self.form:
            self.say(self.table.entries_text())
        if refused:
            raise refused

    # -- rules ---------------------------------------------------------------------------------------------------------

    def _ready(self, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        """Return rules with their jumps made sure of: a chain, a verdict, or an extension."""
        rule = rules[0]
        if rule.jump and self.table.has_chain(rule.jump):
            if rule.target:
                self.warn(f"Warning: using chain {rule.jump}, not extension\n")
            return tuple([each.replace(target=b"") for each in rules]) if rule.target else rules
        if entry.is_goto(rule.header, self.table.family):
            raise UsageError(f"goto '{rule.jump}' is not a chain")
        if rule.target or not rule.jump or rule.jump in VERDICTS or rule.jump == NO_EXTENSION:
            return tuple([each.replace(jump="") for each in rules]) if rule.target else rules
        reason = registry.missing("target", rule.jump, self.table.family)
        raise UsageError(f"Couldn't load target `{rule.jump}':{reason}\n")

    def _each(self, asked: Any, do: Callable[[Rule], None]) -> None:
        """Do something with each rule, all of them whatever comes of it. Raises the last KernelError."""
        refused: KernelError | None = None
        for rule in self._ready(asked.rules):
            if asked.verbose:
                self.say(self.renderer.sentence(rule))
            try:
                do(rule)
            except KernelError as error:
                refused = error
        if refused:
            raise refused

    def _append(self, asked: command.Append) -> None:
        self._each(asked, lambda rule: self.table.append(asked.chain, rule))

    def _insert(self, asked: command.Insert) -> None:
        self._each(asked, lambda rule: self.table.insert(asked.chain, asked.number, rule))

    def _replace(self, asked: command.Replace) -> None:
        self._each(asked, lambda rule: self.table.replace(asked.chain, asked.number, rule))

    def _check(self, asked: command.Check) -> None:
        self._each(asked, lambda rule: self.table.check(asked.chain, rule, compared(rule, self.table.family)))

    def _delete(self, asked: command.Delete) -> None:
        self._each(asked, lambda rule: self.table.delete(asked.chain, rule, compared(rule, self.table.family)))

    def _delete_number(self, asked: command.DeleteNumber) -> None:
        self.table.delete_number(asked.chain, asked.number)

    # -- chains --------------------------------------------------------------------------------------------------------

    def _each_chain(self, chain: str | None) -> list[str]:
        return [chain] if chain is not None else self.table.chain_names()

    def _flush(self, asked: command.Flush) -> None:
        for chain in self._each_chain(asked.chain):
            if asked.verbose:
                self.say(f"Flushing chain `{chain}'\n")
            self.table.flush(chain)

    def _zero(self, asked: command.Zero) -> None:
        if asked.number and asked.chain is not None:
            self.table.zero_number(asked.chain, asked.number)
            return
        for chain in self._each_chain(asked.chain):
            if asked.verbose:
                self.say(f"Zeroing chain `{chain}'\n")
            self.table.zero(chain)

    def _new_chain(self, asked: command.NewChain) -> None:
        self.table.create(asked.chain)

    def _delete_chain(self, asked: command.DeleteChain) -> None:
        if asked.chain is not None:
            chains = [asked.chain]
        else:
            chains = [chain for chain in self.table.chain_names() if not self.table.is_builtin(chain)]
        refused: KernelError | None = None
        for chain in chains:
            if asked.verbose:
                self.say(f"Deleting chain `{chain}'\n")
            try:
                self.table.remove(chain)
            except KernelError as error:
                refused = error
        if refused:
            raise refused

    def _rename_chain(self, asked: command.RenameChain) -> None:
        self.table.rename(asked.chain, asked.name)

    def _set_policy(self, asked: command.SetPolicy) -> None:
        self.table.set_policy(asked.chain, asked.policy, asked.counters)

    # -- listings ------------------------------------------------------------------------------------------------------

    def _list(self, asked: command.List | command.ListRules) -> None:
        Lister(self.table, self.renderer, self.say, self.form).run(asked)
        if asked.zero:
            self._zero(asked.zero)

    def _nothing(self, asked: command.Nothing) -> None:
        if asked.rules:
            self._ready(asked.rules)

    _RUN: Final[dict[type, Callable[[Engine, Any], None]]] = {
        command.Append: _append,
        command.Insert: _insert,
        command.Replace: _replace,
        command.Check: _check,
        command.Delete: _delete,
        command.DeleteNumber: _delete_number,
        command.Flush: _flush,
        command.Zero: _zero,
        command.NewChain: _new_chain,
        command.DeleteChain: _delete_chain,
        command.RenameChain: _rename_chain,
        command.SetPolicy: _set_policy,
        command.List: _list,
        command.ListRules: _list,
        command.Nothing: _nothing,
    }


def changes(asked: Command) -> bool:
    """Whether a command can change its table, which then has to be committed."""
    if isinstance(asked, (command.List, command.ListRules)):
        return asked.zero is not None
    return not isinstance(asked, (command.Check, command.Nothing))


def compared(rule: Rule, family: Family) -> bytes:
    """Return the bytes of a rule's entry that count when rules are compared, as ones: not what is the kernel's own."""
    parts = [b"\xff" * entry.MATCHES_AT[family]]
    blocks = [("match", block) for block in rule.matches]
    if rule.target:
        blocks.append(("target", rule.target))
    for kind, block in blocks:
        name, revision, payload = entry.unpack_extension(block)
        extension = find("match" if kind == "match" else "target", name, revision, family)
        used = extension.layout.user_size if extension else len(payload)
        parts.append(b"\xff" * (len(block) - len(payload) + used) + bytes(len(payload) - used))
    if not rule.target:
        parts.append(b"\xff" * entry.STANDARD_SIZE)
    return b"".join(parts)
