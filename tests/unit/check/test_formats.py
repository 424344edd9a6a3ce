"""Lines, JSON and SARIF."""

from __future__ import annotations

import json
from typing import Any

from pyipvsadm import check
from support.schema import validated

TEXT = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j NO\n-A INPUT -p tcp --dport x/y\nCOMMIT\n"


def _checked() -> list[check.Checked]:
    return [check.Checked("a b.rules", tuple(check.run(TEXT))), check.Checked("clean", ())]


def test_lines() -> None:
    assert check.as_lines(_checked()).splitlines() == [
        "a b.rules:3:13: error T103 missing-target: there is neither a chain nor a target NO",
        'a b.rules:4:25: error S004 bad-value: tcp: Bad value for "--dport" option: "x/y" (not a port or service)',
    ]


def test_json() -> None:
    document = validated(check.as_json(_checked()), "check")
    assert (document["version"], document["kind"]) == (1, "check")
    assert [file["name"] for file in document["files"]] == ["a b.rules", "clean"]
    assert document["files"][0]["findings"][0] == {
        "code": "T103",
        "slug": "missing-target",
        "severity": "error",
        "line": 3,
        "column": 13,
        "end_column": 15,
        "message": "there is neither a chain nor a target NO",
        "hint": check.FINDINGS["T103"].hint,
    }
    assert document["files"][1]["findings"] == []


def _has(value: Any, members: dict[str, type]) -> None:
    assert isinstance(value, dict)
    assert members.items() <= {name: type(member) for name, member in value.items()}.items()


def test_sarif_has_what_it_must() -> None:
    """Required members by the schema of SARIF 2.1.0 (OASIS), and those that readers of results rely on."""
    log = json.loads(check.as_sarif(_checked(), "1.2.3"))
    _has(log, {"version": str, "runs": list, "$schema": str})
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    _has(run, {"tool": dict, "results": list})
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    driver = run["tool"]["driver"]
    _has(driver, {"name": str, "version": str, "rules": list})
    assert [rule["id"] for rule in driver["rules"]] == list(check.FINDINGS)
    for rule in driver["rules"]:
        _has(rule, {"id": str, "name": str, "shortDescription": dict, "fullDescription": dict, "help": dict})
        for member in ("shortDescription", "fullDescription", "help"):
            _has(rule[member], {"text": str})
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
    assert len(run["results"]) == 2
    for result in run["results"]:
        _has(result, {"message": dict, "ruleId": str, "ruleIndex": int, "level": str, "locations": list})
        _has(result["message"], {"text": str})
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "a%20b.rules"
        region = place["region"]
        assert all(type(number) is int and number >= 1 for number in region.values())
        assert (region["startLine"], region["startColumn"]) <= (region["endLine"], region["endColumn"])


def test_pages_explain_every_kind() -> None:
    index, listed = check.as_index(), check.as_list()
    for code, kind in check.FINDINGS.items():
        page = check.as_page(kind)
        assert page.startswith(f"# {code} {kind.slug}\n")
        assert kind.explanation in page
        assert f"[{code}]({code}.md)" in index
        assert any(line.startswith(f"{code}  {kind.slug} ") for line in listed.splitlines())
