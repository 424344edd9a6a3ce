"""Sets the packet's mark (nfmark).

Struct: ``struct xt_mark_tginfo2``, linux/netfilter/xt_mark.h. Syntax: iptables-extensions(8), "MARK".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.extensions import marks
from pyipvsadm.xtables.kinds import U32
from pyipvsadm.xtables.layout import Layout, u32
from pyipvsadm.xtables.options import BOTH, Extension

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout("struct xt_mark_tginfo2", u32("mark"), u32("mask", U32))


def _check(draft: Draft) -> None:
    if not draft.seen:
        raise UsageError("MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required")


def _show(values: Values, _: View) -> str:
    return f" MARK {marks.show_change(values['mark'], values['mask'])}"


EXTENSIONS: Final = (
    Extension(
        "target",
        "MARK",
        2,
        BOTH,
        LAYOUT,
        marks.options("mark", "mask"),
        summary="mark the packet",
        check=_check,
        show=_show,
    ),
)
