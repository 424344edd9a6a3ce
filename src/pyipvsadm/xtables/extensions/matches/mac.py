"""The Ethernet address that a packet comes from.

Struct: ``struct xt_mac_info``, linux/netfilter/xt_mac.h. Syntax: iptables-extensions(8), "mac".
"""

from __future__ import annotations

from pyipvsadm.xtables.layout import Layout, i32, raw
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout("struct xt_mac_info", raw("srcaddr", 6), i32("invert"))
_HEXADECIMAL: Final = frozenset("0123456789abcdefABCDEF")
_BEFORE: Final = frozenset("+- \t\n\v\f\r")


def _read_byte(text: str) -> int | None:
    """Return a byte of at most two characters as strtoul(3) reads them: signs and spaces too, and nothing."""
    digits = text[1:] if text and text[0] in _BEFORE else text
    if len(text) > 2 or (text and not digits) or not _HEXADECIMAL.issuperset(digits):
        return None
    value = int(digits or "0", 16)
    return -value & 0xFF if text.startswith("-") else value


def _read(text: str, draft: Draft) -> bytes:
    found = [_read_byte(part) for part in text.split(":")]
    parts = [part for part in found if part is not None]
    if len(found) != 6 or len(parts) != 6:
        raise draft.bad(text, "not XX:XX:XX:XX:XX:XX")
    return bytes(parts)


def _write(value: bytes, _: View) -> str:
    return value.hex(":")


def _show(values: Values, view: View) -> str:
    return f" MAC{' !' if values['invert'] else ''} {_write(values['srcaddr'], view)}"


EXTENSIONS: Final = (
    Extension(
        "match",
        "mac",
        0,
        BOTH,
        LAYOUT,
        (
            Option(
                "mac-source",
                kind=Kind(_read, _write, "XX:XX:XX:XX:XX:XX"),
                to="srcaddr",
                inverts=("invert", 1),
                needed=True,
                when=lambda _: True,
            ),
        ),
        summary="the Ethernet address a packet comes from",
        hooks=("PREROUTING", "INPUT", "FORWARD"),
        show=_show,
    ),
)
