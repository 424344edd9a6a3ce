"""Matches until so many bytes have passed.

Struct: ``struct xt_quota_info``, linux/netfilter/xt_quota.h. Syntax: iptables-extensions(8), "quota".
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import U64, number
from pyipvsadm.xtables.layout import Layout, private, u32, u64
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct xt_quota_info", u32("flags"), u32("pad"), u64("quota"), private("master"))
_INVERT: Final = 1  # XT_QUOTA_INVERT


def _show(values: Values, _: View) -> str:
    return f" quota: {values['quota']} bytes"  # the same when inverted


EXTENSIONS: Final = (
    Extension(
        "match",
        "quota",
        0,
        BOTH,
        LAYOUT,
        (
            Option(
                "quota",
                kind=number(0, U64, placeholder="BYTES"),
                to="quota",
                inverts=("flags", _INVERT),
                needed=True,
                when=lambda _: True,
            ),
        ),
        summary="until so many bytes have passed",
        show=_show,
    ),
)
