"""Transactions, on a sandbox: all or nothing whatever is asked."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyipvsadm.errors import KernelError, Refused
from pyipvsadm.ipvs import command
from pyipvsadm.ipvs.backend.sandbox import SandboxBackend
from pyipvsadm.ipvs.engine import State, Transaction
from pyipvsadm.ipvs.model import RealServer, ServerKey, ServiceKey, VirtualService
from support.changes import sequences

KEY = ServiceKey(4, "tcp", "198.51.100.1", 80)  # not among the keys of random changes
SERVER = RealServer(ServerKey(4, "10.0.0.1", 80))
REFUSED = command.DeleteService(KEY)


def seen(backend: SandboxBackend) -> object:
    """Return all that can be seen of a table but the order of listings, which nothing can bring back."""
    state = State(backend)
    services = {service.config: frozenset(service.servers) for service in state.services}
    return services, state.timeouts, state.daemons


def accepted(first: list[command.Change], second: list[command.Change]) -> list[command.Change]:
    """Return those of ``second`` that are not refused one after the other in a table that ``first`` was done to."""
    backend = SandboxBackend()
    backend.submit(first)
    refused = {index for index, _ in backend.submit(second)}
    return [change for index, change in enumerate(second) if index not in refused]


@given(sequences, sequences)
def test_after_a_refusal_everything_is_as_before(first: list[command.Change], second: list[command.Change]) -> None:
    backend = SandboxBackend()
    backend.submit(first)
    before = seen(backend)
    changes = accepted(first, second)
    with pytest.raises(Refused) as refused:
        Transaction(backend).submit([*changes, REFUSED])
    assert refused.value.index == len(changes)
    assert refused.value.error.errno == errno.ESRCH
    assert seen(backend) == before


@given(sequences, sequences)
def test_earlier_batches_are_taken_back_too(first: list[command.Change], second: list[command.Change]) -> None:
    backend = SandboxBackend()
    before = seen(backend)
    transaction = Transaction(backend)
    for changes in (first, second):
        try:
            transaction.submit(changes)
        except Refused:
            assert seen(backend) == before
            return
    transaction.roll_back()
    assert seen(backend) == before


@given(st.integers(0, 300), st.integers(0, 300))
def test_nothing_is_begun_long_after_a_refusal(before: int, after: int) -> None:
    def services(count: int, second: int) -> list[command.Change]:
        keys = [ServiceKey(4, "tcp", f"10.{second}.{n // 250}.{n % 250 + 1}", 80) for n in range(count)]
        return [command.AddService(VirtualService(key)) for key in keys]

    backend = SandboxBackend()
    with pytest.raises(Refused) as refused:
        Transaction(backend).submit([*services(before, 1), REFUSED, *services(after, 2)])
    assert refused.value.index == before
    assert backend.services() == []


def test_additions_to_a_service_that_was_there_are_taken_back() -> None:
    backend = SandboxBackend()
    backend.submit([command.AddService(VirtualService(KEY))])
    with pytest.raises(Refused):
        Transaction(backend).submit([command.AddServer(KEY, SERVER), command.AddServer(KEY, SERVER)])
    assert backend.services(KEY)[0].servers == ()


def test_the_way_between_states_stops_daemons_first() -> None:
    backend = SandboxBackend()
    empty = State(backend)
    mixed = RealServer(ServerKey(6, "2001:db8::1", 80), "ipip")
    assert not backend.submit([command.AddService(VirtualService(KEY)), command.AddServer(KEY, mixed)])
    with_tunnel = State(backend)
    for target in (empty, with_tunnel):
        try:
            Transaction(backend).submit(target.reached_from(State(backend)))
        except KernelError as error:
            pytest.fail(str(error))
        assert State(backend).services == target.services
