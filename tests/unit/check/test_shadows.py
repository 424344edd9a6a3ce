"""What is said never to match does not: random small tables, and every packet of a small world sent through them.

What a rule matches is said by the predicates of its conditions here, not by the code that is tested. All packets go at
once: a set of them is an integer with a bit for each, one such integer for each mark they may have.
"""

from __future__ import annotations

import itertools
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from pyipvsadm import check

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Marked = tuple[int, ...]  # a set of packets for each mark


class Packet(NamedTuple):
    """A packet of the world; ``late`` ones are second or later fragments, which have no ports."""

    src: str
    dst: str
    iniface: str
    proto: str
    late: bool
    sport: int
    dport: int
    flags: str
    state: str


MARKS = range(4)
WORLD = [
    Packet(*parts)
    for parts in itertools.product(
        ("10.0.0.1", "10.0.0.2", "10.1.0.1", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1"),
        ("eth0", "eth01", "lo"),
        ("tcp", "udp", "icmp"),
        (False, True),
        (1, 2),
        (1, 2, 3, 4),
        ("SYN", "SYN,ACK", "ACK"),
        ("INVALID", "NEW", "ESTABLISHED", "RELATED", "UNTRACKED"),
    )
]
EVERYBODY = (1 << len(WORLD)) - 1


class Condition(NamedTuple):
    """Something that a rule can ask for, and what it needs to ask for besides (a protocol)."""

    text: str
    true: Callable[[Packet], bool]
    mark: tuple[int, int, bool] | None = None  # value, mask, inverted
    doubtful: bool = False  # whether it may be false for the same packet another time


def _not(true: Callable[[Packet], bool], *, inverted: bool) -> Callable[[Packet], bool]:
    return lambda packet: true(packet) != inverted


def _both(text: str, true: Callable[[Packet], bool]) -> list[Condition]:
    """Return a condition and its inversion; "{}" is where the "!" goes."""
    return [Condition(text.format("! " * inverted), _not(true, inverted=inverted)) for inverted in (False, True)]


def _begins(end: str, begin: str) -> Callable[[Packet], bool]:
    return lambda packet: getattr(packet, end).startswith(begin)


def _is(member: str, values: set[Any]) -> Callable[[Packet], bool]:
    return lambda packet: getattr(packet, member) in values


def _any_is(members: Sequence[str], values: set[int]) -> Callable[[Packet], bool]:
    return lambda packet: any(getattr(packet, member) in values for member in members)


def _not_late(conditions: list[Condition]) -> list[Condition]:
    """Return conditions that are false for packets without a header of their protocol, inverted or not."""

    def checked(true: Callable[[Packet], bool]) -> Callable[[Packet], bool]:
        return lambda packet: not packet.late and true(packet)

    return [condition._replace(true=checked(condition.true)) for condition in conditions]


def _addresses(option: str, end: str) -> list[Condition]:
    networks = {
        "10.0.0.0/8": "10.", "10.0.0.0/16": "10.0.", "10.0.0.1/32": "10.0.0.1", "192.0.2.1": "192.0.2.1", "0/0": "",
    }  # fmt: skip
    return [each for text, begin in networks.items() for each in _both(f"{{}}{option} {text}", _begins(end, begin))]


def _interfaces() -> list[Condition]:
    found = []
    for text in ("eth0", "eth1", "eth+", "e+", "lo", "+", "eth0+"):
        true = _begins("iniface", text[:-1]) if text.endswith("+") else _is("iniface", {text})
        found += _both(f"{{}}-i {text}", true)
    return found


def _ports(protocol: str) -> list[Condition]:
    spans = {"1": {1}, "2": {2}, "2:3": {2, 3}, "1:3": {1, 2, 3}, "1:4": {1, 2, 3, 4}, ":2": {1, 2}, "9": {9}}
    found = [Condition(f"-m {protocol}", lambda _: True)]
    for (text, ports), option in itertools.product(spans.items(), ("sport", "dport")):
        found += _both(f"-m {protocol} {{}}--{option} {text}", _is(option, ports))
    for text, ports in {"1,3": {1, 3}, "2:3": {2, 3}, "1,2,3:4": {1, 2, 3, 4}, "4": {4}}.items():
        for option, ends in (("sports", ("sport",)), ("dports", ("dport",)), ("ports", ("sport", "dport"))):
            found += _both(f"-m multiport {{}}--{option} {text}", _any_is(ends, ports))
    return _not_late(found)


def _flags_are(mask: set[str], wanted: set[str]) -> Callable[[Packet], bool]:
    return lambda packet: {*packet.flags.split(",")} & mask == wanted


def _flags() -> list[Condition]:
    found = []
    some = ({"SYN"}, {"SYN", "ACK"}, {"ACK"})
    for mask, wanted in itertools.product(some, some):
        text = f"-m tcp {{}}--tcp-flags {','.join(sorted(mask))} {','.join(sorted(wanted))}"
        found += _both(text, _flags_are(mask, wanted))
    return _not_late(found)


def _states() -> list[Condition]:
    found = []
    for text in ("NEW", "ESTABLISHED", "RELATED,ESTABLISHED", "NEW,RELATED", "INVALID", "INVALID,NEW,UNTRACKED"):
        for option in ("-m conntrack {}--ctstate", "-m state {}--state"):
            found += _both(f"{option} {text}", _is("state", set(text.split(","))))
    return found


def _marks() -> list[Condition]:
    return [
        Condition(f"-m mark {'! ' * inverted}--mark {value}/{mask}", lambda _: True, (value, mask, inverted))
        for value, mask, inverted in itertools.product((0, 1, 3), (1, 3), (False, True))
    ]


ANYWHERE = [
    Condition("", lambda _: True),
    *[Condition("-f", lambda p: p.late), Condition("! -f", lambda p: not p.late)],
]
ADDRESSES = [Condition("", lambda _: True), *_addresses("-s", "src")]
DESTINATIONS = [Condition("", lambda _: True), Condition("", lambda _: True), *_addresses("-d", "dst")]
INTERFACES = [Condition("", lambda _: True), *_interfaces()]
OTHERS = [
    *_states(),
    *_marks(),
    Condition('-m comment --comment "a note"', lambda _: True),
    Condition("-m limit --limit 1/sec", lambda _: True, doubtful=True),
    Condition("-m statistic --mode nth --every 2 --packet 0", lambda _: True, doubtful=True),
]
OF_PROTOCOL = {"tcp": [*_ports("tcp"), *_flags()], "udp": _ports("udp"), "icmp": []}


@cache
def _set(text: str) -> int:
    """Return the packets for which a condition is true."""
    condition = BY_TEXT[text]
    return sum([1 << place for place, packet in enumerate(WORLD) if condition.true(packet)])


PROTOCOLS = [each for name in OF_PROTOCOL for each in _both(f"{{}}-p {name}", _is("proto", {name}))]
# The ports of tcp and udp are the same conditions but for the match's name.
BY_TEXT = {
    condition.text: condition
    for some in (ANYWHERE, ADDRESSES, DESTINATIONS, INTERFACES, OTHERS, PROTOCOLS, *OF_PROTOCOL.values())
    for condition in some
}


class Rule(NamedTuple):
    """A rule of a random table."""

    conditions: tuple[Condition, ...]
    action: str

    @property
    def text(self) -> str:
        return " ".join([condition.text for condition in self.conditions if condition.text] + [self.action]).strip()

    def matched(self, packets: Marked) -> Marked:
        """Return those of some packets that it may match."""
        common = EVERYBODY
        for condition in self.conditions:
            if condition.text and condition.mark is None:
                common &= _set(condition.text)
        return tuple(
            [
                some & common
                if all(
                    ((mark & condition.mark[1]) == condition.mark[0]) != condition.mark[2]
                    for condition in self.conditions
                    if condition.mark
                )
                else 0
                for mark, some in zip(MARKS, packets, strict=True)
            ]
        )

    @property
    def doubtful(self) -> bool:
        return any(condition.doubtful for condition in self.conditions)


NOBODY: Marked = (0,) * len(MARKS)


def _or(some: Marked, others: Marked) -> Marked:
    return tuple([one | other for one, other in zip(some, others, strict=True)])


class World:
    """Sends all packets through a table, and notes which come to which rule."""

    def __init__(self, chains: dict[str, list[Rule]]) -> None:
        self.chains = chains
        self.matched: dict[tuple[str, int], Marked] = {}
        self.accepted = NOBODY

    def run(self, chain: str, packets: Marked) -> Marked:
        """Send packets through a chain; return those that come back from it."""
        back = NOBODY
        for place, rule in enumerate(self.chains[chain]):
            found = rule.matched(packets)
            self.matched[chain, place] = _or(self.matched.get((chain, place), NOBODY), found)
            if not rule.doubtful:
                packets = tuple([one & ~other for one, other in zip(packets, found, strict=True)])
            letter, _, target = rule.action.partition(" ")
            if target == "ACCEPT":
                self.accepted = _or(self.accepted, found)
            elif target == "RETURN":
                back = _or(back, found)
            elif target.startswith("MARK"):
                value, mask = [int(number) for number in target.split()[-1].split("/")]
                after = [0] * len(MARKS)
                for mark in MARKS:
                    after[(mark & ~mask & 3) ^ value] |= found[mark]
                packets = _or(packets, tuple(after))
            elif letter == "-g":
                back = _or(back, self.run(target, found))
            elif target in self.chains:
                packets = _or(packets, self.run(target, found))
            elif target not in ("DROP", "REJECT"):  # it goes on
                packets = _or(packets, found)
        return _or(back, packets)


CHAINS = ("INPUT", "one", "two")


@st.composite
def rules(draw: st.DrawFn, chain: str) -> Rule:
    """Draw a rule of a chain, which jumps to later chains alone."""
    conditions = [
        draw(st.sampled_from(some))
        for some in (ADDRESSES, DESTINATIONS, INTERFACES, ANYWHERE)
        if draw(st.integers(0, 3)) == 0
    ]
    if draw(st.booleans()):
        protocol = draw(st.sampled_from(PROTOCOLS))
        conditions.append(protocol)
        own = [] if protocol.text.startswith("!") else OF_PROTOCOL[protocol.text[3:]]
        if own:
            conditions += draw(st.lists(st.sampled_from(own), max_size=2))
    conditions += draw(st.lists(st.sampled_from(OTHERS), max_size=1))
    later = CHAINS[CHAINS.index(chain) + 1 :]
    actions = ["-j ACCEPT", "-j DROP", "-j ACCEPT", "-j DROP", "-j RETURN", "-j LOG", "", "-j MARK --set-xmark 1/3",
               "-j MARK --set-xmark 2/2", "-j REJECT"]  # fmt: skip
    actions += [f"-{letter} {to}" for to in later for letter in "jg"]
    return Rule(tuple(conditions), draw(st.sampled_from(actions)))


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Rule]]:
    """Draw the chains of a table."""
    return {chain: draw(st.lists(rules(chain), max_size=7 if chain == "INPUT" else 4)) for chain in CHAINS}


