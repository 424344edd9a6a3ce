"""pyipvsadm doctor's frame; what it finds is in tests/xtables/test_doctor.py and tests/kernel/test_doctor.py."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.shell_completion import ShellComplete

from pyipvsadm import doctor
from pyipvsadm.app.main import application
from pyipvsadm.kinds import KINDS
from support.schema import validated

if TYPE_CHECKING:
    from pyipvsadm.kinds import Kind
    from support.app import Run


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--only", "lck"), "no such check: lck: 'pyipvsadm doctor --all' names them"),
        (
            ("--netns", "no-such-one"),
            "network namespace 'no-such-one': there is none of this name, see 'ip netns list'",
        ),
        (("--sandbox", "x"), "--sandbox: doctor looks at the kernel, and a sandbox has none: leave it out"),
    ],
)
def test_trouble(run: Run, words: tuple[str, ...], message: str) -> None:
    done = run("doctor", *words)
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", f"pyipvsadm: {message}\n")


def test_all_shows_every_check(run: Run) -> None:
    shown = run("doctor", "--all").stdout
    assert {code for code in doctor.CHECKS if f"  {code}" in shown} == set(doctor.CHECKS)


def test_json_holds_every_check(run: Run) -> None:
    document = validated(run("doctor", "--json").stdout, "doctor")
    assert {finding["code"] for finding in document["findings"]} == set(doctor.CHECKS)
    for finding in document["findings"]:
        assert set(finding) == set(doctor.Finding.__fields__)
        assert finding["status"] in doctor.STATUSES


def test_the_status_is_of_problems(run: Run) -> None:
    done = run("doctor", "--json")
    problems = [f for f in validated(done.stdout, "doctor")["findings"] if f["status"] == "problem"]
    assert done.exit_code == (1 if problems else 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind(run: Run, kind: Kind) -> None:
    """What is asked for is what counts: checks of the others are left out."""
    done = run("doctor", "--json", "--kind", kind)
    findings = validated(done.stdout, "doctor")["findings"]
    codes = {finding["code"] for finding in findings}
    assert codes == {code for code, check in doctor.CHECKS.items() if kind in check.kinds}
    assert ("module-ip-vs" in codes) == ("no-servers" in codes) == (kind == "ipvs")
    assert ("module-ip-tables" in codes) == ("lock" in codes) == (kind != "ipvs")
    assert {"rights", "module-nf-conntrack"} <= codes


def test_ipvs_that_is_missing_is_a_problem_where_it_is_wanted(run: Run) -> None:
    def status(*words: str) -> str:
        [finding] = json.loads(run("doctor", "--json", "--only", "module-ip-vs", *words).stdout)["findings"]
        found: str = finding["status"]
        return found

    asked, found_out = status("--kind", "ipvs"), status()
    assert asked in ("ok", "problem", "could-not-tell")
    assert found_out in (("info", "problem") if asked == "problem" else (asked,))


def test_codes_are_completed() -> None:
    complete = ShellComplete(application, {}, "pyipvsadm", "_PYIPVSADM_COMPLETE")
    found = complete.get_completions(["doctor", "--only"], "arp")
    assert {item.value for item in found} == {"arp-ignore", "arp-announce"}
