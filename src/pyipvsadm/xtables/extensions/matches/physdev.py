"""The ports of a bridge that a packet comes by and goes by.

Struct: ``struct xt_physdev_info``, linux/netfilter/xt_physdev.h. Syntax: iptables-extensions(8), "physdev".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.kinds import odd_interface
from pyipvsadm.xtables.layout import Layout, chars, raw, u8
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, Place, View

LAYOUT: Final = Layout(
    "struct xt_physdev_info",
    chars("physindev", 16),
    raw("in_mask", 16),
    chars("physoutdev", 16),
    raw("out_mask", 16),
    u8("invert"),
    u8("bitmask"),
)
_IN, _OUT, _BRIDGED, _IS_IN, _IS_OUT = 0x01, 0x02, 0x04, 0x08, 0x10  # XT_PHYSDEV_OP_*
_LONGEST: Final = 15  # IFNAMSIZ without its NUL


def _port(bit: int) -> Kind:
    """Return the kind of a device's name, or what it begins with before a "+", and the mask of what is compared."""

    def read(text: str, draft: Draft) -> tuple[str, bytes]:
        name = text.encode("utf-8", "surrogateescape")
        if len(name) > _LONGEST:
            raise draft.bad(text, f"longer than {_LONGEST} bytes")
        warning = odd_interface(text)
        if warning:
            draft.warnings.append(warning)
        draft.values["bitmask"] |= bit
        compared = 0 if not name else len(name) - 1 if name.endswith(b"+") else len(name) + 1
        return text, (b"\xff" * compared).ljust(16, b"\0")

    return Kind(read, lambda value, _: str(value[0]), "NAME[+]")


def _check(draft: Draft) -> None:
    if not draft.values["bitmask"]:
        raise UsageError("PHYSDEV: no physdev option specified")


def _show(values: Values, view: View) -> str:
    return f" PHYSDEV match{_MATCH.save_options(values, view)}"


def _accepts(values: Values, place: Place) -> bool:
    # What leaves has no port of a bridge yet, unless it is bridged.
    leaves = values["bitmask"] & (_OUT | _IS_OUT)
    bridged = values["bitmask"] & _BRIDGED and not values["invert"] & _BRIDGED
    return not leaves or bool(bridged) or "OUTPUT" not in place.hooks


_MATCH: Final = Extension(
    "match",
    "physdev",
    0,
    BOTH,
    LAYOUT,
    (
        Option("physdev-is-in", to="bitmask", bit=_IS_IN, inverts=("invert", _IS_IN)),
        Option(
            "physdev-in",
            kind=_port(_IN),
            to=("physindev", "in_mask"),
            inverts=("invert", _IN),
            when=lambda values: bool(values["bitmask"] & _IN),
        ),
        Option("physdev-is-out", to="bitmask", bit=_IS_OUT, inverts=("invert", _IS_OUT)),
        Option(
            "physdev-out",
            kind=_port(_OUT),
            to=("physoutdev", "out_mask"),
            inverts=("invert", _OUT),
            when=lambda values: bool(values["bitmask"] & _OUT),
        ),
        Option("physdev-is-bridged", to="bitmask", bit=_BRIDGED, inverts=("invert", _BRIDGED)),
    ),
    summary="the ports of a bridge",
    accepts=_accepts,
    check=_check,
    show=_show,
)

EXTENSIONS: Final = (_MATCH,)
