"""Ranges of addresses.

Struct: ``struct xt_iprange_mtinfo``, linux/netfilter/xt_iprange.h. Syntax: iptables-extensions(8), "iprange".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.extensions.hostmasks import read_numeric
from pyipvsadm.xtables.kinds import from_inet, show_address
from pyipvsadm.xtables.layout import Layout, raw, u8
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout(
    "struct xt_iprange_mtinfo",
    raw("src_min", 16),
    raw("src_max", 16),
    raw("dst_min", 16),
    raw("dst_max", 16),
    u8("flags"),
)
_SRC, _DST, _SRC_INV, _DST_INV = 0x01, 0x02, 0x10, 0x20  # IPRANGE_*


def _read(text: str, draft: Draft) -> tuple[bytes, bytes]:
    first, dash, last = text.partition("-")
    low = read_numeric(first, draft)
    high = read_numeric(last, draft) if dash else low
    if high < low:
        draft.warnings.append(f"xt_iprange: range {text} is reversed and will never match")
    return low.ljust(16, b"\0"), high.ljust(16, b"\0")


def _write(value: tuple[bytes, bytes], view: View) -> str:
    return "-".join([show_address(from_inet(address, view)) for address in value])


_range: Final = Kind(_read, _write, "ADDRESS[-ADDRESS]")


def _check(draft: Draft) -> None:
    given = [bit for name, bit in (("src-range", _SRC), ("dst-range", _DST)) if name in draft.seen]
    if not given:
        raise UsageError("iprange match: You must specify `--src-range' or `--dst-range'")
    draft.values["flags"] |= sum(given)


def _show(values: Values, view: View) -> str:
    text = ""
    for word, side, bit, inverted in (("source", "src", _SRC, _SRC_INV), ("destination", "dst", _DST, _DST_INV)):
        if values["flags"] & bit:
            sign = " !" if values["flags"] & inverted else ""
            text += f" {word} IP range{sign} {_write((values[f'{side}_min'], values[f'{side}_max']), view)}"
    return text


EXTENSIONS: Final = (
    Extension(
        "match",
        "iprange",
        1,
        BOTH,
        LAYOUT,
        (
            Option(
                "src-range",
                kind=_range,
                to=("src_min", "src_max"),
                inverts=("flags", _SRC_INV),
                when=lambda values: bool(values["flags"] & _SRC),
            ),
            Option(
                "dst-range",
                kind=_range,
                to=("dst_min", "dst_max"),
                inverts=("flags", _DST_INV),
                when=lambda values: bool(values["flags"] & _DST),
            ),
        ),
        summary="ranges of addresses",
        check=_check,
        show=_show,
    ),
)
