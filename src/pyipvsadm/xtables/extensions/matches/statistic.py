"""Matches at random, or one packet of so many.

Struct: ``struct xt_statistic_info``, linux/netfilter/xt_statistic.h. Syntax: iptables-extensions(8), "statistic".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.kinds import U32, as_member, number
from pyipvsadm.xtables.layout import Layout, private, u16, u32
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout(
    "struct xt_statistic_info",
    u16("mode"),
    u16("flags"),
    u32("every"),  # of the union's nth, one less than what is given; its random has probability here
    u32("packet"),
    u32("count"),
    private("master"),
)
_RANDOM, _NTH = 0, 1  # XT_STATISTIC_MODE_*
_INVERT: Final = 1  # XT_STATISTIC_INVERT
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789_"
_ALWAYS: Final = 0x80000000  # a probability of 1


def _read_mode(text: str, draft: Draft) -> int:
    if text not in ("random", "nth"):
        raise draft.bad(text, "neither random nor nth")
    return _NTH if text == "nth" else _RANDOM


def _read_float(text: str) -> float:
    """Return a number as strtod(3) reads it, with a ValueError for what is not one."""
    if not text.isascii() or text != text.rstrip():
        raise ValueError(text)
    name = text.strip().lower().lstrip("+-")
    if name.startswith("nan(") and name.endswith(")") and not name[4:-1].strip(_LETTERS):
        return float("nan")
    if "_" in text:
        raise ValueError(text)
    return float.fromhex(text) if name.startswith("0x") else float(text)


def _read_probability(text: str, draft: Draft) -> int:
    try:
        share = _read_float(text)
    except (OverflowError, ValueError):
        share = -1.0
    if share < 0 or share > 1:
        raise draft.bad(text, "not a number from 0 to 1")
    return int(share * _ALWAYS + 0.5) if share >= 0 else 0  # "nan" is never


def _write_probability(value: int, _: View) -> str:
    return f"{value / _ALWAYS:.11f}"


_probability: Final = Option(
    "probability",
    kind=Kind(_read_probability, _write_probability, "PROBABILITY"),
    to="every",
    inverts=("flags", _INVERT),
    excludes=("every", "packet"),
    when=lambda values: values["mode"] == _RANDOM,
)
_every: Final = Option(
    "every",
    kind=as_member(number(1, U32), lambda member: member + 1, lambda value: value - 1),
    to="every",
    inverts=("flags", _INVERT),
    needs=("packet",),
    when=lambda values: values["mode"] == _NTH,
)
_packet: Final = Option(
    "packet", kind=number(), to="packet", needs=("every",), when=lambda values: values["mode"] == _NTH
)


def _check(draft: Draft) -> None:
    values = draft.values
    if values["mode"] == _RANDOM and "probability" not in draft.seen:
        raise UsageError("--probability must be specified when using random mode")
    if values["mode"] == _NTH:
        if "every" not in draft.seen:
            raise UsageError("--every and --packet must be specified when using nth mode")
        if values["packet"] > values["every"]:
            raise UsageError("the --packet p must be 0 <= p <= n-1")
    values["count"] = values["every"] - values["packet"]


def _show(values: Values, view: View) -> str:
    sign = " !" if values["flags"] & _INVERT else ""
    if values["mode"] == _RANDOM:
        return f" statistic mode random{sign} probability {_write_probability(values['every'], view)}"
    if values["mode"] != _NTH:
        return " statistic"
    text = f" statistic mode nth{sign} every {values['every'] + 1}"
    return f"{text} packet {values['packet']}" if values["packet"] else text


EXTENSIONS: Final = (
    Extension(
        "match",
        "statistic",
        0,
        BOTH,
        LAYOUT,
        (
            Option(
                "mode",
                kind=Kind(_read_mode, lambda mode, _: "nth" if mode == _NTH else "random", "random|nth"),
                to="mode",
                needed=True,
                when=lambda values: values["mode"] in (_RANDOM, _NTH),
            ),
            _probability,
            _every,
            _packet,
        ),
        summary="at random, or one of so many",
        check=_check,
        show=_show,
    ),
)