def _dump(chains: dict[str, list[Rule]], policy: str = "ACCEPT") -> tuple[str, dict[int, tuple[str, int]]]:
    """Return a table of the kernel's that takes all these targets, and which rule each line is."""
    lines = ["*filter", f":INPUT {policy} [0:0]", ":one - [0:0]", ":two - [0:0]"]
    places = {}
    for chain, some in chains.items():
        for place, rule in enumerate(some):
            lines.append(f"-A {chain} {rule.text}".rstrip())
            places[len(lines)] = chain, place
    return "\n".join([*lines, "COMMIT", ""]), places


NEVER = ("T202", "T203", "T204")


@settings(max_examples=400)
@given(tables(), st.sampled_from(("ACCEPT", "DROP")))
def test_what_never_matches_does_not(chains: dict[str, list[Rule]], policy: str) -> None:
    text, places = _dump(chains, policy)
    # Anything may have marked them before, and MARK belongs in another table: what is about that is no concern here.
    found = check.run(text, kind="iptables", ignore=["T108"])
    assert not [finding for finding in found if finding.code.startswith("S")], text
    world = World(chains)
    world.run("INPUT", (EVERYBODY,) * len(MARKS))
    for finding in found:
        event(finding.code)
        if finding.code in NEVER:
            chain, place = places[finding.line]
            behind = range(place, len(chains[chain])) if finding.code == "T203" else (place,)
            for number in behind:
                assert not any(world.matched.get((chain, number), NOBODY)), f"{finding}\n{text}"
        if finding.code == "T201":
            name = text.splitlines()[finding.line - 1][1:4]
            assert not any(any(some) for (chain, _), some in world.matched.items() if chain == name), text
        if finding.code == "T206":
            established = sum([1 << i for i, p in enumerate(WORLD) if p.state == "ESTABLISHED" and p.proto == "tcp"])
            assert not any(some & established for some in world.accepted), text


