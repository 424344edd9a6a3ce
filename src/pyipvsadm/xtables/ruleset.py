"""Whole sets of tables as values."""

from __future__ import annotations

from pyipvsadm.record import Record
from pyipvsadm.xtables.parts import Counters, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyipvsadm.xtables.options import Family


class ChainState(Record):
    """A chain and its rules; ``policy`` ("ACCEPT", "DROP") and ``counters`` are a built-in chain's, else None, zero."""

    name: str
    policy: str | None
    counters: Counters
    rules: tuple[Rule, ...]


class TableState(Record):
    """A table: its chains, the built-in ones in the order of hooks, then the others by name."""

    name: str
    chains: tuple[ChainState, ...]


class Ruleset(Record):
    """Tables of one family (4, 6), in the order in which they were read."""

    family: Family
    tables: tuple[TableState, ...]

    def table(self, name: str) -> TableState | None:
        """Return the table of a name, None where it is not there."""
        return next((table for table in self.tables if table.name == name), None)
