"""``pyipvsadm doctor``: what is wrong with this machine, and the commands that mend it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from pyipvsadm.app import options
from pyipvsadm.app.errors import REFUSED, Trouble
from pyipvsadm.kinds import KINDS

if TYPE_CHECKING:
    from pyipvsadm.doctor import Finding
    from pyipvsadm.kinds import Kind


def _codes(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from pyipvsadm.doctor import CHECKS

    return [CompletionItem(code, help=check.summary) for code, check in CHECKS.items() if code.startswith(incomplete)]


@click.command(epilog="Exit status: 0 there is no problem, 1 there is one or more, 2 trouble.")
@click.option("--all", "everything", is_flag=True, help="Show what is well too.")
@click.option(
    "--only", multiple=True, metavar="CODE", shell_complete=_codes, help="Do one check alone; may be given again."
)
@click.option("--kind", type=click.Choice(KINDS), help="What the machine is for: leave out all else.")
@options.as_json
@options.netns
@click.option("--sandbox", hidden=True)
def command(
    everything: bool,
    only: tuple[str, ...],
    kind: Kind | None,
    as_json: bool,
    netns: str | None,
    sandbox: str | None,
) -> int:
    """Find out why virtual services or rules do not work, and what mends it.

    Looks at modules, rights, settings of the kernel, addresses, routes, virtual services, rules and the xtables lock,
    and changes nothing. Problems come first, each with its reason and the commands that mend it, to be run by root.
    What you have no right to see is said to be so. That the kernel has no IPVS is a problem where --kind ipvs or a file
    of ipvsadm, keepalived or ldirectord says that it is wanted.
    """
    from pyipvsadm import doctor

    if sandbox is not None:
        raise Trouble("--sandbox: doctor looks at the kernel, and a sandbox has none: leave it out")
    for code in only:
        if code not in doctor.CHECKS:
            raise Trouble(f"no such check: {code}: 'pyipvsadm doctor --all' names them")
    found = doctor.examine(
        netns,
        only=only,
        kind=kind,
        sandbox=os.environ.get("PYIPVSADM_SANDBOX"),
        lock_file=os.environ.get("XTABLES_LOCKFILE"),
    )
    _show(found, everything=everything or bool(only), netns=netns, as_json=as_json)
    return REFUSED if any(finding.status == "problem" for finding in found) else 0


def _show(found: list[Finding], *, everything: bool, netns: str | None, as_json: bool) -> None:
    from pyipvsadm.ui import doctor as ui

    text = ui.document(found, netns) if as_json else ui.findings(found, everything=everything)
    click.echo(text, nl=False)
