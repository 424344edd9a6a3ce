"""Leaves packets out of connection tracking: CT under another name, or on old kernels a target of its own.

Structs: those of CT (linux/netfilter/xt_CT.h), of which revision 2 remembers the name; none for NOTRACK itself.
Syntax: iptables-extensions(8), "NOTRACK".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.targets import ct
from pyipvsadm.xtables.layout import Layout
from pyipvsadm.xtables.options import BOTH, Extension

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.options import Draft

_SUMMARY: Final = "do not track the packet's connection"


def _alias(revision: int, layout: Layout, flags: int) -> Extension:
    def start(draft: Draft) -> None:
        draft.values["flags"] = flags

    return Extension(
        "target", "CT", revision, BOTH, layout, alias="NOTRACK", summary=_SUMMARY, tables=("raw",), start=start
    )


EXTENSIONS: Final = (
    _alias(0, ct.LAYOUT0, ct.NOTRACK),
    _alias(1, ct.LAYOUT1, ct.NOTRACK),
    _alias(2, ct.LAYOUT1, ct.NOTRACK | ct.NOTRACK_ALIAS),
    Extension("target", "NOTRACK", 0, BOTH, Layout("no struct"), summary=_SUMMARY, tables=("raw",)),
)
