"""The table's rules one by one; tests/kernel/test_sandbox_equals_kernel.py checks them against a kernel."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given

from pyipvsadm.errors import KernelError
from pyipvsadm.ipvs import command
from pyipvsadm.ipvs.model import RealServer, ServerKey, ServiceKey, SyncDaemon, Timeouts, VirtualService
from pyipvsadm.ipvs.table import DEFAULT_TIMEOUTS, Table
from support.changes import sequences

KEY = ServiceKey(4, "tcp", "10.0.0.1", 80)
KEY6 = ServiceKey(6, "tcp", "2001:db8::9", 80)
NOWHERE = ServiceKey(4, fwmark=99)
FIRST = RealServer(ServerKey(4, "10.1.0.1", 80))
NEW = RealServer(ServerKey(4, "10.1.0.2", 80))
TUNNEL6 = RealServer(ServerKey(6, "2001:db8::1", 80), forward="ipip")
MASTER = SyncDaemon("master", "eth0")


def v4(address: str) -> RealServer:
    return RealServer(ServerKey(4, address, 80))


def v6(address: str) -> RealServer:
    return RealServer(ServerKey(6, address, 80))


@pytest.fixture
def table() -> Table:
    """Give an IPv4 service with one server and an IPv6 service without."""
    table = Table()
    table.apply(command.AddService(VirtualService(KEY)))
    table.apply(command.AddServer(KEY, FIRST))
    table.apply(command.AddService(VirtualService(KEY6)))
    return table


REFUSED: list[tuple[command.Change, int]] = [
    (command.AddService(VirtualService(KEY, scheduler="nosuch")), errno.EEXIST),
    (command.AddService(VirtualService(NOWHERE, scheduler="nosuch")), errno.ENOENT),
    (command.AddService(VirtualService(NOWHERE, pe_name="nosuch")), errno.ENOENT),
    (command.AddService(VirtualService(ServiceKey(6, fwmark=9), netmask=0)), errno.EINVAL),
    (command.AddService(VirtualService(ServiceKey(6, fwmark=9), netmask=129)), errno.EINVAL),
    (command.AddService(VirtualService(ServiceKey(6, fwmark=9), netmask=0, scheduler="nosuch")), errno.ENOENT),
    (command.EditService(VirtualService(NOWHERE, scheduler="nosuch")), errno.ESRCH),
    (command.EditService(VirtualService(KEY, scheduler="nosuch")), errno.ENOENT),
    (command.EditService(VirtualService(KEY6, netmask=129)), errno.EINVAL),
    (command.DeleteService(NOWHERE), errno.ESRCH),
    (command.AddServer(NOWHERE, FIRST.replace(weight=-1)), errno.ESRCH),
    (command.AddServer(KEY, TUNNEL6.replace(forward="masq", weight=-1)), errno.EINVAL),
    (command.AddServer(KEY, FIRST.replace(weight=-1)), errno.ERANGE),
    (command.AddServer(KEY, FIRST.replace(l_threshold=1)), errno.ERANGE),
    (command.AddServer(KEY, FIRST.replace(u_threshold=1 << 31)), errno.EINVAL),
    (command.AddServer(KEY, FIRST.replace(tun_type="gue")), errno.EINVAL),
    (command.AddServer(KEY, FIRST), errno.EEXIST),
    (command.AddServer(KEY, v4("0.0.0.0")), errno.EINVAL),
    (command.AddServer(KEY, v4("224.0.0.1")), errno.EINVAL),
    (command.AddServer(KEY, v4("239.255.255.255")), errno.EINVAL),
    (command.AddServer(KEY, v4("255.255.255.255")), errno.EINVAL),
    (command.AddServer(KEY, v4("127.255.255.255")), errno.EINVAL),
    (command.AddServer(KEY6, v6("::")), errno.EINVAL),
    (command.AddServer(KEY6, v6("ff02::1")), errno.EINVAL),
    (command.AddServer(KEY6, v6("fe80::1")), errno.EINVAL),
    (command.AddServer(KEY6, v6("febf:ffff::1")), errno.EINVAL),
    (command.AddServer(KEY6, v6("::ffff:1.2.3.4")), errno.EINVAL),
    (command.EditServer(NOWHERE, FIRST), errno.ESRCH),
    (command.EditServer(KEY, NEW.replace(weight=-1)), errno.ERANGE),
    (command.EditServer(KEY, NEW), errno.ENOENT),
    (command.EditServer(KEY, v4("224.0.0.1")), errno.ENOENT),
    (command.DeleteServer(NOWHERE, FIRST.key), errno.ESRCH),
    (command.DeleteServer(KEY, NEW.key), errno.ENOENT),
    (command.DeleteServer(KEY, TUNNEL6.key), errno.ENOENT),
    (command.Zero(NOWHERE), errno.ESRCH),
    (command.SetTimeouts(Timeouts(8589935, 0, 0)), errno.EINVAL),
    (command.SetTimeouts(Timeouts(0, 5, 8589935)), errno.EINVAL),
    (command.StartDaemon(SyncDaemon("master")), errno.ENODEV),
    (command.StartDaemon(SyncDaemon("master", mcast_group="10.0.0.1")), errno.EINVAL),
    (command.StartDaemon(SyncDaemon("master", "eth0", mcast_group="2001:db8::1")), errno.EINVAL),
    (command.StopDaemon(MASTER), errno.ESRCH),
]


@pytest.mark.parametrize(("change", "number"), REFUSED, ids=repr)
def test_refusals(table: Table, change: command.Change, number: int) -> None:
    before = table.services(), table.timeouts, table.daemons()
    with pytest.raises(KernelError) as caught:
        table.apply(change)
    assert (caught.value.errno, caught.value.operation) == (number, change.operation)
    assert (table.services(), table.timeouts, table.daemons()) == before


@pytest.mark.parametrize(
    "address", ["0.0.0.1", "127.0.0.1", "127.0.0.0", "240.0.0.1", "255.255.255.254", "10.255.255.255"]
)
def test_ipv4_servers(table: Table, address: str) -> None:
    table.apply(command.AddServer(KEY, v4(address)))
    assert table.server(KEY, v4(address).key) == v4(address)


@pytest.mark.parametrize(
    "address", ["::1", "::2", "::1.2.3.4", "64:ff9b::102:304", "fec0::1", "fc00::1", "ff::1", "fe8::1"]
)
def test_ipv6_servers(table: Table, address: str) -> None:
    table.apply(command.AddServer(KEY6, v6(address)))
    assert table.server(KEY6, v6(address).key) == v6(address)


def test_servers_are_listed_newest_first_and_editing_keeps_their_place(table: Table) -> None:
    table.apply(command.AddServer(KEY, NEW))
    table.apply(command.EditServer(KEY, FIRST.replace(weight=9)))
    (state,) = table.services(KEY)
    assert [server.config for server in state.servers] == [NEW, FIRST.replace(weight=9)]


def test_services_by_address_are_listed_before_those_by_mark(table: Table) -> None:
    table.apply(command.AddService(VirtualService(NOWHERE)))
    table.apply(command.AddService(VirtualService(ServiceKey(4, "udp", "10.0.0.1", 80))))
    keys = [state.config.key for state in table.services()]
    assert keys == [ServiceKey(4, "udp", "10.0.0.1", 80), KEY6, KEY, NOWHERE]


def test_an_unknown_service_is_not_listed(table: Table) -> None:
    with pytest.raises(KernelError) as caught:
        table.services(NOWHERE)
    assert caught.value.errno == errno.ESRCH
    assert table.service(NOWHERE) is None
    assert table.server(NOWHERE, FIRST.key) is None
    assert table.server(KEY, NEW.key) is None


def test_editing_replaces_every_setting_and_keeps_the_servers(table: Table) -> None:
    edited = VirtualService(KEY, scheduler="none", flags=0xFFFFFFFF, timeout=7, netmask=0xFFFFFFFF, pe_name="sip")
    table.apply(command.EditService(edited))
    (state,) = table.services(KEY)
    assert state.config == edited.replace(flags=0xFFFFFFFD, netmask=None)
    assert [server.config for server in state.servers] == [FIRST]


def test_daemons_and_servers_of_another_family_exclude_each_other(table: Table) -> None:
    table.apply(command.AddServer(KEY, TUNNEL6))
    with pytest.raises(KernelError, match="Invalid operation"):
        table.apply(command.StartDaemon(MASTER))
    table.apply(command.DeleteServer(KEY, TUNNEL6.key))
    table.apply(command.StartDaemon(MASTER))
    with pytest.raises(KernelError, match="Invalid operation"):
        table.apply(command.AddServer(KEY, TUNNEL6))


def test_the_kernel_fills_in_what_a_daemon_was_not_told(table: Table) -> None:
    table.apply(command.StartDaemon(SyncDaemon("backup", "eth0", mcast_group="ff02::81", sync_maxlen=1)))
    table.apply(command.StartDaemon(MASTER))
    with pytest.raises(KernelError, match="Daemon has already run"):
        table.apply(command.StartDaemon(MASTER))
    assert table.daemons() == [
        SyncDaemon("master", "eth0", 0, 1472, "224.0.0.81", 8848, 1),
        SyncDaemon("backup", "eth0", 0, 1024, "ff02::81", 8848, 1),
    ]
    table.apply(command.StopDaemon(SyncDaemon("master", syncid=5)))
    assert [daemon.state for daemon in table.daemons()] == ["backup"]


@pytest.mark.parametrize(
    ("daemon", "maxlen"),
    [
        (SyncDaemon("master", "eth0", sync_maxlen=65535), 65507),
        (SyncDaemon("master", "eth0", sync_maxlen=1), 1),
        (SyncDaemon("master", "eth0", mcast_group="ff02::1", sync_maxlen=65535), 65487),
        (SyncDaemon("master", "lo"), 1472),
        (SyncDaemon("backup", "lo"), 65507),
        (SyncDaemon("backup", "eth0", mcast_group="ff02::1"), 1452),
    ],
    ids=repr,
)
def test_the_length_of_sync_messages_is_bounded(table: Table, daemon: SyncDaemon, maxlen: int) -> None:
    table.apply(command.StartDaemon(daemon))
    assert [running.sync_maxlen for running in table.daemons()] == [maxlen]


def test_a_timeout_of_zero_stays_as_it_is_and_clearing_keeps_them_all(table: Table) -> None:
    assert table.timeouts == DEFAULT_TIMEOUTS
    table.apply(command.SetTimeouts(Timeouts(8589934, 0, 3)))
    table.apply(command.Flush())
    assert table.timeouts == Timeouts(8589934, 120, 3)
    assert table.services() == []


def test_any_scheduler_is_fine_where_the_kernel_is_not_known() -> None:
    table = Table(schedulers=None, engines=None)
    table.apply(command.AddService(VirtualService(KEY, scheduler="mine", pe_name="own")))
    assert table.service(KEY) == VirtualService(KEY, scheduler="mine", pe_name="own")


@given(sequences)
def test_a_table_starts_as_what_another_lists(changes: list[command.Change]) -> None:
    table = Table()
    for change in changes:
        try:
            table.apply(change)
        except KernelError:
            continue
    again = Table(table.services(), timeouts=table.timeouts, daemons=table.daemons())
    assert again.services() == table.services()
    assert (again.timeouts, again.daemons()) == (table.timeouts, table.daemons())
