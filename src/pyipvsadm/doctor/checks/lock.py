"""The xtables lock: who holds it, and for how long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pyipvsadm.doctor import locks
from pyipvsadm.doctor.check import RULES, Fault, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyipvsadm.doctor.locks import Held
    from pyipvsadm.doctor.machine import Machine

PATIENCE: Final = 2.0  # seconds: commands hold the lock for less
_STEP: Final = 0.1


@check(
    "lock",
    "nobody holds the xtables lock for long",
    severity="problem",
    kinds=RULES,
    reads=("/run/xtables.lock", "/proc/locks", "/proc/*/fd", "/proc/*/fdinfo"),
    reason="the lock {path} has been held for as long as this looked, {seconds:g} s, by {who}{waiting}: iptables and "
    "iptables-restore wait for it, or give up",
    mend=("kill -{signal} {pids}",),
    everywhere=True,
)
def lock(machine: Machine) -> Iterator[Fault]:
    """Look who holds the lock; one that is let go of meanwhile is at work."""
    held = locks.find(machine.lock)
    first = held and (held.owner, [holder.pid for holder in held.holders])
    end = time.monotonic() + PATIENCE
    while held is not None and time.monotonic() < end:
        time.sleep(_STEP)
        held = locks.find(machine.lock)
        if held and (held.owner, [holder.pid for holder in held.holders]) != first:
            return
    if held is not None:
        stopped = all(holder.stopped for holder in held.holders)
        yield Fault(
            path=machine.lock,
            seconds=PATIENCE,
            who=_who(held),
            waiting=f" ({held.waiting} waiting)" if held.waiting else "",
            signal="CONT" if stopped else "TERM",
            pids=[holder.pid for holder in held.holders],
            mendable=bool(held.holders),
        )


def _who(held: Held) -> str:
    """Return in words who holds a lock."""
    holders = [
        f"process {holder.pid} ({holder.command}), {'stopped, ' if holder.stopped else ''}started "
        f"{_duration(holder.age)} ago"
        for holder in held.holders
    ]
    if held.owner_lives:
        return " and ".join(holders) or f"process {held.owner}, of which only root sees more"
    gone = f"process {held.owner}, which has ended"
    if not holders:
        return f"{gone}, and by whom it left its open file to, which only root sees"
    return f"{gone} and left its open file to {' and '.join(holders)}"


def _duration(seconds: float) -> str:
    """Return a time in the largest unit that leaves it two digits or more, or in seconds."""
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
