"""The groups of the devices that the packet comes in and goes out by.

Struct: ``struct xt_devgroup_info``, linux/netfilter/xt_devgroup.h. Syntax: iptables-extensions(8), "devgroup".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.kinds import U32, read_number, show_masked
from pyipvsadm.xtables.layout import Layout, u32
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, Place, View

LAYOUT: Final = Layout(
    "struct xt_devgroup_info",
    u32("flags"),
    u32("src_group"),
    u32("src_mask"),
    u32("dst_group"),
    u32("dst_mask"),
)
_MATCH: Final = {"src-group": 0x1, "dst-group": 0x4}  # XT_DEVGROUP_MATCH_*
_INVERT: Final = {"src-group": 0x2, "dst-group": 0x8}  # XT_DEVGROUP_INVERT_*

_FILE: Final = "/etc/iproute2/group"


def _groups() -> list[tuple[str, int]]:
    """Read the names of groups; their numbers are decimal, also those that begin with 0, or hexadecimal after 0x."""
    found = []
    try:
        with open(_FILE, encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                words = line.split()
                if len(words) < 2 or words[0].startswith("#"):
                    continue
                try:
                    number = int(words[0], 16 if words[0].startswith("0x") else 10) & U32
                except ValueError:
                    continue
                if number <= U32 >> 1:  # an ``int`` of C, and no negative one
                    found.append((words[1], number))
    except OSError:
        pass
    return found


def _read(text: str, draft: Draft) -> tuple[int, int]:
    first, slash, last = text.partition("/")
    value = read_number(first)
    mask = read_number(last) if slash else U32
    if value is not None and mask is not None:
        return value, mask
    number = next((number for name, number in _groups() if name == text), None)
    if number is None:
        raise draft.bad(text, "neither a group with or without a mask, nor the name of one")
    return number, U32


def _write(value: tuple[int, int], _: View) -> str:
    number, mask = value
    name = next((name for name, other in _groups() if other == number), None) if mask == U32 else None
    return name or show_masked(number, mask)


def _option(name: str) -> Option:
    bit = _MATCH[name]
    side = name[:3]
    return Option(
        name,
        kind=Kind(_read, _write, "GROUP[/MASK]"),
        to=(f"{side}_group", f"{side}_mask"),
        inverts=("flags", _INVERT[name]),
        when=lambda values: bool(values["flags"] & bit),
    )


def _check(draft: Draft) -> None:
    if not draft.seen:
        raise UsageError('devgroup: "--src-group" or "--dst-group" must be specified')
    for name in draft.seen:
        draft.values["flags"] |= _MATCH[name]


def _show(values: Values, view: View) -> str:
    text = ""
    for name, bit in _MATCH.items():
        if values["flags"] & bit:
            value = (values[f"{name[:3]}_group"], values[f"{name[:3]}_mask"])
            sign = " !" if values["flags"] & _INVERT[name] else ""
            text += f"{sign} {name} {show_masked(*value) if view.numeric else _write(value, view)}"
    return text


def _accepts(values: Values, place: Place) -> bool:
    if values["flags"] & _MATCH["src-group"] and not place.only("PREROUTING", "INPUT", "FORWARD"):
        return False
    return not values["flags"] & _MATCH["dst-group"] or place.only("FORWARD", "OUTPUT", "POSTROUTING")


EXTENSIONS: Final = (
    Extension(
        "match",
        "devgroup",
        0,
        BOTH,
        LAYOUT,
        (_option("src-group"), _option("dst-group")),
        summary="groups of the devices",
        accepts=_accepts,
        check=_check,
        show=_show,
    ),
)
