"""What rate estimators say, of the target of the same name: against a rate, or one against another.

Struct: ``struct xt_rateest_match_info``, linux/netfilter/xt_rateest.h. Syntax: iptables-extensions(8), "rateest".
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import U32, number
from pyipvsadm.xtables.layout import Layout, chars, private, u16, u32
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_NAME_SIZE: Final = 16  # IFNAMSIZ
_INVERT, _ABS, _REL, _DELTA, _BPS, _PPS = 1, 2, 4, 8, 16, 32  # XT_RATEEST_MATCH_*
_MODES: Final = {1: "eq", 2: "lt", 3: "gt"}  # enum xt_rateest_match_mode

LAYOUT: Final = Layout(
    "struct xt_rateest_match_info",
    chars("name1", _NAME_SIZE),
    chars("name2", _NAME_SIZE),
    u16("flags"),
    u16("mode"),
    u32("bps1"),
    u32("pps1"),
    u32("bps2"),
    u32("pps2"),
    private("est1"),
    private("est2"),
)

# Bits a second, of what a unit counts; bytes a second are 8 of them.
_PREFIXES: Final = {
    "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "": 1,
}  # fmt: skip
_UNITS: Final = {
    f"{prefix}{unit}": factor * size for unit, size in (("bit", 1), ("bps", 8)) for prefix, factor in _PREFIXES.items()
}


def _read_bps(text: str, draft: Draft) -> int:
    """Return bytes a second, of which high bits are cut; bits where there is no unit."""
    digits, factor = text.lower(), 1
    for unit, size in _UNITS.items():
        if digits.endswith(unit):
            digits, factor = digits[: -len(unit)], size
            break
    # float() takes more than strtod(3) does, to which a "b" is one more hexadecimal digit.
    if factor in (1, 8) and digits != text.lower() and "x" in digits and "p" not in digits:
        raise draft.bad(text, "not a rate")
    if not digits.isascii() or "_" in digits or digits != digits.rstrip():
        raise draft.bad(text, "not a rate")
    try:
        value = (float.fromhex(digits) if "x" in digits else float(digits)) * factor / 8
    except (ValueError, OverflowError):
        raise draft.bad(text, "not a rate") from None
    return int(value) & U32 if abs(value) < 2.0**63 else 0


def _read_name(text: str, _: Draft) -> str:
    return text.encode("utf-8", "surrogateescape")[: _NAME_SIZE - 1].decode("utf-8", "surrogateescape")


def _show_bps(value: int) -> str:
    bits = value * 8
    if bits >= 10**9:
        return f"{bits / 10**6:.0f}Mbit"
    return f"{bits / 10**3:.0f}Kbit" if bits >= 10**6 else f"{bits}bit"


def _check(draft: Draft) -> None:
    values, seen = draft.values, draft.seen
    flags = values["flags"]
    flags |= _REL if "rateest2" in seen else _ABS if "rateest1" in seen else 0
    flags |= _BPS if "rateest-bps1" in seen or "rateest-bps2" in seen else 0
    flags |= _PPS if "rateest-pps1" in seen or "rateest-pps2" in seen else 0
    values["flags"] = flags


def _save(values: Values, _: View) -> str:
    flags = values["flags"]
    delta = flags & _DELTA
    compare = (
        f"{' !' if flags & _INVERT else ''} --rateest-{_MODES[values['mode']]}" if values["mode"] in _MODES else ""
    )
    text = " --rateest-delta" if delta else ""
    text += f" --rateest1 {values['name1']}" if flags & _REL else f" --rateest {values['name1']}"
    for unit, bit, show in (("bps", _BPS, _show_bps), ("pps", _PPS, str)):
        if not flags & bit:
            continue
        second = f" {show(values[f'{unit}2'])}"
        if delta:
            text += f" --rateest-{unit}1 {show(values[f'{unit}1'])}{compare} --rateest-{unit}2{second}"
        else:
            text += f"{compare} --rateest-{unit}{'' if flags & _REL else second}"
    return text + (f" --rateest2 {values['name2']}" if flags & _REL else "")


def _show(values: Values, view: View) -> str:
    flags = values["flags"]
    delta = flags & _DELTA
    compare = f"{' !' if flags & _INVERT else ''} {_MODES[values['mode']]}" if values["mode"] in _MODES else ""
    text = f" rateest match {values['name1']}{' delta' if delta else ''}"
    units = [unit for unit, bit in (("bps", _BPS), ("pps", _PPS)) if flags & bit]
    shown = {name: f" {values[name]}" for name in ("bps1", "pps1", "bps2", "pps2")}
    if not view.numeric:
        shown.update({name: f" {_show_bps(values[name])}" for name in ("bps1", "bps2")})
    if flags & _REL:
        for side, before in ((1, ""), (2, f"{compare} {values['name2']}")):
            text += before
            for unit in units:
                text += f" {unit}" + (shown[f"{unit}{side}"] if delta else "")
        return text
    for unit in units:
        text += f" {unit}" + (shown[f"{unit}1"] if delta else "")
        second = shown[f"{unit}2"]
        text += second + compare if unit == "bps" else compare + second
    return text


_name: Final = Kind(_read_name, lambda name, _: str(name), "NAME")
_bps: Final = Kind(_read_bps, lambda value, _: _show_bps(value), "RATE")


def _mode(value: int) -> Option:
    return Option(f"rateest-{_MODES[value]}", to="mode", sets=value, inverts=("flags", _INVERT))


EXTENSIONS: Final = (
    Extension(
        "match",
        "rateest",
        0,
        BOTH,
        LAYOUT,
        (
            Option("rateest1", "rateest", kind=_name, to="name1"),
            Option("rateest2", kind=_name, to="name2"),
            Option("rateest-delta", to="flags", bit=_DELTA),
            _mode(2),
            _mode(3),
            _mode(1),
            Option("rateest-bps1", kind=_bps, to="bps1", optional=True),
            Option("rateest-pps1", kind=number(), to="pps1", optional=True),
            Option("rateest-bps2", "rateest-bps", kind=_bps, to="bps2", optional=True),
            Option("rateest-pps2", "rateest-pps", kind=number(), to="pps2", optional=True),
        ),
        summary="what rate estimators say",
        check=_check,
        save=_save,
        show=_show,
    ),
)
