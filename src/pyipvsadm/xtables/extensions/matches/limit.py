"""Matches at a limited rate: a bucket of tokens for each rule.

Struct: ``struct xt_rateinfo``, linux/netfilter/xt_limit.h. Syntax: iptables-extensions(8), "limit".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.rates import read_rate, show_rate
from pyipvsadm.xtables.kinds import number
from pyipvsadm.xtables.layout import Layout, private, u32
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

_SCALE: Final = 10000  # XT_LIMIT_SCALE
_BURST: Final = 5

LAYOUT: Final = Layout(
    "struct xt_rateinfo",
    u32("avg", _SCALE * 3600 // 3),
    u32("burst", _BURST),
    private("prev"),
    private("credit", 12, 4),  # with credit_cap and cost
    private("master"),
)

_rate: Final = Kind(
    lambda text, draft: read_rate(text, draft, _SCALE, bits=32)[0],
    lambda period, _: show_rate(period, _SCALE),
    "RATE[/second|/minute|/hour|/day]",
)


def _show(values: Values, _: View) -> str:
    return f" limit: avg {show_rate(values['avg'], _SCALE)} burst {values['burst']}"


EXTENSIONS: Final = (
    Extension(
        "match",
        "limit",
        0,
        BOTH,
        LAYOUT,
        (
            Option("limit", kind=_rate, to="avg", when=lambda _: True),
            Option("limit-burst", kind=number(0, 10000), to="burst"),
        ),
        summary="not more often than so many times a second, minute, hour or day",
        show=_show,
    ),
)
