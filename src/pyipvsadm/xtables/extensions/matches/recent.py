"""Lists of addresses that packets are put on, and looked up in.

Structs: ``struct xt_recent_mtinfo`` and ``xt_recent_mtinfo_v1``, linux/netfilter/xt_recent.h.
Syntax: iptables-extensions(8), "recent".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.kinds import U32, address, number
from pyipvsadm.xtables.layout import Layout, align, raw, u8, u32
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Field, Values
    from pyipvsadm.xtables.options import Draft, View

_CHECK, _SET, _UPDATE, _REMOVE, _TTL, _REAP = 1, 2, 4, 8, 16, 32  # XT_RECENT_*
_NAME_SIZE: Final = 200  # XT_RECENT_NAME_LEN
_DEFAULT: Final = b"DEFAULT"


def _layout(name: str, *more: Field) -> Layout:
    return Layout(
        name,
        u32("seconds"),
        u32("hit_count"),
        u8("check_set"),
        u8("invert"),
        raw("name", _NAME_SIZE, _DEFAULT.ljust(_NAME_SIZE, b"\0")),
        u8("side"),
        *more,
    )


LAYOUT: Final = _layout("struct xt_recent_mtinfo_v1", align(4), raw("mask", 16, b"\xff" * 16))
LAYOUT_0: Final = _layout("struct xt_recent_mtinfo")


def _read_name(text: str, _: Draft) -> bytes:
    name = text.encode("utf-8", "surrogateescape")[: _NAME_SIZE - 1]
    # What is left of the longer name that was there before is part of the rule, for whoever compares rules.
    return (name + b"\0" + _DEFAULT[len(name) + 1 :]).ljust(_NAME_SIZE, b"\0")


def _write_name(value: bytes, _: View) -> str:
    return value.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def _count(low: int) -> Kind:
    """Return the kind of a number that is written as if it were signed."""
    return Kind(number(low, U32).read, lambda value, _: str(_signed(value)), "NUMBER")


_WORDS: Final = (
    ("set", _SET, "SET"),
    ("rcheck", _CHECK, "CHECK"),
    ("update", _UPDATE, "UPDATE"),
    ("remove", _REMOVE, "REMOVE"),
)


def _commands() -> tuple[Option, ...]:
    names = [word for word, _, _ in _WORDS]
    return tuple(
        [
            Option(word, to="check_set", bit=bit, inverts=("invert", 1), excludes=tuple(set(names) - {word}))
            for word, bit, _ in _WORDS
        ]
    )


_mask: Final = Option("mask", kind=address(), to="mask", when=lambda _: True)


def _options(*more: Option) -> tuple[Option, ...]:
    return (
        *_commands(),
        Option("seconds", kind=_count(1), to="seconds"),
        Option("reap", to="check_set", bit=_REAP, needs=("seconds",)),
        Option("hitcount", kind=_count(0), to="hit_count"),
        Option("rttl", to="check_set", bit=_TTL, excludes=("set", "remove")),
        Option("name", kind=Kind(_read_name, _write_name, "NAME"), to="name", when=lambda _: True),
        *more,
        Option("rsource", to="side", sets=0),
        Option("rdest", to="side", sets=1),
    )


def _check(draft: Draft) -> None:
    if not draft.values["check_set"] & (_SET | _CHECK | _UPDATE | _REMOVE):
        raise UsageError("recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'")


def _show(values: Values, view: View) -> str:
    flags = values["check_set"]
    text = " ! recent:" if values["invert"] else " recent:"
    text += "".join([f" {shown}" for _, bit, shown in _WORDS if flags & bit])
    if values["seconds"]:
        text += f" seconds: {_signed(values['seconds'])}"
    if flags & _REAP:
        text += " reap"
    if values["hit_count"]:
        text += f" hit_count: {_signed(values['hit_count'])}"
    if flags & _TTL:
        text += " TTL-Match"
    text += f" name: {_write_name(values['name'], view)}"
    if values["side"] in (0, 1):
        text += " side: dest" if values["side"] else " side: source"
    if "mask" in values:
        text += f" mask: {address().write(values['mask'], view)}"
    return text


EXTENSIONS: Final = tuple(
    [
        Extension(
            "match",
            "recent",
            revision,
            BOTH,
            layout,
            options,
            summary="lists of addresses that were seen",
            check=_check,
            show=_show,
        )
        for revision, layout, options in ((0, LAYOUT_0, _options()), (1, LAYOUT, _options(_mask)))
    ]
)
