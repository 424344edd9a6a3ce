"""What ``pyipvsadm apply`` tells of changes: the commands that would make them, and documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyipvsadm import ipvs
from pyipvsadm.ui.cells import clean, plural
from pyipvsadm.ui.json import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyipvsadm.iptables import Change

    Step = dict[str, Any]


def service_step(change: ipvs.Change) -> Step:
    """Return a change of virtual servers as a document has it."""
    fields = change.asdict()
    service, server = fields.get("service"), fields.get("server")
    key = fields.get("key") or (service.key if isinstance(service, ipvs.VirtualService) else service)
    real = server.key if isinstance(server, ipvs.RealServer) else server
    return {
        "operation": change.operation,
        "service": key.asdict() if key else None,
        "server": real.asdict() if real else None,
        "command": f"ipvsadm {ipvs.command_line(change)}",
    }


def rule_step(program: str, change: Change) -> Step:
    """Return a change of rules as a document has it."""
    return {
        "operation": change.action,
        "table": change.table,
        "chain": change.chain,
        "number": change.number or None,
        "command": f"{program} {change.text}",
    }


def lines(steps: Sequence[Step]) -> str:
    """Return the commands that make changes, a line each."""
    return "".join([f"{clean(step['command'])}\n" for step in steps])


def counted(steps: Sequence[Step]) -> str:
    """Return how many changes there are."""
    return plural(len(steps), "change")


def document(kind: str, outcome: str, steps: Sequence[Step]) -> str:
    """Return what became of a state, "kind": "apply"; docs/json.md has the members."""
    return to_json("apply", of=kind, outcome=outcome, changes=steps)
