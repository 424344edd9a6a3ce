"""Plans lead from any tables to any others, and touch no more rules than has to be."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyipvsadm import iptables
from pyipvsadm.errors import SandboxFileError
from pyipvsadm.iptables import ChainState, Change, ChangeRefused, Counters, Rule, Ruleset, TableState, Target
from support.rulesets import rulesets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILTER = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"


def chain(*rules: str, name: str = "one", policy: str | None = None) -> ChainState:
    """Return a chain; rules are names of what they jump to, the first has counted 1, the next 2."""
    return ChainState(
        name,
        policy,
        Counters(),
        tuple([Rule(target=Target(rule), counters=Counters(place, 0)) for place, rule in enumerate(rules, 1)]),
    )


def planned(before: Sequence[str], after: Sequence[str], *, counters: bool = False) -> list[Change]:
    return iptables.plan(TableState("raw", (chain(*before),)), TableState("raw", (chain(*after),)), counters=counters)


def texts(changes: Sequence[Change]) -> list[str]:
    return [change.text.removeprefix("-t raw ") for change in changes]


@pytest.mark.parametrize(
    ("before", "after", "commands"),
    [
        ("", "", []),
        ("abc", "abc", []),
        ("", "ab", ["-A one -j a", "-A one -j b"]),
        ("abc", "", ["-F one"]),
        ("a", "", ["-D one 1"]),
        ("abc", "ac", ["-D one 2"]),
        ("ac", "abc", ["-I one 2 -j b"]),
        ("abc", "axc", ["-R one 2 -j x"]),
        ("abc", "abcde", ["-A one -j d", "-A one -j e"]),
        ("abcd", "x", ["-F one", "-A one -j x"]),
        ("ab", "xy", ["-R one 1 -j x", "-R one 2 -j y"]),
        ("abcdef", "xbdefy", ["-R one 1 -j x", "-D one 3", "-A one -j y"]),
        ("abcd", "bcda", ["-D one 1", "-A one -j a"]),
    ],
)
def test_commands(before: str, after: str, commands: list[str]) -> None:
    assert texts(planned(before, after)) == commands


def test_a_rule_that_moves_keeps_what_it_has_counted() -> None:
    [_, moved] = planned("abcd", "bcda")
    assert moved.rule is not None
    assert moved.rule.counters == Counters(1, 0)
    [new] = planned("ab", "abx")
    assert new.rule is not None
    assert new.rule.counters == Counters()
    [new] = planned("ab", "abx", counters=True)
    assert new.rule is not None
    assert new.rule.counters == Counters(3, 0)


def test_chains_and_policies() -> None:
    before = TableState("filter", (chain(name="INPUT", policy="ACCEPT"), chain("b", name="a"), chain(name="b")))
    after = TableState("filter", (chain("c", name="INPUT", policy="DROP"), chain(name="c")))
    assert [change.text for change in iptables.plan(before, after)] == [
        "-t filter -N c",
        "-t filter -A INPUT -j c",
        "-t filter -P INPUT DROP",
        "-t filter -F a",
        "-t filter -X a",
        "-t filter -X b",
    ]
    left_open = TableState("filter", (chain(name="INPUT"), *before.chains[1:]))
    assert iptables.plan(before, left_open) == []


# -- carried out -------------------------------------------------------------------------------------------------------


@cache
def fewest(before: tuple[object, ...], after: tuple[object, ...]) -> int:
    """Return how many rules have to go or come at least, by trying all ways."""
    if not before or not after:
        return len(before) + len(after)
    if before[0] == after[0]:
        return fewest(before[1:], after[1:])
    return 1 + min(fewest(before[1:], after), fewest(before, after[1:]))


def touched(before: Ruleset, changes: Sequence[Change]) -> int:
    """Return how many rules go or come by changes."""
    count = 0
    for change in changes:
        if change.action == "flush":
            table = before.table(change.table)
            assert table
            count += next(len(chain.rules) for chain in table.chains if chain.name == change.chain)
        else:
            count += (change.rule is not None) + (change.gone is not None)
    return count


def rules_of(state: Ruleset) -> dict[tuple[str, str], tuple[object, ...]]:
    return {
        (table.name, chain.name): tuple([iptables.same(rule) for rule in chain.rules])
        for table in state.tables
        for chain in table.chains
    }


@given(rulesets, rulesets)
def test_from_any_tables_to_any_others(tmp_path_factory: pytest.TempPathFactory, a: Ruleset, b: Ruleset) -> None:
    path = tmp_path_factory.mktemp("sandbox") / "x.json"
    iptables.restore(iptables.save(a), sandbox=path)
    before = iptables.read(sandbox=path)
    planned = iptables.update(lambda _: b, sandbox=path, test=True)
    assert iptables.read(sandbox=path) == before
    assert iptables.update(lambda _: b, sandbox=path) == planned
    now = iptables.read(sandbox=path)
    for table in (*a.tables, *b.tables):
        wanted = b.table(table.name) or table
        found = now.table(table.name)
        if found is None:  # of which nothing was to be changed
            assert iptables.plan(TableState(wanted.name, wanted.chains), wanted) == []
            assert {chain.policy for chain in wanted.chains} == {"ACCEPT"}
            continue
        assert {(chain.name, chain.policy) for chain in found.chains} == {
            (chain.name, chain.policy) for chain in wanted.chains
        }
    assert {place: rules for place, rules in rules_of(b).items() if rules} == {
        place: rules for place, rules in rules_of(now).items() if rules and b.table(place[0])
    }
    assert iptables.update(lambda _: b, sandbox=path) == []
    assert iptables.update(lambda _: b, sandbox=path, test=True) == []
    old, new = rules_of(before), rules_of(b)
    least = sum([fewest(old.get(place, ()), new.get(place, ())) for place in {*old, *new} if b.table(place[0])])
    assert touched(before, planned) == least


@given(st.data())
def test_commands_of_a_plan_lead_there_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    a, b = data.draw(rulesets), data.draw(rulesets)
    path = tmp_path_factory.mktemp("sandbox") / "x.json"
    iptables.restore(iptables.save(a), sandbox=path)
    changes = iptables.update(lambda _: b, sandbox=path, test=True)
    for change in changes:
        words = change.text.split(" ", 2)
        iptables.restore(f"*{words[1]}\n{words[2]}\nCOMMIT\n", sandbox=path, noflush=True)
    assert iptables.update(lambda _: b, sandbox=path) == []


def test_a_refusal_takes_back_all_tables(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    iptables.restore(f"{FILTER}-A INPUT -j ACCEPT\nCOMMIT\n", sandbox=path, counters=True)
    before = iptables.read(sandbox=path)
    wanted = iptables.parse(f"*nat\n-A PREROUTING -j ACCEPT\nCOMMIT\n{FILTER}-A OUTPUT -j ACCEPT\nCOMMIT\n")
    nat, filter_ = wanted.tables
    wrong = Rule(target=Target("MASQUERADE"))  # where it may not be
    chains = [chain.replace(rules=(wrong,)) if chain.name == "INPUT" else chain for chain in filter_.chains]
    with pytest.raises(ChangeRefused) as refused:
        iptables.update(lambda _: Ruleset(4, (nat, filter_.replace(chains=tuple(chains)))), sandbox=path)
    assert refused.value.table == "filter"
    assert str(refused.value).startswith("table filter, one of 2 changes: ")
    after = iptables.read(sandbox=path)
    assert after.table("filter") == before.table("filter")
    assert [rule for chain in (after.table("nat") or nat.replace(chains=())).chains for rule in chain.rules] == []


def test_what_is_no_rule_is_named(tmp_path: Path) -> None:
    state = Ruleset(4, (TableState("filter", (chain("nowhere", name="INPUT"),)),))
    with pytest.raises(ChangeRefused, match=r"^-t filter -A INPUT -j nowhere: Couldn't load target `nowhere'"):
        iptables.update(lambda _: state, sandbox=tmp_path / "x.json")


def test_what_is_no_sandbox(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(SandboxFileError):
        iptables.update(lambda now: now, sandbox=tmp_path / "x.json")
