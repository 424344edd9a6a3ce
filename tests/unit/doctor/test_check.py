"""Declarations of checks, and the texts that are made of them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

import pytest

from pyipvsadm import doctor
from pyipvsadm.doctor import checks
from pyipvsadm.doctor.check import Check, Each, Fault, Unknown, check
from pyipvsadm.doctor.machine import Machine
from pyipvsadm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTATION = Path(__file__).resolve().parents[3] / "docs/doctor.md"
TEXTS = [path.read_text() for path in Path(checks.__file__).parent.glob("*.py")]
DECLARED = sum([text.count("\n@check(\n") + text.count(" = _keeps_quiet(\n") for text in TEXTS])
ODD = "a b'$(x)"


def machine(netns: str | None = None) -> Machine:
    return Machine(netns, None, "/run/xtables.lock")


def test_every_check_that_is_declared_is_done() -> None:
    assert len(doctor.CHECKS) == DECLARED > 20


@pytest.mark.parametrize("code", doctor.CHECKS)
def test_a_declaration_is_whole(code: str) -> None:
    declared = doctor.CHECKS[code]
    assert declared.code == code
    assert declared.summary
    assert declared.reads
    assert declared.look.__doc__
    for text in (declared.reason, *declared.mend):
        assert all(name is None or name.isidentifier() for _, name, _, _ in Formatter().parse(text))


def test_the_documentation_has_every_check() -> None:
    rows = re.findall(
        r"^\| `([a-z0-9-]+)` \| (problem|warning|info) \| (.*) \|$", DOCUMENTATION.read_text(), re.MULTILINE
    )
    assert rows == [(declared.code, declared.severity, declared.summary) for declared in doctor.CHECKS.values()]


def test_a_code_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="no such check: lck"):
        doctor.examine(only=["lck"])


def declare(*faults: Fault, **others: object) -> Check:
    @check(
        "x",
        "all is well",
        severity="problem",
        reads=("y",),
        reason="{who} is wrong",
        mend=("set {who}", "each {one}"),
        **others,  # type: ignore[arg-type]
    )
    def look(_: Machine) -> Iterator[Fault]:
        yield from faults

    return look


def test_a_fault_fills_the_texts() -> None:
    [found] = declare(Fault(who="it", one="a")).findings(machine())
    assert (found.status, found.reason, found.mend) == ("problem", "it is wrong", ("set it", "each a"))


def test_words_of_commands_are_quoted() -> None:
    [found] = declare(Fault(who=ODD, one=[ODD, "b"])).findings(machine())
    assert found.reason == f"{ODD} is wrong"
    assert shlex.split(found.mend[0]) == ["set", ODD]
    assert shlex.split(found.mend[1]) == ["each", ODD, "b"]


def test_a_command_is_repeated_for_each_of_several_values() -> None:
    [found] = declare(Fault(who="it", one=Each(("a", "b c")))).findings(machine())
    assert found.mend == ("set it", "each a", "each 'b c'")


def test_commands_for_a_namespace() -> None:
    fault = Fault(who="it", one="a")
    assert declare(fault).findings(machine("my ns"))[0].mend[0] == "ip netns exec 'my ns' set it"
    assert declare(fault).findings(machine("/run/x"))[0].mend[0] == "nsenter --net=/run/x set it"
    assert declare(fault, everywhere=True).findings(machine("ns"))[0].mend[0] == "set it"
    there = Fault(who="it", one="a", on="192.0.2.1")
    assert declare(there).findings(machine("ns"))[0].mend[0] == "set it"


def test_a_milder_fault_and_one_without_a_command() -> None:
    found = declare(Fault(who="it", one="a", severity="info"), Fault(who="he", mendable=False)).findings(machine())
    assert [(finding.status, len(finding.mend)) for finding in found] == [("info", 2), ("problem", 0)]


def test_what_was_found_before_something_could_not_be_seen_is_kept() -> None:
    @check("x", "all is well", severity="info", reads=("y",), reason="{who}")
    def look(_: Machine) -> Iterator[Fault]:
        yield Fault(who="it")
        raise Unknown("it is dark")

    assert [(finding.status, finding.reason) for finding in look.findings(machine())] == [
        ("info", "it"),
        ("could-not-tell", "it is dark"),
    ]


def test_nothing_wrong_is_one_finding() -> None:
    [found] = declare().findings(machine())
    assert (found.status, found.summary, found.mend) == ("ok", "all is well", ())


def test_findings_come_in_the_order_of_their_weight() -> None:
    statuses = [finding.status for finding in doctor.examine()]
    assert statuses == sorted(statuses, key=doctor.STATUSES.index)
    assert len(statuses) >= len(doctor.CHECKS)
