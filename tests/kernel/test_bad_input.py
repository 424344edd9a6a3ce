"""Bad input of every kind: the peer's exit status, a clear error, no traceback, and nothing lost."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.netns import Namespace, Result

SERVICE = ("-t", "10.0.0.1:80")
COMMANDS = (
    *(("-A", *SERVICE), ("-E", *SERVICE), ("-D", *SERVICE), ("-C",), ("-S",), ("-L",), ("-L", "-c"), ("-Z",)),
    *(("-a", *SERVICE, "-r", "10.0.1.1"), ("-e", *SERVICE, "-r", "10.0.1.1"), ("-d", *SERVICE, "-r", "10.0.1.1")),
    *(("-R",), ("--set", "1", "2", "3"), ("--start-daemon", "master"), ("--stop-daemon", "master")),
)
OPTIONS = (
    *(("-n",), ("-c",), ("-u", "10.0.0.1:53"), ("-f", "1"), ("-6",), ("-s", "rr"), ("-p",), ("-p", "60")),
    *(("-M", "255.255.255.0"), ("-r", "10.0.1.2"), ("-g",), ("-i",), ("-m",), ("-w", "1"), ("-x", "1"), ("-y", "1")),
    *(("--mcast-interface", "lo"), ("--syncid", "1"), ("--timeout",), ("--daemon",), ("--stats",), ("--rate",)),
    *(("--thresholds",), ("--persistent-conn",), ("--nosort",), ("--sort",), ("--exact",), ("-o",), ("--pe", "sip")),
    *(("-b", "flag-1"), ("--mcast-group", "224.0.0.9"), ("--mcast-port", "9"), ("--mcast-ttl", "9")),
    *(("--sync-maxlen", "999"), ("--tun-info",), ("--tun-type", "gue"), ("--tun-port", "9"), ("--tun-nocsum",)),
    *(("--tun-csum",), ("--tun-remcsum",), ("--set", "1", "2", "3"), ("junk",)),
)
DUMP = "".join(
    f"-A -t 10.0.{number}.1:80 -s rr\n"
    + "".join(f"-a -t 10.0.{number}.1:80 -r 10.1.{number}.{at}:80 -m\n" for at in (1, 2, 3))
    for number in range(200)
)
BEFORE = "-A -t 10.0.0.1:80 -s wrr -p 300\n-a -t 10.0.0.1:80 -r 10.0.1.1:80 -m -w 3\n-A -f 7 -s lc\n"


def folded(text: str) -> str:
    return " ".join(text.replace("/usr/sbin/", "").split())


def assert_same(theirs: Result, ours: Result, what: object) -> None:
    """Compare two results as a program that calls the peer would."""
    assert (ours.status, ours.stdout) == (theirs.status, theirs.stdout), what
    assert folded(theirs.stderr) in folded(ours.stderr), what
    assert "Traceback" not in ours.stderr, what


def table(namespace: Namespace) -> str:
    """Return what the peer sees."""
    return namespace.peer("-S", "-n").stdout + namespace.peer("-L", "--timeout").stdout


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_with_every_option(netns: Namespace, other_netns: Namespace, command: tuple[str, ...]) -> None:
    for option in OPTIONS:
        words = (*command, *option)
        assert_same(other_netns.peer(*words), netns.ours(*words), words)
    assert table(netns) == table(other_netns)


@pytest.mark.parametrize(
    "line",
    [
        b"-A -t 10.0.0.9:80 -s \xff\xfe",
        b"-A -t \xff:80",
        b"\xff\xfe\x00\x01",
        b"-A -t 10.0.0.9:80\x00 -s rr -w 7",
        b"\x00",
        bytes(range(1, 10)) + bytes(range(11, 256)),
        b"-A -t 10.0.0.1:80",
        b"-A -t " + b"1" * 5000,
        b"-A -t 10.0.0.9:80 -s " + b"x" * 5000,
        b"-A -f 1" + b" " * 5000 + b"-s rr -w 1",
        b"-D" + b" -D" * 3000,
        b"-A -t 10.0.0.9:80 " + b"x " * 500,
        b"-" * 4000,
        b"x" * 3_000_000,
    ],
    ids=lambda line: repr(line[:40]),
)
def test_broken_lines_apply_nothing(netns: Namespace, line: bytes) -> None:
    netns.peer("-R", stdin=BEFORE)
    before = table(netns)
    for tool, words in (("ipvsadm", ["-R"]), ("ipvsadm-restore", [])):
        good = "-A -f 99\n" + (BEFORE if tool == "ipvsadm-restore" else "")
        ours = netns.ours(*words, stdin=good + os.fsdecode(line) + "\n-A -f 98\n", tool=tool)
        if ours.status:
            assert "Traceback" not in ours.stderr
            assert f"line {good.count(chr(10)) + 1}: " in ours.stderr
            assert len(ours.stderr) < 5000
            assert table(netns) == before
        else:  # a line that says nothing, or what stands before a NUL
            assert b"\0" in line
            netns.peer("-C")
            netns.peer("-R", stdin=BEFORE)


def test_binary_input_is_no_dump(netns: Namespace) -> None:
    netns.peer("-R", stdin=BEFORE)
    before = table(netns)
    with open(sys.executable, "rb") as file:
        text = os.fsdecode(file.read(1 << 20))
    for tool, words in (("ipvsadm", ["-R"]), ("ipvsadm-restore", [])):
        ours = netns.ours(*words, stdin=text, tool=tool)
        assert ours.status in (2, 255)
        assert ours.stdout == ""
        assert "nothing was changed" in ours.stderr
        assert "Traceback" not in ours.stderr
        assert table(netns) == before


def test_a_scheduler_that_has_no_module(netns: Namespace, other_netns: Namespace) -> None:
    words = ("-A", "-t", "10.0.0.1:80", "-s", "nosuch")
    ours = netns.ours(*words)
    assert_same(other_netns.peer(*words), ours, words)
    assert ours == (255, "", "Scheduler or persistence engine not found\n")


def nobody() -> None:
    importlib.import_module("pyipvsadm.ipvs.usage")  # what is imported late could be out of reach by then, as in /root
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


@pytest.mark.parametrize("words", [("-L", "-n"), ("-A", *SERVICE), ("-A",), ("-C",), ("-S",), ("-R",), ("-x",)])
def test_without_rights(netns: Namespace, words: tuple[str, ...]) -> None:
    before = table(netns)
    theirs, ours = (run(*words, stdin=BEFORE, prepare=nobody) for run in (netns.peer, netns.ours))
    assert ours.status == theirs.status
    for line in theirs.stderr.splitlines():
        assert line in ours.stderr
    assert (ours.status, ours.stdout, ours.stderr.count("\n")) == (2, "", 1)
    assert table(netns) == before


def test_help_takes_no_rights(netns: Namespace) -> None:
    for words in (("-h",), ("-v",)):
        ours = netns.ours(*words, prepare=nobody)
        assert (ours.status, ours.stderr) == (0, "")
        assert ours.stdout.startswith("ipvsadm ")


def no_input() -> None:
    os.close(0)


def no_output() -> None:
    os.close(1)


def no_errors() -> None:
    os.close(2)


def full() -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


def test_closed_input(netns: Namespace, other_netns: Namespace) -> None:
    for namespace in (netns, other_netns):
        namespace.peer("-R", stdin=BEFORE)
    before = table(netns)
    theirs, ours = other_netns.peer("-R", prepare=no_input), netns.ours("-R", prepare=no_input)
    assert table(netns) == before
    assert "Traceback" not in ours.stderr
    assert theirs.status == 0  # as if it had read an empty dump
    assert ours.status == 1
    assert ours.stderr.count("\n") == 1
    assert netns.ours(tool="ipvsadm-restore", prepare=no_input).status == 1
    assert table(netns) == before


@pytest.mark.parametrize("prepare", [no_output, full])
@pytest.mark.parametrize("words", [("-L", "-n"), ("-S",), ("-L", "-c"), ("-L", "--timeout"), ("-v",), ("-h",)])
def test_output_that_nobody_takes_is_an_error(
    netns: Namespace, words: tuple[str, ...], prepare: Callable[[], None]
) -> None:
    netns.peer("-R", stdin=BEFORE)
    ours = netns.ours(*words, prepare=prepare)
    assert ours.status == 1  # the peer's is 0: it does not look
    assert ours.stderr.count("\n") == 1
    assert "Traceback" not in ours.stderr


def test_closed_streams_of_a_new_process(netns: Namespace) -> None:
    command = f"{sys.executable} -m pyipvsadm.cli.ipvsadm"
    for redirected, status, lines in (
        (f"{command} -R <&-", 1, 1),
        (f"{command} -L >&-", 1, 1),
        (f"{command} -L --format table >&-", 1, 1),
        (f"{command} -A -t 10.0.0.1:80 <&- >&- 2>&-", 0, 0),
        (f"{command} -L --format table >/dev/full", 1, 1),
    ):
        ours = netns.run(["sh", "-c", redirected])
        assert (ours.status, ours.stdout, ours.stderr.count("\n")) == (status, "", lines), redirected
    assert netns.peer("-S", "-n").stdout == "-A -t 10.0.0.1:80 -s wlc\n"


def test_closed_errors(netns: Namespace) -> None:
    assert netns.ours("-D", *SERVICE, prepare=no_errors) == (255, "", "")
    assert netns.ours("-A", *SERVICE, prepare=no_errors) == (0, "", "")
    assert netns.peer("-S", "-n").stdout == "-A -t 10.0.0.1:80 -s wlc\n"


@contextlib.contextmanager
def traffic(namespace: Namespace, *, wanted: bool) -> Iterator[None]:
    """Have packets sent to the services of the dump all the time."""
    sender = 0
    if wanted:
        namespace.run(["ip", "route", "add", "local", "10.0.0.0/16", "dev", "lo"])
        with namespace.entered():
            sender = os.fork()
        if not sender:
            signal.alarm(600)
            with namespace.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                for number in range(10**9):
                    with contextlib.suppress(OSError):
                        client.sendto(b"x", (f"10.0.{number % 200}.1", 80))
                    time.sleep(0.001)
    try:
        yield
    finally:
        if sender:
            os.kill(sender, signal.SIGKILL)
            os.waitpid(sender, 0)


def killed(namespace: Namespace, module: str, words: list[str], dump: str, delay: float) -> None:
    """Start a restore, kill it so many seconds after the table began to change."""
    unchanged = servers(namespace)
    with namespace.entered():
        process = subprocess.Popen(
            [sys.executable, "-m", f"pyipvsadm.cli.{module}", *words], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    assert process.stdin
    process.stdin.write(dump.encode())
    process.stdin.close()
    while process.poll() is None and servers(namespace) == unchanged:
        pass
    time.sleep(delay)
    process.kill()
    process.wait()


def servers(namespace: Namespace) -> int:
    """Return how many lines the kernel's own listing has."""
    with namespace.entered(), open("/proc/thread-self/net/ip_vs") as file:
        return len(file.readlines())


@pytest.mark.parametrize("wanted", [False, True], ids=["idle", "traffic"])
def test_a_killed_restore_can_be_repeated(netns: Namespace, other_netns: Namespace, *, wanted: bool) -> None:
    dump = DUMP.replace(" -t ", " -u ")
    assert other_netns.peer(stdin=dump, tool="ipvsadm-restore").status == 0
    full_table = table(other_netns)
    with traffic(netns, wanted=wanted):
        for delay in (0, 0.02, 0.1):
            for module, words in (("ipvsadm", ["-R"]), ("restore", [])):
                netns.peer("-C")
                netns.peer("-R", stdin=BEFORE)
                killed(netns, module, words, dump, delay)
                assert netns.peer("-S", "-n").status == 0
                assert netns.ours("-S", "-n") == netns.peer("-S", "-n")
                assert netns.ours(stdin=dump, tool="ipvsadm-restore") == (0, "", "")
                assert table(netns) == full_table
