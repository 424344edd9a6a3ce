"""The DCCP header: ports, packet types, an option.

Struct: ``struct xt_dccp_info``, linux/netfilter/xt_dccp.h. Syntax: iptables-extensions(8), "dccp".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.spans import (
    DEST_PORTS,
    SRC_PORTS,
    flag_given,
    flagged_ports,
    service_span,
    show_flagged_ports,
)
from pyipvsadm.xtables.kinds import U8, number
from pyipvsadm.xtables.layout import Layout, u8, u16
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout(
    "struct xt_dccp_info",
    u16.array("dpts", 2),
    u16.array("spts", 2),
    u16("flags"),
    u16("invflags"),
    u16("typemask"),
    u8("option"),
)
_TYPE, _OPTION = 4, 8  # XT_DCCP_*

_INVALID: Final = 0xFC00  # all types that RFC 4340 has no packet for
_TYPES: Final = {
    **{
        word: 1 << number
        for number, word in enumerate(
            ("REQUEST", "RESPONSE", "DATA", "ACK", "DATAACK", "CLOSEREQ", "CLOSE", "RESET", "SYNC", "SYNCACK")
        )
    },
    "INVALID": _INVALID,
}


def _read_types(text: str, draft: Draft) -> int:
    mask = 0
    for word in text.upper().split(","):
        if word and word not in _TYPES:
            raise draft.bad(text, f"{word!r} is none of {', '.join(_TYPES)}")
        mask |= _TYPES.get(word, 0)
    return mask


def _write_types(mask: int, _: View) -> str:
    return ",".join([word for word, bits in _TYPES.items() if mask & bits])


def _check(draft: Draft) -> None:
    flag_given(draft, {"sport": SRC_PORTS, "dport": DEST_PORTS, "dccp-types": _TYPE, "dccp-option": _OPTION})


def _show(values: Values, view: View) -> str:
    text = f" dccp{show_flagged_ports(values, view, 'dccp')}"
    flags, inverted, mask = values["flags"], values["invflags"], values["typemask"]
    if flags & _TYPE:
        numbers = ",".join([str(number) for number in range(16) if mask >> number & 1])
        text += f"{' !' if inverted & _TYPE else ''} {numbers if view.numeric else _write_types(mask, view)}"
    if flags & _OPTION and (values["option"] or inverted & _OPTION):
        text += f" option={'!' if inverted & _OPTION else ''}{values['option']}"
    return text


EXTENSIONS: Final = (
    Extension(
        "match",
        "dccp",
        0,
        BOTH,
        LAYOUT,
        (
            *flagged_ports(service_span),
            Option(
                "dccp-types",
                kind=Kind(_read_types, _write_types, "TYPE[,TYPE...]"),
                to="typemask",
                inverts=("invflags", _TYPE),
                when=lambda values: bool(values["flags"] & _TYPE),
            ),
            Option(
                "dccp-option",
                kind=number(1, U8),
                to="option",
                inverts=("invflags", _OPTION),
                when=lambda values: bool(values["flags"] & _OPTION),
            ),
        ),
        summary="ports, packet types and options of DCCP",
        protocols=(33,),
        check=_check,
        show=_show,
    ),
)
