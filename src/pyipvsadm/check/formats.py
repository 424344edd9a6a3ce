"""Findings as text for programs: lines of grep(1)'s form, a JSON document, SARIF 2.1.0; and the pages about them."""

from __future__ import annotations

from pyipvsadm.check.catalogue import FINDINGS
from pyipvsadm.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Final

    from pyipvsadm.check.finding import Finding, FindingKind

_SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_FORMAT: Final = 1


class Checked(Record):
    """What was found in a file, by the name that people gave it."""

    name: str
    findings: tuple[Finding, ...]


def as_lines(checked: Iterable[Checked]) -> str:
    """Return a line for each finding: ``file:line:column: severity CODE name: message``."""
    return "".join(
        [
            f"{file.name}:{found.line}:{found.column}: {found.severity} {found.code} {found.slug}: {found.message}\n"
            for file in checked
            for found in file.findings
        ]
    )


def as_json(checked: Iterable[Checked]) -> str:
    """Return the document that docs/json.md describes."""
    files = [{"name": file.name, "findings": [found.asdict() for found in file.findings]} for file in checked]
    return _written({"version": _FORMAT, "kind": "check", "files": files})


def as_sarif(checked: Iterable[Checked], version: str) -> str:
    """Return a log of SARIF 2.1.0 (OASIS) by this version of the package; columns count characters."""
    places = {code: place for place, code in enumerate(FINDINGS)}
    driver = {"name": "pyipvsadm", "version": version, "rules": [_rule(kind) for kind in FINDINGS.values()]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(file, found, places) for file in checked for found in file.findings],
    }
    return _written({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(kind: FindingKind) -> dict[str, Any]:
    return {
        "id": kind.code,
        "name": "".join([part.capitalize() for part in kind.slug.split("-")]),
        "shortDescription": {"text": kind.summary},
        "fullDescription": {"text": kind.explanation},
        "help": {"text": f"{kind.hint[:1].upper()}{kind.hint[1:]}."},
        "defaultConfiguration": {"level": kind.severity},
    }


def _result(file: Checked, found: Finding, places: dict[str, int]) -> dict[str, Any]:
    region = {
        "startLine": found.line,
        "startColumn": found.column,
        "endLine": found.line,
        "endColumn": found.end_column,
    }
    return {
        "ruleId": found.code,
        "ruleIndex": places[found.code],
        "level": found.severity,
        "message": {"text": f"{found.message}: {found.hint}"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(file.name)}, "region": region}}],
    }


def _uri(name: str) -> str:
    from urllib.parse import quote

    return quote(name.encode("utf-8", "surrogateescape"))


def _written(document: dict[str, Any]) -> str:
    import json

    return json.dumps(document, indent=2) + "\n"


# -- the pages ---------------------------------------------------------------------------------------------------------


def as_page(kind: FindingKind) -> str:
    """Return the page about a kind of finding, in Markdown: docs/check/CODE.md, and what ``--explain`` prints."""
    parts = [
        f"# {kind.code} {kind.slug}",
        f"{kind.summary} Severity: {kind.severity}.",
        kind.explanation,
        f"What to do: {kind.hint}.",
        f"Found in\n\n{_block(kind.bad)}",
        f"and not in\n\n{_block(kind.good)}",
    ]
    if kind.beside:
        parts.append(f"beside\n\n{_block(kind.beside)}")
    parts.append(
        f"Switch it off with `--ignore {kind.code}`, for a file with a line `# pyipvsadm: ignore-file {kind.code}` in "
        f"it, for one line with `# pyipvsadm: ignore {kind.code}` before it."
    )
    return "\n\n".join(parts) + "\n"


def as_index() -> str:
    """Return the page that lists all kinds: docs/check/README.md."""
    rows = [
        f"| [{kind.code}]({kind.code}.md) | {kind.slug} | {kind.severity} | {kind.summary} |"
        for kind in FINDINGS.values()
    ]
    return "\n".join(
        [
            "# What pyipvsadm check finds",
            "",
            "S is about any dump or document, V about virtual servers, T about tables of rules. Its use: "
            "[check.md](../check.md).",
            "",
            "| code | name | severity | |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def as_list() -> str:
    """Return a line for each kind, as ``--explain all`` prints them."""
    width = max([len(kind.slug) for kind in FINDINGS.values()])
    return "".join(
        [f"{kind.code}  {kind.slug:{width}}  {kind.severity:7}  {kind.summary}\n" for kind in FINDINGS.values()]
    )


def _block(dump: str) -> str:
    return "\n".join([f"    {line}" for line in dump.splitlines()])
