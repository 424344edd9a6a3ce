"""Plans lead from any state to any other; what is in both is not removed. Inverses take changes back."""

from __future__ import annotations

from hypothesis import given

from pyipvsadm.errors import KernelError
from pyipvsadm.ipvs import command
from pyipvsadm.ipvs.model import (
    RealServer,
    ServerKey,
    ServerState,
    ServiceKey,
    ServiceState,
    VirtualService,
)
from pyipvsadm.ipvs.plan import plan
from pyipvsadm.ipvs.table import Table
from support.changes import sequences

KEY = ServiceKey(4, "tcp", "10.0.0.1", 80)
OTHER = ServiceKey(4, fwmark=1)
A, B = (RealServer(ServerKey(4, f"10.1.0.{n}", 80)) for n in (1, 2))


def table_after(changes: list[command.Change]) -> Table:
    table = Table()
    for change in changes:
        try:
            table.apply(change)
        except KernelError:
            continue
    return table


def state(service: VirtualService, *servers: RealServer) -> ServiceState:
    return ServiceState(service, tuple(ServerState(server) for server in servers))


def as_sets(table: Table) -> dict[VirtualService, frozenset[ServerState]]:
    return {service.config: frozenset(service.servers) for service in table.services()}


@given(sequences, sequences)
def test_a_plan_leads_from_any_state_to_any_other(first: list[command.Change], second: list[command.Change]) -> None:
    live, wanted = table_after(first), table_after(second)
    table = Table(live.services())
    planned = plan(live.services(), wanted.services())
    for change in planned:
        table.apply(change)
    assert as_sets(table) == as_sets(wanted)
    assert plan(table.services(), wanted.services()) == []


@given(sequences, sequences)
def test_a_plan_removes_nothing_that_is_in_both(first: list[command.Change], second: list[command.Change]) -> None:
    live, wanted = table_after(first), table_after(second)
    for change in plan(live.services(), wanted.services()):
        if isinstance(change, command.DeleteService):
            assert wanted.service(change.key) is None
        if isinstance(change, command.DeleteServer):
            assert wanted.server(change.service, change.server) is None


@given(sequences)
def test_a_plan_from_nothing_ends_in_the_order_of_what_is_wanted(changes: list[command.Change]) -> None:
    wanted = table_after(changes)
    table = Table()
    for change in plan([], wanted.services()):
        table.apply(change)
    assert table.services() == wanted.services()


def test_additions_come_before_removals() -> None:
    live = [state(VirtualService(OTHER)), state(VirtualService(KEY), A)]
    wanted = [state(VirtualService(KEY, scheduler="rr"), B)]
    assert plan(live, wanted) == [
        command.EditService(VirtualService(KEY, scheduler="rr")),
        command.AddServer(KEY, B),
        command.DeleteServer(KEY, A.key),
        command.DeleteService(OTHER),
    ]


def test_a_server_that_differs_is_edited() -> None:
    assert plan([state(VirtualService(KEY), A, B)], [state(VirtualService(KEY), A.replace(weight=5), B)]) == [
        command.EditServer(KEY, A.replace(weight=5))
    ]


def test_spellings_of_the_same_setting_are_no_difference() -> None:
    live = [state(VirtualService(KEY, netmask=0xFFFFFFFF, flags=2 | 1))]
    assert plan(live, [state(VirtualService(KEY, flags=1))]) == []
