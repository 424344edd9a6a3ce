"""Which packets a rule asks for, as far as that is understood: sets that can be compared.

What a rule asks for is the kernel's: ip_packet_match in net/ipv4/netfilter/ip_tables.c and its likes, as its headers
and manual pages tell it and tests/unit/check/test_shadows.py tries it out. A claim is only made of what is certain:

- ``contains(a, b)``: every packet that b matches is one that a matches, if nothing changed it in between.
- ``never``: no packet at all matches.
"""

from __future__ import annotations

from pyipvsadm.errors import WireError
from pyipvsadm.xtables import entry
from pyipvsadm.xtables.model import (
    F_PROTO,
    INV_DSTIP,
    INV_PROTO,
    INV_SRCIP,
    INV_VIA_IN,
    INV_VIA_OUT,
)
from pyipvsadm.xtables.render import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from pyipvsadm.xtables.model import Header, Rule
    from pyipvsadm.xtables.options import Family

    Intervals = tuple[tuple[int, int], ...]
    Network = tuple[int, int, bool]  # address, mask, whether all others are meant
    Interface = tuple[str, bool, bool]  # name or its beginning, whether it is the whole name, whether others are meant
    State = tuple[int, bool]  # mask, whether all others are meant

_ALL_PORTS: Final[Intervals] = ((0, 0xFFFF),)
_SRCPT, _DSTPT, _FLAGS, _OPTION = 1, 2, 4, 8  # XT_TCP_INV_*, XT_UDP_INV_*
_STATE, _STATE_ALIAS = 1 << 0, 1 << 13  # XT_CONNTRACK_STATE, XT_CONNTRACK_STATE_ALIAS

# States of which a packet's connection has one: INVALID, ESTABLISHED, RELATED, NEW, UNTRACKED; SNAT and DNAT may come
# to it.
ESTABLISHED: Final = 1 << 1
NEW: Final = 1 << 3
_ONE_OF: Final = 1 << 0 | ESTABLISHED | 1 << 2 | NEW | 1 << 8

# Matches that give the same answer for the same packet: whatever targets do to it, or if they do not change it.
_FIXED: Final = frozenset(
    ("ah", "addrtype", "devgroup", "dccp", "dst", "esp", "eui64", "frag", "hbh", "icmp", "icmp6", "ipcomp", "iprange",
     "ipv6header", "mac", "mh", "physdev", "pkttype", "policy", "rpfilter", "rt", "sctp", "srh")
)  # fmt: skip
_CHANGEABLE: Final = frozenset(
    ("bpf", "cgroup", "connbytes", "connmark", "conntrack", "dscp", "ecn", "helper", "hl", "ipvs", "length", "mark",
     "owner", "realm", "set", "string", "tcpmss", "tos", "ttl", "u32")
)  # fmt: skip


class _Part:
    """What a match asks for."""

    __slots__ = ("alters", "changeable", "dports", "known", "needs_ports", "never", "opaque", "sports", "state")

    def __init__(self) -> None:
        self.known = True  # whether all it asks for is in here
        self.changeable = False  # whether targets can change the answer
        self.alters = False  # whether it changes the packet itself
        self.needs_ports = False  # not a later fragment: there is a header of the protocol
        self.sports = _ALL_PORTS
        self.dports = _ALL_PORTS
        self.state: State | None = None
        self.opaque: bytes | None = None  # what the answer depends on, where it is not understood
        self.never = ""


_NOTHING: Final = _Part()


