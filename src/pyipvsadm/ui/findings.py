"""Findings for people: each with the line that it is about, and a mark below what is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.text import Text

from pyipvsadm.ui.cells import clean
from pyipvsadm.ui.show import make_console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from pyipvsadm.check import Finding

_STYLES: Final = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}
_NARROWEST: Final = 20  # columns of a line of a dump
_BEFORE: Final = 10  # how much of a line that is cut is left before what is meant


def findings(name: str, text: str, found: Sequence[Finding], console: Console | None = None) -> str:
    """Return the findings in a file of this name and text."""
    console = console or make_console()
    lines = text.split("\n")
    with console.capture() as capture:
        for finding in found:
            for line in _shown(name, lines[finding.line - 1], finding, console.width):
                console.print(line, soft_wrap=True)
    return capture.get()


def summary(found: Sequence[Finding], files: int, console: Console | None = None) -> str:
    """Return how many findings there are in how many files."""
    console = console or make_console()
    counts = [(severity, sum(finding.severity == severity for finding in found)) for severity in _STYLES]
    told = ", ".join([f"{count} {severity}{'s' if count > 1 else ''}" for severity, count in counts if count])
    with console.capture() as capture:
        where = f"{files} file{'s' if files > 1 else ''}"
        console.print(f"{told} in {where}" if told else f"nothing found in {where}", style="bold", highlight=False)
    return capture.get()


def _shown(name: str, line: str, finding: Finding, width: int) -> list[Text]:
    head = Text.assemble(
        (f"{clean(name)}:{finding.line}:{finding.column}: ", "bold"),
        (finding.severity, _STYLES[finding.severity]),
        (f" {finding.code} {finding.slug}", "dim"),
        f": {clean(finding.message)}",
    )
    number = str(finding.line)
    room = max(width - len(number) - 5, _NARROWEST)
    begin, end = finding.column - 1, finding.end_column - 1
    line = clean(line.replace("\t", " "))
    cut = 0
    if cell_len(line[:end]) > room:
        cut = max(0, begin - _BEFORE)
    seen = line[cut : cut + room]
    marked = seen[begin - cut : end - cut]
    before = cell_len(seen[: begin - cut])
    gap = " " * len(number)
    return [
        head,
        Text.assemble((f" {number} | ", "blue"), seen),
        Text.assemble(
            (f" {gap} | ", "blue"), " " * before, ("^" * max(cell_len(marked), 1), _STYLES[finding.severity])
        ),
        Text.assemble((f" {gap} = ", "blue"), finding.hint),
    ]
