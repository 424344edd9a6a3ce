"""``pyipvsadm show``: a state as tables for people, or as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pyipvsadm.app import options
from pyipvsadm.app import state as states

if TYPE_CHECKING:
    from pyipvsadm.app.state import Kind, Place


@click.command(epilog="Exit status: 0 shown, 2 trouble.")
@options.state()
@options.kind
@options.as_json
@options.place
def command(state: str, kind: Kind | None, as_json: bool, place: Place) -> None:
    """Show services with their real servers, or tables with their chains and rules.

    STATE is "live" (which it is where none is named), a file with a dump or a sandbox, or "-" for a dump from standard
    input.
    """
    found = states.read(state, place, kind)
    if as_json:
        from pyipvsadm.ui import json

        click.echo(json.document(found.services, found.info), nl=False)
        return
    from pyipvsadm.ui import show

    click.echo(show.services(found.services, found.info), nl=False)
