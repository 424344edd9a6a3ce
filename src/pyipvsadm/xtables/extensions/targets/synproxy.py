"""Answers new TCP connections in the stead of the server.

Struct: ``struct xt_synproxy_info``, linux/netfilter/xt_SYNPROXY.h. Syntax: iptables-extensions(8), "SYNPROXY".
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import U8, U16, U32, number
from pyipvsadm.xtables.layout import Layout, u8, u16
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout("struct xt_synproxy_info", u8("options"), u8("wscale"), u16("mss"))
_MSS, _WSCALE, _SACK_PERM, _TIMESTAMP, _ECN = 1, 2, 4, 8, 16  # XT_SYNPROXY_OPT_*


def _sized(bit: int, bits: int) -> Kind:
    """Return a number of 32 bits of which the struct keeps the lower ``bits``; reading it sets ``bit``."""
    whole = number(0, U32)

    def read(text: str, draft: Draft) -> tuple[int, int]:
        return draft.values["options"] | bit, whole.read(text, draft) & bits

    return Kind(read, lambda value, _: str(value[1]), whole.placeholder)


_OPTIONS: Final = (
    Option("sack-perm", to="options", bit=_SACK_PERM),
    Option("timestamp", to="options", bit=_TIMESTAMP),
    Option(
        "wscale",
        kind=_sized(_WSCALE, U8),
        to=("options", "wscale"),
        when=lambda values: bool(values["options"] & _WSCALE),
    ),
    Option("mss", kind=_sized(_MSS, U16), to=("options", "mss"), when=lambda values: bool(values["options"] & _MSS)),
    Option("ecn", to="options", bit=_ECN),
)


def _show(values: Values, view: View) -> str:
    # There is a space after the last one, too.
    options = [option.save(values, view) for option in _OPTIONS if option.is_set(values, LAYOUT.defaults)]
    return f" SYNPROXY{''.join(options).replace(' --', ' ')} "


EXTENSIONS: Final = (
    Extension(
        "target",
        "SYNPROXY",
        0,
        BOTH,
        LAYOUT,
        _OPTIONS,
        summary="answer new TCP connections",
        protocols=(6,),
        hooks=("INPUT", "FORWARD"),
        show=_show,
    ),
)
