"""Hands packets to what logs them, by way of a netlink group.

Struct: ``struct xt_nflog_info``, linux/netfilter/xt_NFLOG.h. Syntax: iptables-extensions(8), "NFLOG".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.texts import prefix, without_dashes
from pyipvsadm.xtables.kinds import U16, as_member, number
from pyipvsadm.xtables.layout import Layout, chars, u16, u32
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout(
    "struct xt_nflog_info",
    u32("len"),
    u16("group"),
    u16("threshold"),
    u16("flags"),
    u16("pad"),
    chars("prefix", 64),
)
_COPY_LEN: Final = 1  # XT_NFLOG_F_COPY_LEN

_OPTIONS: Final = (
    Option("nflog-prefix", kind=prefix(63), to="prefix"),
    Option("nflog-group", kind=number(0, U16), to="group"),
    # A kernel heeds ``len`` with the flag alone: nflog-range is kept, and does nothing.
    Option(
        "nflog-size",
        kind=as_member(number(), lambda pair: pair[0], lambda size: (size, _COPY_LEN)),
        to=("len", "flags"),
        when=lambda values: bool(values["flags"] & _COPY_LEN),
        excludes=("nflog-range",),
    ),
    Option(
        "nflog-range",
        kind=number(),
        to="len",
        when=lambda values: bool(values["len"]) and not values["flags"] & _COPY_LEN,
        excludes=("nflog-size",),
        warning="warn: --nflog-range has never worked and is no longer supported, please use --nflog-size instead",
    ),
    Option("nflog-threshold", kind=number(0, U16), to="threshold"),
)


def _show(values: Values, view: View) -> str:
    return without_dashes(_OPTIONS, values, LAYOUT.defaults, view)


EXTENSIONS: Final = (
    Extension(
        "target",
        "NFLOG",
        0,
        BOTH,
        LAYOUT,
        _OPTIONS,
        summary="hand the packet to a logger, by netlink",
        show=_show,
    ),
)
