"""The sandbox keeps tables of rules in a file: whole, shared by families and writers, refused where it is not ours."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pyipvsadm.errors import KernelError, SandboxFileError
from pyipvsadm.ipvs.backend.sandbox import SandboxBackend as VirtualServers
from pyipvsadm.ipvs.command import AddService
from pyipvsadm.ipvs.model import ServiceKey, VirtualService
from pyipvsadm.xtables import entry
from pyipvsadm.xtables.backend.sandbox import SandboxBackend
from pyipvsadm.xtables.model import TABLES, Header, Rule

if TYPE_CHECKING:
    from pathlib import Path

    from pyipvsadm.xtables.backend.base import Table

HEADER = entry.pack_header(Header(bytes(4), bytes(4), bytes(4), bytes(4), iniface="eth+", proto=6), 4)
HEADER6 = entry.pack_header(Header(bytes(16), bytes(16), bytes(16), bytes(16), outiface="lo"), 6)
SERVICE = AddService(VirtualService(ServiceKey(4, "tcp", "192.0.2.1", 80)))
ODD_NAME = "caf\udce9"  # a byte that is no UTF-8


def jump(chain: str, header: bytes = HEADER) -> Rule:
    return Rule(header, (), b"", chain, (1 << 63, 2))


def fill(table: Table) -> None:
    table.create(ODD_NAME)
    header = HEADER if table.family == 4 else HEADER6
    table.append("INPUT", jump(ODD_NAME, header))
    table.append("INPUT", jump("ACCEPT", header))
    table.set_policy("FORWARD", "DROP", (3, 4))
    table.commit()


def contents(table: Table) -> list[tuple[object, list[Rule]]]:
    return [(chain, list(table.rules(chain.name))) for chain in table.chains()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox"


def test_without_a_file_it_is_in_memory() -> None:
    sandbox = SandboxBackend(4)
    fill(sandbox.open("filter"))
    assert [chain.name for chain in sandbox.open("filter").chains()] == [*TABLES["filter"], ODD_NAME]
    assert [chain.name for chain in SandboxBackend(4).open("filter").chains()] == [*TABLES["filter"]]


def test_another_process_reads_what_was_written(path: Path) -> None:
    sandbox = SandboxBackend(4, path)
    fill(sandbox.open("filter"))
    fill(sandbox.open("mangle"))
    other = SandboxBackend(4, path)
    assert contents(other.open("mangle")) == contents(sandbox.open("mangle"))
    assert contents(other.open("filter"))[0][1] == [jump(ODD_NAME), jump("ACCEPT")]
    assert other.names() == ["mangle", "filter"]


def test_nothing_is_written_before_the_commit(path: Path) -> None:
    sandbox = SandboxBackend(4, path)
    table = sandbox.open("filter")
    table.create("foo")
    table.close()
    sandbox.open("filter").commit()
    assert not path.exists()
    assert sandbox.names() == []


def test_families_and_virtual_servers_share_a_file(path: Path) -> None:
    servers = VirtualServers(path)
    fill(SandboxBackend(4, path).open("filter"))
    assert servers.submit([SERVICE]) == []
    fill(SandboxBackend(6, path).open("security"))
    assert [state.config for state in VirtualServers(path).services()] == [SERVICE.service]
    assert SandboxBackend(4, path).names() == ["filter"]
    assert SandboxBackend(6, path).names() == ["security"]


def test_who_comes_too_late_is_told_to_try_again(path: Path) -> None:
    first, second = SandboxBackend(4, path).open("filter"), SandboxBackend(4, path).open("filter")
    fill(first)
    second.create("foo")
    with pytest.raises(KernelError) as refused:
        second.commit()
    assert (refused.value.operation, refused.value.errno) == ("commit", errno.EAGAIN)
    assert not SandboxBackend(4, path).open("filter").has_chain("foo")


def test_another_table_is_no_hindrance(path: Path) -> None:
    first, second = SandboxBackend(4, path).open("filter"), SandboxBackend(4, path).open("raw")
    fill(first)
    second.create("foo")
    second.commit()
    assert SandboxBackend(4, path).open("filter").has_chain(ODD_NAME)


def test_concurrent_commands_lose_nothing(path: Path) -> None:
    command = [sys.executable, "-m", "pyipvsadm.cli.iptables", "--sandbox", str(path), "-N"]
    running = [subprocess.Popen([*command, f"c{number}"]) for number in range(8)]
    assert [process.wait(60) for process in running] == [0] * 8
    chains = SandboxBackend(4, path).open("filter").chains()
    assert [chain.name for chain in chains[3:]] == [f"c{number}" for number in range(8)]


@pytest.mark.parametrize(("name", "number"), [("nosuch", errno.ENOENT), ("", errno.ENOENT), ("x" * 32, errno.EINVAL)])
def test_there_are_no_other_tables(name: str, number: int) -> None:
    with pytest.raises(KernelError) as refused:
        SandboxBackend(4).open(name)
    assert (refused.value.operation, refused.value.errno) == ("init", number)


def broken(content: dict[str, Any], place: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """Return the content of a file with one member changed."""
    changed: Any = json.loads(json.dumps(content))
    inner = changed["xtables"]["ipv4"]
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return dict(changed)


INPUT = ("filter", 0)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("filter",), None),
        (("filter",), []),
        (("nosuch",), []),
        ((*INPUT, "name"), "FORWARD"),
        ((*INPUT, "policy"), "RETURN"),
        ((*INPUT, "policy"), None),
        ((*INPUT, "counters"), [1]),
        ((*INPUT, "counters"), [True, 1]),
        ((*INPUT, "counters"), [1, 1 << 64]),
        ((*INPUT, "rules", 0, "jump"), "nosuch"),
        ((*INPUT, "rules", 0, "jump"), 1),
        ((*INPUT, "rules", 0, "header"), "AAAA"),
        ((*INPUT, "rules", 0, "header"), "no base64"),
        ((*INPUT, "rules", 0, "matches"), ["AAAA"]),
        ((*INPUT, "rules", 0, "target"), "KABub3N1Y2g" + "A" * 43 + "="),
        (("filter", 3, "rules"), "x"),
    ],
)
def test_a_broken_file_is_refused_and_kept(path: Path, place: tuple[str | int, ...], value: object) -> None:
    fill(SandboxBackend(4, path).open("filter"))
    path.write_text(json.dumps(broken(json.loads(path.read_text()), place, value)))
    before = path.read_bytes()
    with pytest.raises(SandboxFileError, match="not a sandbox file"):
        SandboxBackend(4, path).open("filter")
    assert path.read_bytes() == before


def test_ways_that_part_and_meet_are_gone_once() -> None:
    sandbox = SandboxBackend(4)
    table = sandbox.open("filter")
    for number in range(60):
        table.create(f"c{number}")
    for number in range(59):
        table.append(f"c{number}", jump(f"c{number + 1}"))
        table.append(f"c{number}", jump(f"c{number + 1}"))
    table.append("INPUT", jump("c0"))
    table.commit()
    assert sandbox.open("filter").chains()[3].references == 1


def test_chains_as_deep_as_one_likes() -> None:
    table = SandboxBackend(4).open("filter")
    for number in range(5000):
        table.create(f"c{number}")
        table.append(f"c{number - 1}" if number else "INPUT", jump(f"c{number}"))
    table.commit()
    table.append("c4999", jump("c0"))
    with pytest.raises(KernelError) as refused:
        table.commit()
    assert refused.value.errno == errno.ELOOP


# -- the commands ------------------------------------------------------------------------------------------------------


def run(tool: str, *words: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a program of its own: it keeps its lock as long as it lives."""
    argv = [sys.executable, "-m", f"pyipvsadm.cli.{tool}", *words]
    return subprocess.run(
        argv, input=stdin, capture_output=True, text=True, check=False, env={**os.environ, **environment}, timeout=60
    )


