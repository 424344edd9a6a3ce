"""The shells' completions: their tables are the parser's, and each shell, run for real, offers what goes together.

What is expected is worked out from the parser's tables; the virtual services and real servers come from a sandbox.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pyipvsadm.ipvs.options import OPTIONS, OWN_OPTIONS, VERBS, Verb
from pyipvsadm.ipvs.table import SCHEDULERS
from support.shells import ROOT, SHELLS, Bash, Shell

if TYPE_CHECKING:
    from pathlib import Path

DUMP = """\
-A -t 203.0.113.10:443 -s wlc
-a -t 203.0.113.10:443 -r 10.0.1.11:443 -m
-a -t 203.0.113.10:443 -r 10.0.1.12:443 -m
-A -t [2001:db8::53]:53 -s rr
-a -t [2001:db8::53]:53 -r [2001:db8:2::21]:53 -g
-A -u 203.0.113.53:53 -s rr -o
-A -f 25 -6 -s rr
-a -f 25 -6 -r [2001:db8:2::25]:25 -i
"""


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give an environment whose ipvsadm is this tree's, on a sandbox that holds DUMP."""
    folder = tmp_path_factory.mktemp("completions")
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}/src",
        "PYIPVSADM_SANDBOX": str(folder / "table.json"),
        "HOME": str(folder),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
    }
    for name, module in (("ipvsadm", "ipvsadm"), ("ipvsadm-save", "save"), ("ipvsadm-restore", "restore")):
        command = folder / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pyipvsadm.cli.{module} "$@"\n')
        command.chmod(0o755)
    subprocess.run(["ipvsadm-restore"], env=environment, input=DUMP.encode(), check=True)
    return environment


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, surroundings: dict[str, str], tmp_path: Path) -> Shell:
    """Give each shell; script/test installs them."""
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    return SHELLS[request.param]("ipvsadm", surroundings, tmp_path)


def spellings(verb: Verb, *, without: str = "") -> set[str]:
    """Return the long options that go with a command, by the parser's tables."""
    exclusive = verb.exclusive if without in verb.exclusive else (without,)
    slots = {*verb.needs, *verb.takes} - set(exclusive)
    found = {f"--{option.long}" for option in OPTIONS if option.slot in slots}
    if verb.name == "list":
        found |= {"--sort", "--format"}
    if verb.name == "restore":
        found.add("--no-rollback")
    return found if verb.name in ("help", "version") else found | {"--netns", "--sandbox"}


def test_tables_are_the_parsers() -> None:
    run = subprocess.run([sys.executable, "script/completions", "--check"], cwd=ROOT, capture_output=True, check=False)
    assert (run.returncode, run.stdout) == (0, b"")


def test_commands_come_first(shell: Shell) -> None:
    longs = {f"--{word.long}" for word in VERBS + OWN_OPTIONS}
    letters = {f"-{letter}" for verb in VERBS for letter in verb.short}
    assert shell.offers("ipvsadm -", "ipvsadm --") == [longs | letters, longs]


def test_each_command_offers_its_options(shell: Shell) -> None:
    verbs = [verb for verb in VERBS if verb.argument == "none"]
    answers = shell.offers(*[f"ipvsadm --{verb.long} --" for verb in verbs])
    for verb, offered in zip(verbs, answers, strict=True):
        assert offered == spellings(verb), verb.long


def test_short_options_are_those_of_the_command(shell: Shell) -> None:
    verb = next(verb for verb in VERBS if verb.long == "add-server")
    [offered] = shell.offers("ipvsadm -a -")
    slots = verb.needs + verb.takes
    letters = {f"-{letter}" for option in OPTIONS if option.slot in slots for letter in option.short}
    assert offered == spellings(verb) | letters


@pytest.mark.parametrize(
    ("line", "verb", "gone"),
    [
        ("ipvsadm -A -t 192.0.2.1:80 --", "add-service", "service-address"),
        ("ipvsadm -A -p --", "add-service", "persistent"),
        ("ipvsadm -At 192.0.2.1:80 --", "add-service", "service-address"),
        ("ipvsadm -a -g --", "add-server", "forwarding-method"),
        ("ipvsadm -Ln --", "list", "numeric"),
        ("ipvsadm --list --daemon --", "list", "daemon"),
        ("ipvsadm -l -c --", "list", "connection"),
    ],
)
def test_an_option_is_offered_once(shell: Shell, line: str, verb: str, gone: str) -> None:
    wanted = next(word for word in VERBS if word.long == verb)
    assert shell.offers(line) == [spellings(wanted, without=gone)]


def test_ipv6_is_offered_after_a_mark(shell: Shell) -> None:
    assert shell.offers("ipvsadm -A -f 1 --ip", "ipvsadm -A --ip") == [{"--ipv6"}, set()]


