"""Sets the packet's mark (nfmark).

Struct: ``struct xt_mark_tginfo2``, linux/netfilter/xt_mark.h. Syntax: iptables-extensions(8), "MARK".
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import U32, as_member, masked, number
from pyipvsadm.xtables.layout import Layout, u32
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct xt_mark_tginfo2", u32("mark"), u32("mask", U32))


def _show(values: Values, _: View) -> str:
    mark, mask = values["mark"], values["mask"]
    if mark == 0:
        return f" MARK and 0x{~mask & U32:x}"
    if mark == mask:
        return f" MARK or 0x{mark:x}"
    if mask == 0:
        return f" MARK xor 0x{mark:x}"
    return f" MARK set 0x{mark:x}" if mask == U32 else f" MARK xset 0x{mark:x}/0x{mask:x}"


# Which bits of the old mark are cleared (``mask``), and which are then flipped (``mark``).
_PAIR: Final = ("mark", "mask")
_OTHERS: Final = ("set-xmark", "set-mark", "and-mark", "or-mark", "xor-mark")

EXTENSIONS: Final = (
    Extension(
        "target",
        "MARK",
        2,
        BOTH,
        LAYOUT,
        (
            Option("set-xmark", kind=masked(), to=_PAIR, when=lambda _: True),
        ),
        summary="mark the packet",
        show=_show,
    ),
)
