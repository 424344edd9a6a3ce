"""States as documents: plain values, as JSON and YAML have them, of virtual servers or of tables of rules.

    from pyipvsadm import documents, ipvs

    with ipvs.open() as lvs:
        state = documents.VirtualServers(tuple(lvs.services()), lvs.info())
    text = documents.dump(documents.document(state), "yaml")
    assert documents.state(documents.load(text, "yaml")) == state  # the services in the order of a listing

A document is what listings print (docs/json.md), without what follows from the rest of it and what has its default:
counters that are zero, conditions that nobody makes. JSON Schemas are in docs/schema. Reading is strict: a member that
is not known, a value of another type or out of its range is a DocumentError with the path of it.

What options cannot say of a match or target stands in ``data``, byte for byte: an extension that is not known here, or
bytes that ``-S`` does not print.
"""

from __future__ import annotations

from pyipvsadm.documents.members import DocumentError
from pyipvsadm.documents.text import dump, load
from pyipvsadm.documents.virtual_servers import VirtualServers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyipvsadm.check import Source
    from pyipvsadm.documents.text import Form
    from pyipvsadm.iptables import Ruleset

    State = VirtualServers | Ruleset

__all__ = ["DocumentError", "VirtualServers", "document", "dump", "load", "losses", "source", "state"]


def document(of: State) -> dict[str, Any]:
    """Return the document of a state."""
    if isinstance(of, VirtualServers):
        from pyipvsadm.documents import virtual_servers

        return virtual_servers.document(of)
    from pyipvsadm.documents import rules

    return rules.document(of)


def state(document: object) -> State:
    """Return the state of a document, of the kind that it says. Raises DocumentError."""
    from pyipvsadm.documents import members

    found = members.Object(document)
    if members.head(found) == "ipvs":
        from pyipvsadm.documents import virtual_servers

        return virtual_servers.state(found)
    from pyipvsadm.documents import rules

    return rules.state(found)


def source(text: str, form: Form) -> Source:
    """Return the text of a document as what ``check.run_together`` takes; that finds what is wrong with it too."""
    from pyipvsadm.documents import readable

    return readable.source(text, form)


def losses(of: State, dump: str) -> Iterator[str]:
    """Yield a line for each thing that is in a state and not in its dump (``ipvs.save``, ``iptables.save``)."""
    from pyipvsadm.documents import dumps

    return dumps.losses(of, dump)