def test_few_words(shell: Shell) -> None:
    assert shell.offers(
        "ipvsadm -A -s ",
        "ipvsadm -E --scheduler w",
        "ipvsadm --start-daemon ",
        "ipvsadm -a -i --tun-type g",
        "ipvsadm --format ",
        "ipvsadm --netns x -L --form",
    ) == [set(SCHEDULERS), {"wlc", "wrr"}, {"master", "backup"}, {"gue", "gre"}, {"classic", "table", "json"},
          {"--format"}]  # fmt: skip


def test_lists_of_flags(shell: Shell) -> None:
    flags = shell.offers("ipvsadm -A -s mh -b mh-port,mh")[0]
    assert "mh-fallback" in {flag.removeprefix("mh-port,") for flag in flags}


def test_live_services(shell: Shell) -> None:
    assert shell.offers(
        "ipvsadm -D -t 2",
        "ipvsadm -E -u ",
        "ipvsadm -Z -f ",
        "ipvsadm -L --tcp-service 203.0.113.10:4",
        "ipvsadm -A -t 2",
    ) == [{"203.0.113.10:443"}, {"203.0.113.53:53"}, {"25"}, {"203.0.113.10:443"}, set()]


def test_live_servers(shell: Shell) -> None:
    assert shell.offers(
        "ipvsadm -d -t 203.0.113.10:443 -r ",
        "ipvsadm -e -t 203.0.113.10:443 --real-server 10.0.1.12",
        "ipvsadm -e -f 25 -6 -r ",
        "ipvsadm -a -t 192.0.2.9:80 -r 10",
        "ipvsadm -a -t 203.0.113.10:443 -r 10",
    ) == [
        {"10.0.1.11:443", "10.0.1.12:443"},
        {"10.0.1.12:443"},
        {"[2001:db8:2::25]:25"},
        {"10.0.1.11:443", "10.0.1.12:443"},
        set(),
    ]


def test_another_sandbox_is_asked(shell: Shell, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    command = ["ipvsadm", "--sandbox", str(other), "-A", "-u", "198.51.100.7:53"]
    subprocess.run(command, env=shell.environment, check=True)
    assert shell.offers(f"ipvsadm -D --sandbox {other} -u ") == [{"198.51.100.7:53"}]


def test_interfaces(shell: Shell) -> None:
    [offered] = shell.offers("ipvsadm --start-daemon master --mcast-interface ")
    assert offered == set(os.listdir("/sys/class/net"))


def test_files_of_sandboxes(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "first.json").touch()
    lines = [f"{command} --sandbox {tmp_path}/fi" for command in ("ipvsadm -L", "ipvsadm-save", "ipvsadm-restore")]
    for offered in shell.offers(*lines):
        assert {os.path.basename(word) for word in offered} == {"first.json"}


def test_the_scripts(shell: Shell) -> None:
    assert shell.offers("ipvsadm-save -", "ipvsadm-restore --") == [
        {"-n", "--netns", "--sandbox"},
        {"--no-rollback", "--netns", "--sandbox"},
    ]


def test_no_table_is_no_trouble(shell: Shell) -> None:
    shell.environment = {**shell.environment, "PYIPVSADM_SANDBOX": "/dev/null/no"}
    assert shell.offers("ipvsadm -D -t 2", "ipvsadm -d -t 203.0.113.10:443 -r 1") == [set(), set()]


def test_bash_has_colons_and_equal_signs_of_its_own(surroundings: dict[str, str], tmp_path: Path) -> None:
    """What stands before ":" and "=" stays on the line, so it must not be offered again."""
    bash = Bash("ipvsadm", surroundings, tmp_path)
    assert bash.offers(
        "ipvsadm -D -t [2001:db8::", "ipvsadm -D --tcp-service=[2001", "ipvsadm -L --format=", "ipvsadm -L --format=j"
    ) == [{"[2001:db8::53]:53"}, {"--tcp-service=[2001:db8::53]:53"},
          {"--format=classic", "--format=table", "--format=json"}, {"--format=json"}]  # fmt: skip


def test_files_that_shells_look_for() -> None:
    """Bash and fish load a file by the command's name; zsh reads the names in the first line."""
    names = {*os.listdir(f"{ROOT}/bin")}
    assert {*os.listdir(f"{ROOT}/completions/bash")} == names
    assert {*os.listdir(f"{ROOT}/completions/fish")} == {f"{name}.fish" for name in names}
    declared: list[str] = []
    for name in os.listdir(f"{ROOT}/completions/zsh"):
        with open(f"{ROOT}/completions/zsh/{name}") as file:
            first, *rest = file.readline().split()
        assert first == "#compdef"
        declared += rest
    assert sorted(declared) == sorted(names)