class Matched:
    """The packets that a rule matches.

    ``known`` is whether all that it asks for is understood, or gives the same answer when it is asked again;
    ``changeable`` whether that holds only as long as no target changes the packet. ``anything`` is whether it matches
    every packet, ``never`` why it matches none ("" where it may); ``alters`` whether a match changes it.
    """

    __slots__ = (
        "alters", "anything", "changeable", "dports", "dst", "fragment", "iniface", "known", "needs_ports", "never",
        "opaque", "outiface", "proto", "proto_flag", "proto_inverted", "sports", "src", "states",
    )  # fmt: skip

    def __init__(self, header: Header, parts: list[_Part], family: Family) -> None:
        inverted = header.invflags
        self.src: Network | None = _network(header.src, header.smsk, bool(inverted & INV_SRCIP))
        self.dst: Network | None = _network(header.dst, header.dmsk, bool(inverted & INV_DSTIP))
        self.iniface = _interface(header.iniface, bool(inverted & INV_VIA_IN))
        self.outiface = _interface(header.outiface, bool(inverted & INV_VIA_OUT))
        self.proto = header.proto
        self.proto_inverted = bool(inverted & INV_PROTO)
        # For IPv6 any -p asks that a header can be found, also that of all protocols.
        self.proto_flag = family == 6 and bool(header.flags & F_PROTO)
        self.fragment = entry.fragment(header, family)
        self.needs_ports = any(part.needs_ports for part in parts)
        self.sports = self.dports = _ALL_PORTS
        for part in parts:
            self.sports = _intersection(self.sports, part.sports)
            self.dports = _intersection(self.dports, part.dports)
        self.states = [part.state for part in parts if part.state is not None]
        self.opaque = frozenset([part.opaque for part in parts if part.opaque is not None])
        self.known = all(part.known for part in parts)
        self.alters = any(part.alters for part in parts)
        self.changeable = any(part.changeable for part in parts)
        self.never = next((part.never for part in parts if part.never), "") or self._contradiction()
        self.anything = (
            self.known
            and not parts_ask(parts)
            and (self.src, self.dst, self.iniface, self.outiface, self.fragment) == (None,) * 5
            and not (self.proto or self.proto_flag)
        )

    def _contradiction(self) -> str:
        for network, option in ((self.src, "-s"), (self.dst, "-d")):
            if network and network[2] and not network[1]:
                return f"! {option} excludes every address"
        for interface, option in ((self.iniface, "-i"), (self.outiface, "-o")):
            if interface and interface[2] and not interface[0] and not interface[1]:
                return f"! {option} excludes every interface"
        if not self.sports:
            return "no source port is in all of its lists"
        if not self.dports:
            return "no destination port is in all of its lists"
        if self.fragment and self.needs_ports:
            return "later fragments (-f) have no header of their protocol, so no ports"
        if len(self.states) > 1:
            common = _ONE_OF
            for mask, inverted in self.states:
                if not mask & ~_ONE_OF:
                    common &= ~mask if inverted else mask
            if not common:
                return "no connection is in all of its states at once"
        return ""


def parts_ask(parts: list[_Part]) -> bool:
    """Whether matches ask for anything."""
    return any(part.needs_ports or part.state or part.opaque or not part.known for part in parts)


