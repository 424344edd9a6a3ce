"""The shells' completions of iptables: what is offered is the parsers' and the declarations', chains are the table's.

The tables are a sandbox's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pyipvsadm.cli import iptables_apply, iptables_restore, iptables_save, iptables_xml, multi
from pyipvsadm.xtables import registry
from pyipvsadm.xtables.model import TABLES, VERDICTS
from pyipvsadm.xtables.syntax import COMMANDS, WORDS
from support.shells import ROOT, SHELLS, Bash, Shell

if TYPE_CHECKING:
    from pathlib import Path

DUMP = """\
*filter
:INPUT ACCEPT
:web -
:web-log -
COMMIT
*nat
:PREROUTING ACCEPT
:dnats -
COMMIT
"""
EVERYWHERE = {"-t", "-v", "-w", "-W", "-M", "-h", "-V"}


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give an environment in which iptables is this tree's, on a sandbox that holds DUMP."""
    folder = tmp_path_factory.mktemp("completions")
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}/src",
        "PYIPVSADM_SANDBOX": str(folder / "tables.json"),
        "HOME": str(folder),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
    }
    for name, module in (("iptables", "iptables"), ("iptables-restore", "iptables_restore")):
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pyipvsadm.cli.{module} "$@"\n')
        (folder / name).chmod(0o755)
    subprocess.run(["iptables-restore"], env=environment, input=DUMP.encode(), check=True)
    return environment


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, surroundings: dict[str, str], tmp_path: Path) -> Shell:
    """Give each shell; script/test installs them."""
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    return SHELLS[request.param]("iptables", surroundings, tmp_path)


def words(letters: set[str]) -> set[str]:
    """Return the long spellings of options, by their letters."""
    return {f"--{word}" for letter, word, _ in WORDS if letter in letters}


def options(kind: registry.Kind, name: str) -> set[str]:
    """Return the options of an extension."""
    return {f"--{word}" for word in registry.revisions(kind, name, 4)[0].by_name}


ALWAYS = words({letter.lstrip("-") for letter in EVERYWHERE}) | {"--ipv4", "--netns", "--sandbox"}
IN_RULES = ALWAYS | words({*"sdpiofmjg"})


def test_commands_come_first(shell: Shell) -> None:
    longs = words({*COMMANDS}) | ALWAYS
    [offered] = shell.offers("iptables --")
    assert offered == longs
    [offered] = shell.offers("iptables -")
    assert offered == longs | EVERYWHERE | {"-4"} | {f"-{letter}" for letter in COMMANDS}


def test_each_command_offers_its_options(shell: Shell) -> None:
    assert shell.offers("iptables -A INPUT --", "iptables -D web --", "iptables --list --", "iptables -N x --") == [
        IN_RULES | {"--set-counters"},
        IN_RULES,
        ALWAYS | {"--numeric", "--exact", "--line-numbers", "--format"},
        ALWAYS,
    ]


def test_an_option_is_offered_once(shell: Shell) -> None:
    assert shell.offers("iptables -t nat -A web -p tcp -j ACCEPT --", "iptables -nvL --") == [
        IN_RULES - {"--table", "--protocol", "--jump", "--goto"} | {"--set-counters"} | options("match", "tcp"),
        ALWAYS | {"--exact", "--line-numbers", "--format"},
    ]


def test_ip6tables_has_its_own(shell: Shell) -> None:
    [offered] = shell.offers("ip6tables -A INPUT -m hl --")
    assert {"--hl-eq", "--ipv6"} <= offered
    assert not {"--fragments", "--ipv4"} & offered


def test_chains_are_those_of_the_table(shell: Shell) -> None:
    assert shell.offers(
        "iptables -A ",
        "iptables -A w",
        "iptables --append=we",
        "iptables -t nat -L ",
        "iptables -X ",
        "iptables -E ",
        "iptables -E web ",
        "iptables -P ",
        "iptables -P INPUT ",
        "iptables -N ",
        "iptables -A INPUT -g ",
    ) == [
        {*TABLES["filter"], "web", "web-log"},
        {"web", "web-log"},
        {"--append=web", "--append=web-log"},
        {*TABLES["nat"], "dnats"},
        {"web", "web-log"},
        {"web", "web-log"},
        set(),
        {*TABLES["filter"]},
        {"ACCEPT", "DROP"},
        set(),
        {"web", "web-log"},
    ]


def test_what_jumps_lead_to(shell: Shell) -> None:
    [offered] = shell.offers("iptables -A INPUT -j ")
    assert {*VERDICTS, "web", "LOG", "REJECT", "NOTRACK"} <= offered
    assert not {"INPUT", "HL", "tcp"} & offered


def test_matches(shell: Shell) -> None:
    offered = shell.offers("iptables -A INPUT -m t", "ip6tables -A INPUT -m i", "iptables -A INPUT -m icmp6")
    assert {"tcp", "tcpmss", "time", "tos", "ttl"} == offered[0]
    assert {"icmp6", "ipv6header"} <= offered[1]
    assert not {"icmp"} & offered[1]
    assert offered[2] == set()


