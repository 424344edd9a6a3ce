"""Hands packets to ulogd, by way of a netlink group; of kernels before 3.17, for IPv4 alone.

Struct: ``struct ipt_ulog_info``, linux/netfilter_ipv4/ipt_ULOG.h (which newer kernels' headers lack).
Syntax: iptables-extensions(8), "ULOG".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.texts import prefix
from pyipvsadm.xtables.kinds import U32, U64, as_member, number
from pyipvsadm.xtables.layout import Layout, chars, u32, u64
from pyipvsadm.xtables.options import IPV4, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout(
    "struct ipt_ulog_info",
    u32("nl_group", 1),
    u64("copy_range"),
    u64("qthreshold", 1),
    chars("prefix", 32),
)


def _group_number(bit: int) -> int:
    return (bit & -bit).bit_length()


def _show_low(value: int) -> str:
    """Return a number as the C tool prints it: the lower 32 bits of it."""
    return str(value & U32)


def _show(values: Values, _: View) -> str:
    text = f" ULOG copy_range {_show_low(values['copy_range'])} nlgroup {_group_number(values['nl_group'])}"
    if values["prefix"]:
        text += f' prefix "{values["prefix"]}"'
    return f"{text} queue_threshold {_show_low(values['qthreshold'])}"


def _low(kind: Kind) -> Kind:
    return Kind(kind.read, lambda value, _: _show_low(value), kind.placeholder)


EXTENSIONS: Final = (
    Extension(
        "target",
        "ULOG",
        0,
        IPV4,
        LAYOUT,
        (
            Option("ulog-prefix", kind=prefix(31), to="prefix"),
            Option(
                "ulog-nlgroup",
                kind=as_member(number(1, 32), _group_number, lambda group: 1 << (group - 1)),
                to="nl_group",
            ),
            Option("ulog-cprange", kind=_low(number(0, U64)), to="copy_range"),
            Option("ulog-qthreshold", kind=_low(number(1, 50)), to="qthreshold"),
        ),
        summary="hand the packet to ulogd",
        show=_show,
    ),
)
