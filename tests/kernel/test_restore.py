"""Restores: all or nothing, nothing touched that does not change, and the peer's end state."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.netns import Namespace

BASE = """\
-A -t 10.0.0.1:80 -s wrr -p 300
-a -t 10.0.0.1:80 -r 10.0.1.1:80 -m -w 3
-a -t 10.0.0.1:80 -r 10.0.1.2:80 -g -w 1 -x 10 -y 5
-A -u 10.0.0.1:53 -s rr
-a -u 10.0.0.1:53 -r 10.0.1.1:53 -i --tun-type gue --tun-port 6080
-A -t [2001:db8::1]:80 -s sh -b sh-port
-a -t [2001:db8::1]:80 -r [2001:db8:1::1]:80 -m
-A -f 7 -s lc
"""

# What each dump does before its last line is refused; "restore" clears first.
REFUSED = {
    "adds": "-A -t 10.0.0.9:80 -s rr\n-a -t 10.0.0.9:80 -r 10.0.1.9 -m\n-a -f 7 -r 10.0.1.9 -g\n",
    "edits": "-E -t 10.0.0.1:80 -s lc\n-e -t 10.0.0.1:80 -r 10.0.1.2:80 -m -w 9\n-E -f 7 -s sed -p 60 -M 255.255.0.0\n",
    "deletes": "-d -t 10.0.0.1:80 -r 10.0.1.2:80\n-D -u 10.0.0.1:53\n-D -t [2001:db8::1]:80\n-D -f 7\n",
    "a clear": "-C\n-A -f 9 -s rr\n",
    "settings": "--set 11 12 13\n--start-daemon backup --mcast-interface lo --syncid 5\n",
    "a daemon stopped": "--stop-daemon master\n-D -f 7\n",
    "looks": "-A -f 9\n-L -n\n-D -f 7\n-S -n\n",
    "everything at once": "-D -f 7\n-A -f 7 -s nq\n"
    "-a -f 7 -r 10.0.1.7 -m\n-C\n--set 1 1 1\n--stop-daemon master\n-A -f 8\n",
}

LOOKS = (("-S", "-n"), ("-L", "--timeout"), ("-L", "--daemon"))


def state(namespace: Namespace) -> list[str]:
    """Return what the peer sees."""
    return [namespace.peer(*words).stdout for words in LOOKS]


def prepared(namespace: Namespace) -> list[str]:
    """Fill the table; return its state."""
    assert namespace.peer("-R", stdin=BASE).status == 0
    assert namespace.peer("--set", "100", "200", "300").status == 0
    assert namespace.peer("--start-daemon", "master", "--mcast-interface", "lo", "--syncid", "3").status == 0
    return state(namespace)


@pytest.mark.parametrize("tool", ["ipvsadm", "ipvsadm-restore"])
def test_a_refused_line_leaves_everything_as_it_was(netns: Namespace, tool: str) -> None:
    before = prepared(netns)
    arguments = ["-R"] if tool == "ipvsadm" else []
    for name, changes in REFUSED.items():
        dump = changes if tool == "ipvsadm" else BASE + changes  # ipvsadm-restore starts with nothing
        number = dump.count("\n") + 1
        refused = netns.ours(*arguments, stdin=dump + "-D -t 10.9.9.9:99\n-A -f 33\n", tool=tool)
        assert refused.status == 255, name
        assert f"line {number}: -D -t 10.9.9.9:99: No such service\n" in refused.stderr, name
        assert "nothing was changed" in refused.stderr, name
        assert state(netns) == before, name


@pytest.mark.parametrize("tool", ["ipvsadm", "ipvsadm-restore"])
def test_a_line_that_is_no_command_applies_nothing(netns: Namespace, tool: str) -> None:
    before = prepared(netns)
    arguments = ["-R"] if tool == "ipvsadm" else []
    for line, status, reason in (
        ("-A -t 10.0.0.1:99 -w 5", 2, "Illegal 'weight' option with the 'add-service' command"),
        ("-A -t 10.0.0.1:99999", 2, "illegal virtual server address[:port] specified"),
        ("hello", 255, "Try `"),
        ("-A --nosuch", 255, "--nosuch: unknown option"),
    ):
        refused = netns.ours(*arguments, stdin=f"-A -f 1\n-C\n\n{line}\n-A -f 2\n", tool=tool)
        assert refused.status == status, line
        assert f"line 4: {line}: {reason}" in refused.stderr
        assert state(netns) == before, line


def test_what_does_not_change_keeps_its_counters_and_connections(netns: Namespace, other_netns: Namespace) -> None:
    for namespace in (netns, other_netns):
        for words in (
            "link add dummy0 up type dummy",
            "address add 10.0.0.1/32 dev lo",
            "address add 10.0.1.254/24 dev dummy0",
        ):
            namespace.run(["ip", *words.split()])
        assert namespace.peer("-R", stdin=BASE.replace(" -i --tun-type gue --tun-port 6080", " -m")).status == 0
        with namespace.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for _ in range(5):
                client.sendto(b"question", ("10.0.0.1", 53))
        counted = await_count(namespace)
    assert "10.0.1.1:53" in netns.peer("-L", "-n", "-c").stdout
    changed = BASE.replace(" -i --tun-type gue --tun-port 6080", " -m").replace("-w 3", "-w 4") + "-A -f 9 -s rr\n"

    assert netns.ours(stdin=changed, tool="ipvsadm-restore").status == 0
    assert other_netns.peer(stdin=changed, tool="ipvsadm-restore").status == 0

    assert state(netns) == state(other_netns)
    assert " 5 " not in counters(other_netns)  # the peer's clears the table, so this test can fail
    assert counters(netns) == counted
    assert "10.0.1.1:53" in netns.peer("-L", "-n", "-c").stdout


def await_count(namespace: Namespace) -> str:
    """Return the counters when they are 5; the kernel adds them up every two seconds."""
    end = time.monotonic() + 60
    while " 5 " not in (counted := counters(namespace)):
        assert time.monotonic() < end, counted
        time.sleep(0.2)
    return counted


def counters(namespace: Namespace) -> str:
    """Return the counters of the UDP service and its server."""
    return namespace.peer("-L", "-n", "--stats", "--exact", "-u", "10.0.0.1:53").stdout


@pytest.mark.parametrize(
    "dump",
    [
        "",
        "\n\n",
        "# a comment\n-A -f 1\n#-A -f 2\n",
        "-A -f 1\n-A -f 1 -s rr\n-C\n-A -f 3\n",
        BASE.replace("wrr -p 300", "lc").replace("-w 1 -x 10", "-w 2 -x 11"),
        "--set 1 2 3\n-A -f 1\n--stop-daemon master\n",
        "-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 -r 10.0.1.1:80 -i\n"
        "-E -t 10.0.0.1:80 -s sh\n-d -t 10.0.0.1:80 -r 10.0.1.1\n",
    ],
)
def test_restore_ends_where_the_peer_ends(netns: Namespace, other_netns: Namespace, dump: str) -> None:
    assert prepared(netns) == prepared(other_netns)
    theirs = other_netns.peer(stdin=dump, tool="ipvsadm-restore")
    flags = ["--no-rollback"] if theirs.stderr else []
    ours = netns.ours(*flags, stdin=dump, tool="ipvsadm-restore")
    assert ours == theirs
    assert state(netns) == state(other_netns)


def test_large_restore_ends_where_the_peer_ends(netns: Namespace, other_netns: Namespace) -> None:
    lines = []
    for number in range(2000):
        service = f"-t 10.{number // 250}.{number % 250}.1:80"
        lines.append(f"-A {service} -s rr")
        lines += [f"-a {service} -r 10.100.{number % 250}.{server}:80 -m -w {server}" for server in range(1, 6)]
    dump = "\n".join(lines) + "\n"
    assert other_netns.peer("-R", stdin=dump) == (0, "", "")
    assert netns.ours("-R", stdin=dump) == (0, "", "")
    saved = other_netns.peer("-S", "-n").stdout
    assert saved.count("\n") == 12000
    assert netns.peer("-S", "-n").stdout == saved
    assert netns.ours("-S", "-n").stdout == saved
    assert netns.ours(stdin=saved, tool="ipvsadm-restore") == (0, "", "")
    assert netns.peer("-S", "-n").stdout == saved


def test_looks_inside_a_dump_show_what_stands_before_them(netns: Namespace, other_netns: Namespace) -> None:
    dump = "-L -n\n-A -f 1 -s rr\n-L -n\n-a -f 1 -r 10.0.1.1 -m\n-S -n\n--set 5 6 7\n-L --timeout\n-C\n"
    dump += "-L -n -c\n-v\n-A -f 2\n"
    theirs = other_netns.peer("-R", stdin=dump)
    assert theirs.stdout.count("FWM  1") == 1
    assert netns.ours("-R", stdin=dump) == theirs
    assert state(netns) == state(other_netns)


@pytest.mark.parametrize(
    "dump",
    [
        "-A -f 1\n-A -f 1\n-A -f 2\n",
        "-A -f 1\n-A -f 1\n",
        "-A -f 1\n-D -f 9\n-L -n\n-D -f 8\n-L -n -f 7\n-A -f 3\n-S -n\n",
        "-A -f 1\n--nosuch\n-A -f 2\n",
        "-A -f 1\n-A --nosuch\n-A -f 2\n",
        "-A -f 1\n-A --nosuch\n",
        "-A -f 1\n-A -w 1\n-A -f 2\n",
        "-A -f 1\n-L -n -f 9\n-A -f 2\n",
        "-A -f 1\n-h\n-A -f 2\n",
        "-A -f 1\n-v\n-A -f 2\n",
        "-A -f 1\n-R\n-A -f 2\n",
        "-A -f 1\n-D -f 9\n-v\n",
    ],
)
def test_without_roll_back_refusals_are_the_peers(netns: Namespace, other_netns: Namespace, dump: str) -> None:
    theirs = other_netns.peer("-R", stdin=dump)
    ours = netns.ours("-R", "--no-rollback", stdin=dump)
    assert ours.status == theirs.status
    assert "-h" in dump or ours.stdout == theirs.stdout
    assert " ".join(theirs.stderr.replace("/usr/sbin/", "").split()) in " ".join(ours.stderr.split())
    assert state(netns) == state(other_netns)
