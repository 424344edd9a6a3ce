"""Gives packets another source: addresses, ports.

Structs: ``struct nf_nat_ipv4_multi_range_compat`` for IPv4, ``struct nf_nat_range`` for IPv6, linux/netfilter/nf_nat.h.
Syntax: iptables-extensions(8), "SNAT".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.nat import (
    IPV4_MEMBERS,
    IPV4_RANGE,
    MEMBERS,
    PERSISTENTLY,
    RANDOM,
    RANDOM_FULLY,
    RANGE,
    show_flags,
    show_translation,
    translation,
)
from pyipvsadm.xtables.options import IPV4, IPV6, Extension, Option

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

    # A base for ports is read, sets its flag, and has no member to go to.
    place = Option("to-source", kind=translation(members, shifts=True), to=members, needed=True, when=lambda _: True)
    return Extension(
        "target",
        "SNAT",
        number,
        families,
        layout,
        (place, RANDOM, RANDOM_FULLY, PERSISTENTLY),
        summary="change the source",
        show=show,
    )


EXTENSIONS: Final = (
    _revision(0, IPV4, IPV4_RANGE, IPV4_MEMBERS),
    _revision(1, IPV6, RANGE, MEMBERS),
)