def test_options_of_extensions(shell: Shell) -> None:
    assert shell.offers(
        "iptables -A INPUT -m limit --limit",
        "iptables -A INPUT -p udp --s",
        "iptables -A INPUT -j REJECT --r",
        "iptables -A INPUT --sport",
    ) == [
        {"--limit", "--limit-burst"},
        {"--source", "--src", "--sport", "--source-port", "--set-counters", "--sandbox"},
        {"--reject-with"},
        set(),
    ]
    [offered] = shell.offers("iptables -A INPUT -m recent --set --r")
    [recent, *_] = registry.revisions("match", "recent", 4)
    together = {f"--{option.name}" for option in recent.options if "set" not in option.excludes}
    assert offered == {word for word in together if word.startswith("--r")}


def test_few_words(shell: Shell) -> None:
    assert shell.offers(
        "iptables -t ",
        "iptables --table=ma",
        "iptables -L --format ",
        "iptables -A INPUT -p udp",
        "iptables -A INPUT -m conntrack --ctstate N",
        "iptables -A INPUT -m connbytes --connbytes-mode ",
        "iptables -A FORWARD -j REJECT --reject-with tcp",
        "iptables -A INPUT -p tcp --tcp-flags SYN ",
        "ip6tables -A FORWARD -j REJECT --reject-with=icmp6-no",
    ) == [
        {*TABLES},
        {"--table=mangle"},
        {"classic", "table", "json"},
        {"udp", "udplite"},
        {"NEW"},
        {"packets", "bytes", "avgpkt"},
        {"tcp-reset"},
        set(),
        {"--reject-with=icmp6-no-route"},
    ]


def test_lists_of_words(shell: Shell) -> None:
    assert shell.offers("iptables -A INPUT -m conntrack --ctstate NEW,REL") == [{"NEW,RELATED"}]


def test_interfaces(shell: Shell) -> None:
    assert shell.offers("iptables -A INPUT -i ") == [{*os.listdir("/sys/class/net")}]


def test_the_scripts(shell: Shell) -> None:
    own = {"--netns", "--sandbox"}
    saves = {f"--{word}" for _, word, _ in iptables_save.OPTIONS}
    restores = {f"--{word}" for _, word, _ in iptables_restore.OPTIONS}
    applies = {f"--{word}" for _, word, _ in iptables_apply.OPTIONS}
    xml = {f"--{word}" for _, word, _ in iptables_xml.OPTIONS}
    assert shell.offers(
        "iptables-save --", "ip6tables-restore --", "iptables-save -t ", "iptables-legacy-restore -T ma",
        "iptables-xml --", "ip6tables-apply --",
    ) == [saves | own, restores | own, {*TABLES}, {"mangle"}, xml, applies]  # fmt: skip


def test_all_in_one(shell: Shell) -> None:
    """A subcommand's words are completed as those of the command that it stands for."""
    assert shell.offers(
        "xtables-legacy-multi ", "xtables-legacy-multi iptables-legacy-s", "xtables-legacy-multi main4 -X web-",
        "xtables-legacy-multi ip6tables -A INPUT -j REJECT --reject-with icmp6-no", "xtables-legacy-multi save6 -t ma",
        "xtables-legacy-multi xml --co", "xtables-legacy-multi nosuch -",
    ) == [
        {*multi.SUBCOMMANDS}, {"iptables-legacy-save"}, {"web-log"}, {"icmp6-no-route"}, {"mangle"}, {"--combine"},
        set(),
    ]  # fmt: skip


def test_files_to_read(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").touch()
    for offered in shell.offers(
        *[f"{command} {tmp_path}/ru" for command in ("iptables-restore", "iptables-xml", "iptables-apply -w")]
    ):
        assert {os.path.basename(word) for word in offered} == {"rules.v4"}


def test_no_table_is_no_trouble(shell: Shell) -> None:
    shell.environment = {**shell.environment, "PYIPVSADM_SANDBOX": "/dev/null/no"}
    assert shell.offers("iptables -X ") == [set()]


def test_another_sandbox_is_asked(shell: Shell, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    subprocess.run(["iptables", "--sandbox", str(other), "-N", "elsewhere"], env=shell.environment, check=True)
    assert shell.offers(f"iptables --sandbox {other} -X ", f"iptables --sandbox={other} -g ") == [{"elsewhere"}] * 2


def test_files_of_sandboxes(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "first.json").touch()
    lines = [f"{command} --sandbox {tmp_path}/fi" for command in ("iptables -L", "iptables-save", "ip6tables-restore")]
    for offered in shell.offers(*lines):
        assert {os.path.basename(word) for word in offered} == {"first.json"}


def test_bash_has_equal_signs_of_its_own(surroundings: dict[str, str], tmp_path: Path) -> None:
    bash = Bash("iptables", surroundings, tmp_path)
    assert bash.offers("iptables --table=", "iptables --append=web-") == [
        {f"--table={table}" for table in TABLES},
        {"--append=web-log"},
    ]
