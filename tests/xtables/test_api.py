"""pyipvsadm.iptables on a kernel, and what Debian's iptables-legacy sees of it; in network namespaces of their own."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyipvsadm
from pyipvsadm import diff, iptables
from pyipvsadm.iptables import Counters, Match, Option, Rule, Target
from support import netns, numbered, xtables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyipvsadm.xtables.options import Family

PEER: dict[Family, str] = {4: "iptables-legacy", 6: "ip6tables-legacy"}
FAMILIES: tuple[Family, ...] = (4, 6)

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("iptables-legacy", path=netns.PATH), reason="needs root and iptables-legacy"
)


@pytest.fixture(autouse=True)
def lock_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "xtables.lock"
    monkeypatch.setenv("XTABLES_LOCKFILE", str(path))
    return path


@pytest.fixture
def space() -> Iterator[netns.Namespace]:
    with netns.fresh() as namespace:
        yield namespace


def peer(space: netns.Namespace, *words: str, family: Family = 4, lock: str = "") -> str:
    """Run iptables-legacy; return what it prints, or the status with which it fails."""
    done = space.run([PEER[family], *words], env={"XTABLES_LOCKFILE": lock or os.environ["XTABLES_LOCKFILE"]})
    return done.stdout if not done.status else str(done.status)


def behind(space: netns.Namespace, *words: str) -> None:
    """Have the peer change a table without the lock that others hold."""
    assert peer(space, *words, lock=os.environ["XTABLES_LOCKFILE"] + ".other") == ""


def saved(space: netns.Namespace, *words: str, family: Family = 4) -> list[str]:
    return peer(space, *words, family=family).splitlines()


# -- changes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_rules_by_text(space: netns.Namespace, family: Family, lock_file: Path) -> None:
    with pyipvsadm.iptables.open("filter", family=family, netns=space.name) as table:
        table.create("WEB")
        table.append("WEB", '-p tcp -m tcp --dport 80:81 -m comment --comment "x" -j ACCEPT')
        table.append("WEB", "-j DROP")
        table.insert("WEB", "-i eth+ ! -p udp")
        table.insert("WEB", "-o lo -c 5 6 -j RETURN", 3)
        table.replace("WEB", 4, '-j LOG --log-prefix "a b "')
        table.append("INPUT", "-j WEB")
        table.set_policy("FORWARD", "DROP", Counters(7, 8))
        assert peer(space, "-S", "WEB", family=family, lock=f"{lock_file}.other") == "1"  # it is not there yet
    assert saved(space, "-S", "-v", family=family) == [
        "-P INPUT ACCEPT -c 0 0",
        "-P FORWARD DROP -c 7 8",
        "-P OUTPUT ACCEPT -c 0 0",
        "-N WEB",
        "-A INPUT -c 0 0 -j WEB",
        "-A WEB -i eth+ ! -p udp -c 0 0",
        "-A WEB -p tcp -m tcp --dport 80:81 -m comment --comment x -c 0 0 -j ACCEPT",
        "-A WEB -o lo -c 5 6 -j RETURN",
        '-A WEB -c 0 0 -j LOG --log-prefix "a b "',
    ]


def test_rules_are_read_as_the_peer_made_them(space: netns.Namespace) -> None:
    peer(space, "-t", "nat", "-N", "WEB")
    words = "! -s 10.0.0.0/8 -d 192.0.2.1 -i eth0 -p tcp -m multiport ! --dports 1,2:5 -c 3 4 -j DNAT --to-destination"
    peer(space, "-t", "nat", "-A", "PREROUTING", *words.split(), "10.0.0.1:80-90")
    peer(space, "-t", "nat", "-A", "PREROUTING", "-f", "-g", "WEB")
    peer(space, "-t", "nat", "-A", "PREROUTING", "!", "-f", "!", "-p", "udp")
    with iptables.open("nat", netns=space.name) as table:
        assert [(chain.name, chain.policy, chain.references) for chain in table.chains()][-1] == ("WEB", None, 1)
        assert table.chain("OUTPUT").policy == "ACCEPT"
        first, second, third = table.rules("PREROUTING")
    assert first.replace() == Rule(
        source="! 10.0.0.0/8",
        destination="192.0.2.1/32",
        in_interface="eth0",
        protocol="tcp",
        matches=(Match("multiport", (Option("dports", ("1,2:5",), inverted=True),), 1),),
        target=Target("DNAT", (Option("to-destination", ("10.0.0.1:80-90",)),), 2),
        counters=Counters(3, 4),
    )
    assert first.match("multiport") is first.matches[0]
    assert first.target is not None
    assert first.target.value("to-destination") == "10.0.0.1:80-90"
    assert (second.fragment, second.goto, second.target) == (True, True, Target("WEB"))
    assert (third.fragment, third.goto, third.target, third.protocol) == (False, False, None, "! udp")
    texts = [f"-A PREROUTING {rule.text}" for rule in (first, second, third)]
    assert texts == saved(space, "-t", "nat", "-S", "PREROUTING")[1:]


def test_what_sets_were_called_when_rules_were_read(space: netns.Namespace) -> None:
    with space.entered():
        xtables.run("ipset", "create", "before", "hash:ip")
    peer(space, "-A", "INPUT", "-m", "set", "--match-set", "before", "src", "-j", "SET", "--add-set", "before", "dst")
    (rule,) = iptables.read(netns=space.name).tables[0].chains[0].rules
    with space.entered():
        xtables.run("ipset", "rename", "before", "after")
    assert rule.matches == (Match("set", (Option("match-set", ("before", "src")),), 4),)
    assert rule.target == Target("SET", (Option("add-set", ("before", "dst")),), 3)
    assert rule.text == "-m set --match-set before src -j SET --add-set before dst"


def test_sets_of_a_dump_are_those_of_the_kernel_by_their_names(space: netns.Namespace) -> None:
    with space.entered():
        for name in ("one", "two"):
            xtables.run("ipset", "create", name, "hash:ip")
    for name in ("two", "one"):
        peer(space, *["-A", "INPUT", "-m", "set", "--match-set", name, "src", "-j", "SET", "--add-set", name, "dst"])
    live = iptables.read(netns=space.name)
    parsed = iptables.parse(iptables.save(live))  # from here, where no kernel has them
    assert [rule.text for rule in parsed.tables[0].chains[0].rules] == [
        f"-m set --match-set {name} src -j SET --add-set {name} dst" for name in ("two", "one")
    ]
    assert iptables.save(parsed) == iptables.save(live)
    assert diff.rules(parsed, live) == []
    with space.entered():
        assert iptables.data_of(live) == live
    assert iptables.data_of(parsed) == parsed
    assert not iptables.update(lambda _: parsed, netns=space.name)


@pytest.mark.parametrize("family", FAMILIES)
def test_rules_by_objects(space: netns.Namespace, family: Family) -> None:
    rule = Rule(
        source="127.0.0.0/8" if family == 4 else "fe80::/10",
        out_interface="! lo",
        protocol="tcp",
        matches=(
            Match("tcp", (Option("tcp-flags", ("SYN,ACK", "SYN")), Option("dport", ("80",), inverted=True))),
            Match("comment", (Option("comment", ('a "b" --dport 5',)),)),
        ),
        target=Target("REJECT", (Option("reject-with", ("tcp-reset",)),)),
        counters=Counters(1, 2),
    )
    with iptables.open(family=family, netns=space.name) as table:
        table.append("OUTPUT", rule)
        [read] = table.rules("OUTPUT")
        assert table.has("OUTPUT", rule)
        assert table.has("OUTPUT", read)
        assert table.has("OUTPUT", read.text)
        table.append("OUTPUT", read.replace(target=Target("DROP")))
        table.append("FORWARD", read)
    lines = saved(space, "-S", "-v", family=family)[3:]
    text = read.text.replace(" -j ", " -c 1 2 -j ")
    assert lines == [f"-A FORWARD {text}", f"-A OUTPUT {text}", f"-A OUTPUT {text.partition(' -j ')[0]} -j DROP"]
    with iptables.open(family=family, netns=space.name) as table:
        for found in table.rules("OUTPUT"):
            table.delete("OUTPUT", found)
        table.delete("FORWARD", rule)
    assert len(saved(space, "-S", family=family)) == 3


def test_a_rule_of_several_addresses(space: netns.Namespace) -> None:
    with iptables.open(netns=space.name) as table:
        table.append("INPUT", "-s 10.0.0.1,10.0.0.2 -j DROP")
        assert [rule.source for rule in table.rules("INPUT")] == ["10.0.0.1/32", "10.0.0.2/32"]
        assert table.has("INPUT", "-s 10.0.0.2,10.0.0.1 -j DROP")
        assert not table.has("INPUT", "-s 10.0.0.2,10.0.0.3 -j DROP")


def test_chains(space: netns.Namespace) -> None:
    peer(space, "-N", "A")
    peer(space, "-A", "INPUT", "-j", "A", "-c", "1", "2")
    peer(space, "-A", "INPUT", "-c", "3", "4")
    with iptables.open(netns=space.name) as table:
        table.rename("A", "B")
        table.create("C")
        table.append("B", "-j C")
        table.zero("INPUT", 2)
        assert table.save(counters=True).splitlines() == [
            "*filter",
            *[f":{chain} ACCEPT [0:0]" for chain in ("INPUT", "FORWARD", "OUTPUT")],
            ":B - [0:0]",
            ":C - [0:0]",
            "[1:2] -A INPUT -j B",
            "[3:4] -A INPUT",  # which the commit sets to zero
            "[0:0] -A B -j C",
            "COMMIT",
        ]
        table.flush("B")
        table.remove("C")
    assert saved(space, "-S", "-v")[3:] == ["-N B", "-A INPUT -c 1 2 -j B", "-A INPUT -c 0 0"]
    with iptables.open(netns=space.name) as table:
        table.zero()
        table.flush()
        table.remove("B")
    assert len(saved(space, "-S")) == 3


# -- all or nothing ----------------------------------------------------------------------------------------------------


def test_an_exception_discards(space: netns.Namespace) -> None:
    peer(space, "-A", "INPUT", "-j", "ACCEPT")
    before = saved(space, "-S")
    with pytest.raises(ZeroDivisionError), iptables.open(netns=space.name) as table:  # noqa: PT012
        table.flush()
        table.create("NEW")
        raise ZeroDivisionError
    assert saved(space, "-S") == before


def test_the_kernel_refuses_all_or_nothing(space: netns.Namespace) -> None:
    with pytest.raises(iptables.KernelError) as caught, iptables.open(netns=space.name) as table:  # noqa: PT012
        table.append("INPUT", "-j ACCEPT")
        table.append("INPUT", "-p tcp -j TPROXY --on-port 80")  # for the mangle table
    assert (caught.value.operation, caught.value.errno) == ("commit", errno.EINVAL)
    assert len(saved(space, "-S")) == 3
    assert peer(space, "-A", "INPUT", "-j", "DROP") == ""  # the lock is free


def test_what_is_refused_at_once(space: netns.Namespace) -> None:
    refused: dict[str, tuple[int, Callable[[iptables.Table], object]]] = {
        "no chain": (errno.ENOENT, lambda table: table.append("NONE", "-j ACCEPT")),
        "rules of no chain": (errno.ENOENT, lambda table: table.rules("NONE")),
        "has of no chain": (errno.ENOENT, lambda table: table.has("NONE", "-j ACCEPT")),
        "chain": (errno.ENOENT, lambda table: table.chain("NONE")),
        "exists": (errno.EEXIST, lambda table: table.create("INPUT")),
        "no rule": (errno.ENOENT, lambda table: table.delete("INPUT", "-j DROP")),
        "insert": (errno.E2BIG, lambda table: table.insert("INPUT", "-j DROP", 9)),
        "replace": (errno.E2BIG, lambda table: table.replace("INPUT", 9, "-j DROP")),
        "delete": (errno.E2BIG, lambda table: table.delete("INPUT", 9)),
        "references": (errno.EMLINK, lambda table: table.remove("USED")),
        "not empty": (errno.ENOTEMPTY, lambda table: table.remove("FULL")),
    }
    with iptables.open(netns=space.name) as table:
        for chain in ("USED", "FULL"):
            table.create(chain)
        table.append("FULL", "-j USED")
        for name, (number, action) in refused.items():
            with pytest.raises(iptables.KernelError) as caught:
                action(table)
            assert caught.value.errno == number, name
        for text in (
            "-t nat -j DROP",
            "-j DROP -L",
            "3",
            "-h",
            "-V",
            "-j NONE",
            "--dport 80",
            'a "b',
            "-w",
            "--format json",
        ):
            with pytest.raises(iptables.UsageError):
                table.append("INPUT", text)
            with pytest.raises(iptables.UsageError):
                table.delete("INPUT", text)
        for wrong in (0, -1):
            with pytest.raises(ValueError, match="counted from 1"):
                table.delete("INPUT", wrong)
        with pytest.raises(iptables.UsageError):
            table.create("DROP")
    assert saved(space, "-S")[3:] == ["-N FULL", "-N USED", "-A FULL -j USED"]  # a caught error discards nothing


def test_what_cannot_be_opened(space: netns.Namespace) -> None:
    with pytest.raises(iptables.KernelError) as caught, iptables.open("none", netns=space.name):
        pass
    assert caught.value.operation == "init"
    with pytest.raises(iptables.Unsupported), iptables.open(netns="no-such-namespace"):
        pass
    with pytest.raises(ValueError, match="family"):
        iptables.open(family=5)  # type: ignore[arg-type]
    table = iptables.open(netns=space.name)
    with pytest.raises(ValueError, match="with"):
        table.chains()


# -- other programs ----------------------------------------------------------------------------------------------------


def test_the_edit_is_made_again_where_another_came_between(space: netns.Namespace) -> None:
    peer(space, "-A", "INPUT", "-j", "ACCEPT")
    with iptables.open(netns=space.name) as table:
        table.append("INPUT", "-j DROP")
        table.delete("INPUT", 1)
        behind(space, "-A", "INPUT", "-s", "10.0.0.1")
        behind(space, "-N", "OTHER")
    assert saved(space, "-S")[3:] == ["-N OTHER", "-A INPUT -s 10.0.0.1/32", "-A INPUT -j DROP"]


def test_a_number_is_not_taken_for_another_rule(space: netns.Namespace) -> None:
    peer(space, "-A", "INPUT", "-j", "ACCEPT")
    with pytest.raises(iptables.KernelError) as caught, iptables.open(netns=space.name) as table:  # noqa: PT012
        table.delete("INPUT", 1)
        behind(space, "-I", "INPUT", "-s", "10.0.0.1")
    assert caught.value.errno == errno.EAGAIN
    assert saved(space, "-S")[3:] == ["-A INPUT -s 10.0.0.1/32", "-A INPUT -j ACCEPT"]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from(numbered.RULES), max_size=6), numbered.changes)
def test_changes_by_number_are_made_again(
    space: netns.Namespace, rules: list[str], changes: list[numbered.Change]
) -> None:
    iptables.restore("*filter\nCOMMIT\n", netns=space.name)
    with iptables.open(netns=space.name) as table:
        numbered.begin(table, rules)
    with iptables.open(netns=space.name) as table:
        numbered.change(table, rules, changes)
        behind(space, "-A", "FORWARD", "-j", "DROP")
    with iptables.open(netns=space.name) as table:
        assert [rule.text for rule in table.rules(numbered.CHAIN)] == rules
        assert [rule.text for rule in table.rules("FORWARD")] == ["-j DROP"]


def test_the_lock_is_that_of_the_commands(space: netns.Namespace) -> None:
    with iptables.open(netns=space.name):
        assert peer(space, "-w", "1", "-S") == "4"
    assert peer(space, "-w", "1", "-S") != "4"


def test_the_lock_can_be_waited_for(space: netns.Namespace) -> None:
    def other() -> None:
        with iptables.open(netns=space.name) as table:
            held.set()
            assert go.wait(10)
            table.append("INPUT", "-j ACCEPT")

    held, go = threading.Event(), threading.Event()
    thread = threading.Thread(target=other)
    thread.start()
    assert held.wait(10)
    with pytest.raises(iptables.LockHeldError), iptables.open(netns=space.name, wait=0):
        pass
    go.set()
    with iptables.open(netns=space.name) as table:
        assert [rule.text for rule in table.rules("INPUT")] == ["-j ACCEPT"]
    thread.join()


def test_several_tables_at_once(space: netns.Namespace) -> None:
    with (
        iptables.open("nat", netns=space.name) as nat,
        iptables.open("filter", netns=space.name) as rules,
        iptables.open("filter", netns=space.name, family=6),
    ):
        nat.append("POSTROUTING", "-j MASQUERADE")
        rules.append("INPUT", "-j ACCEPT")
        with pytest.raises(ValueError, match="open already"), iptables.open("nat", netns=f"/run/netns/{space.name}"):
            pass
        assert peer(space, "-w", "1", "-S") == "4"
    assert peer(space, "-w", "1", "-S", "INPUT").endswith("-A INPUT -j ACCEPT\n")
    assert peer(space, "-t", "nat", "-S", "POSTROUTING").endswith("-A POSTROUTING -j MASQUERADE\n")
    assert iptables.tables(netns=space.name) == ["filter", "nat"]


def test_the_caller_stays_where_it_is(space: netns.Namespace) -> None:
    home = Path("/proc/thread-self/ns/net").readlink()
    with iptables.open(netns=space.name) as table:
        table.append("INPUT", "-m conntrack --ctstate NEW -j ACCEPT")
        assert Path("/proc/thread-self/ns/net").readlink() == home
    assert Path("/proc/thread-self/ns/net").readlink() == home
    with space.entered(), iptables.open() as table:
        assert len(table.rules("INPUT")) == 1


def test_reading_changes_nothing(space: netns.Namespace) -> None:
    peer(space, "-A", "INPUT", "-j", "ACCEPT")
    with iptables.open(netns=space.name) as table:
        behind(space, "-A", "INPUT", "-j", "DROP")
        assert len(table.rules("INPUT")) == 1
    assert saved(space, "-S")[3:] == ["-A INPUT -j ACCEPT", "-A INPUT -j DROP"]
