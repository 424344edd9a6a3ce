"""The shells' completions: their tables are the parser's, and each shell, run for real, offers what goes together.

What is expected is worked out from the parser's tables; the virtual services and real servers come from a sandbox.
"""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pyipvsadm.ipvs.options import OPTIONS, OWN_OPTIONS, VERBS, Verb
from pyipvsadm.ipvs.table import SCHEDULERS

if TYPE_CHECKING:
    from pathlib import Path

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

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


class Shell:
    """A shell that says what it would complete a line with, each offer as the whole last word."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = environment
        self.folder = folder

    def offers(self, *lines: str) -> list[set[str]]:
        raise NotImplementedError


class Bash(Shell):
    """Calls the function with the words that bash cuts: at blanks, and around runs of ":" and "="."""

    script = r"""
source "$ROOT/completions/bash/ipvsadm" || exit
while IFS= read -r COMP_LINE; do
    mapfile -t COMP_WORDS <<<"$(printf '%s' "$COMP_LINE" | grep -oE '[^[:blank:]:=]+|[:=]+')"
    [[ $COMP_LINE != *[[:blank:]] ]] || COMP_WORDS+=("")
    COMP_POINT=${#COMP_LINE} COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    declared=$(complete -p "${COMP_LINE%% *}") || exit
    declared=${declared#*-F }
    "${declared%% *}" "${COMP_LINE%% *}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf '%s\n' "${COMPREPLY[@]}" --end--
done
"""

    def offers(self, *lines: str) -> list[set[str]]:
        output = subprocess.run(
            ["bash", "--norc", "--noprofile", "-c", self.script],
            env={**self.environment, "ROOT": ROOT}, input="".join([f"{line}\n" for line in lines]),
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert not output.stderr
        answers = output.stdout.split("--end--\n")[:-1]
        return [
            {self._kept(line) + word for word in answer.splitlines() if word}
            for line, answer in zip(lines, answers, strict=True)
        ]

    @staticmethod
    def _kept(line: str) -> str:
        """Return what bash leaves of the last word in front of what it replaces."""
        word = line.rpartition(" ")[2]
        return word[: max(word.rfind(":"), word.rfind("=")) + 1]


class Fish(Shell):
    """Asks ``complete -C``."""

    def offers(self, *lines: str) -> list[set[str]]:
        script = (
            'source "$ROOT/completions/fish/ipvsadm.fish"\nwhile read -l line\ncomplete -C $line\necho --end--\nend'
        )
        output = subprocess.run(
            ["fish", "--no-config", "-c", script],
            env={**self.environment, "ROOT": ROOT}, input="".join([f"{line}\n" for line in lines]),
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert not output.stderr
        answers = output.stdout.split("--end--\n")[:-1]
        return [{offer.partition("\t")[0] for offer in answer.splitlines()} for answer in answers]


class Zsh(Shell):
    """Types lines on a terminal and notes what the completion system is given."""

    setup = r"""
PS1=; unset zle_bracketed_paste; fpath=($ROOT/completions/zsh $fpath)
autoload -Uz compinit && compinit -u -D; LISTMAX=10000
compadd() {
    local -a hits before
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
    builtin compadd -A hits "$@"; print -rl -- "$IPREFIX"${^hits} >>$NOTES; builtin compadd "$@"
}
note() { : >$NOTES; zle list-choices; mv $NOTES $NOTES.done; BUFFER= }
zle -N note; bindkey '^T' note; : >$NOTES.ready
"""

    def offers(self, *lines: str) -> list[set[str]]:
        notes = str(self.folder / "notes")
        child, terminal = pty.fork()
        if child == 0:
            os.execvpe("zsh", ["zsh", "-f", "-i"], {**self.environment, "ROOT": ROOT, "NOTES": notes})  # noqa: S606  # on a terminal
        try:
            os.write(terminal, f"source {self._file()}\n".encode())
            self._wait(terminal, f"{notes}.ready")
            answers = []
            for line in lines:
                os.write(terminal, f"{line}\x14".encode())
                self._wait(terminal, f"{notes}.done")
                with open(f"{notes}.done") as file:
                    answers.append({re.sub(r"\\(.)", r"\1", word) for word in file.read().split("\n") if word})
                os.unlink(f"{notes}.done")
            return answers
        finally:
            os.close(terminal)  # hangs it up
            os.waitpid(child, 0)

    def _file(self) -> str:
        path = self.folder / "setup.zsh"
        path.write_text(self.setup)
        return str(path)

    @staticmethod
    def _wait(terminal: int, path: str) -> None:
        """Read what the shell prints until it has made a file."""
        printed, end = b"", time.monotonic() + 60
        while not os.path.exists(path):
            assert time.monotonic() < end, printed.decode(errors="replace")
            if select.select([terminal], [], [], 0.05)[0]:
                printed += os.read(terminal, 65536)


SHELLS = {"bash": Bash, "zsh": Zsh, "fish": Fish}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, surroundings: dict[str, str], tmp_path: Path) -> Shell:
    """Give each shell; script/test installs them."""
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    return SHELLS[request.param](surroundings, tmp_path)


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
    bash = Bash(surroundings, tmp_path)
    assert bash.offers(
        "ipvsadm -D -t [2001:db8::", "ipvsadm -D --tcp-service=[2001", "ipvsadm -L --format=", "ipvsadm -L --format=j"
    ) == [{"[2001:db8::53]:53"}, {"--tcp-service=[2001:db8::53]:53"},
          {"--format=classic", "--format=table", "--format=json"}, {"--format=json"}]  # fmt: skip


def test_files_that_shells_look_for() -> None:
    """Bash and fish load a file by the command's name; zsh reads the names in the first line."""
    names = ("ipvsadm", "ipvsadm-save", "ipvsadm-restore")
    assert {*os.listdir(f"{ROOT}/completions/bash")} == {*names}
    assert {*os.listdir(f"{ROOT}/completions/fish")} == {f"{name}.fish" for name in names}
    with open(f"{ROOT}/completions/zsh/_ipvsadm") as file:
        assert file.readline().split() == ["#compdef", *names]
