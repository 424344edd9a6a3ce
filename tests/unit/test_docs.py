"""The texts: manuals without warnings, with every option; sessions that show what happens; links that lead on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pyipvsadm.ipvs.options import OPTIONS, OWN_OPTIONS, VERBS

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))]
PAGES = sorted([*ROOT.glob("man/*.8"), *ROOT.glob("man1/*.1")])
MANUALS = [page for page in PAGES if not page.read_text().startswith(".so ")]
COMMANDS = {
    "ipvsadm": "cli.ipvsadm",
    "ipvsadm-save": "cli.save",
    "ipvsadm-restore": "cli.restore",
    "iptables": "cli.iptables",
    "iptables-save": "cli.iptables_save",
    "iptables-restore": "cli.iptables_restore",
    "pyipvsadm": "app.main",
}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


# -- manuals -----------------------------------------------------------------------------------------------------------


def shown(manual: Path) -> str:
    """Return a manual as man(1) shows it, at a width at which no option is broken."""
    if not shutil.which("man"):
        pytest.skip("man-db is not installed")
    environment = {**os.environ, "MANWIDTH": "160", "MANROFFOPT": "-ww", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": ""}
    shown = subprocess.run(
        ["man", "-l", "--warnings", "-E", "UTF-8", "-P", "cat", str(manual)],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stderr == ""
    return shown.stdout


@pytest.mark.parametrize("manual", MANUALS, ids=name)
def test_manuals_have_no_warnings(manual: Path) -> None:
    text = shown(manual)
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "ENVIRONMENT", "EXIT STATUS", "EXAMPLES", "SEE ALSO"):
        assert f"\n{section}\n" in text


def test_there_is_a_manual_for_each_command() -> None:
    extensions = {"iptables-extensions", "ip6tables-extensions"}
    assert {path.stem for path in PAGES} - extensions == {*os.listdir(ROOT / "bin")}


def test_made_manuals_are_up_to_date() -> None:
    run = subprocess.run([sys.executable, "script/man", "--check"], cwd=ROOT, capture_output=True, check=False)
    assert (run.returncode, run.stdout) == (0, b"")


def test_pages_of_other_names_lead_to_manuals() -> None:
    for page in PAGES:
        if page not in MANUALS:
            folder, _, target = page.read_text().removeprefix(".so ").strip().partition("/")
            assert folder == "man8"
            assert page.with_name(target) in MANUALS
            assert re.search(
                rf"^\.Nm {page.stem.replace('-legacy', '')}\b", page.with_name(target).read_text(), re.MULTILINE
            )


def test_the_manual_has_every_option_and_no_other() -> None:
    text = shown(ROOT / "man/ipvsadm.8")
    entries = re.findall(r"^ {5}((?:-\w, )*--[\w-]+)", text, flags=re.MULTILINE)
    words = [*VERBS, *OPTIONS, *OWN_OPTIONS]
    assert sorted(entries) == sorted(
        [", ".join([*[f"-{letter}" for letter in word.short], f"--{word.long}"]) for word in words]
    )
    assert {*re.findall(r"(?<![\w-])--[a-z][\w-]*", text)} == {f"--{word.long}" for word in words}


@pytest.mark.parametrize("command", ["ipvsadm-save", "ipvsadm-restore"])
def test_the_other_manuals_name_real_options(command: str) -> None:
    longs = {f"--{word.long}" for word in [*VERBS, *OPTIONS, *OWN_OPTIONS]}
    assert {*re.findall(r"(?<![\w-])--[a-z][\w-]*", shown(ROOT / f"man/{command}.8"))} <= longs


def test_the_manual_names_every_variable() -> None:
    sources = "".join([path.read_text() for path in ROOT.glob("src/pyipvsadm/**/*.py")])
    read = {*re.findall(r"\bPYIPVSADM_[A-Z]+", sources)}
    assert read == {*re.findall(r"^\.It Ev (PYIPVSADM_\w+)", (ROOT / "man/ipvsadm.8").read_text(), flags=re.MULTILINE)}


# -- examples ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """Give an environment in which the commands and python3 are this tree's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for command, module in COMMANDS.items():
        (folder / command).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pyipvsadm.{module} "$@"\n')
    (folder / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for path in folder.iterdir():
        path.chmod(0o755)
    return {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}/src",
        "COLUMNS": "100",
        "LC_ALL": "C.UTF-8",
        "PYIPVSADM_SANDBOX": str(tmp_path / "sandbox.json"),
    }


