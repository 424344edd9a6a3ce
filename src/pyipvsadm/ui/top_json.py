"""What comes to services and servers, or to rules, as JSON for programs: a document a look, each on one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pyipvsadm.ipvs.order import sort_servers, sort_services
from pyipvsadm.rates import rule_counters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pyipvsadm.iptables import Ruleset
    from pyipvsadm.ipvs.model import ServiceState, Stats

    Rates = Mapping[Any, Sequence[float]]

VERSION: Final = 1

_OF_SERVICES: Final = ("cps", "inpps", "outpps", "inbps", "outbps")  # as of ipvs.Stats
_OF_RULES: Final = ("pps", "bps")
_DIGITS: Final = 3  # behind the point of what is measured


def services(found: Sequence[ServiceState], rates: Rates, *, time: float, took: float | None) -> str:
    """Return a look at services as a line; ``time`` is since 1970, ``took`` since the last look, both in seconds."""
    return _line(
        "ipvs",
        time,
        took,
        services=[
            {
                **service.config.key.asdict(),
                "rates": _named(_OF_SERVICES, rates.get(service.config.key)),
                "estimates": _estimates(service.stats),
                "servers": [
                    {
                        **server.config.key.asdict(),
                        "weight": server.config.weight,
                        "activeconns": server.activeconns,
                        "inactconns": server.inactconns,
                        "persistconns": server.persistconns,
                        "rates": _named(_OF_SERVICES, rates.get((service.config.key, server.config.key))),
                        "estimates": _estimates(server.stats),
                    }
                    for server in sort_servers(service.servers)
                ],
            }
            for service in sort_services(found)
        ],
    )


def rules(found: Ruleset, rates: Rates, *, time: float, took: float | None) -> str:
    """Return a look at tables of rules as a line, as ``services`` does."""
    chains: dict[tuple[str, str], dict[str, Any]] = {
        (table.name, chain.name): {"table": table.name, "chain": chain.name, "policy": None, "rules": []}
        for table in found.tables
        for chain in table.chains
    }
    for counted in rule_counters(found):
        chain = chains[counted.table, counted.chain]
        told = {**counted.counters.asdict(), "rates": _named(_OF_RULES, rates.get(counted.key))}
        if counted.number is None:
            chain["policy"] = {"target": counted.text, **told}
        else:
            chain["rules"].append({"number": counted.number, "text": counted.text, **told})
    return _line("iptables" if found.family == 4 else "ip6tables", time, took, chains=list(chains.values()))


def _line(of: str, time: float, took: float | None, **parts: object) -> str:
    head = {"version": VERSION, "kind": "top", "of": of, "time": round(time, _DIGITS)}
    return json.dumps({**head, "seconds": None if took is None else round(took, _DIGITS), **parts})


def _named(names: Iterable[str], rates: Sequence[float] | None) -> dict[str, float] | None:
    """Return rates by their names; null is for what has none yet."""
    return None if rates is None else {name: round(rate, _DIGITS) for name, rate in zip(names, rates, strict=True)}


def _estimates(stats: Stats) -> dict[str, int]:
    return {name: getattr(stats, name) for name in _OF_SERVICES}
