"""Sends packets to the machine itself.

Structs: ``struct nf_nat_ipv4_multi_range_compat`` for IPv4, ``struct nf_nat_range`` for IPv6, linux/netfilter/nf_nat.h.
Syntax: iptables-extensions(8), "REDIRECT".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.nat import (
    IPV4_PORTS,
    IPV4_RANGE,
    PORTS,
    RANDOM,
    RANGE,
    show_flags,
    show_ports,
    to_ports,
)
from pyipvsadm.xtables.options import IPV4, IPV6, Extension

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from pyipvsadm.xtables.layout import Layout, Values
    from pyipvsadm.xtables.options import Family, View


def _of(families: Iterable[Family], layout: Layout, members: tuple[str, str, str]) -> Extension:
    def show(values: Values, _: View) -> str:
        return show_ports(values, members, "redir ports") + show_flags(values)

    return Extension(
        "target",
        "REDIRECT",
        0,
        families,
        layout,
        (to_ports(members, shifts=False), RANDOM),
        summary="change the destination to our own address",
        show=show,
    )


EXTENSIONS: Final = (_of(IPV4, IPV4_RANGE, IPV4_PORTS), _of(IPV6, RANGE, PORTS))
