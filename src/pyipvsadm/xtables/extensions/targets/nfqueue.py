"""Hands packets to a program that decides what becomes of them.

Structs: ``struct xt_NFQ_info`` to ``xt_NFQ_info_v3``, linux/netfilter/xt_NFQUEUE.h.
Syntax: iptables-extensions(8), "NFQUEUE".
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import U16, number, number_range
from pyipvsadm.xtables.layout import Layout, u16
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT0: Final = Layout("struct xt_NFQ_info", u16("queuenum"))
_QUEUES: Final = (u16("queuenum"), u16("queues_total", 1))
LAYOUT1: Final = Layout("struct xt_NFQ_info_v1", *_QUEUES)
LAYOUT2: Final = Layout("struct xt_NFQ_info_v2", *_QUEUES, u16("bypass"))
LAYOUT3: Final = Layout("struct xt_NFQ_info_v3", *_QUEUES, u16("flags"))
_BYPASS, _CPU_FANOUT = 1, 2  # NFQ_FLAG_*

_RANGE: Final = number_range(0, U16)


def _is_balanced(values: Values) -> bool:
    return bool(values.get("queues_total", 1) > 1)


def _read_balance(text: str, draft: Draft) -> tuple[int, int]:
    if ":" not in text:
        raise draft.bad(text, "not a range")
    first, last = _RANGE.read(text, draft)
    if first == last:
        raise draft.bad(text, "a range of one queue")
    return first, (last - first + 1) & U16  # 65536 queues do not fit; a kernel refuses the 0


def _write_balance(value: tuple[int, int], _: View) -> str:
    first, count = value
    return f"{first}:{first + count - 1}"


_number: Final = Option(
    "queue-num",
    kind=number(0, U16),
    to="queuenum",
    when=lambda values: not _is_balanced(values),
    excludes=("queue-balance",),
)
_balance: Final = Option(
    "queue-balance",
    kind=Kind(_read_balance, _write_balance, "FIRST:LAST"),
    to=("queuenum", "queues_total"),
    when=_is_balanced,
    excludes=("queue-num",),
)
_cpu_fanout: Final = Option("queue-cpu-fanout", to="flags", bit=_CPU_FANOUT, needs=("queue-balance",))
# Revisions that have no room for these take them all the same, and do not heed them.
_unheeded_bypass: Final = Option("queue-bypass")
_unheeded_fanout: Final = Option("queue-cpu-fanout", needs=("queue-balance",))


def _show(values: Values, view: View) -> str:
    option, word = (_balance, "balance") if _is_balanced(values) else (_number, "num")
    text = option.save(values, view).replace(f" --{option.name}", f" NFQUEUE {word}")
    flags = values.get("flags", 0)
    if flags & _BYPASS or values.get("bypass", 0) & _BYPASS:
        text += " bypass"
    return f"{text} cpu-fanout" if flags & _CPU_FANOUT else text


def _revision(number: int, layout: Layout, *options: Option) -> Extension:
    summary = "hand the packet to a program that decides"
    return Extension("target", "NFQUEUE", number, BOTH, layout, (_number, *options), summary=summary, show=_show)


EXTENSIONS: Final = (
    _revision(0, LAYOUT0, _unheeded_bypass),
    _revision(1, LAYOUT1, _balance, _unheeded_bypass, _unheeded_fanout),
    _revision(2, LAYOUT2, _balance, Option("queue-bypass", to="bypass", bit=_BYPASS), _unheeded_fanout),
    _revision(3, LAYOUT3, _balance, Option("queue-bypass", to="flags", bit=_BYPASS), _cpu_fanout),
)