@settings(max_examples=300)
@given(rules("two"), rules("two"))
def test_two_rules(first: Rule, second: Rule) -> None:
    """Pairs are found more often than in larger tables."""
    chains = {"INPUT": [first._replace(action="-j ACCEPT"), second._replace(action="-j DROP")]}
    text, _ = _dump({**chains, "one": [], "two": []})
    found = check.run(text, kind="iptables", select=NEVER)
    world = World(chains)
    world.run("INPUT", (EVERYBODY,) * len(MARKS))
    for finding in found:
        event(finding.code)
        assert not any(world.matched["INPUT", finding.line - 5]), f"{finding}\n{text}"


GROUPS = {
    "sources": ("", ADDRESSES[1:]),
    "interfaces": ("", INTERFACES[1:]),
    "protocols": ("", PROTOCOLS),
    "fragments": ("", ANYWHERE[1:]),
    "tcp": ("-p tcp", OF_PROTOCOL["tcp"]),
    "udp": ("-p udp", OF_PROTOCOL["udp"]),
    "states": ("", _states()),
    "marks": ("", _marks()),
}


@pytest.mark.parametrize("group", GROUPS)
def test_every_pair_of_conditions(group: str) -> None:
    """Each pair of conditions of one sort, in a chain of its own; each at least takes all that it takes itself."""
    proto, conditions = GROUPS[group]
    pairs = list(itertools.product(conditions, conditions))
    lines = ["*filter", *[f":c{number} - [0:0]" for number in range(len(pairs))]]
    places = {}
    for number, (one, other) in enumerate(pairs):
        lines += [f"-A c{number} {proto} {one.text} -j ACCEPT", f"-A c{number} {proto} {other.text} -j DROP"]
        places[len(lines)] = number
    text = "\n".join([*lines, "COMMIT"])
    found = {finding.line: finding.code for finding in check.run(text, kind="iptables", select=[*NEVER, "T205"])}
    everybody = (EVERYBODY,) * len(MARKS)
    first = [Condition(proto, _is("proto", {proto[3:]}))] if proto else []
    for line, number in places.items():
        taken, asked = [Rule((*first, condition), "").matched(everybody) for condition in pairs[number]]
        if line in found:
            left = any(some & ~others for some, others in zip(asked, taken, strict=True))
            assert not left or found[line] == "T203", f"{pairs[number]} {found[line]}"
        else:
            assert pairs[number][0] is not pairs[number][1]


