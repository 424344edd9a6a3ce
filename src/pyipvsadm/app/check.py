"""``pyipvsadm check``: what is wrong with dumps and documents."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem

from pyipvsadm import __version__, check, documents
from pyipvsadm.app import options
from pyipvsadm.app.errors import REFUSED, Trouble
from pyipvsadm.app.state import STDIN, content, form_of, is_sandbox, shown
from pyipvsadm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyipvsadm.kinds import Kind

_ALL: Final = "all"
_FORMS: Final[dict[str, Callable[[list[check.Checked]], str]]] = {
    "json": check.as_json,
    "sarif": lambda checked: check.as_sarif(checked, __version__),
}


def _codes(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the kinds of findings that an incomplete list may go on with."""
    done, comma, last = incomplete.rpartition(",")
    return [
        CompletionItem(f"{done}{comma}{code}", help=kind.summary)
        for code, kind in check.FINDINGS.items()
        if code.startswith(last.upper())
    ]


def _split(_: click.Context, __: click.Parameter, lists: Sequence[str]) -> list[str]:
    return [code for text in lists for code in text.replace(",", " ").split()]


_EPILOG: Final = """\b
Examples:
  pyipvsadm check rules.v4
  ipvsadm-save -n | pyipvsadm check - rules.v4
  pyipvsadm check --ignore T201 --format sarif rules.v4 rules.v6
  pyipvsadm check --explain T202

Exit status: 0 nothing was found, 1 something was, 2 trouble."""


@click.command(epilog=_EPILOG)
@click.argument("files", metavar="FILE...", nargs=-1, type=click.Path(allow_dash=True))
@options.kind
@click.option(
    "--select",
    metavar="CODES",
    multiple=True,
    callback=_split,
    shell_complete=_codes,
    help="Look for these findings alone: codes, beginnings of codes or names, with commas.",
)
@click.option(
    "--ignore", metavar="CODES", multiple=True, callback=_split, shell_complete=_codes, help="Leave these findings out."
)
@click.option("--severity", type=click.Choice(check.SEVERITIES), default="note", help="Leave out what is less severe.")
@click.option("--format", "form", type=click.Choice(("text", *_FORMS)), default="text", help="How to write it.")
@options.as_json
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found.")
@click.option("--explain", metavar="CODE", shell_complete=_codes, help='Explain a finding, or list them ("all").')
def command(
    files: tuple[str, ...],
    kind: Kind | None,
    select: list[str],
    ignore: list[str],
    severity: check.Severity,
    form: str,
    as_json: bool,
    exit_zero: bool,
    explain: str | None,
) -> int:
    """Find mistakes in dumps of ipvsadm-save, iptables-save and ip6tables-save, and in documents.

    FILE is a dump, a document in JSON or YAML, or "-" for one from standard input. Neither root nor a kernel is needed,
    and nothing is changed or looked up but names of ports, protocols and users. Files that are named together are for
    one machine: services by firewall mark are compared with the rules that set marks.

    A comment "# pyipvsadm: ignore CODE,..." in a dump or in YAML is for the line after it, "# pyipvsadm: ignore-file
    CODE,..." for all of it.
    """
    if explain is not None:
        click.echo(_explained(explain), nl=False)
        return 0
    if not files:
        raise Trouble(f'no file: name dumps or documents to check, or "{STDIN}" for standard input')
    texts = [content(name, f"a document, or {STDIN!r} for input").decode("utf-8", "surrogateescape") for name in files]
    sources = [_source(name, text, kind) for name, text in zip(files, texts, strict=True)]
    found = check.run_together(sources, select=select, ignore=ignore, severity=severity)
    if as_json:
        form = "json"
    _write(files, texts, found, form)
    return REFUSED if any(found) and not exit_zero else 0


def _write(files: Sequence[str], texts: Sequence[str], found: Sequence[Sequence[check.Finding]], form: str) -> None:
    checked = [check.Checked(shown(name), tuple(some)) for name, some in zip(files, found, strict=True)]
    if form in _FORMS:
        click.echo(_FORMS[form](checked), nl=False)
    elif not sys.stdout.isatty():
        click.echo(check.as_lines(checked), nl=False)
    else:
        from pyipvsadm.ui import findings

        for file, text in zip(checked, texts, strict=True):
            click.echo(findings.findings(file.name, text, file.findings), nl=False)
        everything = [finding for some in found for finding in some]
        click.echo(findings.summary(everything, len(files)), nl=False)


def _source(name: str, text: str, kind: Kind | None) -> check.Source:
    form = form_of(text)
    if form == "dump":
        return check.Source(text, kind or _kind_of(name, text))
    if is_sandbox(text):
        raise Trouble(f"{shown(name)}: a sandbox is taken as a dump: pyipvsadm convert {shown(name)} --to dump")
    source = documents.source(text, form)
    if kind not in (None, source.kind):
        raise Trouble(f"{shown(name)}: this is no document of {kind}")
    return source


def _kind_of(name: str, text: str) -> Any:
    try:
        return check.detect(text)
    except UsageError:
        raise Trouble(f"{shown(name)}: cannot tell what it is: say it with --kind {'|'.join(check.KINDS)}") from None


def _explained(name: str) -> str:
    if name == _ALL:
        return check.as_list()
    kind = check.kind_of(name)
    if kind is None:
        raise Trouble(f"no such finding: {name}: see pyipvsadm check --explain {_ALL}")
    return check.as_page(kind)