def blocks(text: Path, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text.read_text(), flags=re.MULTILINE | re.DOTALL)


def rerun(session: str, environment: dict[str, str], folder: Path) -> str:
    """Type the commands of sessions ("$ ", and "> " for lines that go on) into one shell; return what a reader sees."""
    parts = [part.splitlines() for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]]
    script, typed = "exec 2>&1\n", []
    for first, *rest in parts:
        more = [line for line in rest if line[:2] == "> " or line == ">"]
        script += "\n".join([first, *[line[2:] for line in more], "echo --end--", ""])
        typed.append("\n".join([f"$ {first}", *more, ""]))
    run = subprocess.run(
        ["bash", "-c", script], env=environment, cwd=folder, capture_output=True, text=True, check=True
    )
    outputs = run.stdout.split("--end--\n")[:-1]
    seen = "".join([line + output for line, output in zip(typed, outputs, strict=True)])
    return re.sub(r" +$", "", seen, flags=re.MULTILINE)


@pytest.mark.parametrize("text", [text for text in TEXTS if blocks(text, "console")], ids=name)
def test_sessions_show_what_happens(text: Path, surroundings: dict[str, str], tmp_path: Path) -> None:
    session = "".join(blocks(text, "console"))
    assert rerun(session, surroundings, tmp_path) == session


@pytest.mark.parametrize("text", [text for text in TEXTS if blocks(text, "python")], ids=name)
def test_programs_run(text: Path, surroundings: dict[str, str], tmp_path: Path) -> None:
    program = "\n".join(blocks(text, "python"))
    subprocess.run([sys.executable, "-W", "error", "-c", program], env=surroundings, cwd=tmp_path, check=True)


def test_examples_of_the_manual_are_commands(surroundings: dict[str, str], tmp_path: Path) -> None:
    """The sandbox takes what changes the table in the manual's examples, in their order."""
    text = (ROOT / "man/ipvsadm.8").read_text().partition("\n.Sh EXAMPLES\n")[2].partition("\n.Sh ")[0]
    commands = [line for line in text.splitlines() if re.match(r"ipvsadm -[ADEade] ", line)]
    assert len(commands) > 8
    subprocess.run(["sh", "-ec", "\n".join(commands)], env=surroundings, cwd=tmp_path, check=True)


# -- links -------------------------------------------------------------------------------------------------------------


def anchors(text: Path) -> set[str]:
    """Return the anchors of a text's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("text", TEXTS, ids=name)
def test_links_lead_somewhere(text: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", text.read_text()):
        if not link.startswith("https://"):
            path, _, anchor = link.partition("#")
            target = text.parent / path if path else text
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("text", TEXTS, ids=name)
def test_files_that_are_named_exist(text: Path) -> None:
    named = re.findall(r"`((?:src|tests|docs|man|script|bin|completions)/[\w./-]+)`", text.read_text())
    named += [
        f"src/pyipvsadm/{path}"
        for path in re.findall(r"`((?:cli|ipvs|ui|netlink|abi|backend)/[\w/]+\.py)`", text.read_text())
    ]
    for path in named:
        assert (ROOT / path).exists() or (
            ROOT / path.replace("pyipvsadm/backend", "pyipvsadm/ipvs/backend")
        ).exists(), path


def test_the_documents_of_json_have_every_member() -> None:
    """docs/json.md and the documents that are printed name the same members."""
    from pyipvsadm.ipvs.model import Connection, RealServer, ServerKey, ServiceKey, Stats, SyncDaemon, Timeouts

    told = {*re.findall(r"`(\w+)`", (ROOT / "docs/json.md").read_text())}
    for record in (ServiceKey, ServerKey, RealServer, Stats, Connection, Timeouts, SyncDaemon):
        assert {*record.__fields__} - {"key"} <= told, record.__name__