# Rules that must be found, with the line of the cause, and some that must not.
SHADOWED = [
    ("-p tcp -j ACCEPT", "-p tcp -m tcp --dport 22 -j DROP"),
    ("-s 10.0.0.0/8 -j DROP", "-s 10.1.2.3 -d 192.0.2.1 -j ACCEPT"),
    ("! -s 10.0.0.0/8 -j DROP", "-s 192.0.2.1 -j ACCEPT"),
    ("! -s 10.1.0.0/16 -j DROP", "! -s 10.0.0.0/8 -j ACCEPT"),
    ("-i eth+ -j DROP", "-i eth0 -j ACCEPT"),
    ("! -i lo -j DROP", "-i eth+ -j ACCEPT"),
    ("! -p tcp -j DROP", "-p udp -j ACCEPT"),
    ("-p tcp -m tcp --dport 20:30 -j DROP", "-p tcp -m multiport --dports 21,22:24 -j ACCEPT"),
    ("-p tcp -m multiport --dports 22,80:90 -j DROP", "-p tcp -m tcp --dport 81:85 -j ACCEPT"),
    ("-p tcp -m tcp -j DROP", "-p tcp -m tcp --syn -j ACCEPT"),
    ("-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-p udp -m state --state ESTABLISHED -j DROP"),
    ("-m conntrack ! --ctstate NEW -j ACCEPT", "-m conntrack --ctstate ESTABLISHED -j DROP"),
    ("-m addrtype --dst-type LOCAL -j ACCEPT", "-p tcp -m addrtype --dst-type LOCAL -j DROP"),
    ("-m set --match-set foo src -j ACCEPT", "-p tcp -m set --match-set foo src -j DROP"),
    ("-p udp -g two", "-p udp -m udp --dport 53 -j ACCEPT"),
    ("-p udp -j ends", "-p udp -m udp --dport 53 -j ACCEPT"),
    ("-p tcp -j REJECT --reject-with tcp-reset", "-p tcp -m tcp --dport 80 -j ACCEPT"),
]
NOT_SHADOWED = [
    ("-p tcp -m tcp -j ACCEPT", "-p tcp -j DROP"),  # later fragments
    ("-p tcp -j LOG", "-p tcp -m tcp --dport 22 -j DROP"),
    ("-m limit --limit 1/s -j ACCEPT", "-m limit --limit 1/s -p tcp -j DROP"),
    (
        "-m statistic --mode random --probability 0.5 -j ACCEPT",
        "-p tcp -m statistic --mode random --probability 0.5 -j DROP",
    ),
    ("-m set --match-set foo src -j ACCEPT", "-p tcp -m set --match-set bar src -j DROP"),
    ("-m set --match-set foo src --packets-gt 5 -j ACCEPT", "-p tcp -m set --match-set foo src --packets-gt 5 -j DROP"),
    ("-s one.example -j ACCEPT", "-s 10.0.0.1 -j DROP"),
    ("! -s one.example -j ACCEPT", "-s two.example -j DROP"),
    ("-i eth0 -j DROP", "-i eth+ -j ACCEPT"),
    ("-s 10.1.0.0/16 -j DROP", "-s 10.0.0.0/8 -j ACCEPT"),
    ("-p udp -j two", "-p udp -m udp --dport 53 -j ACCEPT"),
]