class Reader:
    """Tells what rules of a family ask for."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._parts: dict[bytes, _Part] = {}
        self._matched: dict[tuple[bytes, ...], Matched] = {}  # by headers and matches that ask for something

    def matched(self, rule: Rule, *, named: bool = False) -> Matched:
        """Return the packets of a rule; one that is ``named`` has names of hosts in it, and is not understood."""
        blocks, parts = [rule.header], []
        for block in rule.matches:
            part = self._parts.get(block)
            if part is None:
                part = self._parts[block] = _read(block, self._family)
            if part is not _NOTHING:
                blocks.append(block)
                parts.append(part)
        key = tuple(blocks)
        found = None if named else self._matched.get(key)
        if found is None:
            found = Matched(entry.unpack_header(rule.header, self._family), parts, self._family)
            if named:
                found.known = found.anything = False
                found.src = found.dst = None
            else:
                self._matched[key] = found
        return found


# -- matches -----------------------------------------------------------------------------------------------------------


def _read(block: bytes, family: Family) -> _Part:
    name, revision, payload = entry.unpack_extension(block)
    if name == "comment":
        return _NOTHING
    part = _Part()
    extension = find("match", name, revision, family)
    try:
        values = extension.layout.unpack(payload) if extension else {}
    except WireError:
        values = {}
    if name in ("tcp", "udp") and values:
        _read_ports(part, name, values)
    elif name == "multiport" and values:
        _read_multiport(part, values, payload)
    elif name == "conntrack" and values:
        _read_conntrack(part, values, payload)
    elif name in ("mark", "connmark") and values:
        part.opaque, part.changeable = name.encode() + payload, True
        if values["mark"] & ~values["mask"] and not values["invert"]:
            part.never = f"the {name} has bits outside of its mask"
    elif name in _FIXED or (name in _CHANGEABLE and not values.get("packets_op") and not values.get("bytes_op")):
        part.opaque = bytes((revision,)) + name.encode() + b"\0" + payload
        part.changeable = name in _CHANGEABLE
    else:
        part.known = False
        part.alters = name == "socket"  # --restore-skmark
    return part


def _read_ports(part: _Part, name: str, values: dict[str, Any]) -> None:
    inverted = values["invflags"]
    part.needs_ports = True
    part.sports = _range(values["spts"], bool(inverted & _SRCPT))
    part.dports = _range(values["dpts"], bool(inverted & _DSTPT))
    if name == "tcp":
        mask, compared, option = values["flg_mask"], values["flg_cmp"], values["option"]
        if mask or compared or option or inverted & (_FLAGS | _OPTION):
            part.opaque = b"tcp" + bytes((mask, compared, option, inverted & (_FLAGS | _OPTION)))
            if compared & ~mask and not inverted & _FLAGS:
                part.never = "the TCP flags that are to be set are not all among those that are looked at"


def _read_multiport(part: _Part, values: dict[str, Any], payload: bytes) -> None:
    part.needs_ports = True
    count = min(values["count"], len(values["ports"]))
    spans = []
    place = 0
    while place < count:
        first = last = values["ports"][place]
        if values["pflags"][place] and place + 1 < count:
            place += 1
            last = values["ports"][place]
        spans.append((first, last))
        place += 1
    ports = _union(spans)
    if values["invert"]:
        ports = _complement(ports)
    if values["flags"] == 0:
        part.sports = ports
    elif values["flags"] == 1:
        part.dports = ports
    else:
        part.opaque = b"ports" + payload


def _read_conntrack(part: _Part, values: dict[str, Any], payload: bytes) -> None:
    part.changeable = True
    if values["match_flags"] & ~_STATE_ALIAS == _STATE:
        part.state = values["state_mask"], bool(values["invert_flags"] & _STATE)
    else:
        part.opaque = b"conntrack" + payload


# -- sets of values ----------------------------------------------------------------------------------------------------


def _network(address: bytes, mask: bytes, inverted: bool) -> Network | None:
    bits = int.from_bytes(mask, "big")
    return (int.from_bytes(address, "big"), bits, inverted) if bits or inverted else None


def _interface(name: str, inverted: bool) -> Interface | None:
    whole = not name.endswith("+")
    if name in ("", "+"):
        return ("", False, True) if inverted and name else None
    return name if whole else name[:-1], whole, inverted


def _range(ends: tuple[int, int], inverted: bool) -> Intervals:
    ports: Intervals = (ends,) if ends[0] <= ends[1] else ()
    return _complement(ports) if inverted else ports


def _union(spans: list[tuple[int, int]]) -> Intervals:
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if first > last:
            continue
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return tuple(found)


def _complement(ports: Intervals) -> Intervals:
    found = []
    begin = 0
    for first, last in ports:
        if begin < first:
            found.append((begin, first - 1))
        begin = last + 1
    if begin <= 0xFFFF:
        found.append((begin, 0xFFFF))
    return tuple(found)


def _intersection(some: Intervals, others: Intervals) -> Intervals:
    if some == _ALL_PORTS:
        return others
    if others == _ALL_PORTS:
        return some
    pairs = [(max(one[0], other[0]), min(one[1], other[1])) for one in some for other in others]
    return _union(pairs)


# -- whether one rule's packets are another's --------------------------------------------------------------------------


def contains(a: Matched, b: Matched) -> bool:
    """Whether a certainly matches every packet that b matches; only for an ``a`` that is known."""
    return (
        (a.dports == _ALL_PORTS or _ports_contain(a.dports, b.dports))
        and (a.sports == _ALL_PORTS or _ports_contain(a.sports, b.sports))
        and _protocol_contains(a, b)
        and (not a.needs_ports or b.needs_ports)
        and a.opaque <= b.opaque
        and (a.fragment is None or a.fragment == b.fragment)
        and _network_contains(a.src, b.src)
        and _network_contains(a.dst, b.dst)
        and _interface_contains(a.iniface, b.iniface)
        and _interface_contains(a.outiface, b.outiface)
        and all(any(_state_contains(state, other) for other in b.states) for state in a.states)
    )


def _protocol_contains(a: Matched, b: Matched) -> bool:
    if a.proto_flag and not b.proto_flag:
        return False
    if not a.proto:
        return True
    if a.proto_inverted:
        if b.proto_inverted:
            return a.proto == b.proto
        return b.proto not in (0, a.proto)
    return a.proto == b.proto and not b.proto_inverted


def _network_contains(a: Network | None, b: Network | None) -> bool:
    if a is None:
        return True
    if b is None:
        return False
    if not a[2]:
        return not b[2] and a[1] & b[1] == a[1] and b[0] & a[1] == a[0]
    if not b[2]:  # they have nothing in common
        return bool((a[0] ^ b[0]) & a[1] & b[1])
    return a[1] & b[1] == b[1] and a[0] & b[1] == b[0]  # what a leaves out, b leaves out too


def _interface_contains(a: Interface | None, b: Interface | None) -> bool:
    if a is None:
        return True
    if b is None:
        return False
    if not a[2]:
        return not b[2] and _name_contains(a, b)
    if b[2]:
        return _name_contains(b, a)
    return not (_name_contains(a, b) or _name_contains(b, a))


def _name_contains(a: Interface, b: Interface) -> bool:
    """Whether every name that b stands for is one that a stands for."""
    if a[1]:
        return b[1] and a[0] == b[0]
    return b[0].startswith(a[0])


def _ports_contain(a: Intervals, b: Intervals) -> bool:
    if len(a) == len(b) == 1:
        return a[0][0] <= b[0][0] and b[0][1] <= a[0][1]
    return all(any(first <= one and other <= last for first, last in a) for one, other in b)


def _state_contains(a: State, b: State) -> bool:
    if a[1] == b[1]:
        smaller, larger = (a, b) if a[1] else (b, a)
        return not smaller[0] & ~larger[0]
    if b[1]:  # what is none of b's is one of the others, which a has
        return not _ONE_OF & ~b[0] & ~a[0]
    return not a[0] & b[0] and not (a[0] | b[0]) & ~_ONE_OF
