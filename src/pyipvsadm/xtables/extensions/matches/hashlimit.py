"""Matches at a limited rate: a bucket of tokens for each address, port or group of them.

Structs: ``struct xt_hashlimit_mtinfo1``, ``xt_hashlimit_mtinfo2`` and ``xt_hashlimit_mtinfo3``,
linux/netfilter/xt_hashlimit.h. Syntax: iptables-extensions(8), "hashlimit".

Bytes are counted in steps of 16: ``avg`` is what a second's worth of credit gives for each step.
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.extensions.prefixes import bits, read_length
from pyipvsadm.xtables.extensions.rates import read_rate, show_rate
from pyipvsadm.xtables.extensions.scan import split_number
from pyipvsadm.xtables.kinds import U32, number, read_number
from pyipvsadm.xtables.layout import Layout, align, chars, private, u8, u32, u64
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_INVERT, _BYTES, _RATE_MATCH = 16, 32, 64  # XT_HASHLIMIT_*
_MODES: Final = {"srcip": 4, "srcport": 8, "dstip": 1, "dstport": 2}  # XT_HASHLIMIT_HASH_*
_SCALE_1, _SCALE = 10000, 1000000  # XT_HASHLIMIT_SCALE, and _v2 of it
_BYTE_SHIFT: Final = 4  # XT_HASHLIMIT_BYTE_SHIFT
_BURST, _BURST_MAX = 5, 1000000
_GC_INTERVAL: Final = 1000
_NAME_SIZE: Final = 255  # NAME_MAX
_NO_LENGTH: Final = 255
_UNITS: Final = {"k": 1 << 10, "m": 1 << 20}
_SECONDS: Final = {"sec": 1, "min": 60, "hour": 3600, "day": 86400}

_TABLE: Final = (u32("size"), u32("max"), u32("gc_interval", _GC_INTERVAL), u32("expire"))
_MASKS: Final = (u8("srcmask"), u8("dstmask"))
_HINFO: Final = private("hinfo")

LAYOUT_1: Final = Layout(
    "struct xt_hashlimit_mtinfo1", chars("name", 16), u32("mode"), u32("avg"), u32("burst"), *_TABLE, *_MASKS, _HINFO
)
_WIDE: Final = (chars("name", _NAME_SIZE), align(8), u64("avg"), u64("burst"), u32("mode"), *_TABLE)
LAYOUT_2: Final = Layout("struct xt_hashlimit_mtinfo2", *_WIDE, *_MASKS, _HINFO)
LAYOUT: Final = Layout("struct xt_hashlimit_mtinfo3", *_WIDE, u32("interval"), *_MASKS, _HINFO)


# -- rates and bursts --------------------------------------------------------------------------------------------------


def _read_byte_rate(text: str, draft: Draft) -> int:
    count, _ = split_number(text)
    if not count:
        raise draft.bad(text, "not a rate")
    unit = text[: text.index("b/s")][-1:]
    size = count * _UNITS.get(unit, 1) % (1 << 64)
    steps = ((size >> _BYTE_SHIFT) + 1) & U32
    if not steps:
        raise draft.bad(text, "too fast")
    return U32 // steps


def _read_limit(text: str, draft: Draft) -> tuple[int, int]:
    """Return ``avg`` and the seconds of the unit of time; packets a second, or bytes where the text has "b/s"."""
    if "b/s" in text:
        draft.values["mode"] |= _BYTES
        return _read_byte_rate(text, draft), 1
    return read_rate(text, draft, _SCALE, bits=64)


def _read_above(text: str, draft: Draft) -> tuple[int, int]:
    if not draft.inverted:
        draft.values["mode"] |= _INVERT
    return _read_limit(text, draft)


def _bytes_of(avg: int) -> int:
    return ((U32 // avg) - 1) << _BYTE_SHIFT if avg else 0


def _avg_of(size: int) -> int:
    return U32 // ((size >> _BYTE_SHIFT) + 1)


def _show_byte_rate(avg: int) -> str:
    """Return the rate in the largest unit in which it is read as the same, unless that is beyond 32 bits."""
    size = _bytes_of(avg)
    for unit, factor in reversed(_UNITS.items()):
        count = size // factor
        if count and _avg_of(count * factor & U32) == avg:
            return f"{count}{unit}b/s"
    return f"{size}b/s"


def _show_bytes(size: int) -> str:
    for unit, factor in reversed(_UNITS.items()):
        if size >= factor:
            return f"{size // factor}{unit}b"
    return f"{size}b"


def _read_burst(text: str, draft: Draft) -> int:
    value = read_number(text, 1, _BURST_MAX)
    if value is None:
        count, rest = split_number(text, 0)
        value = count * _UNITS.get(rest[:1], 1) if rest else 0
    if value <= 0:
        raise draft.bad(text, f"not from 1 to {_BURST_MAX}")
    return value % (1 << 64)


# -- reading the rest --------------------------------------------------------------------------------------------------


def _read_mode(text: str, draft: Draft) -> int:
    value = draft.values["mode"]
    for word in text.replace("|", ",").split(","):
        if word and word not in _MODES:
            raise draft.bad(text, f"{word!r} is none of {', '.join(_MODES)}")
        value |= _MODES[word] if word else 0
    return int(value)


def _read_name(text: str, draft: Draft) -> str:
    if not text:
        raise draft.bad(text, "empty")
    return text.encode("utf-8", "surrogateescape")[: _NAME_SIZE - 1].decode("utf-8", "surrogateescape")


def _read_length(text: str, draft: Draft) -> int:
    length = read_length(text, draft)
    return _NO_LENGTH if length is None else length  # which the kernel refuses


def _read_interval(text: str, draft: Draft) -> int:
    value, _ = split_number(text)
    value = (value & U32) - ((value & U32) >> 31 << 32)
    if value <= 0:
        raise draft.bad(text, "not a number of seconds")
    return value


def _start(draft: Draft) -> None:
    draft.values["srcmask"] = draft.values["dstmask"] = bits(draft.family)
    draft.values["burst"] = _BURST


def _check(draft: Draft) -> None:
    values, seen = draft.values, draft.seen
    if "hashlimit-upto" not in seen and "hashlimit-above" not in seen:
        raise UsageError("You have to specify --hashlimit")
    seconds = values["unit"]
    if values["mode"] & _BYTES:
        _check_bytes(draft)
    elif values["burst"] > _BURST_MAX:
        raise UsageError(f'bad value for option "--hashlimit-burst", or out of range (1-{_BURST_MAX}).')
    elif "hashlimit-htable-expire" not in seen:
        values["expire"] = seconds * 1000
    if values["mode"] & _RATE_MATCH:
        values["avg"] //= seconds  # the time is the interval's business
        if "hashlimit-rate-interval" not in seen:
            values["interval"] = seconds


def _check_bytes(draft: Draft) -> None:
    values, seen = draft.values, draft.seen
    given = "hashlimit-burst" in seen
    if given:
        size = _bytes_of(values["avg"])
        if values["burst"] < size or not size:
            raise UsageError(f"burst cannot be smaller than {size}b")
        values["burst"] = -(-(values["burst"] & U32) // size)
    else:
        values["burst"] = 0
    if "hashlimit-htable-expire" not in seen:
        values["expire"] = 60000 if given else 15000


# -- texts -------------------------------------------------------------------------------------------------------------


def _limit_texts(values: Values, scale: int, interval: int) -> tuple[str, str, int]:
    """Return the rate, the burst, and the time in milliseconds after which entries expire by default."""
    avg, burst = values["avg"], values["burst"]
    if values["mode"] & _BYTES:
        return _show_byte_rate(avg), _show_bytes(burst * _bytes_of(avg)) if burst else "", 60000 if burst else 15000
    rate = show_rate(avg * (interval or 1), scale)
    return rate, str(burst), _SECONDS.get(rate.partition("/")[2], 0) * 1000


def _modes(values: Values, separator: str) -> str:
    return separator.join([word for word, bit in _MODES.items() if values["mode"] & bit])


def _rest(values: Values, view: View, prefix: str, name: str, expire: int) -> str:
    """Return what is written alike by both, with another prefix; the name goes before the table's sizes."""
    text = name
    for word, member, default in (
        ("htable-size", "size", 0),
        ("htable-max", "max", 0),
        ("htable-gcinterval", "gc_interval", _GC_INTERVAL),
        ("htable-expire", "expire", expire),
        ("srcmask", "srcmask", bits(view.family)),
        ("dstmask", "dstmask", bits(view.family)),
    ):
        if values[member] != default:
            text += f" {prefix}{word} {values[member]}"
    if "interval" in values and values["mode"] & _RATE_MATCH:
        text += f" {prefix}rate-match"
        if values["interval"] != 1:
            text += f" {prefix}rate-interval {values['interval']}"
    return text


