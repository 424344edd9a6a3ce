"""Documents to be checked: all that can be read of one, part by part, and what cannot be, each with its place."""

from __future__ import annotations

from pyipvsadm.check import Source
from pyipvsadm.check.meant import Wrong
from pyipvsadm.documents import members
from pyipvsadm.documents.members import DocumentError, Object
from pyipvsadm.documents.text import load
from pyipvsadm.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyipvsadm.check import DumpKind
    from pyipvsadm.check.meant import Part, Place
    from pyipvsadm.documents.text import Form


def source(text: str, form: Form) -> Source:
    """Return a document as what ``check.run_together`` takes; what is wrong with it is among what that finds."""
    places: dict[str, Place] = {}
    try:
        document = load(text, form, places)
    except UsageError as error:
        line = min(error.line or 1, text.count("\n") + 1)  # YAML knows more ends of lines
        return Source(text, "ipvs", (((line, 1), Wrong(error.message)),))
    kind, read = _read(document)
    parts = [
        (_place(path, places), Wrong(str(part)) if isinstance(part, DocumentError) else part) for path, part in read
    ]
    return Source(text, kind, tuple(parts))


def _read(document: object) -> tuple[DumpKind, Iterator[tuple[str, Part | DocumentError]]]:
    """Return the kind of a document, if it can be told, and what it says."""
    try:
        found = Object(document)
        if members.head(found) == "ipvs":
            from pyipvsadm.documents import virtual_servers

            return "ipvs", virtual_servers.parts(found)
        from pyipvsadm.documents import rules

        family = rules.family(found)
        return "iptables" if family == 4 else "ip6tables", rules.parts(found, family)
    except DocumentError as error:
        return "ipvs", iter([(error.path, error)])


def _place(path: str, places: Mapping[str, Place]) -> Place:
    """Return where a path leads to, or where the part of it does that is there."""
    while path and path not in places:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return places.get(path, (1, 1))  # which is not there where the text is empty
