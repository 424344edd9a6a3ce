"""How many connections a host or network has.

Struct: ``struct xt_connlimit_info``, linux/netfilter/xt_connlimit.h. Syntax: iptables-extensions(8), "connlimit".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.extensions.prefixes import EVERY_BIT, bits, read_mask
from pyipvsadm.xtables.kinds import number
from pyipvsadm.xtables.layout import Layout, private, raw, u32
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout(
    "struct xt_connlimit_info", raw("mask", 16, EVERY_BIT), u32("limit"), u32("flags"), private("data")
)
_INVERT, _DADDR = 1, 2  # XT_CONNLIMIT_*


def _mask_length(mask: bytes, view: View) -> int:
    """Return how many bits are set at the beginning of each four bytes, which is the prefix's length in a good mask."""
    length = 0
    for at in range(0, bits(view.family) // 8, 4):
        holes = ~int.from_bytes(mask[at : at + 4], "big") & 0xFFFFFFFF
        length += 32 - holes.bit_length()
    return length


class _Limit(Option):
    """The kernel knows "above" and its opposite, "upto": either is printed without a "!"."""

    __slots__ = ()

    def read(self, text: str | None, draft: Draft) -> None:
        super().read(text, draft)
        if self.name == "connlimit-upto":
            draft.values["flags"] ^= _INVERT

    def inverted(self, values: Values) -> bool:  # noqa: ARG002
        return False


_limit: Final = number()

_OPTIONS: Final = (
    _Limit(
        "connlimit-upto",
        kind=_limit,
        to="limit",
        inverts=("flags", _INVERT),
        excludes=("connlimit-above",),
        when=lambda values: bool(values["flags"] & _INVERT),
    ),
    _Limit(
        "connlimit-above",
        kind=_limit,
        to="limit",
        inverts=("flags", _INVERT),
        when=lambda values: not values["flags"] & _INVERT,
    ),
    Option(
        "connlimit-mask",
        kind=Kind(read_mask, lambda mask, view: str(_mask_length(mask, view)), "PREFIX"),
        to="mask",
        when=lambda _: True,
    ),
    Option(
        "connlimit-saddr",
        to="flags",
        excludes=("connlimit-daddr",),
        when=lambda values: not values["flags"] & _DADDR,
    ),
    Option("connlimit-daddr", to="flags", bit=_DADDR),
)


def _check(draft: Draft) -> None:
    if not draft.seen & {"connlimit-above", "connlimit-upto"}:
        raise UsageError('connlimit: "--connlimit-above" or "--connlimit-upto" must be specified')


def _show(values: Values, view: View) -> str:
    side = "dst" if values["flags"] & _DADDR else "src"
    sign = "<=" if values["flags"] & _INVERT else ">"
    return f" #conn {side}/{_mask_length(values['mask'], view)} {sign} {values['limit']}"


EXTENSIONS: Final = (
    Extension(
        "match",
        "connlimit",
        1,
        BOTH,
        LAYOUT,
        _OPTIONS,
        summary="connections of a host or network",
        check=_check,
        show=_show,
    ),
)
