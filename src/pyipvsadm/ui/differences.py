"""What ``pyipvsadm diff`` tells of two states: lines as of diff(1), or a document.

A line begins with what has become of what it is about, from the first state to the second: ``-`` it is gone, ``+`` it
has come, ``~`` it is another, ``^`` it is in another place, ``=`` it has only counted otherwise. Two blanks: only what
follows is different.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from pyipvsadm.filters import endpoint_text, service_text
from pyipvsadm.ipvs import words
from pyipvsadm.record import Record
from pyipvsadm.ui import json, rules_json
from pyipvsadm.ui.cells import clean
from pyipvsadm.ui.show import make_console

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console

    from pyipvsadm.diff import (
        ChainDifference,
        DaemonDifference,
        Field,
        RuleDifference,
        ServerDifference,
        ServiceDifference,
    )
    from pyipvsadm.ipvs import RealServer, SyncDaemon, VirtualService

_MARKS: Final = {"removed": "-", "added": "+", "changed": "~", "same": " ", "moved": "^", "counted": "="}
_STYLES: Final = {"-": "red", "+": "green", "~": "yellow", "^": "cyan", "=": "dim"}
_NAMES: Final = {"u_threshold": "upper threshold", "l_threshold": "lower threshold", "pe_name": "persistence engine"}


class Differences(Record):
    """What differs between two states, by what they were called; ``kind`` is what they are of."""

    kind: str
    before: str
    after: str
    services: Sequence[ServiceDifference] = ()
    timeouts: Sequence[Field] = ()
    daemons: Sequence[DaemonDifference] = ()
    chains: Sequence[ChainDifference] = ()

    @property
    def same(self) -> bool:
        """Whether there are none."""
        return not (self.services or self.timeouts or self.daemons or self.chains)


def text(found: Differences, console: Console | None = None) -> str:
    """Return what differs as lines, in colours where standard output is a terminal; "" where nothing does."""
    if found.same:
        return ""
    lines = [f"--- {clean(found.before)}", f"+++ {clean(found.after)}"]
    lines += [clean(line) for part in (_services(found), _chains(found.chains)) for line in part]
    console = console or make_console()
    if not console.is_terminal:
        return "".join([f"{line}\n" for line in lines])
    with console.capture() as capture:
        for number, line in enumerate(lines):
            console.print(Text(line, style="bold" if number < 2 else _STYLES.get(line[:1], "")), soft_wrap=True)
    return capture.get()


# -- virtual servers ---------------------------------------------------------------------------------------------------


def _services(found: Differences) -> Iterator[str]:
    for service in found.services:
        name = service_text(service.service.key)
        if service.service.key.family == 6 and not service.service.key.protocol:
            name += " of IPv6"
        told = _service_words(service.service) if service.outcome in ("added", "removed") else _fields(service.fields)
        yield f"{_MARKS[service.outcome]} {name}{told}"
        for server in service.servers:
            yield _server(server)
    if found.timeouts:
        yield f"~ timeouts{_fields(found.timeouts)}"
    for daemon in found.daemons:
        yield f"{_MARKS[daemon.outcome]} daemon {_daemon_words(daemon.daemon)}"


def _server(server: ServerDifference) -> str:
    key = server.server.key
    told = _fields(server.fields) if server.outcome == "changed" else _server_words(server.server)
    return f"{_MARKS[server.outcome]}   {endpoint_text(key.address, key.port)}{told}"


def _fields(fields: Iterable[Field]) -> str:
    told = [f"{_NAMES.get(field.name, field.name)} {_value(field.before)} -> {_value(field.after)}" for field in fields]
    return f": {', '.join(told)}" if told else ""


def _value(value: object) -> str:
    return "none" if value in (None, "") else str(value)


def _service_words(service: VirtualService) -> str:
    parts = [service.scheduler]
    if service.persistent:
        parts.append(f"persistent {service.timeout}")
    mask = words.netmask(service)
    parts += [f"mask {mask}"] if mask else []
    parts += [f"engine {service.pe_name}"] if service.pe_name else []
    parts += ["ops"] if service.one_packet else []
    flags = words.scheduler_flags(service)
    parts += [flags] if flags else []
    return f" {' '.join(parts)}"


def _server_words(server: RealServer) -> str:
    parts = [server.forward, f"weight {server.weight}"]
    if server.u_threshold or server.l_threshold:
        parts.append(f"thresholds {server.u_threshold} {server.l_threshold}")
    if server.forward == "ipip":
        parts.append(f"tunnel {words.tunnel(server)}")
    return f" {' '.join(parts)}"


def _daemon_words(daemon: SyncDaemon) -> str:
    return " ".join(
        [f"{name} {value}" if name != "state" else value for name, value in daemon.asdict().items() if value]
    )


# -- tables of rules ---------------------------------------------------------------------------------------------------


def _chains(chains: Iterable[ChainDifference]) -> Iterator[str]:
    for chain in chains:
        told = []
        if chain.policy:
            told.append(f"policy {chain.policy.before} -> {chain.policy.after}")
        if chain.counters:
            told.append(f"{_counters(chain.counters.before)} -> {_counters(chain.counters.after)}")
        mark = _MARKS[chain.outcome] if told or chain.outcome != "changed" else " "
        yield f"{mark} {chain.table} {chain.chain}{': ' if told else ''}{', '.join(told)}"
        for rule in chain.rules:
            yield _rule(rule)


def _rule(rule: RuleDifference) -> str:
    place = f"{rule.before} -> {rule.after}" if rule.outcome == "moved" else str(rule.after or rule.before)
    counted = f"  # {_counters(rule.counters)} -> {_counters(rule.rule.counters)}" if rule.counters else ""
    return f"{_MARKS[rule.outcome]} {place:>5}  {rule.rule.text}{counted}".rstrip()


def _counters(counters: Any) -> str:
    return f"[{counters.packets}:{counters.bytes}]"


# -- documents ---------------------------------------------------------------------------------------------------------


def document(found: Differences) -> str:
    """Return what differs as a document, "kind": "diff"; docs/json.md has its members."""
    return json.to_json("diff", **_members(found))


def sandbox_document(place: str, status: int, found: Iterable[Differences]) -> str:
    """Return what a command has done in a sandbox, the exit status that it ended with among it, as a document."""
    return json.to_json("sandbox", place=place, status=status, differences=[_members(one) for one in found])


def _members(found: Differences) -> dict[str, object]:
    parts: dict[str, object] = {"of": found.kind, "a": found.before, "b": found.after, "same": found.same}
    if found.kind == "ipvs":
        parts["services"] = [_service_json(service) for service in found.services]
        parts["timeouts"] = [field.asdict() for field in found.timeouts]
        parts["daemons"] = [{"outcome": one.outcome, **one.daemon.asdict()} for one in found.daemons]
    else:
        parts["chains"] = [_chain_json(chain) for chain in found.chains]
    return parts


def _service_json(service: ServiceDifference) -> dict[str, Any]:
    return {
        "outcome": service.outcome,
        "before": json.service_settings(service.before) if service.before else None,
        "after": json.service_settings(service.after) if service.after else None,
        "changed": [field.asdict() for field in service.fields],
        "servers": [
            {
                "outcome": server.outcome,
                "before": json.server_settings(server.before) if server.before else None,
                "after": json.server_settings(server.after) if server.after else None,
                "changed": [field.asdict() for field in server.fields],
            }
            for server in service.servers
        ],
    }


def _chain_json(chain: ChainDifference) -> dict[str, Any]:
    return {
        "outcome": chain.outcome,
        "table": chain.table,
        "chain": chain.chain,
        "policy": {"before": chain.policy.before, "after": chain.policy.after} if chain.policy else None,
        "counters": (
            {"before": chain.counters.before.asdict(), "after": chain.counters.after.asdict()}
            if chain.counters
            else None
        ),
        "rules": [
            {
                "outcome": rule.outcome,
                "before": rule.before,
                "after": rule.after,
                "counters": rule.counters.asdict() if rule.counters else None,
                "rule": rules_json.rule(rule.rule, rule.after or rule.before or 0),
            }
            for rule in chain.rules
        ],
    }
