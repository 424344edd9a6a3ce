"""Removes or sets the bits of explicit congestion notification.

Struct: ``struct ipt_ECN_info``, linux/netfilter_ipv4/ipt_ECN.h. Syntax: iptables-extensions(8), "ECN".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.kinds import number
from pyipvsadm.xtables.layout import Layout, u8
from pyipvsadm.xtables.options import IPV4, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, Place, View

_TCP: Final = 6  # IPPROTO_TCP
# ``proto`` is a union of bit fields: what the bits of TCP become.
LAYOUT: Final = Layout("struct ipt_ECN_info", u8("operation"), u8("ip_ect"), u8("proto"))
_SET_IP, _SET_ECE, _SET_CWR = 0x01, 0x10, 0x20  # IPT_ECN_OP_*
_REMOVE: Final = _SET_ECE | _SET_CWR
_ECE, _CWR = 1, 2


def _is_remove(values: Values) -> bool:
    return bool(values["operation"] == _REMOVE and not values["proto"] & (_ECE | _CWR))


def _tcp_bit(name: str, operation: int, bit: int) -> Option:
    """Return the option that makes a bit of the TCP header 0 or 1."""
    flag = number(0, 1)

    def read(text: str, draft: Draft) -> tuple[int, int]:
        other = draft.values["proto"] & ~bit
        return draft.values["operation"] | operation, other | (bit if flag.read(text, draft) else 0)

    return Option(
        name,
        kind=Kind(read, lambda pair, _: str(int(bool(pair[1] & bit))), "0|1"),
        to=("operation", "proto"),
        when=lambda values: bool(values["operation"] & operation) and not _is_remove(values),
    )


def _read_codepoint(text: str, draft: Draft) -> tuple[int, int]:
    return draft.values["operation"] | _SET_IP, number(0, 3).read(text, draft)


def _check(draft: Draft) -> None:
    if not draft.seen:
        raise UsageError("ECN: --ecn-tcp-remove, --ecn-tcp-ece, --ecn-tcp-cwr or --ecn-ip-ect must be specified")


def _show(values: Values, _: View) -> str:
    if _is_remove(values):
        return " ECN TCP remove"
    operation, proto = values["operation"], values["proto"]
    text = " ECN"
    if operation & _SET_ECE:
        text += f" ECE={proto & _ECE}"
    if operation & _SET_CWR:
        text += f" CWR={(proto & _CWR) >> 1}"
    return f"{text} ECT codepoint={values['ip_ect']}" if operation & _SET_IP else text


def _accepts(values: Values, place: Place) -> bool:
    return not values["operation"] & (_SET_ECE | _SET_CWR) or place.protocol == _TCP


EXTENSIONS: Final = (
    Extension(
        "target",
        "ECN",
        0,
        IPV4,
        LAYOUT,
        (
            # Forgets that --ecn-ip-ect was given before it, as the peer does.
            Option(
                "ecn-tcp-remove",
                to=("operation", "proto"),
                sets=(_REMOVE, 0),
                when=_is_remove,
                excludes=("ecn-tcp-ece", "ecn-tcp-cwr"),
            ),
            _tcp_bit("ecn-tcp-ece", _SET_ECE, _ECE),
            _tcp_bit("ecn-tcp-cwr", _SET_CWR, _CWR),
            Option(
                "ecn-ip-ect",
                kind=Kind(_read_codepoint, lambda pair, _: str(pair[1]), "0-3"),
                to=("operation", "ip_ect"),
                when=lambda values: bool(values["operation"] & _SET_IP),
            ),
        ),
        summary="remove or set ECN bits",
        tables=("mangle",),
        accepts=_accepts,
        check=_check,
        show=_show,
    ),
)
