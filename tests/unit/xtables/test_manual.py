"""The manuals of iptables: every option and no other, every extension, examples that work."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyipvsadm.cli import iptables_apply, iptables_restore, iptables_save, iptables_xml, multi
from pyipvsadm.xtables import registry
from pyipvsadm.xtables.usage import entries

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[3]
MANUALS = ROOT / "man"


def shown(manual: str) -> str:
    """Return a manual as man(1) shows it, at a width at which no option is broken."""
    if not shutil.which("man"):
        pytest.skip("man-db is not installed")
    environment = {**os.environ, "MANWIDTH": "200", "LC_ALL": "C.UTF-8"}
    command = ["man", "-l", "-E", "UTF-8", "-P", "cat", str(MANUALS / manual)]
    text = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return text.replace("\N{HYPHEN}\n", "")


def test_every_option_and_no_other() -> None:
    text = shown("iptables.8")
    found = re.findall(r"^ {5}(?:\[!\] )?((?:-\w, )?--[\w-]+(?:, --[\w-]+)*)", text, flags=re.MULTILINE)
    assert sorted(found) == sorted([", ".join(entry.spellings) for entry in entries(4)])


def test_what_can_be_inverted_is_marked() -> None:
    text = shown("iptables.8")
    marked = {*re.findall(r"^ {5}\[!\] (-\w)", text, flags=re.MULTILINE)}
    assert marked == {entry.spellings[0] for entry in entries(4) if entry.negatable}


@pytest.mark.parametrize(
    ("manual", "options"),
    [
        ("iptables-save.8", iptables_save.OPTIONS),
        ("iptables-restore.8", iptables_restore.OPTIONS),
        ("iptables-apply.8", iptables_apply.OPTIONS),
        ("../man1/iptables-xml.1", iptables_xml.OPTIONS),
    ],
)
def test_the_options_of_commands_without_commands(manual: str, options: Iterable[tuple[str, str, str]]) -> None:
    assert {*re.findall(r"-\w, --[\w-]+", shown(manual))} == {f"-{letter}, --{word}" for letter, word, _ in options}


def test_the_subcommands() -> None:
    text = (MANUALS / "xtables-legacy-multi.8").read_text()
    assert sorted(re.findall(r"Cm ([\w-]+)", text)) == sorted(multi.SUBCOMMANDS)


@pytest.mark.parametrize(
    ("kind", "name"), [("match", "tcp"), ("match", "state"), ("target", "SNAT"), ("target", "TRACE")]
)
def test_the_sections_of_extensions(kind: registry.Kind, name: str) -> None:
    text = shown("iptables-extensions.8").partition("MATCHES" if kind == "match" else "TARGETS")[2]
    section = re.split(rf"^   {name}$", text, flags=re.MULTILINE)[1]
    section = re.split(r"^ {0,3}\w", section, flags=re.MULTILINE)[0]
    found = re.findall(r"^ {5}(?:\[!\] )?(--[\w-]+(?:, --[\w-]+)*)", section, flags=re.MULTILINE)
    [extension, *_] = registry.revisions(kind, name, 4)
    assert found == [
        ", ".join([f"--{word}" for word in (option.name, *option.aliases)]) for option in extension.options
    ]


def test_there_is_a_section_for_each_extension() -> None:
    titles = {*re.findall(r'^\.Ss "?([\w]+)"?$', (MANUALS / "iptables-extensions.8").read_text(), flags=re.MULTILINE)}
    folder = ROOT / "src/pyipvsadm/xtables/extensions"
    matches = {path.stem for path in folder.glob("matches/[a-z]*.py")}
    assert titles == matches | {path.stem.upper() for path in folder.glob("targets/[a-z]*.py")}


@pytest.mark.parametrize("manual", ["iptables.8", "iptables-extensions.8"])
def test_examples_are_commands(manual: str, tmp_path: Path) -> None:
    """They are run one after the other, on a sandbox."""
    text = (MANUALS / manual).read_text().partition("\n.Sh EXAMPLES\n")[2].partition("\n.Sh ")[0]
    commands = [line for line in text.replace("\\e\n", "").splitlines() if line.startswith("iptables ")]
    assert len(commands) > 2
    script = "set -e\n" + "\n".join(
        [shlex.join([sys.executable, "-m", "pyipvsadm.cli.iptables", *command.split()[1:]]) for command in commands]
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYIPVSADM_SANDBOX": str(tmp_path / "tables.json")}
    run = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
