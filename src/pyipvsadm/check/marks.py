"""Which firewall marks rules can set: what services by mark wait for."""

from __future__ import annotations

from pyipvsadm.xtables import entry
from pyipvsadm.xtables.render import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from pyipvsadm.check.tables import TableRead

    # A mark and a mask: bits outside of the mask stay what they were.
    Setting = tuple[int, int]

_ANY: Final[Setting] = (0, 0)
_MEMBERS: Final = {"MARK": ("mark", "mask"), "TPROXY": ("mark_value", "mark_mask")}

# What is known to leave the mark alone; all else may set any.
_SETS_NONE: Final = frozenset(
    ("AUDIT", "CHECKSUM", "CLASSIFY", "CONNSECMARK", "CT", "DNAT", "DNPT", "DSCP", "ECN", "HL", "IDLETIMER", "LED",
     "LOG", "MASQUERADE", "NETMAP", "NFLOG", "NOTRACK", "RATEEST", "REDIRECT", "REJECT", "SECMARK", "SNAT", "SNPT",
     "SYNPROXY", "TCPMSS", "TCPOPTSTRIP", "TEE", "TOS", "TRACE", "TTL", "ULOG")
)  # fmt: skip


def settings(tables: Iterable[TableRead]) -> frozenset[Setting]:
    """Return what the rules of tables can set the mark to."""
    found: set[Setting] = set()
    for table in tables:
        for chain in table.chains:
            for rule in chain.rules:
                if any(entry.unpack_extension(block)[0] == "socket" for block in rule.matches):
                    found.add(_ANY)  # --restore-skmark
                if rule.target:
                    name, revision, payload = entry.unpack_extension(rule.target)
                    if name in _SETS_NONE:
                        continue
                    extension = find("target", name, revision, table.family)
                    values = extension.layout.unpack(payload) if extension and name in _MEMBERS else {}
                    mark, mask = _MEMBERS.get(name, ("", ""))
                    found.add((values[mark], values[mask]) if mark in values and mask in values else _ANY)
    return frozenset(found)


def can_set(mark: int, found: Iterable[Setting]) -> bool:
    """Whether one of some settings can lead to a mark: the bits that it clears and flips must be the mark's."""
    return any(not (mark ^ value) & mask for value, mask in found)
