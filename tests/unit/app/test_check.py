"""pyipvsadm check: options, formats, exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from pyipvsadm import check
from pyipvsadm.ui import findings
from support.schema import validated

if TYPE_CHECKING:
    from support.app import Run

BIN = Path(__file__).parents[3] / "bin/pyipvsadm"
CLEAN = "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n"
WRONG = "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -i lo -p tcp -j DROP\n-A INPUT -j NO\nCOMMIT\n"
SERVICES = "-A -f 7 -s rr\n-a -f 7 -r 10.0.0.1 -m\n"


@pytest.fixture(autouse=True)
def _files(run: Run) -> None:  # noqa: ARG001  # which goes to the folder
    Path("clean").write_text(CLEAN)
    Path("wrong").write_text(WRONG)
    Path("services").write_text(SERVICES)
    Path("odd").write_text("hello\n")
    Path("box").write_text('{"format": "pyipvsadm sandbox"}')
    Path("rules.json").write_text('{"version": 1, "kind": "iptables", "family": 6, "table": "raw", "chains": []}')


def test_nothing_found(run: Run) -> None:
    done = run("check", "clean")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


def test_found(run: Run) -> None:
    done = run("check", "wrong", "clean")
    assert (done.exit_code, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        "wrong:4:1: warning T202 shadowed-rule: this never matches: line 3 takes all its packets",
        "wrong:5:13: error T103 missing-target: there is neither a chain nor a target NO",
    ]
    assert run("check", "--exit-zero", "wrong").exit_code == 0


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        (("--severity", "error"), ["T103"]),
        (("--select", "T2"), ["T202"]),
        (("--ignore", "missing-target,S"), ["T202"]),
        (("--ignore", "T103", "--ignore", "T202"), []),
    ],
)
def test_what_is_left_out(run: Run, options: tuple[str, ...], codes: list[str]) -> None:
    done = run("check", *options, "--json", "wrong")
    [file] = validated(done.stdout, "check")["files"]
    assert [finding["code"] for finding in file["findings"]] == codes
    assert done.exit_code == (1 if codes else 0)


def test_sarif(run: Run) -> None:
    done = run("check", "--format", "sarif", "wrong")
    assert done.exit_code == 1
    assert [result["ruleId"] for result in json.loads(done.stdout)["runs"][0]["results"]] == ["T202", "T103"]


def test_dumps_together(run: Run) -> None:
    assert run("check", "services").exit_code == 0
    done = run("check", "services", "clean")
    assert (done.exit_code, done.stdout) == (
        1,
        "services:1:1: warning V204 mark-not-set: no rule that is checked beside it sets the mark 7\n",
    )


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_documents(run: Run, form: str) -> None:
    """A document is checked like the dump that it was made of, in every form; what is told is where it stands there."""
    assert run("convert", "wrong", "--to", "yaml", "-o", "wrong.yaml").exit_code == 2  # the chain NO is not there
    Path("wrong").write_text(WRONG.replace("-A INPUT -j NO\n", ""))
    assert run("convert", "wrong", "--to", "yaml", "-o", "wrong.yaml").exit_code == 0
    text = Path("wrong.yaml").read_text().splitlines()
    done = run("check", "--format", form, "wrong.yaml")
    assert done.exit_code == 1
    if form == "text":
        name, line, column, message = done.stdout.split(":", 3)
        told = f"this never matches: line {int(line) - 4} takes all its packets"
        assert (name, message) == ("wrong.yaml", f" warning T202 shadowed-rule: {told}\n")
        assert text[int(line) - 1][int(column) - 1 :].startswith("in_interface:")
    elif form == "json":
        [finding] = validated(done.stdout, "check")["files"][0]["findings"]
        assert finding["code"] == "T202"
    else:
        [result] = json.loads(done.stdout)["runs"][0]["results"]
        assert result["ruleId"] == "T202"
    assert run("check", "--ignore", "T202", "wrong.yaml").exit_code == 0
    assert run("check", "services", "wrong.yaml", "--select", "V204").exit_code == 1


def test_bytes_that_are_no_text(run: Run) -> None:
    done = run("check", "-", stdin=b"version: 1\nkind: \xff\n")
    assert (done.exit_code, done.stderr) == (1, "")
    assert done.stdout.startswith("standard input:1:1: error S008 wrong-document: not YAML: ")


def test_a_line_without_a_command(run: Run) -> None:
    done = run("check", "-", stdin="-A -f 7 -s rr\n-a -f 7 -r 192.0.2.1\nfoo\n")
    assert done.stdout == "standard input:3:1: error S001 syntax: this begins with no command\n"


def test_standard_input(run: Run) -> None:
    done = run("check", "-", stdin=WRONG)
    assert (done.exit_code, done.stdout.startswith("standard input:4:1: ")) == (1, True)


def test_kind(run: Run) -> None:
    assert run("check", "--kind", "ip6tables", "-", stdin="*filter\n-A INPUT -f\nCOMMIT\n").stdout.startswith(
        "standard input:2:10: error S002 unknown-option: `-f' is not supported in IPv6"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("odd",), "odd: cannot tell what it is: say it with --kind ipvs|iptables|ip6tables"),
        (("box",), "box: a sandbox is taken as a dump: pyipvsadm convert box --to dump"),
        (("--kind", "ipvs", "rules.json"), "rules.json: this is no document of ipvs"),
        (("missing",), "missing: no such file: name a dump, a document, or '-' for input"),
        (("",), "'': no such file: name a dump, a document, or '-' for input"),
        (("/proc/self/mem",), "/proc/self/mem: Input/output error"),
        (("/dev/zero",), "/dev/zero: more than 256 MiB: no dump"),
        (("--ignore", "X9", "clean"), "no such finding: X9: see pyipvsadm check --explain all"),
        (("--explain", "X9"), "no such finding: X9: see pyipvsadm check --explain all"),
        ((), 'no file: name dumps or documents to check, or "-" for standard input'),
    ],
)
def test_trouble(run: Run, words: tuple[str, ...], message: str) -> None:
    done = run("check", *words)
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", f"pyipvsadm: {message}\n")


def test_explain(run: Run) -> None:
    done = run("check", "--explain", "shadowed-rule")
    assert (done.exit_code, done.stdout) == (0, check.as_page(check.FINDINGS["T202"]))
    assert run("check", "--explain", "all").stdout == check.as_list()


def test_the_pages_are_linked() -> None:
    assert "(check/README.md)" in (BIN.parents[1] / "docs/check.md").read_text()


def test_the_installed_command() -> None:
    done = subprocess.run([sys.executable, BIN, "check", "wrong"], capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stdout.splitlines()), done.stderr) == (1, 2, "")


def test_completion() -> None:
    env = {"_PYIPVSADM_COMPLETE": "bash_complete", "COMP_WORDS": "pyipvsadm check --ignore S001,T20", "COMP_CWORD": "3"}
    done = subprocess.run([sys.executable, BIN], env=env, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [f"plain,S001,T20{number}" for number in range(1, 7)]


# -- on a terminal -----------------------------------------------------------------------------------------------------


def _drawn(text: str, width: int = 60) -> list[str]:
    console = Console(width=width, no_color=True, legacy_windows=False)
    return findings.findings("x.rules", text, check.run(text), console).splitlines()


def test_the_line_is_marked() -> None:
    assert _drawn(WRONG)[4:8] == [
        "x.rules:5:13: error T103 missing-target: there is neither a chain nor a target NO",
        " 5 | -A INPUT -j NO",
        "   |             ^^",
        '   = make the chain before (":NAME - [0:0]"), or mend the name',
    ]


def test_a_long_line_is_cut() -> None:
    comment = "x" * 200
    text = f'*filter\n:INPUT DROP [0:0]\n-A INPUT -m comment --comment "{comment}" -j NO\nCOMMIT\n'
    _, line, mark, _ = _drawn(text)
    assert line == ' 3 | xxxxx" -j NO'
    assert mark == "   |           ^^"


def test_nothing_steers_the_terminal() -> None:
    text = "*filter\n:INPUT DROP [0:0]\n-A INPUT \x1b[31m\t--x\nCOMMIT\n"
    assert "\x1b" not in "".join(_drawn(text))
    assert _drawn(text)[1] == " 3 | -A INPUT \ufffd[31m --x"


def test_the_sum() -> None:
    console = Console(width=60, no_color=True)
    assert findings.summary(check.run(WRONG), 1, console) == "1 error, 1 warning in 1 file\n"
    assert findings.summary([], 2, console) == "nothing found in 2 files\n"
