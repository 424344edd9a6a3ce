"""What ``pyipvsadm doctor`` shows: findings for people, the worst first, and as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.padding import Padding
from rich.text import Text

from pyipvsadm.ui.cells import clean
from pyipvsadm.ui.json import to_json
from pyipvsadm.ui.show import make_console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

    from pyipvsadm.doctor import Finding

_STYLES: Final = {
    "problem": "bold red",
    "warning": "bold yellow",
    "could-not-tell": "bold magenta",
    "info": "bold blue",
    "ok": "green",
}
_WIDEST: Final = max(map(len, _STYLES))
_INDENT: Final = 2


def document(found: Sequence[Finding], netns: str | None) -> str:
    """Return all findings as a document."""
    return to_json(kind="doctor", netns=netns, findings=[finding.asdict() for finding in found])


def findings(found: Sequence[Finding], *, everything: bool, console: Console | None = None) -> str:
    """Return what is wrong, with ``everything`` what is well too, and how many there are of each.

    A command is never broken, so that it can be copied.
    """
    console = console or make_console()
    with console.capture() as capture:
        for finding in found:
            if finding.status != "ok":
                _print(console, _head(finding, finding.code))
                _print(console, Padding(Text(clean(finding.reason)), (0, 0, 0, _INDENT)))
                if finding.mend and finding.on:
                    _print(console, Text(f"{' ' * _INDENT}on {clean(finding.on)}:", "dim"))
                for command in finding.mend:
                    console.print(Text(" " * 2 * _INDENT + clean(command), "bold"), soft_wrap=True)
            elif everything:
                _print(console, _head(finding, f"{finding.code}: {finding.summary}"))
        _print(console, Text(_summary(found), "dim"))
    return "".join([f"{line.rstrip()}\n" for line in capture.get().splitlines()])  # of the padding


def _print(console: Console, part: RenderableType) -> None:
    console.print(part, markup=False, highlight=False, emoji=False)


def _head(finding: Finding, text: str) -> Text:
    return Text.assemble((f"{finding.status:<{_WIDEST}}", _STYLES[finding.status]), "  ", text)


def _summary(found: Sequence[Finding]) -> str:
    """Return how many findings there are of each kind."""
    counts = {status: sum([finding.status == status for finding in found]) for status in _STYLES}
    words = [
        f"{count} {status}{'s' if count > 1 and status in ('problem', 'warning') else ''}"
        for status, count in counts.items()
        if count
    ]
    return ", ".join(words)
