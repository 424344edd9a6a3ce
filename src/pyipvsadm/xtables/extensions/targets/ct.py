"""Sets how a connection is tracked: not at all, by which helper, in which zone, with which events and timeouts.

Structs: ``struct xt_ct_target_info`` and ``xt_ct_target_info_v1``, linux/netfilter/xt_CT.h; revision 2 is version 1's.
Events: linux/netfilter/nf_conntrack_common.h. Syntax: iptables-extensions(8), "CT".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.texts import cut_text, without_dashes
from pyipvsadm.xtables.kinds import U16, bits, read_number
from pyipvsadm.xtables.layout import Layout, chars, private, u16, u32
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_MEMBERS: Final = (u16("flags"), u16("zone"), u32("ct_events"), u32("exp_events"), chars("helper", 16))
LAYOUT0: Final = Layout("struct xt_ct_target_info", *_MEMBERS, private("ct"))
LAYOUT1: Final = Layout("struct xt_ct_target_info_v1", *_MEMBERS, chars("timeout", 32), private("ct"))
NOTRACK, NOTRACK_ALIAS, _DIR_ORIG, _DIR_REPL, _ZONE_MARK = 1, 2, 4, 8, 16  # XT_CT_*

_EVENTS: Final = {
    "new": 1 << 0,
    "related": 1 << 1,
    "destroy": 1 << 2,
    "reply": 1 << 3,
    "assured": 1 << 4,
    "protoinfo": 1 << 5,
    "helper": 1 << 6,
    "mark": 1 << 7,
    "natseqinfo": 1 << 8,
    "secmark": 1 << 9,
}


def _zone(name: str, direction: int, printed: tuple[int, ...]) -> Option:
    """Return the option for the zone in a direction, which ``-S`` prints for the directions in ``printed``.

    They share one zone: each option leaves to the last one what it is, and takes back none of the others' flags.
    """

    def read(text: str, draft: Draft) -> tuple[int, int]:
        flags: int = draft.values["flags"] | direction
        if text.lower() == "mark":
            return flags | _ZONE_MARK, 0
        number = read_number(text, 0, U16)
        if number is None:
            raise draft.bad(text, "not a zone")
        return flags, number

    def write(value: tuple[int, int], _: View) -> str:
        flags, zone = value
        return "mark" if flags & _ZONE_MARK else str(zone)

    def is_printed(values: Values) -> bool:
        flags = values["flags"]
        return bool(values["zone"] or flags & _ZONE_MARK) and flags & (_DIR_ORIG | _DIR_REPL) in printed

    return Option(name, kind=Kind(read, write, "{ZONE|mark}"), to=("flags", "zone"), when=is_printed)


_NOTRACK: Final = Option("notrack", to="flags", bit=NOTRACK)
_HELPER: Final = Option("helper", kind=cut_text(15, placeholder="NAME"), to="helper")
_TIMEOUT: Final = Option("timeout", kind=cut_text(31, placeholder="NAME"), to="timeout")
_REST: Final = (
    Option("ctevents", kind=bits(_EVENTS, empty=""), to="ct_events"),
    Option("expevents", kind=bits({"new": 1}, empty=""), to="exp_events"),
    _zone("zone", 0, (0, _DIR_ORIG | _DIR_REPL)),
    _zone("zone-orig", _DIR_ORIG, (_DIR_ORIG,)),
    _zone("zone-reply", _DIR_REPL, (_DIR_REPL,)),
)
OPTIONS0: Final = (_NOTRACK, _HELPER, *_REST)
OPTIONS1: Final = (_NOTRACK, _HELPER, _TIMEOUT, *_REST)


def _show(values: Values, view: View) -> str:
    if values["flags"] & NOTRACK_ALIAS:
        return " NOTRACK"
    return f" CT{without_dashes(OPTIONS1, values, LAYOUT1.defaults, view)}"


def _save(values: Values, view: View) -> str:
    if values["flags"] & NOTRACK_ALIAS:
        return ""
    options, defaults = OPTIONS1, LAYOUT1.defaults
    return "".join([option.save(values, view) for option in options if option.is_set(values, defaults)])


def _show0(values: Values, view: View) -> str:
    return f" CT{without_dashes(OPTIONS0, values, LAYOUT0.defaults, view)}"


_SUMMARY: Final = "set how the connection is tracked"
_TABLES: Final = ("raw",)

EXTENSIONS: Final = (
    Extension("target", "CT", 0, BOTH, LAYOUT0, OPTIONS0, summary=_SUMMARY, tables=_TABLES, show=_show0),
    Extension("target", "CT", 1, BOTH, LAYOUT1, OPTIONS1, summary=_SUMMARY, tables=_TABLES, save=_save, show=_show),
    Extension(
        "target",
        "CT",
        2,
        BOTH,
        LAYOUT1,
        OPTIONS1,
        summary=_SUMMARY,
        tables=_TABLES,
        save=_save,
        show=_show,
        typed=lambda values: "NOTRACK" if values["flags"] & NOTRACK_ALIAS else "CT",
    ),
)
