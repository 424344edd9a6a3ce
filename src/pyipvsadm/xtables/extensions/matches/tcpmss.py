"""The maximum segment size in the TCP header of a SYN.

Struct: ``struct xt_tcpmss_match_info``, linux/netfilter/xt_tcpmss.h. Syntax: iptables-extensions(8), "tcpmss".
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
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout("struct xt_tcpmss_match_info", u16("mss_min"), u16("mss_max"), u8("invert"))


def _check(draft: Draft) -> None:
    first, last = draft.values["mss_min"], draft.values["mss_max"]
    if first > last:
        raise draft.bad(f"{first}:{last}", "the range is upside down")


def _show(values: Values, _: View) -> str:
    return f" tcpmss match {'!' if values['invert'] else ''}{show_span((values['mss_min'], values['mss_max']))}"


EXTENSIONS: Final = (
    Extension(
        "match",
        "tcpmss",
        0,
        BOTH,
        LAYOUT,
        (
            Option(
                "mss",
                kind=span(U16),
                to=("mss_min", "mss_max"),
                inverts=("invert", 1),
                needed=True,
                when=lambda _: True,
            ),
        ),
        summary="the segment size that a SYN announces",
        protocols=(6,),
        check=_check,
        show=_show,
    ),
)
