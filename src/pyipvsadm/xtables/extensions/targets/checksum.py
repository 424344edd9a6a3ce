"""Fills in a checksum that a packet lacks.

Struct: ``struct xt_CHECKSUM_info``, linux/netfilter/xt_CHECKSUM.h. Syntax: iptables-extensions(8), "CHECKSUM".
"""

from __future__ import annotations

from pyipvsadm.xtables.layout import Layout, u8
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct xt_CHECKSUM_info", u8("operation"))
_FILL: Final = 0x01  # XT_CHECKSUM_OP_FILL


def _show(values: Values, _: View) -> str:
    return " CHECKSUM fill" if values["operation"] & _FILL else " CHECKSUM"


EXTENSIONS: Final = (
    Extension(
        "target",
        "CHECKSUM",
        0,
        BOTH,
        LAYOUT,
        (Option("checksum-fill", to="operation", bit=_FILL, needed=True),),
        summary="fill in the checksum",
        tables=("mangle",),
        show=_show,
    ),
)
