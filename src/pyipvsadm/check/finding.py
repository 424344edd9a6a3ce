"""What a check finds, and what kinds of findings there are, as values."""

from __future__ import annotations

from pyipvsadm.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal

    from pyipvsadm.check.meant import Part, Place
    from pyipvsadm.kinds import Kind

    Severity = Literal["error", "warning", "note"]
    DumpKind = Kind

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")  # the worst first
FAMILIES: Final[dict[DumpKind, Literal[4, 6]]] = {"iptables": 4, "ip6tables": 6}


class FindingKind(Record):
    """A kind of finding: an error is what the restore commands or the kernel refuse, a warning a likely mistake.

    ``bad`` is a dump that has it, ``good`` the same without; ``beside`` is a dump of iptables-save that is checked
    together with them. ``hint`` says what to do.
    """

    code: str
    slug: str
    severity: Severity
    summary: str
    explanation: str
    hint: str
    bad: str
    good: str
    beside: str = ""


class Finding(Record):
    """What is wrong with a dump and where: ``line`` and ``column`` are counted from 1, in characters.

    ``end_column`` is the column after the last character that is meant. ``hint`` says what to do.
    """

    code: str
    slug: str
    severity: Severity
    line: int
    column: int
    end_column: int
    message: str
    hint: str


class Source(Record):
    """A dump to check; ``kind`` None is to be found out.

    Of a document (``documents.source``) ``parts`` are what it says, and where in the text.
    """

    text: str
    kind: DumpKind | None = None
    parts: tuple[tuple[Place, Part], ...] | None = None