def _save(scale: int) -> Callable[[Values, View], str]:
    def save(values: Values, view: View) -> str:
        rate, burst, expire = _limit_texts(values, scale, 1)
        text = f" --hashlimit-{'above' if values['mode'] & _INVERT else 'upto'} {rate}"
        text += f" --hashlimit-burst {burst}" if burst else ""
        modes = _modes(values, ",")
        text += f" --hashlimit-mode {modes}" if modes else ""
        return text + _rest(values, view, "--hashlimit-", f" --hashlimit-name {values['name']}", expire)

    return save


def _show(scale: int) -> Callable[[Values, View], str]:
    def show(values: Values, view: View) -> str:
        rate, burst, expire = _limit_texts(values, scale, values.get("interval", 1))
        text = f" limit: {'above' if values['mode'] & _INVERT else 'up to'} {rate}"
        text += f" burst {burst}" if burst else ""
        modes = _modes(values, "-")
        text += f" mode {modes}" if modes else ""
        return text + _rest(values, view, "", "", expire)

    return show


# -- options -----------------------------------------------------------------------------------------------------------


def _limit(value: tuple[int, int], _: View) -> str:
    return show_rate(value[0], _SCALE)


_RATE: Final = "RATE[/second|/minute|/hour|/day]|BYTESb/s"
_length_kind: Final = Kind(_read_length, lambda length, _: str(length), "LENGTH")
_options: Final = (
    Option(
        "hashlimit-upto",
        "hashlimit",
        kind=Kind(_read_limit, _limit, _RATE),
        to=("avg", "unit"),
        inverts=("mode", _INVERT),
        excludes=("hashlimit-above",),
    ),
    # "!" takes the bit away that it has of itself.
    Option("hashlimit-above", kind=Kind(_read_above, _limit, _RATE), to=("avg", "unit"), inverts=("mode", 0)),
    Option("hashlimit-burst", kind=Kind(_read_burst, lambda burst, _: str(burst), "NUMBER|BYTES"), to="burst"),
    Option(
        "hashlimit-mode",
        kind=Kind(_read_mode, lambda _, __: "", "srcip|srcport|dstip|dstport[,...]"),
        to="mode",
    ),
    Option("hashlimit-name", kind=Kind(_read_name, lambda name, _: str(name), "NAME"), to="name", needed=True),
    Option("hashlimit-htable-size", kind=number(), to="size"),
    Option("hashlimit-htable-max", kind=number(), to="max"),
    Option("hashlimit-htable-gcinterval", kind=number(placeholder="MILLISECONDS"), to="gc_interval"),
    Option("hashlimit-htable-expire", kind=number(placeholder="MILLISECONDS"), to="expire"),
    Option("hashlimit-srcmask", kind=_length_kind, to="srcmask"),
    Option("hashlimit-dstmask", kind=_length_kind, to="dstmask"),
)
_rate_options: Final = (
    Option("hashlimit-rate-match", to="mode", bit=_RATE_MATCH),
    Option(
        "hashlimit-rate-interval",
        kind=Kind(_read_interval, lambda interval, _: str(interval), "SECONDS"),
        to="interval",
    ),
)

EXTENSIONS: Final = tuple(
    [
        Extension(
            "match",
            "hashlimit",
            revision,
            BOTH,
            layout,
            options,
            summary="a limited rate for each address or port",
            start=_start,
            check=_check,
            save=_save(scale),
            show=_show(scale),
        )
        for revision, layout, options, scale in (
            (1, LAYOUT_1, _options, _SCALE_1),
            (2, LAYOUT_2, _options, _SCALE),
            (3, LAYOUT, (*_options, *_rate_options), _SCALE),
        )
    ]
)
