"""Draining and putting back in the sandbox: what is written down when, and what becomes of it after an early end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pyipvsadm import drain, ipvs
from pyipvsadm.drain import Book
from pyipvsadm.errors import Refused, SandboxFileError
from pyipvsadm.filters import ServiceName, service_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DUMP = """-A -t 192.0.2.1:80 -s rr
-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 3
-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 5
-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 7
-A -u 192.0.2.1:53 -s rr
-a -u 192.0.2.1:53 -r 10.0.0.1:53 -m -w 2
"""
WEB = ServiceName("192.0.2.1", 80)


@pytest.fixture
def lvs(tmp_path: Path) -> Iterator[ipvs.VirtualServerTable]:
    with ipvs.sandbox(tmp_path / "x.json") as table:
        table.apply(*ipvs.parse(DUMP.splitlines()))
        yield table


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "x.json")


def weights(table: ipvs.VirtualServerTable) -> dict[str, int]:
    return {
        f"{service_text(service.config.key)} {server.config.key.address}:{server.config.key.port}": server.config.weight
        for service in table.services()
        for server in service.servers
    }


BEFORE = {
    "tcp:192.0.2.1:80 10.0.0.1:80": 3,
    "tcp:192.0.2.1:80 10.0.0.1:8080": 5,
    "tcp:192.0.2.1:80 10.0.0.2:80": 7,
    "udp:192.0.2.1:53 10.0.0.1:53": 2,
}


@pytest.mark.parametrize(
    ("port", "service", "found"),
    [
        (None, None, ["10.0.0.1:80", "10.0.0.1:8080", "10.0.0.1:53"]),
        (80, None, ["10.0.0.1:80"]),
        (None, WEB, ["10.0.0.1:80", "10.0.0.1:8080"]),
        (53, WEB, []),
    ],
)
def test_all_services_that_have_a_server_or_one(
    lvs: ipvs.VirtualServerTable, book: Book, port: int | None, service: ServiceName | None, found: list[str]
) -> None:
    members = drain.find(lvs.services(), "10.0.0.1", port, service)
    drain.start(lvs, book, members)
    expected = {name: 0 if name.split()[1] in found else weight for name, weight in BEFORE.items()}
    assert weights(lvs) == expected
    drain.remove(lvs, book, members)
    assert weights(lvs) == {name: weight for name, weight in expected.items() if weight}
    done = drain.undo(lvs, book, "10.0.0.1", port, service)
    assert [one.outcome for one in done] == ["added"] * len(found)
    assert weights(lvs) == BEFORE
    assert book.entries() == []


def test_the_old_weight_outlives_a_second_draining(lvs: ipvs.VirtualServerTable, book: Book) -> None:
    for _ in range(2):
        drain.start(lvs, book, drain.find(lvs.services(), "10.0.0.2"))
    [one] = drain.undo(lvs, book, "10.0.0.2")
    assert (one.outcome, one.server.weight) == ("restored", 7)
    assert weights(lvs) == BEFORE


def test_what_is_written_is_known_to_another_program(lvs: ipvs.VirtualServerTable, book: Book, tmp_path: Path) -> None:
    drain.start(lvs, book, drain.find(lvs.services(), "10.0.0.2"))
    with ipvs.sandbox(tmp_path / "x.json") as again:
        drain.undo(again, Book(tmp_path / "x.json"), "10.0.0.2")
    assert weights(lvs) == BEFORE


def test_settings_changed_in_between_stay(lvs: ipvs.VirtualServerTable, book: Book) -> None:
    [member] = drain.find(lvs.services(), "10.0.0.2")
    drain.start(lvs, book, [member])
    lvs.apply(ipvs.EditServer(member.service, member.server.replace(weight=0, u_threshold=100)))
    [one] = drain.undo(lvs, book, "10.0.0.2")
    assert one.server == member.server.replace(u_threshold=100)


def test_another_weight_given_in_between_counts(lvs: ipvs.VirtualServerTable, book: Book) -> None:
    [member] = drain.find(lvs.services(), "10.0.0.2")
    drain.start(lvs, book, [member])
    lvs.apply(ipvs.EditServer(member.service, member.server.replace(weight=9)))
    [one] = drain.undo(lvs, book, "10.0.0.2")
    assert (one.outcome, one.server.weight) == ("up", 9)
    assert book.entries() == []


def test_a_weight_to_put_back(lvs: ipvs.VirtualServerTable, book: Book) -> None:
    [member] = drain.find(lvs.services(), "10.0.0.2")
    lvs.apply(ipvs.EditServer(member.service, member.server.replace(weight=0)))
    [one] = drain.undo(lvs, book, "10.0.0.2")
    assert one.outcome == "unknown"
    [one] = drain.undo(lvs, book, "10.0.0.2", weight=4)
    assert (one.outcome, one.server.weight) == ("restored", 4)
    assert weights(lvs) == {**BEFORE, "tcp:192.0.2.1:80 10.0.0.2:80": 4}


def test_a_server_that_others_removed_stays_away(lvs: ipvs.VirtualServerTable, book: Book) -> None:
    [member] = drain.find(lvs.services(), "10.0.0.2")
    drain.start(lvs, book, [member])
    lvs.apply(ipvs.DeleteServer(member.service, member.server.key))
    assert drain.undo(lvs, book, "10.0.0.2") == []
    assert book.entries() == []


def test_a_server_that_others_removed_while_it_was_drained(lvs: ipvs.VirtualServerTable, book: Book) -> None:
    members = drain.find(lvs.services(), "10.0.0.1")
    drain.start(lvs, book, members)
    lvs.apply(ipvs.DeleteServer(members[0].service, members[0].server.key))
    lvs.apply(ipvs.DeleteService(members[-1].service))
    assert drain.connections(lvs, members) == [(0, 0)] * 3
    drain.remove(lvs, book, members)
    assert weights(lvs).keys() & {"tcp:192.0.2.1:80 10.0.0.1:80", "tcp:192.0.2.1:80 10.0.0.1:8080"} == set()


def test_all_or_none(lvs: ipvs.VirtualServerTable, book: Book) -> None:
    members = drain.find(lvs.services(), "10.0.0.1")
    lvs.apply(ipvs.DeleteService(members[-1].service))
    before = weights(lvs)
    with pytest.raises(Refused):
        drain.start(lvs, book, members)
    assert weights(lvs) == before
    assert book.entries() == []


def test_putting_back_is_refused_where_the_service_is_gone(lvs: ipvs.VirtualServerTable, book: Book) -> None:
    members = drain.find(lvs.services(), "10.0.0.1", 53)
    drain.start(lvs, book, members)
    drain.remove(lvs, book, members)
    lvs.apply(ipvs.DeleteService(members[0].service))
    with pytest.raises(Refused):
        drain.undo(lvs, book, "10.0.0.1")
    assert len(book.entries()) == 1


def test_an_end_between_writing_and_changing(lvs: ipvs.VirtualServerTable, book: Book) -> None:
    [member] = drain.find(lvs.services(), "10.0.0.2")
    book.change(lambda _: [drain.Entry(member.service, member.server)])  # and the weight was not changed
    assert [one.outcome for one in drain.undo(lvs, book, "10.0.0.2")] == ["up"]
    drain.start(lvs, book, [member])
    book.change(lambda entries: [entry.replace(removed=True) for entry in entries])  # and it was not removed
    assert [one.outcome for one in drain.undo(lvs, book, "10.0.0.2")] == ["restored"]
    assert weights(lvs) == BEFORE


def test_nothing_is_changed_to_say_what_would_be(lvs: ipvs.VirtualServerTable, book: Book) -> None:
    drain.start(lvs, book, drain.find(lvs.services(), "10.0.0.2"))
    drained, written = weights(lvs), book.entries()
    [one] = drain.undo(lvs, book, "10.0.0.2", dry_run=True)
    assert (one.outcome, one.server.weight) == ("restored", 7)
    assert (weights(lvs), book.entries()) == (drained, written)


def test_the_book_leaves_the_rest_of_a_sandbox_alone(lvs: ipvs.VirtualServerTable, book: Book, tmp_path: Path) -> None:
    drain.start(lvs, book, drain.find(lvs.services(), "10.0.0.2"))
    content = json.loads((tmp_path / "x.json").read_text())
    assert {"services", "drained"} <= content.keys()
    lvs.apply(ipvs.Zero())
    assert json.loads((tmp_path / "x.json").read_text())["drained"] == content["drained"]


@pytest.mark.parametrize("entry", [1, {}, {"service": {}, "server": {}, "removed": 1}, None])
def test_a_book_that_makes_no_sense(tmp_path: Path, entry: object) -> None:
    path = tmp_path / "y.json"
    path.write_text(json.dumps({"format": "pyipvsadm sandbox", "version": 1, "drained": [entry]}))
    with pytest.raises(SandboxFileError):
        Book(path).entries()
