"""The packet's mark (nfmark).

Struct: ``struct xt_mark_mtinfo1``, linux/netfilter/xt_mark.h. Syntax: iptables-extensions(8), "mark".
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import masked, show_masked
from pyipvsadm.xtables.layout import Layout, Type, u32
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

# Others may put any number in for "yes".
flag: Final = Type("B", load=lambda value: int(value != 0))

LAYOUT: Final = Layout("struct xt_mark_mtinfo1", u32("mark"), u32("mask"), flag("invert"))

OPTIONS: Final = (
    Option("mark", kind=masked(), to=("mark", "mask"), inverts=("invert", 1), needed=True, when=lambda _: True),
)


def _show(values: Values, _: View) -> str:
    return f" mark match{' !' if values['invert'] else ''} {show_masked(values['mark'], values['mask'])}"


EXTENSIONS: Final = (Extension("match", "mark", 1, BOTH, LAYOUT, OPTIONS, summary="mark of the packet", show=_show),)
