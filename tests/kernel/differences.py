"""Every known difference from ipvsadm 1.31, each with its reason; what is not here is a fault of ours.

``example`` shows the difference: a row whose example no longer differs is stale, and fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernel.generator import Command

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.netns import Result


class Difference(NamedTuple):
    """Where ``applies`` to a command, the peer's result and ours, the two results may differ."""

    reason: str
    example: Command
    applies: Callable[[Command, Result, Result], bool]


CRASHES = (-11, 139)

DIFFERENCES = (
    Difference(
        "the help is in our own words",
        Command(("-h",)),
        lambda command, peer, ours: peer.status == ours.status == 0 and "Usage:" in peer.stdout,
    ),
    Difference(
        "the peer crashes where a list of scheduler flags holds commas alone",
        Command(("-A", "-t", "10.0.0.1:80", "-b", ",")),
        lambda command, peer, ours: peer.status in CRASHES and ours.status == 2,
    ),
)


def explained(command: Command, peer: Result, ours: Result) -> bool:
    """Whether a difference between the two results is known."""
    return any(difference.applies(command, peer, ours) for difference in DIFFERENCES)
