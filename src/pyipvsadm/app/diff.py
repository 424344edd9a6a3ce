"""``pyipvsadm diff``: what differs between two states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pyipvsadm.app import options
from pyipvsadm.app import state as states
from pyipvsadm.app.comparison import compare
from pyipvsadm.app.errors import Trouble
from pyipvsadm.app.state import read_pair
from pyipvsadm.ui import differences

if TYPE_CHECKING:
    from pyipvsadm.app.state import Place
    from pyipvsadm.kinds import Kind

_EPILOG = """\b
Examples:
  pyipvsadm diff web.rules
  pyipvsadm diff monday.v4 tuesday.v4
  iptables-save -c | pyipvsadm diff --counters before.v4 -
  pyipvsadm diff live tested.json --netns blue

Exit status: 0 they are the same, 1 they differ, 2 trouble."""


@click.command(epilog=_EPILOG)
@options.state("a", required=True)
@options.state("b")
@click.option("--counters", is_flag=True, help="Compare what was counted as well.")
@options.kind
@options.as_json
@options.place
def command(a: str, b: str, kind: Kind | None, place: Place, as_json: bool, counters: bool) -> int:
    """Show what differs between two states, from A to B.

    Each is "live" (which B is where it is not named), a file with a dump, a document or a sandbox, or "-" for standard
    input. Both are of the same kind: what is live is of the kind of the other.

    What counts is what is configured, and in what order rules stand. Where one of them is a dump of rules and the other
    is live, tables that the dump does not have, and policies that it does not say, are not compared.
    """
    if a == b == states.STDIN:
        raise Trouble("standard input can be read once: name a file")
    found = compare(*read_pair(a, b, place, kind), counters=counters)
    click.echo(differences.document(found) if as_json else differences.text(found), nl=False, color=True)
    return int(not found.same)
