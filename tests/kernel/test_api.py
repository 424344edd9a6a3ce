"""The Python interface on a kernel; tests/unit/ipvs/test_api.py shows the same of the sandbox."""

from __future__ import annotations

import errno
import os
import signal
from typing import TYPE_CHECKING

import pytest

from pyipvsadm import ipvs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from pyipvsadm.record import Record
    from support.netns import Namespace

    Shown = TypeVar("Shown", bound=Record)

WEB = ipvs.ServiceKey(4, "tcp", "192.0.2.1", 80)
WEB6 = ipvs.ServiceKey(6, "udp", "2001:db8::1", 53)
MARK = ipvs.ServiceKey(4, fwmark=7)
ONE = ipvs.RealServer(ipvs.ServerKey(4, "10.0.0.1", 80), "masq", weight=3, u_threshold=9, l_threshold=5)
TWO = ipvs.RealServer(ipvs.ServerKey(4, "10.0.0.2", 80), "ipip", tun_type="gue", tun_port=6080, tun_flags=1)
SIX = ipvs.RealServer(ipvs.ServerKey(6, "2001:db8:1::1", 53), "gateway")
SETUP = (
    ipvs.AddService(ipvs.VirtualService(WEB, "wrr", flags=1, timeout=60, netmask=0xFFFFFF00)),
    ipvs.AddServer(WEB, ONE),
    ipvs.AddServer(WEB, TWO),
    ipvs.AddService(ipvs.VirtualService(WEB6, "mh", flags=16)),
    ipvs.AddServer(WEB6, SIX),
    ipvs.AddService(ipvs.VirtualService(MARK)),
    ipvs.SetTimeouts(ipvs.Timeouts(100, 0, 300)),
    ipvs.StartDaemon(ipvs.SyncDaemon("master", "lo", syncid=5)),
)


@pytest.fixture
def lvs(netns: Namespace) -> Iterator[ipvs.VirtualServerTable]:
    """Give the open table of ``netns``."""
    with ipvs.open(netns.name) as table:
        yield table


def many(services: int, servers: int) -> Iterator[ipvs.Change]:
    """Yield what makes services with as many servers each."""
    for number in range(services):
        key = ipvs.ServiceKey(4, "tcp", f"192.0.{number // 100}.{number % 100}", 80)
        yield ipvs.AddService(ipvs.VirtualService(key, "rr"))
        for server in range(servers):
            yield ipvs.AddServer(key, ipvs.RealServer(ipvs.ServerKey(4, f"10.0.{server}.1", 80), "masq"))


def settings(table: ipvs.VirtualServerTable) -> set[tuple[ipvs.VirtualService, frozenset[ipvs.RealServer]]]:
    """Return all that is configured."""
    return {(service.config, frozenset(server.config for server in service.servers)) for service in table.services()}


def test_what_is_applied_is_in_the_kernel(netns: Namespace, lvs: ipvs.VirtualServerTable) -> None:
    lvs.apply(*SETUP)
    assert netns.peer("-S", "-n").stdout == (
        "-A -t 192.0.2.1:80 -s wrr -p 60 -M 255.255.255.0\n"
        "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 3\n"
        "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum\n"
        "-A -u [2001:db8::1]:53 -s mh -b mh-port\n"
        "-a -u [2001:db8::1]:53 -r [2001:db8:1::1]:53 -g -w 1\n"
        "-A -f 7 -s wlc\n"
    )
    assert netns.peer("-L", "--timeout").stdout == "Timeout (tcp tcpfin udp): 100 120 300\n"
    assert netns.peer("-L", "--daemon").stdout.startswith("master sync daemon (mcast=lo, syncid=5")
    assert {server.config for server in lvs.service(WEB).servers} == {ONE, TWO}
    assert [server.config for server in lvs.service(WEB6).servers] == [SIX]
    assert lvs.service(MARK).config == ipvs.VirtualService(MARK)
    assert lvs.timeouts() == ipvs.Timeouts(100, 120, 300)
    [daemon] = lvs.daemons()
    assert (daemon.state, daemon.mcast_ifn, daemon.syncid) == ("master", "lo", 5)
    assert lvs.info().version == 0x010201
    assert list(lvs.connections()) == []


