"""Tables of rules as values. A rule is kept as the kernel has it: its parts are the bytes of C structs.

Text is made of these bytes, and they of text, by ``entry``, ``syntax`` and ``render``; what the bytes of matches and
targets mean is in ``extensions``. Rules that came from the kernel are so never changed by being read.
"""

from __future__ import annotations

from pyipvsadm.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal

    from pyipvsadm.xtables.options import Family

    Kind = Literal["match", "target"]

# The tables there can be, and the hooks at which each has a chain (linux/netfilter_ipv4.h).
TABLES: Final = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "raw": ("PREROUTING", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}
HOOKS: Final = TABLES["mangle"]  # by their numbers, NF_INET_*
HOOK_CHAINS: Final = frozenset(HOOKS)
VERDICTS: Final = ("ACCEPT", "DROP", "QUEUE", "RETURN")
POLICIES: Final = ("ACCEPT", "DROP")
NO_EXTENSION: Final = "standard"  # what iptables calls a target that is none: it takes the name, no kernel does

# struct ipt_ip and struct ip6t_ip6: members ``flags`` and ``invflags``.
F_FRAG: Final = 0x01  # IPT_F_FRAG
F_PROTO: Final = 0x01  # IP6T_F_PROTO
F_TOS: Final = 0x02  # IP6T_F_TOS
INV_VIA_IN: Final = 0x01
INV_VIA_OUT: Final = 0x02
INV_TOS: Final = 0x04
INV_SRCIP: Final = 0x08
INV_DSTIP: Final = 0x10
INV_FRAG: Final = 0x20
INV_PROTO: Final = 0x40


def goto_flag(family: Family) -> int:
    """Return the flag of a jump that does not come back: IPT_F_GOTO, IP6T_F_GOTO."""
    return 0x02 if family == 4 else 0x04


class Header(Record):
    """What a rule asks of every packet (struct ipt_ip, struct ip6t_ip6).

    Addresses and masks are 4 or 16 bytes in network order; an interface that ends in "+" stands for all that begin so.
    """

    src: bytes
    dst: bytes
    smsk: bytes
    dmsk: bytes
    iniface: str = ""
    outiface: str = ""
    proto: int = 0
    flags: int = 0
    invflags: int = 0


class Rule(Record):
    """A rule: ``header`` is a packed struct ipt_ip or ip6t_ip6, ``matches`` and ``target`` packed struct xt_entry_*.

    ``jump`` names a verdict or a chain; it is "" where ``target`` is an extension, or where the rule only counts, and
    then ``target`` is b"". ``counters`` are packets and bytes.
    """

    header: bytes
    matches: tuple[bytes, ...] = ()
    target: bytes = b""
    jump: str = ""
    counters: tuple[int, int] = (0, 0)


class Chain(Record):
    """A chain: ``policy`` and ``counters`` are a built-in one's, ``references`` how many rules jump to it."""

    name: str
    policy: str | None = None
    counters: tuple[int, int] = (0, 0)
    references: int = 0
