"""Gives packets another destination: addresses, ports.

Structs: ``struct nf_nat_range2``; in earlier revisions ``struct nf_nat_ipv4_multi_range_compat`` for IPv4 and
``struct nf_nat_range`` for IPv6; linux/netfilter/nf_nat.h. Syntax: iptables-extensions(8), "DNAT".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.nat import (
    IPV4_MEMBERS,
    IPV4_RANGE,
    MEMBERS,
    MEMBERS2,
    PERSISTENTLY,
    RANDOM,
    RANGE,
    RANGE2,
    show_flags,
    show_translation,
    translation,
)
from pyipvsadm.xtables.options import BOTH, IPV4, IPV6, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from pyipvsadm.xtables.layout import Layout, Values
    from pyipvsadm.xtables.options import Family, View


def _revision(number: int, families: Iterable[Family], layout: Layout, members: tuple[str, ...]) -> Extension:
    def show(values: Values, view: View) -> str:
        place = show_translation(tuple([values[member] for member in members]), view)
        return f" to:{place}{show_flags(values)}"

    kind = translation(members, shifts=number == 2)
    return Extension(
        "target",
        "DNAT",
        number,
        families,
        layout,
        (Option("to-destination", kind=kind, to=members, needed=True, when=lambda _: True), RANDOM, PERSISTENTLY),
        summary="change the destination",
        show=show,
    )


EXTENSIONS: Final = (
    _revision(2, BOTH, RANGE2, MEMBERS2),
    _revision(1, IPV6, RANGE, MEMBERS),
    _revision(0, IPV4, IPV4_RANGE, IPV4_MEMBERS),
)
