"""Names that are cut where they are too long for their member: labels of timers, of estimators, of interfaces."""

from __future__ import annotations

from pyipvsadm.xtables.options import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyipvsadm.xtables.options import Draft


def label(longest: int, placeholder: str = "NAME") -> Kind:
    """Return the kind of a name of which the first ``longest`` bytes are kept; written as it is, without quotes."""

    def read(word: str, _: Draft) -> str:
        return word.encode("utf-8", "surrogateescape")[:longest].decode("utf-8", "surrogateescape")

    return Kind(read, lambda value, _: str(value), placeholder)
