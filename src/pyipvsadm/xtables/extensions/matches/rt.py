"""The Routing header of IPv6.

Struct: ``struct ip6t_rt``, linux/netfilter_ipv6/ip6t_rt.h. Syntax: iptables-extensions(8), "rt".
"""

from __future__ import annotations

from _socket import AF_INET6, inet_pton

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.extensions.headers import WHOLE, flagged, has, number32, range32, show_flagged_range
from pyipvsadm.xtables.kinds import number, show_address
from pyipvsadm.xtables.layout import Layout, align, raw, u8, u32
from pyipvsadm.xtables.options import IPV6, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_MOST: Final = 16  # IP6T_RT_HOPS
LAYOUT: Final = Layout(
    "struct ip6t_rt",
    u32("rt_type"),
    u32.array("segsleft", 2, WHOLE),
    u32("hdrlen"),
    u8("flags"),
    u8("invflags"),
    align(4),
    raw("addrs", 16 * _MOST),
    u8("addrnr"),
)
_TYP, _SGS, _LEN, _RES, _FST, _FST_NSTRICT = 1, 2, 4, 8, 16, 32  # IP6T_RT_*
_INV_TYP, _INV_SGS, _INV_LEN = 1, 2, 4  # IP6T_RT_INV_*


def _before(kind: Kind, *others: str) -> Kind:
    """Return the kind of an option that has to stand before some others."""

    def read(text: str, draft: Draft) -> Any:
        for other in others:
            if other in draft.seen:
                raise UsageError(f'rt: "--{draft.option}" must stand before "--{other}"')
        return kind.read(text, draft)

    return Kind(read, kind.write, kind.placeholder)


def _read_addresses(text: str, draft: Draft) -> tuple[bytes, int]:
    words = text.split(",")
    if len(words) > _MOST:
        raise draft.bad(text, f"more than {_MOST} addresses")
    packed = b""
    for word in words:
        try:
            packed += inet_pton(AF_INET6, word)
        except (OSError, ValueError):
            raise draft.bad(word, "not an address of IPv6") from None
    return packed.ljust(16 * _MOST, b"\0"), len(words)


def _write_addresses(value: tuple[bytes, int], _: View) -> str:
    packed, count = value
    return ",".join([show_address(packed[at : at + 16]) for at in range(0, 16 * count, 16)])


def _check(draft: Draft) -> None:
    values = draft.values
    if values["flags"] & (_RES | _FST) and (values["rt_type"] or values["invflags"] & _INV_TYP):
        raise UsageError('rt: "--rt-0-res", "--rt-0-addrs" and "--rt-0-not-strict" need "--rt-type 0"')


def _show(values: Values, view: View) -> str:
    flags, inverted = values["flags"], values["invflags"]
    text = " rt"
    if flags & _TYP:
        # -L takes the type for a signed number, -S does not.
        type_ = values["rt_type"] - (values["rt_type"] >> 31 << 32)
        text += f" type:{'!' if inverted & _INV_TYP else ''}{type_}"
    segments = show_flagged_range("segsleft", values["segsleft"], inverted=bool(inverted & _INV_SGS))
    text += f" {segments}" if segments else ""
    if flags & _LEN:
        text += f" length:{'!' if inverted & _INV_LEN else ''}{values['hdrlen']}"
    if flags & _RES:
        text += " reserved"
    if flags & _FST:
        text += f" 0-addrs {_write_addresses((values['addrs'], values['addrnr']), view)}"
    if flags & _FST_NSTRICT:
        text += " 0-not-strict"
    return text


EXTENSIONS: Final = (
    Extension(
        "match",
        "rt",
        0,
        IPV6,
        LAYOUT,
        (
            Option(
                "rt-type",
                kind=_before(flagged(number(), "flags", _TYP), "rt-0-res", "rt-0-addrs"),
                to="rt_type",
                inverts=("invflags", _INV_TYP),
                when=has("flags", _TYP),
            ),
            range32("rt-segsleft", "segsleft", _SGS, _INV_SGS),
            number32("rt-len", "hdrlen", _LEN, _INV_LEN),
            Option("rt-0-res", to="flags", bit=_RES, needs=("rt-type",)),
            Option(
                "rt-0-addrs",
                kind=_before(
                    flagged(Kind(_read_addresses, _write_addresses, "ADDRESS[,...]"), "flags", _FST),
                    "rt-0-not-strict",
                ),
                to=("addrs", "addrnr"),
                when=has("flags", _FST),
                needs=("rt-type",),
            ),
            Option("rt-0-not-strict", to="flags", bit=_FST_NSTRICT, needs=("rt-0-addrs",)),
        ),
        summary="the Routing header",
        check=_check,
        show=_show,
    ),
)