def test_a_refusal_takes_everything_back(netns: Namespace, lvs: ipvs.VirtualServerTable) -> None:
    lvs.apply(*SETUP)
    before = netns.peer("-S", "-n").stdout, settings(lvs), lvs.timeouts(), lvs.daemons()
    with pytest.raises(ipvs.Refused) as refused:
        lvs.apply(
            ipvs.EditServer(WEB, ONE.replace(weight=0, u_threshold=0, l_threshold=0)),
            ipvs.EditService(ipvs.VirtualService(WEB6, "sh")),
            ipvs.DeleteServer(WEB, TWO.key),
            ipvs.DeleteService(MARK),
            ipvs.SetTimeouts(ipvs.Timeouts(1, 2, 3)),
            ipvs.StopDaemon(ipvs.SyncDaemon("master", "lo", syncid=5)),
            ipvs.StartDaemon(ipvs.SyncDaemon("backup", "lo", syncid=6)),
            ipvs.AddServer(WEB6, SIX),
            ipvs.Flush(),
        )
    assert refused.value.index == 7
    assert refused.value.error.errno == errno.EEXIST
    assert refused.value.error.operation == "add server"
    assert (netns.peer("-S", "-n").stdout, settings(lvs), lvs.timeouts(), lvs.daemons()) == before


def test_without_rollback_the_rest_is_done(lvs: ipvs.VirtualServerTable) -> None:
    with pytest.raises(ipvs.Refused) as refused:
        lvs.apply(ipvs.DeleteService(WEB), *SETUP, ipvs.AddServer(WEB, ONE), rollback=False)
    assert [(index, error.errno) for index, error in refused.value.refusals] == [
        (0, errno.ESRCH),
        (len(SETUP) + 1, errno.EEXIST),
    ]
    assert len(lvs.services()) == 3


def test_replace_changes_only_what_differs(lvs: ipvs.VirtualServerTable) -> None:
    lvs.apply(*SETUP)
    with ipvs.sandbox() as wanted:
        wanted.apply(*SETUP[:-2], ipvs.EditServer(WEB, ONE.replace(weight=9)), ipvs.DeleteService(MARK))
        assert set(lvs.replace(wanted.services())) == {
            ipvs.EditServer(WEB, ONE.replace(weight=9)),
            ipvs.DeleteService(MARK),
        }
        assert lvs.replace(wanted.services()) == []
        assert settings(lvs) == settings(wanted)


def test_a_dump_of_many_servers_is_complete(netns: Namespace, lvs: ipvs.VirtualServerTable) -> None:
    changes = list(many(300, 30))
    lvs.apply(*changes)
    servers = frozenset(change.server for change in changes if isinstance(change, ipvs.AddServer))
    assert len(servers) == 30
    assert settings(lvs) == {(change.service, servers) for change in changes if isinstance(change, ipvs.AddService)}
    dump = ipvs.save(lvs.services())
    assert dump.count("\n") == 9300
    assert netns.peer("-S", "-n").stdout == dump
    lvs.apply(ipvs.Flush())
    lvs.apply(*ipvs.parse(dump.splitlines()))
    assert ipvs.save(lvs.services()) == dump


def test_changes_while_it_is_dumped_neither_hide_nor_repeat_what_stays(
    netns: Namespace, lvs: ipvs.VirtualServerTable
) -> None:
    lvs.apply(*many(200, 3))
    staying = settings(lvs)
    child = os.fork()
    if not child:
        _disturb(netns.name)
    try:
        for _ in range(10):
            services = lvs.services()
            keys = [service.config.key for service in services]
            assert len(keys) == len(set(keys))
            found = {(service.config, frozenset(server.config for server in service.servers)) for service in services}
            assert staying <= found
            assert {service.key.fwmark for service, _ in found - staying} <= set(range(1, 41))
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _disturb(name: str) -> None:
    """In a child: add and delete other services until killed."""
    signal.alarm(300)
    with ipvs.open(name) as table:
        keys = [ipvs.ServiceKey(4, fwmark=mark) for mark in range(1, 41)]
        while True:
            table.apply(*(ipvs.AddService(ipvs.VirtualService(key, "rr")) for key in keys))
            table.apply(*(ipvs.DeleteService(key) for key in keys))


def test_tables_of_two_namespaces_are_open_at_once(netns: Namespace, other_netns: Namespace) -> None:
    with ipvs.open(netns.name) as one, ipvs.open(f"/run/netns/{other_netns.name}") as two, other_netns.entered():
        one.apply(*SETUP)
        with ipvs.open() as here:
            here.apply(ipvs.AddService(ipvs.VirtualService(MARK)))
        assert [service.config.key for service in two.services()] == [MARK]
        assert len(one.services()) == 3


