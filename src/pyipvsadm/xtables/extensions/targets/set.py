"""Adds packets' addresses and ports to sets of ipset(8), deletes them from there, and marks packets as a set says.

Structs: ``struct xt_set_info_target_v0`` to ``struct xt_set_info_target_v3``, linux/netfilter/xt_set.h. Syntax:
iptables-extensions(8), "SET".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables import ipset
from pyipvsadm.xtables.extensions.directions import index_of
from pyipvsadm.xtables.kinds import U32, number
from pyipvsadm.xtables.layout import Layout, align, u8, u16, u32
from pyipvsadm.xtables.options import BETWEEN, BOTH, IPV4, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from pyipvsadm.xtables.layout import Field, Values
    from pyipvsadm.xtables.options import Draft, View

    Sides = list[bool]  # of each dimension, whether it is the source's

_DIMENSIONS: Final = 6  # IPSET_DIM_MAX
_NO_SET: Final = 0xFFFF  # IPSET_INVALID_ID
_EXIST, _MAP_MARK, _MAP_PRIO, _MAP_QUEUE = 0x01, 0x100, 0x200, 0x400  # IPSET_FLAG_EXIST, IPSET_FLAG_MAP_SKB*


# -- options -----------------------------------------------------------------------------------------------------------


def _read(text: str, draft: Draft, most: int) -> tuple[int, Sides]:
    name, _, words = text.partition(BETWEEN)
    sides = []
    for word in words.split(","):
        if word[:3] not in ("src", "dst"):  # whatever follows is not looked at
            raise draft.bad(words, 'not "src" or "dst", or some of them with commas')
        sides.append(word[:3] == "src")
    if len(sides) > most:
        raise draft.bad(words, f'more than {most} of "src" and "dst"')
    return index_of(name, draft), sides


def _write(index: int, sides: Sides) -> str:
    return f"{ipset.name_of(index)} {','.join(['src' if side else 'dst' for side in sides])}"


def _read_bits(text: str, draft: Draft) -> tuple[int, int, int]:
    index, sides = _read(text, draft, _DIMENSIONS)
    return index, len(sides), sum([2 << place for place, side in enumerate(sides) if side])


def _write_bits(value: tuple[int, int, int], _: View) -> str:
    index, dimensions, bits = value
    return _write(index, [bool(bits & 2 << place) for place in range(dimensions)])


def _read_words(text: str, draft: Draft) -> tuple[int, tuple[int, ...]]:
    # A 0 ends them.
    index, sides = _read(text, draft, _DIMENSIONS - 1)
    words = [1 if side else 2 for side in sides]
    return index, tuple(words + [0] * (_DIMENSIONS - len(words)))


def _write_words(value: tuple[int, tuple[int, ...]], _: View) -> str:
    index, words = value
    return _write(index, [word == 1 for word in words if word])


_BITS: Final = Kind(_read_bits, _write_bits, "SET src|dst[,...]")
_WORDS: Final = Kind(_read_words, _write_words, "SET src|dst[,...]")


def _set(verb: str, kind: Kind, members: tuple[str, ...]) -> Option:
    index = f"{verb}_index"

    def when(values: Values) -> bool:
        return bool(values[index] != _NO_SET)

    # "!" can stand before every option of this target, and has no meaning.
    to = tuple([f"{verb}_{member}" for member in members])
    return Option(f"{verb}-set", kind=kind, words=2, to=to, inverts=(index, 0), when=when)


def _flag(name: str, bit: int, needs: str) -> Option:
    return Option(name, to="flags", bit=bit, inverts=("flags", 0), needs=(needs,), repeats=True)


def _timeout_is_set(values: Values) -> bool:
    return bool(values["timeout"] != U32)


_EXTRAS: Final = (
    _flag("exist", _EXIST, "add-set"),
    Option(
        "timeout",
        kind=number(0, U32 - 1),
        to="timeout",
        inverts=("flags", 0),
        when=_timeout_is_set,
        needs=("add-set",),
        repeats=True,
    ),
)
_MAPS: Final = (
    _flag("map-mark", _MAP_MARK, "map-set"),
    _flag("map-prio", _MAP_PRIO, "map-set"),
    _flag("map-queue", _MAP_QUEUE, "map-set"),
)


def _check(draft: Draft) -> None:
    seen = draft.seen
    if not seen & {"add-set", "del-set", "map-set"}:
        raise UsageError("SET: needs a set to add to, to delete from or to map by")
    if "map-set" in seen and not seen & {option.name for option in _MAPS}:
        raise UsageError("SET: --map-set needs --map-mark, --map-prio or --map-queue")


# -- revisions ---------------------------------------------------------------------------------------------------------


def _old_info(verb: str) -> tuple[Field, ...]:
    """Return the members of ``struct xt_set_info_v0``; the kernel itself fills in the last ones."""
    words = u32.array(f"{verb}_words", _DIMENSIONS)
    return align(4), u16(f"{verb}_index", _NO_SET), words, u8(f"{verb}_dim"), u8(f"{verb}_flags")


def _info(verb: str) -> tuple[Field, ...]:
    """Return the members of ``struct xt_set_info``."""
    return u16(f"{verb}_index", _NO_SET), u8(f"{verb}_dim"), u8(f"{verb}_flags")


def _shown(options: tuple[Option, ...], layout: Layout) -> Callable[[Values, View], str]:
    def show(values: Values, view: View) -> str:
        # As -S prints them, but for the dashes.
        texts = [option.save(values, view) for option in options if option.is_set(values, layout.defaults)]
        return "".join([f" {text.removeprefix(' --')}" for text in texts])

    return show


def _revision(revision: int, fields: tuple[Field, ...], options: tuple[Option, ...]) -> Extension:
    layout = Layout(f"struct xt_set_info_target_v{revision}", *fields)
    return Extension(
        "target",
        "SET",
        revision,
        BOTH if revision else IPV4,
        layout,
        options,
        summary="add to a set, delete from it, mark as it says",
        check=_check,
        show=_shown(options, layout),
        asks=True,
    )


_INFO: Final = ("index", "dim", "flags")
_ADD: Final = _set("add", _BITS, _INFO)
_DEL: Final = _set("del", _BITS, _INFO)
_MAP: Final = _set("map", _BITS, _INFO)
_LATER: Final = (u32("flags"), u32("timeout", U32))

EXTENSIONS: Final = (
    _revision(3, (*_info("add"), *_info("del"), *_info("map"), *_LATER), (_ADD, *_EXTRAS, _DEL, _MAP, *_MAPS)),
    _revision(2, (*_info("add"), *_info("del"), *_LATER), (_ADD, *_EXTRAS, _DEL)),
    _revision(1, (*_info("add"), *_info("del")), (_ADD, _DEL)),
    _revision(
        0,
        (*_old_info("add"), *_old_info("del")),
        (_set("add", _WORDS, ("index", "words")), _set("del", _WORDS, ("index", "words"))),
    ),
)
