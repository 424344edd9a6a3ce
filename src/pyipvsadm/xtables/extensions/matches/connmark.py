"""The mark of the packet's connection (ctmark).

Struct: ``struct xt_connmark_mtinfo1``, linux/netfilter/xt_connmark.h. Syntax: iptables-extensions(8), "connmark".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.matches.mark import OPTIONS, flag
from pyipvsadm.xtables.kinds import show_masked
from pyipvsadm.xtables.layout import Layout, u32
from pyipvsadm.xtables.options import BOTH, Extension

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct xt_connmark_mtinfo1", u32("mark"), u32("mask"), flag("invert"))


def _show(values: Values, _: View) -> str:
    return f" connmark match {'!' if values['invert'] else ''} {show_masked(values['mark'], values['mask'])}"


EXTENSIONS: Final = (
    Extension("match", "connmark", 1, BOTH, LAYOUT, OPTIONS, summary="mark of the connection", show=_show),
)
