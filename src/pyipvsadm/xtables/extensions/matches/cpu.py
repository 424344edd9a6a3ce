"""The CPU that handles the packet.

Struct: ``struct xt_cpu_info``, linux/netfilter/xt_cpu.h. Syntax: iptables-extensions(8), "cpu".
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import number
from pyipvsadm.xtables.layout import Layout, u32
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct xt_cpu_info", u32("cpu"), u32("invert"))


def _show(values: Values, _: View) -> str:
    return f" cpu{' !' if values['invert'] else ''} {values['cpu']}"


EXTENSIONS: Final = (
    Extension(
        "match",
        "cpu",
        0,
        BOTH,
        LAYOUT,
        (Option("cpu", kind=number(), to="cpu", inverts=("invert", 1), needed=True, when=lambda _: True),),
        summary="CPU that handles the packet",
        show=_show,
    ),
)
