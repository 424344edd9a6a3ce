"""``pyipvsadm undrain``: a drained server gets its old weight back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pyipvsadm import drain
from pyipvsadm.app import options
from pyipvsadm.app import state as states
from pyipvsadm.app.book import book_of
from pyipvsadm.app.errors import REFUSED, Negative
from pyipvsadm.app.terminal import unbroken
from pyipvsadm.filters import endpoint, endpoint_text, service_name
from pyipvsadm.ui.draining import undone_text
from pyipvsadm.ui.json import undrained

if TYPE_CHECKING:
    from pyipvsadm.app.state import Place

_EPILOG = """\b
Examples:
  pyipvsadm undrain 10.0.0.11
  pyipvsadm undrain 10.0.0.11:80 --service 192.0.2.10:80 --weight 50

Exit status: 0 it is in service, 1 no such server, no old weight known, or refused, 2 trouble."""


@click.command(epilog=_EPILOG)
@options.drained_server
@options.service
@click.option(
    "--weight", type=click.IntRange(1, (1 << 31) - 1), metavar="WEIGHT", help="A weight, in the place of the old one."
)
@options.dry_run
@options.as_json
@options.place
def command(server: str, place: Place, as_json: bool, dry_run: bool, weight: int | None, **how: Any) -> int:
    """Put a drained server back, with the weight that it had in each service before 'pyipvsadm drain'.

    One that was removed is added again as it was. A server that has a weight by now is left alone.
    """
    address, port = endpoint(server)
    service = service_name(how["service"]) if how["service"] else None
    with states.open_services(place) as table, unbroken():
        done = drain.undo(table, book_of(place), address, port, service, weight=weight, dry_run=dry_run)
    if not done:
        raise Negative(f"{endpoint_text(address, port)} is in no service, and was not drained")
    if as_json:
        click.echo(undrained(done), nl=False)
    else:
        click.echo(undone_text(done, dry_run=dry_run), nl=False)
    return REFUSED if any(one.outcome == "unknown" for one in done) else 0
