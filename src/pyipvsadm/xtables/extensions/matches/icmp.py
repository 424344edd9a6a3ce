"""ICMP's type and code.

Struct: ``struct ipt_icmp``, linux/netfilter_ipv4/ip_tables.h. Syntax: iptables-extensions(8), "icmp". Numbers: RFC 792,
RFC 950, RFC 1256, RFC 1812.
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.icmptypes import EVERY_CODE, INV, icmp_type, layout, shower
from pyipvsadm.xtables.options import IPV4, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.extensions.icmptypes import Types

_ANY: Final = 0xFF
LAYOUT: Final = layout("struct ipt_icmp")

# A name that follows another one for the same thing is read, but not printed.
TYPES: Final[Types] = {
    "any": (_ANY, EVERY_CODE),
    "echo-reply": (0, EVERY_CODE),
    "pong": (0, EVERY_CODE),
    "destination-unreachable": (3, EVERY_CODE),
    "network-unreachable": (3, (0, 0)),
    "host-unreachable": (3, (1, 1)),
    "protocol-unreachable": (3, (2, 2)),
    "port-unreachable": (3, (3, 3)),
    "fragmentation-needed": (3, (4, 4)),
    "source-route-failed": (3, (5, 5)),
    "network-unknown": (3, (6, 6)),
    "host-unknown": (3, (7, 7)),
    "network-prohibited": (3, (9, 9)),
    "host-prohibited": (3, (10, 10)),
    "TOS-network-unreachable": (3, (11, 11)),
    "TOS-host-unreachable": (3, (12, 12)),
    "communication-prohibited": (3, (13, 13)),
    "host-precedence-violation": (3, (14, 14)),
    "precedence-cutoff": (3, (15, 15)),
    "source-quench": (4, EVERY_CODE),
    "redirect": (5, EVERY_CODE),
    "network-redirect": (5, (0, 0)),
    "host-redirect": (5, (1, 1)),
    "TOS-network-redirect": (5, (2, 2)),
    "TOS-host-redirect": (5, (3, 3)),
    "echo-request": (8, EVERY_CODE),
    "ping": (8, EVERY_CODE),
    "router-advertisement": (9, EVERY_CODE),
    "router-solicitation": (10, EVERY_CODE),
    "time-exceeded": (11, EVERY_CODE),
    "ttl-exceeded": (11, EVERY_CODE),
    "ttl-zero-during-transit": (11, (0, 0)),
    "ttl-zero-during-reassembly": (11, (1, 1)),
    "parameter-problem": (12, EVERY_CODE),
    "ip-header-bad": (12, (0, 0)),
    "required-option-missing": (12, (1, 1)),
    "timestamp-request": (13, EVERY_CODE),
    "timestamp-reply": (14, EVERY_CODE),
    "address-mask-request": (17, EVERY_CODE),
    "address-mask-reply": (18, EVERY_CODE),
}

EXTENSIONS: Final = (
    Extension(
        "match",
        "icmp",
        0,
        IPV4,
        LAYOUT,
        (
            Option(
                "icmp-type",
                kind=icmp_type(TYPES, _ANY),
                to=("type", "code"),
                inverts=("invflags", INV),
                needed=True,
                when=lambda _: True,
            ),
        ),
        summary="type and code of ICMP",
        protocols=(1,),
        show=shower("icmp", TYPES),
    ),
)
