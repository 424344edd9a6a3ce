"""Sets the TOS byte of IPv4, or the traffic class of IPv6.

Struct: ``struct xt_tos_target_info``, linux/netfilter/xt_DSCP.h. Syntax: iptables-extensions(8), "TOS".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.kinds import U8, masked, number
from pyipvsadm.xtables.layout import Layout, u8
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout("struct xt_tos_target_info", u8("tos_value"), u8("tos_mask"))

# Names of RFC 1349 for what is in the bits of _NAMED, which leave the precedence as it is.
_NAMES: Final = {
    "Minimize-Delay": 0x10,
    "Maximize-Throughput": 0x08,
    "Maximize-Reliability": 0x04,
    "Minimize-Cost": 0x02,
    "Normal-Service": 0x00,
}
_NAMED: Final = 0x3F
_BY_LOWER: Final = {name.lower(): value for name, value in _NAMES.items()}
_BY_VALUE: Final = {value: name for name, value in _NAMES.items()}
_NUMBERS: Final = masked(U8)


def _read(text: str, draft: Draft) -> tuple[int, int]:
    value = _BY_LOWER.get(text.lower())
    if value is not None:
        return value, _NAMED
    pair: tuple[int, int] = _NUMBERS.read(text, draft)
    return pair


def _write(pair: tuple[int, int], _: View) -> str:
    return f"0x{pair[0]:02x}/0x{pair[1]:02x}"


def _check(draft: Draft) -> None:
    if not draft.seen:
        raise UsageError("TOS: --set-tos, --and-tos, --or-tos or --xor-tos must be specified")


def _show(values: Values, view: View) -> str:
    value, mask = values["tos_value"], values["tos_mask"]
    if view.numeric:
        return f" TOS set {_write((value, mask), view)}"
    if mask == _NAMED and value in _BY_VALUE:
        return f"  TOS set{_BY_VALUE[value]}"  # the spaces are where the peer has them
    if value == 0:
        return f" TOS and 0x{~mask & U8:02x}"
    if value == mask:
        return f" TOS or 0x{value:02x}"
    return f" TOS xor 0x{value:02x}" if mask == 0 else f" TOS set {_write((value, mask), view)}"


# The bits of ``tos_mask`` are cleared, and then those of ``tos_value`` flipped.
_PAIR: Final = ("tos_value", "tos_mask")


def _operation(name: str, pair: Callable[[int], tuple[int, int]]) -> Option:
    """Return an option that is another way to say a value and a mask."""
    byte = number(0, U8)
    return Option(
        name, kind=Kind(lambda text, draft: pair(byte.read(text, draft)), _write, "BITS"), to=_PAIR, same_as="set-tos"
    )


EXTENSIONS: Final = (
    Extension(
        "target",
        "TOS",
        1,
        BOTH,
        LAYOUT,
        (
            Option("set-tos", kind=Kind(_read, _write, "VALUE[/MASK]|NAME"), to=_PAIR, when=lambda _: True),
            _operation("and-tos", lambda bits: (0, ~bits & U8)),
            _operation("or-tos", lambda bits: (bits, bits)),
            _operation("xor-tos", lambda bits: (bits, 0)),
        ),
        summary="set the TOS byte or the traffic class",
        tables=("mangle",),
        check=_check,
        show=_show,
    ),
)
