"""Explicit congestion notification, in the IP header and in TCP's.

Struct: ``struct xt_ecn_info``, linux/netfilter/xt_ecn.h. Syntax: iptables-extensions(8), "ecn".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.extensions.headers import flagged, has
from pyipvsadm.xtables.kinds import number
from pyipvsadm.xtables.layout import Layout, u8
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, Place, View

_TCP: Final = 6  # IPPROTO_TCP
LAYOUT: Final = Layout("struct xt_ecn_info", u8("operation"), u8("invert"), u8("ip_ect"), u8("ect"))
_IP, _ECE, _CWR = 0x01, 0x10, 0x20  # XT_ECN_OP_MATCH_*


def _check(draft: Draft) -> None:
    if not draft.seen:
        raise UsageError("ecn: one of its options must be specified")


def _show(values: Values, _: View) -> str:
    text = " ECN match"
    for bit, word in ((_ECE, "ECE"), (_CWR, "CWR"), (_IP, f"ECT={values['ip_ect']}")):
        if values["operation"] & bit:
            text += f" {'!' if values['invert'] & bit else ''}{word}"
    return text


def _accepts(values: Values, place: Place) -> bool:
    return not values["operation"] & (_ECE | _CWR) or place.protocol == _TCP


EXTENSIONS: Final = (
    Extension(
        "match",
        "ecn",
        0,
        BOTH,
        LAYOUT,
        (
            Option("ecn-tcp-ece", to="operation", bit=_ECE, inverts=("invert", _ECE)),
            Option("ecn-tcp-cwr", to="operation", bit=_CWR, inverts=("invert", _CWR)),
            Option(
                "ecn-ip-ect",
                kind=flagged(number(0, 3), "operation", _IP),
                to="ip_ect",
                inverts=("invert", _IP),
                when=has("operation", _IP),
            ),
        ),
        summary="explicit congestion notification",
        accepts=_accepts,
        check=_check,
        show=_show,
    ),
)