def test_commands_work_on_a_sandbox(path: Path) -> None:
    place = {"PYIPVSADM_SANDBOX": str(path)}
    words = ["-A", "INPUT", "-p", "tcp", "--dport", "80", "-j", "ACCEPT"]
    assert run("iptables", "--sandbox", str(path), *words).returncode == 0
    assert run("iptables", *words, f"--sandbox={path}").returncode == 0
    saved = run("iptables_save", **place).stdout
    assert saved.count("-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\n") == 2
    refused = run("iptables", "-t", "nat", "-A", "OUTPUT", "-j", "MASQUERADE", **place)
    assert refused.stderr == "iptables: Invalid argument. Run `dmesg' for more information.\n"
    assert refused.returncode == 1
    assert run("iptables_restore", stdin=saved.replace("80", "81"), **place).returncode == 0
    assert run("iptables", "-S", "INPUT", **place).stdout.count("--dport 81") == 2


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (["-L", "--sandbox"], 2, "--sandbox: missing name of a file"),
        (["--sandbox=", "-L"], 2, "--sandbox: missing name of a file"),
        (["--netns", "a", "--netns", "b", "-L"], 2, "multiple --netns flags not allowed"),
        (["--netns", "a", "--sandbox", "b", "-L"], 2, "--netns and --sandbox name two different places"),
        (["--netns", "no-such-namespace", "-L"], 1, "network namespace 'no-such-namespace'"),
        (["--sandbox", "/no-such-directory/file", "-N", "foo"], 1, "/no-such-directory/file: No such file"),
    ],
)
def test_commands_say_what_is_wrong(words: list[str], status: int, reason: str, tmp_path: Path) -> None:
    done = run("iptables", *words, XTABLES_LOCKFILE=str(tmp_path / "lock"))
    assert (done.returncode, reason in done.stderr) == (status, True), done.stderr
