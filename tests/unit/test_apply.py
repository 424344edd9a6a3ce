"""What is wanted of a live state, and what takes a change back, whatever others have done by then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyipvsadm import apply, diff, iptables, ipvs
from pyipvsadm.iptables import ChainState, Counters, Rule, Ruleset, TableState, Target
from pyipvsadm.snapshot import Snapshot, dumped, take
from support.changes import sequences
from support.rulesets import rulesets

if TYPE_CHECKING:
    from collections.abc import Sequence

WEB = "-A -t 192.0.2.1:80 -s rr"
ONE = "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1"
TWO = "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1"
MARK = "-A -f 7 -s wlc"


def snapshot(*lines: str) -> Snapshot:
    with ipvs.sandbox() as table:
        table.apply(*ipvs.parse(lines))
        return take(table)


def after(changes: Sequence[ipvs.Change]) -> Snapshot:
    with ipvs.sandbox() as table:
        try:
            table.apply(*changes, rollback=False)
        except ipvs.Refused:
            pass
        return take(table)


def lines(changes: Sequence[ipvs.Change]) -> list[str]:
    return [ipvs.command_line(change) for change in changes]


def configured(state: Snapshot) -> dict[ipvs.VirtualService, set[ipvs.RealServer]]:
    return {service.config: {server.config for server in service.servers} for service in state.services}


def test_what_is_not_named_is_removed_or_left() -> None:
    now = snapshot(WEB, ONE, TWO, MARK, "--start-daemon master --mcast-interface lo")
    wanted = dumped(ipvs.parse([WEB, ONE.replace("-w 1", "-w 9")]))
    edit = "-e -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 9"
    assert lines(apply.service_changes(now, wanted)) == [edit, "-d -t 192.0.2.1:80 -r 10.0.0.2:80", "-D -f 7"]
    assert lines(apply.service_changes(now, wanted, prune=False)) == [edit]


def test_timeouts_and_daemons_where_they_are_named() -> None:
    now = snapshot("--start-daemon master --mcast-interface lo")
    assert apply.service_changes(now, dumped([])) == []
    wanted = dumped(ipvs.parse(["--set 0 60 300", "--start-daemon backup --mcast-interface lo"]))
    assert wanted.timeouts == ipvs.Timeouts(0, 60, 300)
    texts = [line.partition(" --mcast")[0] for line in lines(apply.service_changes(now, wanted))]
    assert texts == ["--stop-daemon master --syncid 0", "--set 0 60 0", "--start-daemon backup"]
    texts = [line.partition(" --mcast")[0] for line in lines(apply.service_changes(now, wanted, prune=False))]
    assert texts == ["--set 0 60 0", "--start-daemon backup"]


@given(sequences, sequences)
def test_changes_lead_there(one: list[ipvs.Change], two: list[ipvs.Change]) -> None:
    wanted = after(two)
    with ipvs.sandbox() as table:
        try:
            table.apply(*one, rollback=False)
        except ipvs.Refused:
            pass
        table.apply(*apply.service_changes(take(table), wanted))
        now = take(table)
        assert diff.services(now.services, wanted.services) == []
        assert (now.timeouts, {*(now.daemons or ())}) == (wanted.timeouts, {*(wanted.daemons or ())})
        assert apply.service_changes(now, wanted) == []


@given(sequences, sequences, sequences)
def test_a_change_of_services_is_taken_back(
    one: list[ipvs.Change], two: list[ipvs.Change], three: list[ipvs.Change]
) -> None:
    before, ours, now = after(one), after(two), after([*two, *three])
    assert configured(apply.services_before(before, ours, ours)) == configured(before)
    back = configured(apply.services_before(before, ours, now))
    had, made, live = ({state.config.key: state.config for state in each.services} for each in (before, ours, now))
    for key in {**had, **made, **live}:
        expected = live.get(key) if had.get(key) == made.get(key) else had.get(key)
        assert next((config for config in back if config.key == key), None) == expected


def test_servers_of_others_stay() -> None:
    before, ours = snapshot(WEB, ONE), snapshot(WEB, TWO)
    now = snapshot(WEB, TWO, TWO.replace(".2:", ".3:"))
    [servers] = configured(apply.services_before(before, ours, now)).values()
    assert {server.key.address for server in servers} == {"10.0.0.1", "10.0.0.3"}


# -- rules -------------------------------------------------------------------------------------------------------------

FOREIGN = iptables.Rule(target=Target("ACCEPT"), source="203.0.113.9/32")


def chain(text: str, name: str = "INPUT", policy: str | None = "ACCEPT") -> ChainState:
    return ChainState(name, policy, Counters(), tuple([Rule(target=Target(letter)) for letter in text]))


def table(*chains: ChainState) -> Ruleset:
    return Ruleset(4, (TableState("filter", chains),))


def text_of(state: Ruleset, name: str = "INPUT") -> str | None:
    [found] = state.tables
    for each in found.chains:
        if each.name == name:
            return "".join([rule.target.name for rule in each.rules if rule.target])
    return None


@pytest.mark.parametrize(
    ("before", "ours", "now", "expected"),
    [
        ("abc", "axc", "axc", "abc"),
        ("abc", "axc", "nanxncn", "nanbncn"),  # n: of others
        ("abc", "axc", "ac", "abc"),  # they have removed ours
        ("abc", "axc", "ax", "ab"),  # and one that both had
        ("abc", "bca", "bcan", "abcn"),
        ("abc", "abc", "nothing", "nothing"),
        ("ab", "x", "ab", "ab"),  # they have taken it back
        ("ab", "", "n", "abn"),
        ("", "x", "nx", "n"),
    ],
)
def test_a_change_of_a_chain_is_taken_back(before: str, ours: str, now: str, expected: str) -> None:
    assert text_of(apply.rules_before(table(chain(before)), table(chain(ours)), table(chain(now)))) == expected


def test_policies_are_taken_back() -> None:
    before, ours = table(chain("")), table(chain("", policy="DROP"))
    [filter_] = apply.rules_before(before, ours, ours).tables
    assert filter_.chains[0].policy == "ACCEPT"
    [filter_] = apply.rules_before(before, before, ours).tables
    assert filter_.chains[0].policy == "DROP"  # which others have set


@pytest.mark.parametrize(
    ("before", "ours", "now", "expected"),
    [
        (None, "x", "x", None),
        (None, "x", "xn", "n"),  # others use it
        ("x", None, None, "x"),
        ("x", None, "y", "xy"),
        ("x", "x", None, None),  # others have removed it
    ],
)
def test_chains_are_taken_back(before: str | None, ours: str | None, now: str | None, expected: str | None) -> None:
    states = [table(chain(""), *([] if text is None else [chain(text, "a", None)])) for text in (before, ours, now)]
    assert text_of(apply.rules_before(*states), "a") == expected


def test_chains_that_rules_jump_to_are_there() -> None:
    a = chain("x", "a", None)
    before, ours = table(chain("")), table(chain("a"), a)
    others = table(chain("a"), a, chain("a", "others", None))
    back = apply.rules_before(before, ours, others)
    assert (text_of(back), text_of(back, "a"), text_of(back, "others")) == ("", "", "a")
    back = apply.rules_before(table(chain("a"), a), table(chain(""), a), table(chain("")))
    assert (text_of(back), text_of(back, "a")) == ("a", "x")


def now_of(tables: list[TableState], name: str) -> tuple[ChainState, ...]:
    return next(state.chains for state in tables if state.name == name)


@given(rulesets, rulesets, st.data())
def test_rules_of_others_stay(before: Ruleset, ours: Ruleset, data: st.DataObject) -> None:
    now = []
    for state in ours.tables:
        chains = []
        for each in state.chains:
            place = data.draw(st.integers(0, len(each.rules)))
            chains.append(each.replace(rules=(*each.rules[:place], FOREIGN, *each.rules[place:])))
        now.append(state.replace(chains=tuple(chains)))
    back = apply.rules_before(before, ours, Ruleset(4, tuple(now)))
    for state in back.tables:
        old = before.table(state.name) or iptables.unused(state.name)
        had = {each.name: [iptables.same(rule) for rule in each.rules] for each in old.chains}
        for each in state.chains:
            rules = [iptables.same(rule) for rule in each.rules]
            [foreign] = [place for place, rule in enumerate(rules) if rule == iptables.same(FOREIGN)][:1] or [-1]
            if foreign >= 0:
                del rules[foreign]
            assert rules == had.get(each.name, [])
            assert (foreign >= 0) == any(each.name == one.name for one in now_of(now, state.name))


@given(rulesets, rulesets)
def test_a_change_of_tables_is_taken_back(before: Ruleset, named: Ruleset) -> None:
    ours = apply.wanted_rules(before, named)
    back = apply.rules_before(before, ours, ours)
    for state in back.tables:
        assert iptables.plan(before.table(state.name) or iptables.unused(state.name), state) == []


def test_tables_and_chains_that_are_not_named() -> None:
    now = iptables.parse(
        "*nat\n-A OUTPUT -j ACCEPT\nCOMMIT\n"
        "*filter\n:INPUT ACCEPT\n:FORWARD DROP\n:old -\n-A FORWARD -j old\n-A old -j DROP\nCOMMIT\n"
    )
    named = apply.without_policies(
        iptables.parse("*filter\n:INPUT DROP\n-A INPUT -j ACCEPT\nCOMMIT\n"), {("filter", "INPUT")}
    )

    def commands(*, prune: bool | None) -> list[str]:
        wanted = apply.wanted_rules(now, named, prune=prune)
        found = [iptables.plan(now.table(state.name) or iptables.unused(state.name), state) for state in wanted.tables]
        return [change.text for changes in found for change in changes]

    rules, policy = "-t filter -A INPUT -j ACCEPT", "-t filter -P INPUT DROP"
    others = [rules, "-t filter -D FORWARD 1", policy, "-t filter -F old", "-t filter -X old"]
    assert commands(prune=False) == [rules, policy]
    assert commands(prune=None) == others
    assert commands(prune=True) == [*others, "-t nat -D OUTPUT 1"]
