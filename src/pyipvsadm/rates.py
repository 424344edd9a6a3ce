"""Rates from counters: how much a second has come since they were last looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pyipvsadm.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pyipvsadm.iptables import Counters, Ruleset
    from pyipvsadm.ipvs import ServiceState, Stats

Key = TypeVar("Key")


class Meter(Generic[Key]):
    """Turns counters that are read again and again into rates.

    A counter that is smaller than before has been set to zero in between, and what it has now came since. One that was
    not there before has no rate yet.
    """

    def __init__(self) -> None:
        self.took: float | None = None  # seconds between the last two readings
        self._time: float | None = None
        self._counters: Mapping[Key, tuple[int, ...]] = {}

    def read(self, time: float, counters: Mapping[Key, tuple[int, ...]]) -> dict[Key, tuple[float, ...]]:
        """Return the rates per second of counters that were read at ``time`` (seconds of a clock that runs evenly).

        Without those that have none yet.
        """
        before, took = self._counters, None if self._time is None else time - self._time
        self.took, self._time, self._counters = took, time, counters
        if took is None or took <= 0:
            return {}
        rates = {}
        for key, values in counters.items():
            old = before.get(key)
            if old == values:
                rates[key] = (0.0,) * len(values)
            elif old is not None:
                rates[key] = tuple(
                    [(new - past if new >= past else new) / took for new, past in zip(values, old, strict=True)]
                )
        return rates


def of_services(services: Iterable[ServiceState]) -> dict[Any, tuple[int, ...]]:
    """Return what services, by their keys, and real servers, by both keys, have counted.

    Connections, packets in and out, bytes in and out.
    """
    counters: dict[Any, tuple[int, ...]] = {}
    for service in services:
        key = service.config.key
        counters[key] = _counted(service.stats)
        for server in service.servers:
            counters[key, server.config.key] = _counted(server.stats)
    return counters


def _counted(stats: Stats) -> tuple[int, ...]:
    return stats.conns, stats.inpkts, stats.outpkts, stats.inbytes, stats.outbytes


class RuleCounter(Record):
    """What a rule has counted, or the policy of a chain, which has no ``number``; ``text`` is the one or the other.

    ``key`` is what it is known again by.
    """

    table: str
    chain: str
    key: tuple[str, str, str | None, int]
    counters: Counters
    text: str
    number: int | None = None


def rule_counters(ruleset: Ruleset) -> Iterator[RuleCounter]:
    """Yield the counters of each rule, and of each policy.

    A rule is known again by its text and by how many of the same stand before it in its chain: its number changes when
    others come and go.
    """
    for table in ruleset.tables:
        for chain in table.chains:
            place = (table.name, chain.name)
            seen: dict[str, int] = {}
            for number, rule in enumerate(chain.rules, 1):
                text = rule.text
                before = seen[text] = seen.get(text, -1) + 1
                yield RuleCounter(*place, (*place, text, before), rule.counters, text, number)
            if chain.policy:
                yield RuleCounter(*place, (*place, None, 0), chain.counters, chain.policy)


def of_rules(found: Iterable[RuleCounter]) -> dict[Any, tuple[int, ...]]:
    """Return what rules and policies have counted, by their keys: packets and bytes."""
    return {one.key: (one.counters.packets, one.counters.bytes) for one in found}
