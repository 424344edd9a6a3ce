"""What iptables(8) can be asked to do, as values."""

from __future__ import annotations

from pyipvsadm.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyipvsadm.xtables.model import Kind, Rule


class Append(Record):
    """-A: add rules at the end of a chain. ``verbose`` is how many -v there were, here and below."""

    chain: str
    rules: tuple[Rule, ...]
    verbose: int = 0


class Insert(Record):
    """-I: add rules, each as number ``number`` of a chain."""

    chain: str
    number: int
    rules: tuple[Rule, ...]
    verbose: int = 0


class Replace(Record):
    """-R: put a rule in the place of another."""

    chain: str
    number: int
    rules: tuple[Rule, ...]
    verbose: int = 0


class Check(Record):
    """-C: see whether rules are there."""

    chain: str
    rules: tuple[Rule, ...]
    verbose: int = 0


class Delete(Record):
    """-D with a rule: take the first of each such rule away."""

    chain: str
    rules: tuple[Rule, ...]
    verbose: int = 0


class DeleteNumber(Record):
    """-D with a number."""

    chain: str
    number: int
    verbose: int = 0


class Flush(Record):
    """-F: empty a chain, or all (None)."""

    chain: str | None = None
    verbose: int = 0


class Zero(Record):
    """-Z: set counters to zero, of all chains (None), of one, or of one rule (``number``, 0 for all)."""

    chain: str | None = None
    number: int = 0
    verbose: int = 0


class NewChain(Record):
    """-N: make a chain."""

    chain: str
    verbose: int = 0


class DeleteChain(Record):
    """-X: take an empty chain away, or all that are not built in (None)."""

    chain: str | None = None
    verbose: int = 0


class RenameChain(Record):
    """-E: give a chain another name."""

    chain: str
    name: str
    verbose: int = 0


class SetPolicy(Record):
    """-P: say what becomes of packets at the end of a built-in chain."""

    chain: str
    policy: str
    counters: tuple[int, int] | None = None
    verbose: int = 0


class List(Record):
    """-L: print a chain or all as a table, and then ``zero`` counters; ``number`` 0 for all rules."""

    chain: str | None = None
    number: int = 0
    numeric: bool = False
    verbose: int = 0
    exact: bool = False
    line_numbers: bool = False
    zero: Zero | None = None


class ListRules(Record):
    """-S: print a chain or all as commands, and then ``zero`` counters; ``number`` 0 for all rules."""

    chain: str | None = None
    number: int = 0
    verbose: int = 0
    zero: Zero | None = None


class Help(Record):
    """-h: print the help text, and those of the extensions that were named before."""

    extensions: tuple[tuple[Kind, str], ...] = ()


class Version(Record):
    """-V: print the version; ``negated`` with a "!" before it."""

    negated: bool = False


class Nothing(Record):
    """A rule for the other family (-4, -6) in a dump; of ``rules`` only what they lead to is looked at."""

    rules: tuple[Rule, ...] = ()
    verbose: int = 0
