"""What differs between states: nothing more than what has to change, and what it is called."""

from __future__ import annotations

import pytest
from hypothesis import given

from pyipvsadm import diff, iptables, ipvs
from pyipvsadm.diff import DaemonDifference, Field
from pyipvsadm.iptables import Counters, Ruleset
from support.changes import sequences
from support.rulesets import rulesets

WEB = "-A -t 192.0.2.1:80 -s rr"
ONE = "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1"
TWO = "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1"
MARK = "-A -f 7 -s wlc"


def services(*lines: str) -> list[ipvs.ServiceState]:
    with ipvs.sandbox() as table:
        table.apply(*ipvs.parse(lines))
        return table.services()


def after(changes: list[ipvs.Change]) -> list[ipvs.ServiceState]:
    with ipvs.sandbox() as table:
        try:
            table.apply(*changes, rollback=False)
        except ipvs.Refused:
            pass
        return table.services()


def test_services() -> None:
    found = diff.services(
        services(WEB, ONE, TWO), services(WEB.replace("rr", "wrr"), ONE.replace("-w 1", "-w 5"), MARK)
    )
    mark, web = found
    assert (mark.outcome, mark.before, mark.service.key.fwmark, mark.servers) == ("added", None, 7, ())
    assert (web.outcome, web.fields) == ("changed", (Field("scheduler", "rr", "wrr"),))
    one, two = web.servers
    assert (one.outcome, one.fields) == ("changed", (Field("weight", 1, 5),))
    assert (two.outcome, two.after, two.server.key.address) == ("removed", None, "10.0.0.2")


def test_a_service_whose_servers_differ() -> None:
    [web] = diff.services(services(WEB, ONE), services(WEB, ONE, TWO))
    assert (web.outcome, web.fields) == ("same", ())
    assert [server.outcome for server in web.servers] == ["added"]


def test_counters_of_services_when_asked() -> None:
    [web] = services(WEB, ONE)
    used = web.replace(stats=ipvs.Stats(conns=3, cps=1))
    assert diff.services([web], [used]) == []
    [found] = diff.services([web], [used], counters=True)
    assert (found.outcome, found.fields) == ("changed", (Field("conns", 0, 3),))


@given(sequences, sequences)
def test_there_are_differences_where_there_are_changes(one: list[ipvs.Change], two: list[ipvs.Change]) -> None:
    before, now = after(one), after(two)
    found = diff.services(before, now)
    servers = [server for service in found for server in service.servers if service.outcome != "removed"]
    count = sum([service.outcome != "same" for service in found]) + len(servers)
    assert count == len(ipvs.changes(before, now))


def test_timeouts_and_daemons() -> None:
    one, two = ipvs.Timeouts(900, 120, 300), ipvs.Timeouts(60, 0, 300)
    assert diff.timeouts(one, two) == (Field("tcp", 900, 60),)
    assert diff.timeouts(None, two) == diff.timeouts(one, None) == ()
    master, backup = ipvs.SyncDaemon("master", "lo"), ipvs.SyncDaemon("backup", "lo")
    assert diff.daemons([master], [backup]) == (
        DaemonDifference("removed", master),
        DaemonDifference("added", backup),
    )
    assert diff.daemons(None, [backup]) == diff.daemons([master], None) == ()


def tables(*rules: str, table: str = "filter", chains: str = ":INPUT ACCEPT [0:0]") -> Ruleset:
    lines = [rule if rule.startswith(("-A", "[")) else f"-A INPUT {rule}" for rule in rules]
    return iptables.parse("\n".join([f"*{table}", chains, *lines, "COMMIT", ""]))


def edits(before: Ruleset, now: Ruleset) -> list[tuple[str, int | None, int | None]]:
    [chain] = diff.rules(before, now)
    return [(rule.outcome, rule.before, rule.after) for rule in chain.rules]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("abc", "ac", [("removed", 2, None)]),
        ("ac", "abc", [("added", None, 2)]),
        ("abc", "axc", [("removed", 2, None), ("added", None, 2)]),
        ("abcd", "bcda", [("moved", 1, 4)]),
        ("abcd", "dabcx", [("moved", 4, 1), ("added", None, 5)]),
    ],
)
def test_rules(before: str, now: str, expected: list[tuple[str, int | None, int | None]]) -> None:
    sources = {letter: f"-s 10.0.0.{number}" for number, letter in enumerate("abcdx")}
    assert edits(tables(*[sources[one] for one in before]), tables(*[sources[one] for one in now])) == expected


def test_chains_and_policies() -> None:
    before = tables("-A one", chains=":INPUT ACCEPT [0:0]\n:one - [0:0]")
    now = tables("-A two", chains=":INPUT DROP [0:0]\n:two - [0:0]")
    first, gone, came = diff.rules(before, now)
    assert (first.table, first.chain, first.outcome, first.policy) == (
        "filter", "INPUT", "changed", Field("policy", "ACCEPT", "DROP"),
    )  # fmt: skip
    assert (gone.chain, gone.outcome, [rule.outcome for rule in gone.rules]) == ("one", "removed", ["removed"])
    assert (came.chain, came.outcome, [rule.outcome for rule in came.rules]) == ("two", "added", ["added"])


def test_a_table_that_nobody_has_used_is_none() -> None:
    nothing = Ruleset(4, ())
    assert diff.rules(nothing, tables()) == diff.rules(tables(), nothing) == []
    assert [chain.chain for chain in diff.rules(nothing, tables("-j ACCEPT"))] == ["INPUT"]


def test_counters_of_rules_when_asked() -> None:
    chains = ":INPUT ACCEPT [5:60]"
    before, now = tables("[1:2] -A INPUT -j ACCEPT"), tables("[3:4] -A INPUT -j ACCEPT", chains=chains)
    assert diff.rules(before, now) == []
    [chain] = diff.rules(before, now, counters=True)
    assert chain.counters == Field("counters", Counters(), Counters(5, 60))
    [rule] = chain.rules
    assert (rule.outcome, rule.counters, rule.rule.counters) == ("counted", Counters(1, 2), Counters(3, 4))


@given(rulesets, rulesets)
def test_there_are_differences_where_there_are_commands(one: Ruleset, two: Ruleset) -> None:
    names = {table.name: None for table in (*one.tables, *two.tables)}
    planned = [
        change
        for name in names
        for change in iptables.plan(one.table(name) or iptables.unused(name), two.table(name) or iptables.unused(name))
    ]
    found = diff.rules(one, two)
    assert bool(found) == bool(planned)
    assert {(chain.table, chain.chain) for chain in found} == {(change.table, change.chain) for change in planned}
    assert diff.rules(one, one) == []
