"""What rules say of a set of ipset(8): its number, and by which ends of a packet it is looked in.

Structs: ``struct xt_set_info_v0`` and ``xt_set_info``, linux/netfilter/xt_set.h.
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.options import BETWEEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.options import Draft

MOST: Final = 6  # IPSET_DIM_MAX
_LONGEST_NAME: Final = 31  # IPSET_MAXNAMELEN without its NUL


def read_set(text: str, draft: Draft, most: int = MOST) -> tuple[int, tuple[bool, ...]]:
    """Return the number of a set, and for each dimension whether it is the source, of the words ``NAME src|dst[,...]``.

    Raises UsageError.
    """
    name, _, words = text.partition(BETWEEN)
    index = index_of(name, draft)
    sources: list[bool] = []
    for word in words.split(","):
        if len(sources) == most:
            raise UsageError(f"Can't be more src/dst options than {MOST}.")
        if not word.startswith(("src", "dst")):  # what follows does not matter
            raise UsageError("You must specify (the comma separated list of) 'src' or 'dst'.")
        sources.append(word.startswith("src"))
    return index, tuple(sources)


def index_of(name: str, draft: Draft) -> int:
    """Return the number of a set. Raises UsageError."""
    if len(name.encode("utf-8", "surrogateescape")) > _LONGEST_NAME:
        raise UsageError(f"setname `{name}' too long, max {_LONGEST_NAME} characters.")
    known = draft.names.number_in_kernel("set", name)
    if known is not None:
        return known
    from pyipvsadm.xtables import ipset

    return ipset.index_of(name, draft.family)


def show_set(index: int, sources: tuple[bool, ...]) -> str:
    """Return ``NAME src|dst[,...]``. Raises UsageError, of status 1, where there is no such set."""
    from pyipvsadm.xtables import ipset

    words = ",".join(["src" if source else "dst" for source in sources])
    return f"{ipset.name_of(index)} {words}"


def pack_flags(sources: tuple[bool, ...]) -> int:
    """Return ``flags`` of struct xt_set_info: a bit for each dimension that is the source, from the second bit on."""
    return sum([2 << place for place, source in enumerate(sources) if source])


def unpack_flags(dim: int, flags: int) -> tuple[bool, ...]:
    """Return for each of ``dim`` dimensions whether it is the source."""
    return tuple([bool(flags & 2 << place) for place in range(dim)])
