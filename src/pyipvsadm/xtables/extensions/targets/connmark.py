"""Sets the connection's mark (ctmark), or copies it from and to the packet's (nfmark).

Structs: ``struct xt_connmark_tginfo1`` and ``xt_connmark_tginfo2``, linux/netfilter/xt_connmark.h.
Syntax: iptables-extensions(8), "CONNMARK".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.extensions import marks
from pyipvsadm.xtables.kinds import U32, as_member, number
from pyipvsadm.xtables.layout import Layout, u8, u32
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_MARKS: Final = (u32("ctmark"), u32("ctmask", U32), u32("nfmask", U32))
LAYOUT1: Final = Layout("struct xt_connmark_tginfo1", *_MARKS, u8("mode"))
LAYOUT2: Final = Layout("struct xt_connmark_tginfo2", *_MARKS, u8("shift_dir"), u8("shift_bits"), u8("mode"))
_SET, _SAVE, _RESTORE = 0, 1, 2  # XT_CONNMARK_*
_LEFT, _RIGHT = 0, 1  # D_SHIFT_*
_UNKNOWN: Final = " ERROR: UNKNOWN CONNMARK MODE"  # what the C tool prints; no kernel takes such a rule

_COPIES: Final = ("save-mark", "restore-mark")
# Masks are for save-mark and restore-mark. The others take them too, wherever it leads: the last one written stays.
_OPTIONS: Final = (
    *marks.options("ctmark", "ctmask", others=_COPIES),
    Option("save-mark", to="mode", sets=_SAVE, excludes=("restore-mark",)),
    Option("restore-mark", to="mode", sets=_RESTORE, excludes=("save-mark",)),
    Option("ctmask", kind=number(base=16), to="ctmask", excludes=("mask",)),
    Option("nfmask", kind=number(base=16), to="nfmask", excludes=("mask",)),
    Option(
        "mask",
        kind=as_member(number(base=16), lambda pair: pair[0], lambda value: (value, value)),
        to=("ctmask", "nfmask"),
        excludes=("ctmask", "nfmask"),
    ),
)


def _shift(name: str, direction: int) -> Option:
    kind = as_member(number(0, 32), lambda pair: pair[1], lambda count: (direction, count))
    return Option(name, kind=kind, to=("shift_dir", "shift_bits"))


_SHIFTS: Final = (_shift("left-shift-mark", _LEFT), _shift("right-shift-mark", _RIGHT))


def _check(draft: Draft) -> None:
    if draft.seen.isdisjoint((*marks.NAMES, *_COPIES)):
        raise UsageError("CONNMARK target: No operation specified")


def _show_shift(values: Values, dashes: str) -> str:
    if not values.get("shift_bits"):
        return ""
    direction = "left" if values["shift_dir"] == _LEFT else "right"
    return f" {dashes}{direction}-shift-mark {values['shift_bits']}"


def _save(values: Values, _: View) -> str:
    mode = values["mode"]
    if mode == _SET:
        text = f" --set-xmark {marks.show_pair(values['ctmark'], values['ctmask'])}"
    elif mode in (_SAVE, _RESTORE):
        masks = f"--nfmask 0x{values['nfmask']:x} --ctmask 0x{values['ctmask']:x}"
        text = f" --{_COPIES[mode - 1]} {masks}"
    else:
        text = _UNKNOWN
    return text + _show_shift(values, "--")


def _show_copy(values: Values) -> str:
    save = values["mode"] == _SAVE
    word = " CONNMARK save" if save else " CONNMARK restore"
    ctmask, nfmask = values["ctmask"], values["nfmask"]
    if ctmask == nfmask:
        return word if ctmask == U32 else f"{word} mask 0x{ctmask:x}"
    # First what is copied, then what of the other mark gives way to it.
    if save:
        return f"{word} nfmask 0x{nfmask:x} ctmask ~0x{ctmask:x}"
    return f"{word} ctmask 0x{ctmask:x} nfmask ~0x{nfmask:x}"


def _show(values: Values, _: View) -> str:
    mode = values["mode"]
    if mode == _SET:
        text = f" CONNMARK {marks.show_change(values['ctmark'], values['ctmask'])}"
    elif mode in (_SAVE, _RESTORE):
        text = _show_copy(values)
    else:
        text = _UNKNOWN
    return text + _show_shift(values, "")


def _revision(number: int, layout: Layout, options: tuple[Option, ...]) -> Extension:
    return Extension(
        "target",
        "CONNMARK",
        number,
        BOTH,
        layout,
        options,
        summary="mark the connection, or copy marks",
        check=_check,
        save=_save,
        show=_show,
    )


EXTENSIONS: Final = (_revision(1, LAYOUT1, _OPTIONS), _revision(2, LAYOUT2, (*_OPTIONS, *_SHIFTS)))
