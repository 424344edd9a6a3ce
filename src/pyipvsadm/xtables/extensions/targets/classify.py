"""Sets the class that traffic control puts a packet in.

Struct: ``struct xt_classify_target_info``, linux/netfilter/xt_CLASSIFY.h. Syntax: iptables-extensions(8), "CLASSIFY".
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import U64
from pyipvsadm.xtables.layout import Layout, u32
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout("struct xt_classify_target_info", u32("priority"))
_DIGITS: Final = "0123456789abcdefABCDEF"


def _scan(text: str) -> tuple[int, str] | None:
    """Read a number in base 16 as scanf(3) does, with white space and a sign before it; return it and what follows."""
    text = text.lstrip(" \t\n\v\f\r")
    negative = text[:1] == "-"
    text = text[1:] if text[:1] in ("-", "+") else text
    prefixed = text[:2] in ("0x", "0X")
    text = text[2:] if prefixed else text
    rest = text.lstrip(_DIGITS)
    digits = text[: len(text) - len(rest)]
    if not digits and not prefixed:
        return None
    value = int(digits or "0", 16)
    if value > U64:
        return U64, rest
    return -value if negative else value, rest


def _read(text: str, draft: Draft) -> int:
    major = _scan(text)
    minor = _scan(major[1][1:]) if major and major[1][:1] == ":" else None
    if major is None or minor is None:
        raise draft.bad(text, "not MAJOR:MINOR")
    # Only the lower 16 bits of each count, and what follows the minor number does not: so the peer reads it.
    return (major[0] & 0xFFFF) << 16 | minor[0] & 0xFFFF


def _show(values: Values, _: View) -> str:
    return f" CLASSIFY set {values['priority'] >> 16:x}:{values['priority'] & 0xFFFF:x}"


EXTENSIONS: Final = (
    Extension(
        "target",
        "CLASSIFY",
        0,
        BOTH,
        LAYOUT,
        (
            Option(
                "set-class",
                kind=Kind(_read, lambda value, _: f"{value >> 16:04x}:{value & 0xFFFF:04x}", "MAJOR:MINOR"),
                to="priority",
                needed=True,
                when=lambda _: True,
            ),
        ),
        summary="set the class of traffic control",
        hooks=("FORWARD", "OUTPUT", "POSTROUTING"),
        show=_show,
    ),
)
