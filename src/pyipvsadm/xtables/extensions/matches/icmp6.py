"""ICMPv6's type and code.

Struct: ``struct ip6t_icmp``, linux/netfilter_ipv6/ip6_tables.h. Syntax: iptables-extensions(8), "icmp6". Numbers:
RFC 4443, RFC 4861.
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.icmptypes import EVERY_CODE, INV, icmp_type, layout, shower
from pyipvsadm.xtables.options import IPV6, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.extensions.icmptypes import Types

LAYOUT: Final = layout("struct ip6t_icmp")

# A name that follows another one for the same thing is read, but not printed.
TYPES: Final[Types] = {
    "destination-unreachable": (1, EVERY_CODE),
    "no-route": (1, (0, 0)),
    "communication-prohibited": (1, (1, 1)),
    "beyond-scope": (1, (2, 2)),
    "address-unreachable": (1, (3, 3)),
    "port-unreachable": (1, (4, 4)),
    "failed-policy": (1, (5, 5)),
    "reject-route": (1, (6, 6)),
    "packet-too-big": (2, EVERY_CODE),
    "time-exceeded": (3, EVERY_CODE),
    "ttl-exceeded": (3, EVERY_CODE),
    "ttl-zero-during-transit": (3, (0, 0)),
    "ttl-zero-during-reassembly": (3, (1, 1)),
    "parameter-problem": (4, EVERY_CODE),
    "bad-header": (4, (0, 0)),
    "unknown-header-type": (4, (1, 1)),
    "unknown-option": (4, (2, 2)),
    "echo-request": (128, EVERY_CODE),
    "ping": (128, EVERY_CODE),
    "echo-reply": (129, EVERY_CODE),
    "pong": (129, EVERY_CODE),
    "router-solicitation": (133, EVERY_CODE),
    "router-advertisement": (134, EVERY_CODE),
    "neighbour-solicitation": (135, EVERY_CODE),
    "neighbor-solicitation": (135, EVERY_CODE),
    "neighbour-advertisement": (136, EVERY_CODE),
    "neighbor-advertisement": (136, EVERY_CODE),
    "redirect": (137, EVERY_CODE),
}

EXTENSIONS: Final = (
    Extension(
        "match",
        "icmp6",
        0,
        IPV6,
        LAYOUT,
        (
            Option(
                "icmpv6-type",
                kind=icmp_type(TYPES),
                to=("type", "code"),
                inverts=("invflags", INV),
                needed=True,
                when=lambda _: True,
            ),
        ),
        summary="type and code of ICMPv6",
        protocols=(58,),
        show=shower("ipv6-icmp", TYPES),
    ),
)
