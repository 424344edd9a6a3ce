"""The sandbox keeps a table in a file: whole, shared by several writers, refused where it is not one of ours."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from pyipvsadm.errors import SandboxFileError
from pyipvsadm.ipvs import command
from pyipvsadm.ipvs.backend.sandbox import SandboxBackend, _dump, _load
from pyipvsadm.ipvs.model import Info, RealServer, ServerKey, ServiceKey, SyncDaemon, Timeouts, VirtualService
from pyipvsadm.ipvs.table import SCHEDULERS
from support.changes import sequences

if TYPE_CHECKING:
    from pathlib import Path

KEY = ServiceKey(4, "tcp", "10.0.0.1", 80)
MARK = ServiceKey(6, fwmark=7)
SERVER = RealServer(ServerKey(4, "10.1.0.1", 80))
ADD = command.AddService(VirtualService(KEY))


def test_without_a_file_it_is_in_memory() -> None:
    with SandboxBackend() as sandbox:
        assert sandbox.submit([ADD, ADD, command.AddServer(KEY, SERVER)])[0][0] == 1
        assert [server.config for server in sandbox.services(KEY)[0].servers] == [SERVER]
        assert sandbox.info() == Info(0x010201, 4096)
        assert list(sandbox.connections()) == []
    with SandboxBackend() as other:
        assert other.services() == []


def test_refusals_come_with_the_index_of_their_change() -> None:
    refused = SandboxBackend().submit([command.DeleteService(KEY), ADD, ADD, command.AddServer(MARK, SERVER)])
    assert [(index, error.errno, str(error)) for index, error in refused] == [
        (0, errno.ESRCH, "No such service"),
        (2, errno.EEXIST, "Service already exists"),
        (3, errno.ESRCH, "Service not defined"),
    ]


@given(sequences)
def test_a_file_holds_all_that_a_table_does(changes: list[command.Change]) -> None:
    memory = SandboxBackend()
    memory.submit(changes)
    again = _load(_dump(memory._table), SCHEDULERS)
    assert again.services() == memory.services()
    assert again.timeouts == memory.timeouts()
    assert again.daemons() == memory.daemons()


def test_a_missing_file_is_an_empty_table_and_stays_missing_until_something_changes(tmp_path: Path) -> None:
    path = tmp_path / "table"
    sandbox = SandboxBackend(path)
    assert (sandbox.services(), sandbox.daemons(), sandbox.timeouts()) == ([], [], Timeouts(900, 120, 300))
    sandbox.submit([command.DeleteService(KEY)])
    assert not path.exists()
    sandbox.submit([ADD])
    path.unlink()
    assert sandbox.services() == []


def test_what_another_process_wrote_is_seen(tmp_path: Path) -> None:
    one, two = SandboxBackend(tmp_path / "table"), SandboxBackend(tmp_path / "table")
    one.submit([ADD])
    assert len(two.services()) == 1
    two.submit([command.AddService(VirtualService(MARK))])
    assert len(one.services()) == 2
    assert one.services() is not one.services()


def test_a_file_keeps_its_mode_and_a_link_stays_one(tmp_path: Path) -> None:
    path, link = tmp_path / "table", tmp_path / "link"
    SandboxBackend(path).submit([ADD])
    path.chmod(0o640)
    link.symlink_to(path)
    SandboxBackend(link).submit([command.AddService(VirtualService(MARK))])
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(tmp_path)) == ["link", "table"]
    assert len(SandboxBackend(path).services()) == 2


WRITER = """
import sys
from pyipvsadm.ipvs.backend.sandbox import SandboxBackend
from pyipvsadm.ipvs.command import AddService
from pyipvsadm.ipvs.model import ServiceKey, VirtualService
for number in range(5):
    mark = ServiceKey(4, fwmark=int(sys.argv[2]) + number)
    assert not SandboxBackend(sys.argv[1]).submit([AddService(VirtualService(mark))])
"""


def test_concurrent_writers_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "table"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, path, str(first)]) for first in (100, 200, 300)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len(SandboxBackend(path).services()) == 15


def content(**changes: object) -> bytes:
    service = {"family": 4, "protocol": "tcp", "address": "10.0.0.1", "port": 80, "servers": []}
    return json.dumps(
        {
            "format": "pyipvsadm sandbox",
            "version": 1,
            "timeouts": {"tcp": 1, "tcp_fin": 2, "udp": 3},
            "daemons": [],
            "services": [service],
            **changes,
        }
    ).encode()


def service(**changes: object) -> list[object]:
    return [{"family": 4, "protocol": "tcp", "address": "10.0.0.1", "port": 80, "servers": [], **changes}]


def server(**changes: object) -> list[object]:
    return service(servers=[{"family": 4, "address": "10.1.0.1", "port": 80, **changes}])


BROKEN = {
    "empty": b"",
    "binary": b"\xff\xfe\0",
    "another program's": b'{"services": []}',
    "no object": b"[1]",
    "cut": content()[:-9],
    "deep": b"[" * 100000,
    "format": content(format="x"),
    "newer": content(version=2),
    "no services": content(services=None),
    "unknown field": content(services=service(colour="red")),
    "missing field": content(timeouts={"tcp": 1}),
    "number as text": content(services=service(port="80")),
    "text as number": content(services=service(scheduler=5)),
    "boolean": content(services=service(flags=True)),
    "fraction": content(services=service(timeout=1.0)),
    "port": content(services=service(port=65536)),
    "protocol": content(services=service(protocol="icmp")),
    "address": content(services=service(address="10.0.0.256")),
    "address of another family": content(services=service(address="::1")),
    "address in another form": content(services=service(family=6, address="2001:DB8::1")),
    "scheduler": content(services=service(scheduler="nosuch")),
    "twice": content(services=service() * 2),
    "weight": content(services=server(weight=-1)),
    "forward": content(services=server(forward="nat")),
    "multicast": content(services=server(address="224.0.0.1")),
    "daemon": content(daemons=[{"state": "resting"}]),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_not_ours_is_refused_and_kept(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "table"
    path.write_bytes(data)
    with pytest.raises(SandboxFileError, match=f"{path}: not a sandbox file: "):
        SandboxBackend(path).services()
    with pytest.raises(SandboxFileError):
        SandboxBackend(path).submit([ADD])
    assert path.read_bytes() == data
    assert os.listdir(tmp_path) == ["table"]


def test_a_file_written_by_hand_may_leave_out_what_has_a_default(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_bytes(content(services=server(), daemons=[{"state": "master", "mcast_ifn": "lo"}]))
    sandbox = SandboxBackend(path)
    (state,) = sandbox.services()
    assert (state.config, state.servers[0].config) == (VirtualService(KEY), SERVER)
    assert sandbox.timeouts() == Timeouts(1, 2, 3)
    assert sandbox.daemons() == [SyncDaemon("master", "lo")]


@pytest.mark.parametrize(("name", "reason"), [(".", "Is a directory"), ("no/table", "No such file or directory")])
def test_a_place_that_takes_no_file(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(SandboxFileError, match=reason):
        SandboxBackend(tmp_path / name).submit([ADD])
    assert os.listdir(tmp_path) == []


def test_a_write_that_fails_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "table"
    SandboxBackend(path).submit([ADD])
    before = path.read_bytes()
    sandbox = SandboxBackend(path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(SandboxFileError, match="File too large"):
            sandbox.submit([command.Flush()])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["table"]
    assert len(sandbox.services()) == 1