def _pair(first: str, second: str) -> list[str]:
    chains = ":INPUT ACCEPT [0:0]\n:two - [0:0]\n:ends - [0:0]"
    rules = "-A two -p tcp -j DROP\n-A ends -p tcp -j DROP\n-A ends -j ACCEPT"
    text = f"*filter\n{chains}\n{rules}\n-A INPUT {first}\n-A INPUT {second}\nCOMMIT\n"
    found = check.run(text, kind="iptables", ignore=["T201", "S007"])
    assert [finding.line for finding in found] in ([], [9])
    return [finding.code for finding in found]


@pytest.mark.parametrize(("first", "second"), SHADOWED)
def test_is_shadowed(first: str, second: str) -> None:
    assert _pair(first, second) == ["T202"]


@pytest.mark.parametrize(("first", "second"), NOT_SHADOWED)
def test_is_not_shadowed(first: str, second: str) -> None:
    assert _pair(first, second) == []


def _between(*lines: str, table: str = "mangle") -> list[tuple[str, int]]:
    text = "\n".join([f"*{table}", ":PREROUTING ACCEPT [0:0]", *[f"-A PREROUTING {line}" for line in lines], "COMMIT"])
    return [(finding.code, finding.line) for finding in check.run(text, kind="iptables")]


def test_what_changes_packets_makes_old_rules_worthless() -> None:
    marked = "-m mark --mark 1 -j ACCEPT"
    assert _between(marked, "-p tcp -m mark --mark 1 -j DROP") == [("T202", 4)]
    assert _between(marked, "-j MARK --set-xmark 1/1", "-p tcp -m mark --mark 1 -j DROP") == []
    # What does not look at the mark is still good.
    assert _between("-p tcp -j ACCEPT", "-j MARK --set-xmark 1/1", "-p tcp -m mark --mark 1 -j DROP") == [("T202", 5)]
    # Nor is the same rule twice the same after it.
    assert _between(marked, "-j MARK --set-xmark 1/1", marked) == []
    assert _between("-j MARK --set-xmark 1/1", "-j MARK --set-xmark 1/1") == []
    assert _between("-j TTL --ttl-dec 1", "-j TTL --ttl-dec 1") == []


def test_ipv6_protocol_all_leaves_out_what_has_no_header() -> None:
    def found(first: str, second: str) -> Sequence[Any]:
        text = f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT {first} -j ACCEPT\n-A INPUT {second} -j DROP\nCOMMIT\n"
        return [finding.code for finding in check.run(text, kind="ip6tables")]

    assert found("-p all", "-s 2001:db8::1") == []
    assert found("-p all", "-p tcp -s 2001:db8::1") == ["T202"]
    assert found("-s 2001:db8::/32", "-p tcp -s 2001:db8::1") == ["T202"]
