"""The Segment Routing header of IPv6.

Structs: ``struct ip6t_srh`` and, with segments, ``struct ip6t_srh1``, linux/netfilter_ipv6/ip6t_srh.h. Syntax:
``ip6tables -m srh -h``.
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.headers import flagged, has
from pyipvsadm.xtables.extensions.prefixes import EVERY_BIT, read_mask
from pyipvsadm.xtables.kinds import U8, U16, U32, number, read_address, show_address
from pyipvsadm.xtables.layout import Layout, align, raw, u8, u16
from pyipvsadm.xtables.options import IPV6, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_FIELDS: Final = (u8("next_hdr"), u8("hdr_len"), u8("segs_left"), u8("last_entry"), u16("tag"))
_FLAGS: Final = (u16("mt_flags"), u16("mt_invflags"))
_SEGMENTS: Final = ("psid", "nsid", "lsid")
LAYOUT_0: Final = Layout("struct ip6t_srh", *_FIELDS, *_FLAGS)
LAYOUT_1: Final = Layout(
    "struct ip6t_srh1",
    *_FIELDS,
    align(4),
    *[raw(f"{name}_addr", 16) for name in _SEGMENTS],
    *[raw(f"{name}_msk", 16) for name in _SEGMENTS],
    *_FLAGS,
)
_PSID: Final = 0x0800  # IP6T_SRH_PSID; those of the next segments are the next bits

# Options with a number: name, member, IP6T_SRH_* (which IP6T_SRH_INV_* equals). Those of one member share its number.
_NUMBERS: Final = (
    ("next-hdr", "next_hdr", 0x0001),
    ("hdr-len-eq", "hdr_len", 0x0002),
    ("hdr-len-gt", "hdr_len", 0x0004),
    ("hdr-len-lt", "hdr_len", 0x0008),
    ("segs-left-eq", "segs_left", 0x0010),
    ("segs-left-gt", "segs_left", 0x0020),
    ("segs-left-lt", "segs_left", 0x0040),
    ("last-entry-eq", "last_entry", 0x0080),
    ("last-entry-gt", "last_entry", 0x0100),
    ("last-entry-lt", "last_entry", 0x0200),
    ("tag", "tag", 0x0400),
)


def _option(name: str, kind: Kind, to: str | tuple[str, ...], bit: int) -> Option:
    return Option(
        f"srh-{name}",
        kind=flagged(kind, "mt_flags", bit),
        to=to,
        inverts=("mt_invflags", bit),
        when=has("mt_flags", bit),
    )


def _length_of(mask: bytes) -> int | None:
    """Return how many leading ones a mask has; None for one that has others too."""
    zeros = int.from_bytes(mask, "big") ^ ((1 << 128) - 1)
    return None if zeros & (zeros + 1) else 128 - zeros.bit_length()


def _read_segment(text: str, draft: Draft) -> tuple[bytes, bytes]:
    host, slash, word = text.partition("/")
    mask = read_mask(word, draft) if slash else EVERY_BIT
    return read_address(host, draft), mask


def _write_segment(value: tuple[bytes, bytes], _: View) -> str:
    address, mask = value
    length = _length_of(mask)
    return f"{show_address(address)}/{U32 if length is None else length}"  # -1 without a sign, to the C tool


def _show_numbers(values: Values, _: View) -> str:
    text = " srh"
    for name, member, bit in _NUMBERS:
        if values["mt_flags"] & bit:
            text += f" {name}:{'!' if values['mt_invflags'] & bit else ''}{values[member]}"
    return text


def _show(values: Values, view: View) -> str:
    text = _show_numbers(values, view)
    for place, name in enumerate(_SEGMENTS):
        bit = _PSID << place
        if values["mt_flags"] & bit:
            sign = "!" if values["mt_invflags"] & bit else ""
            text += f" {name} {sign} {_write_segment((values[f'{name}_addr'], values[f'{name}_msk']), view)}"
    return text


_numbers: Final = tuple(
    [_option(name, number(0, U16 if member == "tag" else U8), member, bit) for name, member, bit in _NUMBERS]
)
_segment: Final = Kind(_read_segment, _write_segment, "ADDRESS[/MASK]")
_segments: Final = tuple(
    [_option(name, _segment, (f"{name}_addr", f"{name}_msk"), _PSID << place) for place, name in enumerate(_SEGMENTS)]
)

_SUMMARY: Final = "the Segment Routing header"
EXTENSIONS: Final = (
    Extension("match", "srh", 1, IPV6, LAYOUT_1, (*_numbers, *_segments), summary=_SUMMARY, show=_show),
    Extension("match", "srh", 0, IPV6, LAYOUT_0, _numbers, summary=_SUMMARY, show=_show_numbers),
)
