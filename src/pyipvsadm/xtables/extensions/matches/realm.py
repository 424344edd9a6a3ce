"""Routing realms.

Struct: ``struct xt_realm_info``, linux/netfilter/xt_realm.h. Syntax: iptables-extensions(8), "realm".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.iproute2 import name_of, number_of
from pyipvsadm.xtables.kinds import U32, read_number, show_masked
from pyipvsadm.xtables.layout import Layout, u8, u32
from pyipvsadm.xtables.options import IPV4, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout("struct xt_realm_info", u32("id"), u32("mask", U32), u8("invert"))
_NAMES: Final = "/etc/iproute2/rt_realms"


def _read(text: str, draft: Draft) -> tuple[int, int]:
    first, slash, last = text.partition("/")
    value = read_number(first)
    mask = read_number(last) if slash else U32
    if value is None:
        value, mask = number_of(_NAMES, text), U32  # names have no mask, but may have a slash in them
    if value is None or mask is None:
        raise draft.bad(text, "not a realm")
    return value, mask


def _write(value: tuple[int, int], _: View) -> str:
    number, mask = value
    name = name_of(_NAMES, number) if mask == U32 else None
    return show_masked(number, mask) if name is None else name


def _show(values: Values, view: View) -> str:
    number, mask = values["id"], values["mask"]
    text = show_masked(number, mask) if view.numeric else _write((number, mask), view)
    return f"{' !' if values['invert'] else ''} realm {text}"


EXTENSIONS: Final = (
    Extension(
        "match",
        "realm",
        0,
        IPV4,
        LAYOUT,
        (
            Option(
                "realm",
                kind=Kind(_read, _write, "REALM[/MASK]"),
                to=("id", "mask"),
                inverts=("invert", 1),
                needed=True,
                when=lambda _: True,
            ),
        ),
        summary="the routing realm",
        hooks=("INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
        show=_show,
    ),
)
