"""The help text has every option of the parser, and of the extensions that were named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pyipvsadm.cli.xtables import _OWN
from pyipvsadm.xtables import registry
from pyipvsadm.xtables.backend.sandbox import SandboxBackend
from pyipvsadm.xtables.command import Help
from pyipvsadm.xtables.names import Resolver
from pyipvsadm.xtables.syntax import ONLY_IPV4, WORDS, RuleParser
from pyipvsadm.xtables.usage import ABOUT, OWN, entries, usage

if TYPE_CHECKING:
    from pyipvsadm.xtables.model import Kind
    from pyipvsadm.xtables.options import Family


def spellings(text: str) -> set[str]:
    """Return the options that lines begin with."""
    lines = re.findall(r"^(?:    |\[!\] )(-.*?)(?:  | [^-]|$)", text, flags=re.MULTILINE)
    return {spelling for line in lines for spelling in line.split(", ")}


def test_begins_as_programs_expect() -> None:
    assert usage("ip6tables", 6).startswith("ip6tables v1.8.9 (legacy)\n\nUsage: ip6tables ")


@pytest.mark.parametrize("family", [4, 6])
def test_every_option_of_the_parser_and_no_other(family: Family) -> None:
    words = [row for row in WORDS if family == 4 or row[0] not in ONLY_IPV4]
    expected = {f"--{word}" for _, word, _ in words} | {f"-{letter}" for letter, _, _ in words} - {"-0"}
    expected |= {f"--{word}" for word in OWN}
    assert spellings(usage("iptables", family)) == expected


def test_nothing_is_told_of_options_that_are_not_there() -> None:
    assert {*ABOUT} == {next(word for word in entry.spellings if word[:2] == "--")[2:] for entry in entries(4)}


def test_our_own_options_are_those_that_are_taken() -> None:
    assert {f"--{word}" for word in OWN} == {*_OWN, "--format"}


def test_arguments_are_shown_where_there_are_some() -> None:
    for entry in entries(4):
        if entry.letter != "h":  # what follows it is named before it too
            assert bool(entry.metavar) == bool(entry.argument), entry.spellings
            assert entry.metavar.startswith("[") == (entry.argument == "?"), entry.spellings


@pytest.mark.parametrize(
    ("kind", "name", "family"),
    [("match", "tcp", 4), ("match", "state", 4), ("match", "hl", 6), ("target", "SNAT", 4), ("target", "REJECT", 6)],
)
def test_the_options_of_extensions(kind: Kind, name: str, family: Family) -> None:
    text = usage("iptables", family, ((kind, name),)).removeprefix(usage("iptables", family))
    [extension, *_] = registry.revisions(kind, name, family)
    assert text.startswith(f"\n{name} {kind} options ({extension.summary}):\n")
    assert spellings(text) == {f"--{option}" for option in extension.by_name}


def test_an_option_of_an_extension_in_full() -> None:
    text = usage("iptables", 4, (("match", "tcp"), ("match", "recent")))
    assert "\n[!] --sport, --source-port PORT[:PORT]\n" in text
    assert "\n[!] --syn\n" in text
    assert text.index("tcp match options") < text.index("recent match options")


def test_an_extension_without_options() -> None:
    text = usage("iptables", 4, (("target", "TRACE"),))
    assert text.endswith("TRACE target options (log every rule the packet matches):\n    none\n")


def test_what_is_named_twice_is_told_once() -> None:
    assert usage("iptables", 4, (("match", "tcp"),) * 2) == usage("iptables", 4, (("match", "tcp"),))


def test_help_is_asked_with_the_names_that_were_typed() -> None:
    parser = RuleParser(4, Resolver(), SandboxBackend(4))
    command, _ = parser.parse(["-p", "tcp", "-m", "state", "-j", "REJECT", "-h"])
    assert command == Help((("match", "state"), ("match", "tcp"), ("target", "REJECT")))