def test_what_is_not_there_is_an_error(lvs: ipvs.VirtualServerTable) -> None:
    with pytest.raises(ipvs.KernelError) as refused:
        lvs.service(WEB)
    assert refused.value.errno == errno.ESRCH
    for name in ("no-such-namespace", "/no/such/namespace", "", "a\0b"):
        with pytest.raises(ipvs.Unsupported):
            ipvs.open(name)
    with pytest.raises(ipvs.Unsupported):
        ipvs.open("/proc/self/ns/mnt")


def test_a_user_without_rights_is_refused(netns: Namespace) -> None:
    def seen() -> str:
        netns.entered().__enter__()  # and no way back
        os.setuid(65534)
        try:
            ipvs.open()
        except ipvs.KernelError as error:
            return f"{error.operation} {errno.errorcode[error.errno]}"
        return "allowed"

    assert in_a_child(seen) == "open EPERM"

    def entering() -> str:
        os.setuid(65534)
        try:
            ipvs.open(netns.name)
        except ipvs.Unsupported as error:
            return str(error)
        return "allowed"

    assert in_a_child(entering) == f"network namespace {netns.name!r}: only root may enter it"


def in_a_child(run: Callable[[], str]) -> str:
    """Return what ``run`` returns in a child process."""
    answer, report = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(report, run().encode())
        finally:
            os._exit(0)
    os.close(report)
    with os.fdopen(answer) as file:
        text = file.read()
    os.waitpid(child, 0)
    return text


def test_nothing_stays_open(netns: Namespace) -> None:
    def descriptors() -> list[str]:
        return sorted(os.listdir("/proc/self/fd"))

    with ipvs.open(netns.name):
        pass
    before = descriptors()
    for _ in range(50):
        with ipvs.open(netns.name) as table:
            table.services()
            list(table.connections())
            next(table.connections(), None)
        with pytest.raises(ipvs.Unsupported):
            ipvs.open("no-such-namespace")
        with pytest.raises(ipvs.Unsupported):
            ipvs.open("/proc/self/ns/mnt")
    assert descriptors() == before


# -- what everybody sees -----------------------------------------------------------------------------------------------

LISTED = """-A -t 192.0.2.1:80 -s wlc -p 600 -M 255.255.255.0
-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 3 -x 10 -y 5
-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 0
-a -t 192.0.2.1:80 -r 10.0.0.3:80 -i --tun-type gue --tun-port 6080
-A -t 192.0.2.2:80 -s none
-A -u 192.0.2.1:53 -s rr -o
-A -u [2001:db8::53]:53 -s rr -o
-a -u [2001:db8::53]:53 -r [2001:db8:2::21]:53 -g
-A -u [2001:db8::54]:53 -s rr -p 100 -M 64
-A --sctp-service 192.0.2.1:9 -s sh -b sh-port
-A -f 7 -s wrr -p 60 -M 255.255.0.0
-a -f 7 -r 10.0.0.1:0 -g -w 1
-A -f 4294967295 -6 -s wrr -p 60 -M 80
-a -f 4294967295 -6 -r [fd00::1]:0 -g -w 1
-A -f 9 -s rr
""".splitlines()


def as_listed(service: ipvs.ServiceState) -> ipvs.ServiceState:
    """Return what of a service everybody sees."""

    def without(found: Shown, new: Shown) -> Shown:
        return found.replace(**{name: value for name, value in new.asdict().items() if name in ipvs.NOT_LISTED})

    config = service.config
    shown = 5 if config.key.family == 4 else 1  # PERSISTENT, and ONEPACKET
    servers = [
        without(server, ipvs.ServerState(server.config)).replace(
            config=without(server.config, ipvs.RealServer(server.config.key))
        )
        for server in service.servers
    ]
    return service.replace(
        config=without(config, ipvs.VirtualService(config.key)).replace(flags=config.flags & shown),
        servers=tuple(servers),
        stats=ipvs.Stats(),
    )


def test_what_everybody_sees(netns: Namespace, lvs: ipvs.VirtualServerTable) -> None:
    lvs.apply(*ipvs.parse(LISTED))
    with netns.entered():
        listed = ipvs.listed()
    assert listed.info == lvs.info()
    assert len(listed.services) == 9
    assert [*listed.services] == [as_listed(service) for service in lvs.services()]


def test_everybody_sees_an_empty_table(netns: Namespace, lvs: ipvs.VirtualServerTable) -> None:
    with netns.entered():
        assert ipvs.listed() == ipvs.Listed(lvs.info(), ())
