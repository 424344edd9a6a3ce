"""Rules by their parts: every option with its words, what is not known kept as bytes, and texts that are read again."""

from __future__ import annotations

import pytest

from pyipvsadm.xtables import entry, registry
from pyipvsadm.xtables.backend.legacy import LegacyBackend
from pyipvsadm.xtables.command import Append
from pyipvsadm.xtables.model import Rule as Entry
from pyipvsadm.xtables.names import Resolver
from pyipvsadm.xtables.parts import Counters, Match, Option, Parts, Rule, Target, options_of
from pyipvsadm.xtables.render import Renderer
from pyipvsadm.xtables.syntax import RuleParser
from pyipvsadm.xtables.words import split_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyipvsadm.xtables.model import Kind
    from pyipvsadm.xtables.options import Family

NAMES = Resolver()


@pytest.fixture(name="backend", scope="module")
def make_backend() -> Iterator[LegacyBackend]:
    backend = LegacyBackend(4)
    yield backend
    backend.close()


def parsed(backend: LegacyBackend, text: str, family: Family = 4) -> Entry:
    asked, _ = RuleParser(family, NAMES, backend).parse(["-A", "FORWARD", *split_words(text)])
    assert isinstance(asked, Append)
    return asked.rules[0].replace(jump="") if asked.rules[0].target else asked.rules[0]


def parts(rule: Entry, family: Family = 4) -> Rule:
    return Parts(Renderer(family, NAMES)).of(rule)


# Texts as -S prints them, and what they are.
RULES: dict[str, Rule] = {
    "": Rule(),
    "-j ACCEPT": Rule(target=Target("ACCEPT")),
    "! -s 10.0.0.0/8 -d 192.0.2.0/255.0.255.0 -i eth+ ! -o lo ! -p udp": Rule(
        "! 10.0.0.0/8", "192.0.2.0/255.0.255.0", "eth+", "! lo", "! udp"
    ),
    "-p 250 -f": Rule(protocol="250", fragment=True),
    "! -f": Rule(fragment=False),
    "-g WEB": Rule(target=Target("WEB"), goto=True),
    "-p tcp -m tcp ! --sport 1:2 --dport 80 ! --tcp-flags SYN,ACK SYN": Rule(
        protocol="tcp",
        matches=(
            Match(
                "tcp",
                (
                    Option("sport", ("1:2",), inverted=True),
                    Option("dport", ("80",)),
                    Option("tcp-flags", ("SYN,ACK", "SYN"), inverted=True),
                ),
                0,
            ),
        ),
    ),
    '-m comment --comment "! --dport \\"7\\" --"': Rule(
        matches=(Match("comment", (Option("comment", ('! --dport "7" --',)),), 0),)
    ),
    '-j LOG --log-prefix "a  b " --log-tcp-options': Rule(
        target=Target("LOG", (Option("log-prefix", ("a  b ",)), Option("log-tcp-options")), 0)
    ),
}


@pytest.mark.parametrize("text", RULES)
def test_a_rule_is_taken_apart(backend: LegacyBackend, text: str) -> None:
    made = parsed(backend, text)
    found = parts(made)
    assert found.replace() == RULES[text]  # but for what it was read from
    assert found.text == text
    assert found.entry is made


@pytest.mark.parametrize("text", RULES)
def test_the_parts_make_the_rule_again(backend: LegacyBackend, text: str) -> None:
    made = parsed(backend, text)
    words = list(RULES[text].words())
    asked, _ = RuleParser(4, NAMES, backend).parse(["-A", "FORWARD", *words])
    assert isinstance(asked, Append)
    assert asked.rules[0].replace(jump=made.jump) == made
    assert parsed(backend, RULES[text].text) == made  # text that is made of the parts is quoted where it must be


def test_text_of_parts_is_quoted_only_where_it_must_be() -> None:
    note = Match("comment", (Option("comment", ("a b",)),))
    assert Rule("! ::1/128", matches=(note,)).text == '! -s ::1/128 -m comment --comment "a b"'


def test_changed_rules_forget_their_bytes(backend: LegacyBackend) -> None:
    found = parts(parsed(backend, "-s 10.0.0.1 -j DROP"))
    assert found.replace(source="").text == "-j DROP"
    assert found.replace(source="").entry is None
    with pytest.raises(TypeError):
        found.replace(src="")


def test_counters(backend: LegacyBackend) -> None:
    assert parts(parsed(backend, "-c 1 18446744073709551615")).counters == Counters(1, 2**64 - 1)


def test_what_is_looked_for_by_name(backend: LegacyBackend) -> None:
    found = parts(parsed(backend, "-p tcp -m tcp --dport 80 --tcp-flags SYN,ACK SYN"))
    tcp = found.match("tcp")
    assert tcp is not None
    assert found.match("udp") is None
    assert (tcp.value("dport"), tcp.value("tcp-flags"), tcp.value("sport")) == ("80", "SYN,ACK SYN", None)
    assert tcp.option("dport") == Option("dport", ("80",))


@pytest.mark.parametrize("family", [4, 6])
def test_unknown_extensions_are_bytes(family: Family) -> None:
    known = registry.revisions("match", "tcp", family)[0]
    block = entry.pack_extension(known, b"12345678")
    renamed = block[:2] + b"nobody".ljust(29, b"\0") + block[31:]
    later = block[:31] + b"\x09" + block[32:]
    short = block[:34]
    header = bytes(entry.HEADER_SIZE[family])
    found = parts(Entry(header, (renamed, later, short), renamed), family)
    assert found.matches == (
        Match("nobody", (), 0, b"12345678"),
        Match("tcp", (), 9, b"12345678"),
        Match("tcp", (), 0, b"12"),
    )
    assert found.target == Target("nobody", (), 0, b"12345678")


@pytest.mark.parametrize(("kind", "name"), [("match", "comment"), ("target", "DNAT")])
def test_a_short_cut_is_not_taken_for_what_is_too_short(kind: Kind, name: str) -> None:
    known = registry.revisions(kind, name, 4)[0]
    block = entry.pack_extension(known, b"1\0\0\0\0\0\0\0")
    made = Entry(bytes(entry.HEADER_SIZE[4]), *(((block,), b"") if kind == "match" else ((), block)))
    assert "[unknown revision" in parts(made).text
    found = (*parts(made).matches, parts(made).target)[0]
    assert found is not None
    assert found.data == b"1\0\0\0\0\0\0\0"


def test_words_before_any_option_have_no_name() -> None:
    [tcp] = registry.revisions("match", "tcp", 4)
    text = " odd words --unknown 1 2 ! --dport --sport --tcp-flags A B C ! --new"
    assert list(options_of(text, tcp)) == [
        Option("", ("odd", "words")),
        Option("unknown", ("1", "2")),
        Option("dport", ("--sport",), inverted=True),
        Option("tcp-flags", ("A", "B", "C")),
        Option("new", (), inverted=True),
    ]
    assert list(options_of("", tcp)) == []


def test_quotes_that_are_left_open() -> None:
    [tcp] = registry.revisions("match", "tcp", 4)
    assert list(options_of(' --sport a"b --dport 2', tcp)) == [Option("sport", ('a"b',)), Option("dport", ("2",))]
