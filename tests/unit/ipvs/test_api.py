"""The Python interface, on a sandbox; tests/kernel runs it on a kernel."""

from __future__ import annotations

import errno
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import pyipvsadm
from pyipvsadm import ipvs

if TYPE_CHECKING:
    from pathlib import Path

WEB = ipvs.ServiceKey(4, "tcp", "192.0.2.1", 80)
ONE = ipvs.RealServer(ipvs.ServerKey(4, "10.0.0.1", 80), "masq", weight=3)
TWO = ipvs.RealServer(ipvs.ServerKey(4, "10.0.0.2", 80), "masq")
SETUP = (ipvs.AddService(ipvs.VirtualService(WEB, "wrr")), ipvs.AddServer(WEB, ONE), ipvs.AddServer(WEB, TWO))


def test_what_is_applied_is_there() -> None:
    with ipvs.sandbox() as lvs:
        lvs.apply(*SETUP, ipvs.SetTimeouts(ipvs.Timeouts(60, 0, 0)))
        [service] = lvs.services()
        assert service == lvs.service(WEB)
        assert service.config.scheduler == "wrr"
        assert {server.config for server in service.servers} == {ONE, TWO}
        assert lvs.timeouts() == ipvs.Timeouts(60, 120, 300)
        assert lvs.info().version == 0x010201
        assert list(lvs.connections()) == []
        assert lvs.daemons() == []


def test_a_refusal_takes_everything_back() -> None:
    with ipvs.sandbox() as lvs:
        lvs.apply(*SETUP)
        before = lvs.services()
        with pytest.raises(ipvs.Refused) as refused:
            lvs.apply(
                ipvs.EditServer(WEB, ONE.replace(weight=0)),
                ipvs.DeleteServer(WEB, TWO.key),
                ipvs.StartDaemon(ipvs.SyncDaemon("master", "lo")),
                ipvs.AddService(ipvs.VirtualService(WEB)),
                ipvs.Flush(),
            )
        assert refused.value.index == 3
        assert refused.value.error.errno == errno.EEXIST
        assert str(refused.value) == "Service already exists"
        assert {server.config for server in lvs.service(WEB).servers} == {ONE, TWO}
        assert [service.config for service in lvs.services()] == [service.config for service in before]
        assert lvs.daemons() == []


def test_without_rollback_the_rest_is_done() -> None:
    with ipvs.sandbox() as lvs:
        with pytest.raises(ipvs.Refused) as refused:
            lvs.apply(ipvs.DeleteService(WEB), *SETUP, rollback=False)
        assert [index for index, _ in refused.value.refusals] == [0]
        assert len(lvs.service(WEB).servers) == 2


def test_replace_changes_only_what_differs() -> None:
    with ipvs.sandbox() as lvs, ipvs.sandbox() as wanted:
        lvs.apply(*SETUP)
        wanted.apply(*SETUP, ipvs.EditServer(WEB, ONE.replace(weight=9)))
        assert lvs.replace(wanted.services()) == [ipvs.EditServer(WEB, ONE.replace(weight=9))]
        assert lvs.replace(wanted.services()) == []


def test_a_dump_goes_both_ways() -> None:
    with ipvs.sandbox() as lvs, ipvs.sandbox() as copy:
        lvs.apply(*SETUP)
        dump = ipvs.save(lvs.services())
        copy.apply(*ipvs.parse(dump.splitlines()))
        assert ipvs.save(copy.services()) == dump


@pytest.mark.parametrize(
    "line",
    [
        "-A -t 192.0.2.1:80",
        "-A -u [2001:db8::1]:53 -s rr -o",
        "-E -f 7 -6 -s sh -p 60 -M 64 -b sh-port",
        "-A --sctp-service 192.0.2.1:9 -s mh -p 60 -M 255.255.255.0 -b mh-fallback,mh-port",
        "-A -u 192.0.2.1:5060 -s wlc -p --pe sip",
        "-D -t 192.0.2.1:80",
        "-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 0",
        "-a -t 192.0.2.1:80 -r 10.0.0.1 -x 9 -y 3",
        "-e -f 7 -r [2001:db8::5]:80 -i --tun-type gue --tun-port 6080 --tun-csum",
        "-e -f 7 -r 10.0.0.1:80 -i --tun-type gre -y 5",
        "-d -t 192.0.2.1:80 -r 10.0.0.1:8080",
        "-C",
        "-Z",
        "-Z -f 7",
        "--set 60 0 9",
        "--start-daemon master --mcast-interface eth1 --syncid 7 --sync-maxlen 99",
        "--start-daemon backup --mcast-group ff02::81 --mcast-port 88 --mcast-ttl 3",
        "--stop-daemon backup --syncid 7",
    ],
)
def test_command_lines_ask_for_the_same(line: str) -> None:
    [change] = ipvs.parse([line])
    assert ipvs.parse([ipvs.command_line(change)]) == [change]


def test_a_dump_that_looks_is_refused() -> None:
    with pytest.raises(ipvs.UsageError) as refused:
        ipvs.parse(["-A -t 192.0.2.1:80", "", "-L"])
    assert refused.value.line == 3


def test_a_sandbox_in_a_file_is_kept(tmp_path: Path) -> None:
    with ipvs.sandbox(tmp_path / "table") as lvs:
        lvs.apply(*SETUP)
    with ipvs.sandbox(tmp_path / "table") as lvs:
        assert len(lvs.service(WEB).servers) == 2


def test_an_unknown_service_is_an_error() -> None:
    with ipvs.sandbox() as lvs, pytest.raises(ipvs.KernelError) as refused:
        lvs.service(WEB)
    assert refused.value.errno == errno.ESRCH


def test_a_namespace_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ipvs.Unsupported, match="no-such-namespace"):
        ipvs.open("no-such-namespace")


def test_names_that_do_not_exist_are_attribute_errors() -> None:
    for name in ("NoSuchName", "no_such_name"):
        with pytest.raises(AttributeError):
            getattr(ipvs, name)
    with pytest.raises(AttributeError):
        pyipvsadm.no_such_name  # noqa: B018


def test_the_package_alone_is_enough() -> None:
    code = "import pyipvsadm; print(pyipvsadm.ipvs.Timeouts(1, 2, 3), 'open' in dir(pyipvsadm.ipvs))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "Timeouts(tcp=1, tcp_fin=2, udp=3) True\n"
