"""Addresses, ports and names; rows of the form input -> what Debian's ipvsadm 1.31 made of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyipvsadm.ipvs.names import Names, Numbers, ipv6_address, to_number

if TYPE_CHECKING:
    from pyipvsadm.ipvs.model import Protocol


class Counting(Names):
    """Knows one host and one service, and counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def ask_port(self, name: str, protocol: Protocol) -> int | None:
        self.asked.append(name)
        return 80 if (name, protocol) == ("http", "tcp") else None

    def ask_host(self, name: str) -> str | None:
        self.asked.append(name)
        return "192.0.2.7" if name == "web" else None


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("65535", 65535), ("65536", None), ("-0", 0), ("-1", None), ("+80", 80), (" \t\v80", 80), ("80 ", None),
     ("080", 80), ("0x50", None), ("", None), ("+", None), ("1_0", None), ("\u0661", None), ("\u00b2", None),
     ("0" * 5000 + "80", 80), ("9" * 5000, None), ("-" + "0" * 30, 0), ("1e3", None)],
)  # fmt: skip
def test_numbers_are_strtol_s(text: str, number: int | None) -> None:
    assert to_number(text, 0, 65535) == number


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("1.2.3.4", (4, "1.2.3.4", None)),
        ("1.2.3.4:80", (4, "1.2.3.4", 80)),
        ("1.2.3.4:http", (4, "1.2.3.4", 80)),
        ("1.2.3.4:", None),
        ("1.2.3.4:80:80", None),
        (":80", None),
        ("80", None),
        ("2130706433", None),
        ("2130706433:80", (4, "127.0.0.1", 80)),
        ("0x7f.1:80", (4, "127.0.0.1", 80)),
        ("010.1.1.1:80", (4, "8.1.1.1", 80)),
        ("1.2.3.4 junk:80", (4, "1.2.3.4", 80)),
        ("1.2.3.4 \udcff:80", (4, "1.2.3.4", 80)),
        (" 1.2.3.4:80", None),
        ("256.1.1.1:80", None),
        ("web", (4, "192.0.2.7", None)),
        ("web:http", (4, "192.0.2.7", 80)),
        ("nowhere:80", None),
        ("\udcff:80", None),
        ("", None),
        ("::1", (6, "::1", None)),
        ("::1:80", (6, "::0.1.0.128", None)),
        ("[::1]:80", (6, "::1", 80)),
        ("[2001:DB8:0::1]:http", (6, "2001:db8::1", 80)),
        ("[::1]", None),
        ("[::1]:", None),
        ("[::1]80", None),
        ("[::1", None),
        ("[fe80::1%lo]:80", None),
        ("fe80::1%lo", None),
        ("[1.2.3.4]:80", (4, "1.2.3.4", None)),
        ("[1.2.3.4:81]:80", (4, "1.2.3.4", 81)),
        ("[80]:90", (4, "0.0.0.80", None)),
        ("[]:80", None),
    ],
)
def test_endpoints(text: str, endpoint: tuple[int, str, int | None] | None) -> None:
    assert Counting().endpoint(text, "tcp") == endpoint


def test_a_port_s_name_needs_its_protocol() -> None:
    assert Counting().endpoint("1.2.3.4:http", "udp") is None
    assert Counting().endpoint("1.2.3.4:http", None) is None


def test_the_system_is_asked_for_names_alone_and_once() -> None:
    names = Counting()
    for _ in range(3):
        names.endpoint("1.2.3.4:80", "tcp")
        names.endpoint("[::1]:80", "tcp")
    assert names.asked == []
    for _ in range(3):
        names.endpoint("web:http", "tcp")
    assert sorted(names.asked) == ["http", "web"]


@given(st.binary(max_size=40))
def test_any_word_is_an_endpoint_or_none(data: bytes) -> None:
    endpoint = Counting().endpoint(os.fsdecode(data.replace(b"\0", b"")), "tcp")
    assert endpoint is None or (endpoint[0] in (4, 6) and (endpoint[2] is None or 0 <= endpoint[2] <= 65535))


@given(st.integers(0, 2**128 - 1).map(lambda number: number.to_bytes(16, "big")))
def test_ipv6_addresses_keep_their_value(packed: bytes) -> None:
    text = ":".join([packed[place : place + 2].hex() for place in range(0, 16, 2)])
    canonical = ipv6_address(text)
    assert canonical is not None
    assert ipv6_address(canonical) == canonical


def test_the_system_s_own_answers() -> None:
    names = Names()
    assert names.ask_host("1.2.3.4") == "1.2.3.4"
    assert names.ask_port("no such service", "tcp") is None
    assert names.ask_port("\udcff", "tcp") is None
    # 192.0.2.0/24 is set aside for documentation: it has no name, and port 1 of SCTP none either
    assert names.service(1, "sctp") == "1"
    assert names.service(80, None) == "80"
    assert names.host("not an address", 4) == "not an address"


def test_numbers_are_shown_as_they_are() -> None:
    assert Numbers().host("127.0.0.1", 4) == "127.0.0.1"
    assert Numbers().service(80, "tcp") == "80"
