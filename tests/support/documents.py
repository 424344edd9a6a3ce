"""States that documents are made of, drawn at random, and two documents with every member that there is."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from pyipvsadm import iptables, ipvs
from pyipvsadm.iptables import ChainState, Counters, Rule, Ruleset, TableState, Target
from pyipvsadm.xtables.kinds import quote
from support.changes import servers, services
from support.xtables import CASES, cases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyipvsadm.xtables.options import Family

VERDICTS = ("ACCEPT", "DROP", "QUEUE", "RETURN")

COUNTERS = st.integers(0, 2**64 - 1) | st.just(0)
STATS = st.just(ipvs.Stats()) | st.builds(ipvs.Stats, *[COUNTERS] * 10)
CONNECTIONS = st.just(0) | st.integers(0, 2**32 - 1)


@st.composite
def tables(draw: st.DrawFn) -> list[ipvs.ServiceState]:
    """Draw the services that a sandbox takes, with counters."""
    with ipvs.sandbox() as table:
        for service in draw(st.lists(services, max_size=5)):
            changes: list[ipvs.Change] = [ipvs.AddService(service)]
            changes += [ipvs.AddServer(service.key, server) for server in draw(st.lists(servers, max_size=4))]
            for change in changes:
                try:
                    table.apply(change)
                except ipvs.Refused:
                    pass
        return [
            service.replace(
                stats=draw(STATS),
                servers=tuple(
                    [
                        ipvs.ServerState(
                            server.config, draw(CONNECTIONS), draw(CONNECTIONS), draw(CONNECTIONS), draw(STATS)
                        )
                        for server in service.servers
                    ]
                ),
            )
            for service in table.services()
        ]


@cache
def rules(family: Family) -> list[tuple[str, Rule]]:
    """Return a rule of every case of tests/xtables that is one, with its table."""
    found = []
    for path in sorted(CASES.rglob("*.txt")):
        for case in cases(path):
            if case.family != family:
                continue
            text = " ".join([quote(word) for word in case.words])
            try:
                rule = iptables.rule(text, family=family, table=case.table)
            except iptables.UsageError:
                continue
            if rule.target is None or rule.target.revision is not None or rule.target.name in VERDICTS:
                found.append((case.table, rule))
    return found


@st.composite
def rulesets(draw: st.DrawFn) -> Ruleset:
    """Draw tables of rules of which every extension has its share, with counters and chains."""
    family: Family = draw(st.sampled_from((4, 6)))
    counters = st.builds(Counters, COUNTERS, COUNTERS)
    drawn = draw(st.lists(st.sampled_from(rules(family)), max_size=8))
    found = []
    for name in {table for table, _ in drawn}:
        own = [rule.counted(draw(counters)) for table, rule in drawn if table == name]
        jump = Rule(
            source="! ::/1" if family == 6 else "! 0.0.0.0/1", target=Target("a-chain"), goto=draw(st.booleans())
        )
        chains = (
            ChainState("OUTPUT", draw(st.sampled_from(("ACCEPT", "DROP"))), draw(counters), (*own, jump)),
            ChainState("a-chain", None, Counters(), tuple(own[:2])),
        )
        found.append(TableState(name, chains))
    return iptables.build(Ruleset(family, tuple(found)))


def saved(ruleset: Ruleset) -> str:
    return iptables.save(ruleset, counters=True)


SERVICES: dict[str, Any] = {
    "version": 1,
    "kind": "ipvs",
    "ipvs": {"version": "1.2.1", "conn_tab_size": 4096},
    "timeouts": {"tcp": 900, "tcp_fin": 120},
    "daemons": [
        {"state": "master", "mcast_ifn": "eth0", "syncid": 1, "sync_maxlen": 1000, "mcast_group": "224.0.0.81",
         "mcast_port": 8848, "mcast_ttl": 1},
        {"state": "backup", "mcast_ifn": "eth0"},
    ],
    "services": [
        {"family": 4, "fwmark": 1, "scheduler": "rr"},
        {
            "family": 4, "protocol": "tcp", "address": "192.0.2.1", "port": 80, "scheduler": "wlc", "flags": 1,
            "persistent": True, "one_packet": False, "timeout": 5, "netmask": "255.255.255.0", "pe_name": "sip",
            "stats": {"conns": 1},
            "servers": [
                {"family": 4, "address": "10.0.0.1", "port": 80, "forward": "masq", "weight": 1, "u_threshold": 3,
                 "l_threshold": 2, "tun_type": "ipip", "tun_port": 0, "tun_flags": 0, "activeconns": 1,
                 "stats": {"inpkts": 1}}
            ],
        },
    ],
}  # fmt: skip
RULES: dict[str, Any] = {
    "version": 1,
    "kind": "iptables",
    "family": 4,
    "tables": [
        {
            "table": "filter",
            "chains": [
                {"name": "INPUT", "policy": "DROP", "packets": 1, "bytes": 2, "references": 0, "rules": [
                    {"number": 1, "packets": 1, "bytes": 2, "source": {"value": "10.0.0.0/8", "inverted": True},
                     "protocol": {"value": "tcp"}, "goto": False, "fragment": None,
                     "matches": [{"name": "tcp", "revision": 0, "options": [
                        {"name": "dport", "inverted": True, "values": ["80"]}], "data": None}],
                     "target": {"name": "WEB", "revision": None, "options": [], "data": None}},
                ]},
                {"name": "WEB", "policy": None, "rules": []},
            ],
        }
    ],
}  # fmt: skip


def places(value: object, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the path of each value in a document, and what holds it under which key."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        pairs = [(f"{path}.{name}" if path else name, name) for name in value]
    if isinstance(value, list):
        pairs = [(f"{path}[{index}]", index) for index in range(len(value))]
    for deeper, key in pairs:
        yield deeper, value, key
        yield from places(value[key], deeper)  # type: ignore[index]
