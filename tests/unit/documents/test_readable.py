"""Documents that are checked: all that is refused is found, with its place, and what a dump has is found in both."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from pyipvsadm import check, documents, iptables, ipvs
from pyipvsadm.documents import DocumentError, VirtualServers
from support.documents import RULES, SERVICES, places, rulesets, saved, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyipvsadm.documents.text import Form
    from pyipvsadm.iptables import Ruleset

FORMS: tuple[Form, ...] = ("json", "yaml")


def found(document: object, form: Form = "yaml") -> list[check.Finding]:
    return check.run_together([documents.source(documents.dump(document, form), form)])[0]


def codes(findings: Sequence[check.Finding]) -> list[str]:
    return sorted(finding.code for finding in findings)


# -- what is found -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [SERVICES, RULES], ids=["ipvs", "iptables"])
@pytest.mark.parametrize("wrong", [True, "?", "", -1, 2**40, [], {}, None], ids=repr)
def test_what_is_refused_is_an_error(whole: dict[str, Any], wrong: object) -> None:
    """In the place of each value stands something else."""
    for path, _, _ in places(whole):
        document = copy.deepcopy(whole)
        holder, key = next((holder, key) for at, holder, key in places(document) if at == path)
        holder[key] = wrong
        errors = [finding for finding in found(document) if finding.severity == "error"]
        try:
            documents.state(document)
        except DocumentError:
            assert errors, path
        else:
            assert "S008" not in codes(errors), path


@given(tables())
def test_the_same_as_in_a_dump_of_services(services: list[ipvs.ServiceState]) -> None:
    of_document = found(documents.document(VirtualServers(tuple(services))))
    assert not [finding for finding in of_document if finding.severity == "error"]
    dump = ipvs.save(services)
    of_dump = check.run(dump, kind="ipvs")
    if not any(finding.severity == "error" for finding in of_dump):  # else what ipvsadm-save prints cannot be read
        assert codes(of_dump) == codes(of_document)


@given(rulesets())
def test_the_same_as_in_a_dump_of_rules(ruleset: Ruleset) -> None:
    text = saved(ruleset)
    kind: check.DumpKind = "iptables" if ruleset.family == 4 else "ip6tables"
    try:
        before = iptables.parse(text, family=ruleset.family)
    except (iptables.UsageError, iptables.LineFailed):
        return  # what iptables-save itself prints so that nobody can read it
    of_dump = codes(check.run(text, kind=kind))
    if "S001" not in of_dump:  # nor this: it leaves quotes open that stand in a name
        assert codes(found(documents.document(before))) == of_dump


def test_every_part_is_looked_at() -> None:
    """The first mistake of each service, chain and rule is told."""
    wrong = {"family": 4, "fwmark": 1, "scheduler": 1}
    assert (
        codes(found({"version": 1, "kind": "ipvs", "services": [wrong, 7, wrong], "daemons": [1, 2]})) == ["S008"] * 5
    )
    rule = {"text": "-j NO"}
    chains = [
        {"name": "INPUT", "policy": "DROP", "rules": [{"x": 1}, rule, 3]},
        {"nome": "A"},
        {"name": "B", "rules": rule},
    ]
    document = {"version": 1, "kind": "iptables", "family": 4, "table": "filter", "chains": chains}
    assert codes(found(document)) == ["S008", "S008", "S008", "S008", "T103", "T201"]


def test_names_of_hosts_are_not_looked_up() -> None:
    """A rule that is given by its text may name one; resolving it would take long, or fail."""
    chain = {"name": "INPUT", "policy": "DROP", "rules": [{"text": "-s www.example.invalid -j ACCEPT"}]}
    document = {"version": 1, "kind": "iptables", "family": 4, "table": "filter", "chains": [chain]}
    assert codes(found(document)) == ["S007"]


@pytest.mark.parametrize(("family", "kind"), [(4, "iptables"), (6, "ip6tables")])
def test_marks_of_documents(family: int, kind: check.DumpKind) -> None:
    services = {"version": 1, "kind": "ipvs", "services": [
        {"family": family, "fwmark": 7, "scheduler": "rr", "servers": [
            {"family": family, "address": "10.0.0.1" if family == 4 else "2001:db8::1", "port": 0, "forward": "masq",
             "weight": 1}]}
    ]}  # fmt: skip
    first = documents.source(json.dumps(services), "json")
    for mark, expected in (("6", ["V204"]), ("7", [])):
        chain = {"name": "PREROUTING", "policy": "ACCEPT", "rules": [{"text": f"-j MARK --set-mark {mark}"}]}
        rules = {"version": 1, "kind": "iptables", "family": family, "table": "mangle", "chains": [chain]}
        second = documents.source(json.dumps(rules), "json")
        assert second.kind == kind
        assert codes(check.run_together([first, second])[0]) == expected


# -- where -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [SERVICES, RULES], ids=["ipvs", "iptables"])
@pytest.mark.parametrize("form", FORMS)
def test_the_place_of_every_value(whole: dict[str, Any], form: Form) -> None:
    for text in (documents.dump(whole, form), f"\n {json.dumps(whole)}"):
        where: dict[str, tuple[int, int]] = {}
        assert documents.text.load(text, form, where) == whole
        lines = text.split("\n")
        assert {*where} == {"", *[path for path, _, _ in places(whole)]}
        for path, holder, key in places(whole):
            line, column = where[path]
            value, rest = holder[key], lines[line - 1][column - 1 :]
            if isinstance(value, dict | list):
                first = json.dumps(next(iter(value), ""))
                assert rest.startswith(("{", "[", "- ", first.strip('"')))
            else:
                assert rest.startswith((json.dumps(value), str(value), f"'{value}'"))


BLOCKS = """\
version: 1
kind: ipvs
services:
- family: 4
  fwmark: 1
  scheduler: rr
  servers:
  - family: 4
    address: 10.0.0.1
    port: 0
    forward: masq
    weight: 0
- family: 4
  fwmark: 1
  scheduler: rr
"""


def test_findings_are_about_parts() -> None:
    findings = check.run_together([documents.source(BLOCKS, "yaml")])[0]
    assert [(one.code, one.line, one.column, one.end_column, one.message) for one in findings] == [
        ("V202", 4, 3, 12, "the only server has the weight 0: it takes no new connections"),
        ("V101", 13, 3, 12, "this service is added already in line 4"),
    ]
    written = json.dumps(documents.load(BLOCKS, "yaml"), indent=1)
    findings = check.run_together([documents.source(written, "json")])[0]
    lines = written.split("\n")
    assert [lines[one.line - 1][one.column - 1 : one.end_column - 1] for one in findings] == ["{", "{"]


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# pyipvsadm: ignore V202", ["V101"]),
        ("    # pyipvsadm: ignore V202", ["V101"]),
        ("# pyipvsadm: ignore-file V1,V2", []),
        ("  # pyipvsadm: ignore V999", ["S005", "V101", "V202"]),
    ],
)
def test_comments_in_yaml(comment: str, expected: list[str]) -> None:
    text = BLOCKS.replace("services:\n", f"services:\n{comment}\n")
    findings = check.run_together([documents.source(text, "yaml")])[0]
    assert codes(findings) == expected
    for finding in findings:
        if finding.code == "S005":
            assert text.split("\n")[finding.line - 1][finding.column - 1 : finding.end_column - 1] == "V999"
