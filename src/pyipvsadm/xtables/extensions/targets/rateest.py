"""Estimates the rate of the packets that come by, for the match of the same name.

Struct: ``struct xt_rateest_target_info``, linux/netfilter/xt_RATEEST.h. Syntax: iptables-extensions(8), "RATEEST".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.extensions.texts import cut_text
from pyipvsadm.xtables.kinds import U32
from pyipvsadm.xtables.layout import Layout, chars, i8, private, u8
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

# ``interval`` is the logarithm of the seconds to base 2; ``ewma_log`` that of an average's weight.
LAYOUT: Final = Layout(
    "struct xt_rateest_target_info", chars("name", 16), i8("interval"), u8("ewma_log"), private("est")
)
_SHORTEST: Final = -2
_LONGEST: Final = 3
_MOST_WEIGHT: Final = 29
_SECOND: Final = 1_000_000

_UNITS: Final = {
    "usecs": 1, "usec": 1, "us": 1, "msecs": 1000, "msec": 1000, "ms": 1000,
    "secs": _SECOND, "sec": _SECOND, "s": _SECOND,
}  # fmt: skip


def _read_time(text: str, draft: Draft) -> int:
    """Return microseconds, which are the unit where there is none; a fraction of them is cut, and so are high bits."""
    digits, factor = text.lower(), 1
    for unit, microseconds in _UNITS.items():
        if digits.endswith(unit):
            digits, factor = digits[: -len(unit)], microseconds
            break
    # float() takes more than strtod(3) does.
    if not digits.isascii() or "_" in digits or digits != digits.rstrip():
        raise draft.bad(text, "not a time")
    try:
        value = (float.fromhex(digits) if "x" in digits else float(digits)) * factor
    except (ValueError, OverflowError):
        raise draft.bad(text, "not a time") from None
    return int(value) & U32 if abs(value) < 2.0**63 else 0  # 0, which nothing takes, for infinite ones and none


def _check(draft: Draft) -> None:
    """Make the logarithms out of the times."""
    from math import log1p

    values = draft.values
    interval, constant = values["interval"], values["ewma_log"]
    steps = [step for step in range(_SHORTEST, _LONGEST + 1) if interval <= _SECOND * 2.0**step]
    if not steps:
        raise UsageError("RATEEST: the interval is too long")
    # An average that keeps all but 1/2**weight of itself forgets with this time constant.
    weight = 0
    while weight <= _MOST_WEIGHT and interval / -log1p(-(0.5 ** (weight + 1))) <= constant:
        weight += 1
    if not 0 < weight <= _MOST_WEIGHT:
        raise UsageError("RATEEST: the time constant is too short or too long for the interval")
    values["interval"], values["ewma_log"] = steps[0], weight


def _write_time(microseconds: int) -> str:
    if microseconds >= _SECOND:
        return f"{microseconds / _SECOND:.1f}s"
    return f"{microseconds / 1000:.1f}ms" if microseconds >= 1000 else f"{microseconds}us"


def _interval(step: int) -> int:
    return _SECOND // 4 << (step - _SHORTEST) if step >= _SHORTEST else 0


def _write_interval(value: int, _: View) -> str:
    return _write_time(_interval(value))


def _write_constant(value: tuple[int, int], _: View) -> str:
    return _write_time(_interval(value[1]) << (value[0] & 31) & U32)


def _read_constant(text: str, draft: Draft) -> tuple[int, int]:
    return _read_time(text, draft), draft.values["interval"]


def _show(values: Values, view: View) -> str:
    interval = _write_interval(values["interval"], view)
    constant = _write_constant((values["ewma_log"], values["interval"]), view)
    return f" name {values['name']} interval {interval} ewmalog {constant}"


def _always(_: Values) -> bool:
    return True


EXTENSIONS: Final = (
    Extension(
        "target",
        "RATEEST",
        0,
        BOTH,
        LAYOUT,
        (
            Option("rateest-name", kind=cut_text(15, placeholder="NAME"), to="name", needed=True, when=_always),
            Option(
                "rateest-interval",
                kind=Kind(_read_time, _write_interval, "TIME"),
                to="interval",
                needed=True,
                when=_always,
            ),
            Option(
                "rateest-ewmalog",
                kind=Kind(_read_constant, _write_constant, "TIME"),
                to=("ewma_log", "interval"),
                needed=True,
                when=_always,
            ),
        ),
        summary="estimate the rate of packets",
        check=_check,
        show=_show,
    ),
)
