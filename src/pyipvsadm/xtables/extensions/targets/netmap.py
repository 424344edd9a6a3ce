"""Gives packets an address of another network, the same host in it.

Structs: ``struct nf_nat_ipv4_multi_range_compat`` for IPv4, ``struct nf_nat_range`` for IPv6, linux/netfilter/nf_nat.h.
Syntax: iptables-extensions(8), "NETMAP".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.nat import IPV4_MEMBERS, IPV4_RANGE, MAP_IPS, MEMBERS, RANGE
from pyipvsadm.xtables.extensions.networks import ends, read_network, show_ends
from pyipvsadm.xtables.options import IPV4, IPV6, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from pyipvsadm.xtables.layout import Layout, Values
    from pyipvsadm.xtables.options import Draft, Family, View


def _read(word: str, draft: Draft) -> tuple[int, bytes, bytes]:
    packed, length = read_network(word, draft)
    return (MAP_IPS, *ends(packed, length))


def _write(value: tuple[int, bytes, bytes], _: View) -> str:
    return show_ends(value[1], value[2])


_NETWORK: Final = Kind(_read, _write, "NETWORK[/MASK]")


def _of(families: Iterable[Family], layout: Layout, members: tuple[str, ...]) -> Extension:
    def show(values: Values, _: View) -> str:
        return f" to:{show_ends(values[members[1]], values[members[2]])}"

    return Extension(
        "target",
        "NETMAP",
        0,
        families,
        layout,
        (Option("to", kind=_NETWORK, to=members, needed=True, when=lambda _: True),),
        summary="change the network part of an address",
        tables=("nat",),
        show=show,
    )


EXTENSIONS: Final = (_of(IPV4, IPV4_RANGE, IPV4_MEMBERS[:3]), _of(IPV6, RANGE, MEMBERS[:3]))
