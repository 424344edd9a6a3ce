"""What a document says, part by part and each with its place: what is checked in the place of a dump's lines.

Beside changes of virtual servers (``ipvs.Change``) parts are tables, their chains and, after these, their rules; and
what could not be read.
"""

from __future__ import annotations

from pyipvsadm.ipvs.command import Change
from pyipvsadm.record import Record
from pyipvsadm.xtables.parts import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    Place = tuple[int, int]  # line and column of a text, from 1


class Wrong(Record):
    """A part that cannot be read, and why."""

    reason: str


class NamedTable(Record):
    """A table, to which the chains and rules after it belong."""

    name: str


class NamedChain(Record):
    """A chain; ``policy`` is None for one that is not built in."""

    name: str
    policy: str | None


class NamedRule(Record):
    """A rule of a chain, in its parts, or as the text after ``-A CHAIN``."""

    chain: str
    rule: Rule | str


Part = Change | Wrong | NamedTable | NamedChain | NamedRule
