"""The length of the packet.

Struct: ``struct xt_length_info``, linux/netfilter/xt_length.h. Syntax: iptables-extensions(8), "length".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.spans import show_span, span
from pyipvsadm.xtables.kinds import U16
from pyipvsadm.xtables.layout import Layout, u8, u16
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct xt_length_info", u16("min"), u16("max"), u8("invert"))


def _show(values: Values, _: View) -> str:
    return f" length {'!' if values['invert'] else ''}{show_span((values['min'], values['max']))}"


EXTENSIONS: Final = (
    Extension(
        "match",
        "length",
        0,
        BOTH,
        LAYOUT,
        (
            Option(
                "length",
                kind=span(U16),
                to=("min", "max"),
                inverts=("invert", 1),
                needed=True,
                when=lambda _: True,
            ),
        ),
        summary="the packet's length",
        show=_show,
    ),
)
