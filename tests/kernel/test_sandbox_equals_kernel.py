"""The sandbox refuses what the kernel refuses, with the same errno, and is in the same state afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from pyipvsadm.ipvs import command
from pyipvsadm.ipvs.backend.kernel import KernelBackend
from pyipvsadm.ipvs.backend.sandbox import SandboxBackend
from pyipvsadm.ipvs.model import SyncDaemon
from pyipvsadm.ipvs.table import DEFAULT_TIMEOUTS
from support.changes import INTERFACE, SCHEDULERS, sequences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyipvsadm.ipvs.backend.base import Backend
    from pyipvsadm.ipvs.model import ServerState, VirtualService
    from support.netns import Namespace

FRESH = (
    command.Flush(),
    command.SetTimeouts(DEFAULT_TIMEOUTS),
    command.StopDaemon(SyncDaemon("master")),
    command.StopDaemon(SyncDaemon("backup")),
)


def refusals(backend: Backend, changes: Sequence[command.Change]) -> list[tuple[int, str, int, str]]:
    return [(index, error.operation, error.errno, error.reason) for index, error in backend.submit(changes)]


def state(backend: Backend) -> tuple[object, ...]:
    """Return all that can be seen; services without an order, as the kernel's is that of its hashes."""
    services: dict[VirtualService, tuple[ServerState, ...]] = {
        service.config: service.servers for service in backend.services()
    }
    return services, backend.timeouts(), backend.daemons()


@pytest.fixture
def with_interface(netns: Namespace) -> Namespace:
    for command_line in (["ip", "link", "add", INTERFACE, "type", "dummy"], ["ip", "link", "set", INTERFACE, "up"]):
        assert netns.run(command_line).status == 0
    return netns


# One namespace for all examples: making one takes longer than what is done in it.
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(changes=sequences)
def test_random_sequences_end_alike(with_interface: Namespace, changes: list[command.Change]) -> None:
    with KernelBackend(with_interface.name) as kernel, SandboxBackend(schedulers=frozenset(SCHEDULERS)) as sandbox:
        kernel.submit(FRESH)
        assert refusals(sandbox, changes) == refusals(kernel, changes)
        assert state(sandbox) == state(kernel)
