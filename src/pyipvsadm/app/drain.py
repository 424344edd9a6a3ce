"""``pyipvsadm drain``: weight 0, then wait for the connections to end, then away with it."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, Any, Final

import click

from pyipvsadm import drain
from pyipvsadm.app import options
from pyipvsadm.app import state as states
from pyipvsadm.app.book import book_of
from pyipvsadm.app.errors import REFUSED, Negative, complain
from pyipvsadm.app.terminal import Ended, ended_by_signals, unbroken
from pyipvsadm.filters import endpoint, endpoint_text, service_name
from pyipvsadm.ui.draining import plan, progress
from pyipvsadm.ui.json import drained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyipvsadm import ipvs
    from pyipvsadm.app.state import Place
    from pyipvsadm.drain import Book, Member

_KEEP: Final = "keep"
_REMOVE: Final = "remove"
_RESTORE: Final = "restore"

_EPILOG = """\b
Examples:
  pyipvsadm drain 10.0.0.11
  pyipvsadm drain 10.0.0.11:80 --service 192.0.2.10:80 --timeout 5m --on-timeout remove
  pyipvsadm drain [2001:db8:2::21]:53 --no-remove

Exit status: 0 drained (and removed, as asked for), 1 no such server, refused, or connections were left at the timeout
and were not cut, 2 trouble, 130 interrupted: drained but still there."""


@click.command(epilog=_EPILOG)
@options.server
@options.service
@click.option(
    "--timeout", type=options.Seconds(), metavar="TIME", help="Wait at most so long: 90, 90s, 5m, 1h. Else for ever."
)
@click.option(
    "--on-timeout",
    type=click.Choice([_KEEP, _REMOVE, _RESTORE]),
    default=_KEEP,
    show_default=True,
    help="Then leave it drained, remove it with its connections, or put its weight back.",
)
@click.option("--remove/--no-remove", default=True, help="Whether to remove it in the end.  [default: remove]")
@click.option(
    "--every", type=options.Seconds(), default=1.0, metavar="SECONDS", help="How often to look at connections (1)."
)
@options.dry_run
@options.as_json
@options.place
def command(server: str, place: Place, as_json: bool, dry_run: bool, **how: Any) -> int:
    """Take a real server out of service without cutting connections.

    Its weight becomes 0 in every service that has it, or in one, so that it gets no new connections. When those that
    it has (active and inactive) have ended, it is removed. Clients that a persistent service remembers go on coming,
    unless the sysctl net.ipv4.vs.expire_quiescent_template is 1.

    The old weight is written down first: 'pyipvsadm undrain' puts it back, also after the removal. Ctrl-C leaves the
    server drained; the same command goes on from there.
    """
    address, port = endpoint(server)
    service = service_name(how["service"]) if how["service"] else None

    def find(services: Sequence[ipvs.ServiceState]) -> list[Member]:
        members = drain.find(services, address, port, service)
        if not members:
            where = f"service {how['service']} has" if service else "no service has"
            raise Negative(f"{where} {'no' if service else 'a'} real server {endpoint_text(address, port)}")
        return members

    if dry_run:
        found = states.read_services(place, partial=True)
        members = find(found.services)
        if as_json and found.partial:
            complain(states.NOT_SEEN)
        text = drained(members, "planned", partial=found.partial) if as_json else plan(members, remove=how["remove"])
        click.echo(text, nl=False)
        return 0
    with states.open_services(place) as table:
        members = find(table.services())
        words = [server, *(["--service", how["service"]] if service else []), *place.options()]
        run = Run(table, book_of(place), members, endpoint_text(address, port), shlex.join(words))
        outcome = run.drain(quiet=as_json, **how)
        if as_json:
            click.echo(drained(members, outcome), nl=False)
        elif outcome in ("removed", "drained"):
            there = "" if outcome == "removed" else ", and still there"
            click.echo(f"{endpoint_text(address, port)}: {outcome}{there}; {run.puts_back}")
    return REFUSED if outcome in ("kept", "restored") else 0


class Run:
    """One run of the command, once it is known what it is about."""

    def __init__(
        self, table: ipvs.VirtualServerTable, book: Book, members: Sequence[Member], name: str, words: str
    ) -> None:
        self._table = table
        self._book = book
        self._members = members
        self._name = name
        self.puts_back = f"'pyipvsadm undrain {words}' puts it back"
        self._hint = f"'pyipvsadm drain {words}' goes on, {self.puts_back}"

    def drain(
        self, *, quiet: bool, timeout: float | None, on_timeout: str, remove: bool, every: float, **_: object
    ) -> str:
        """Drain; return what became of the servers: "removed", "drained", "kept" or "restored"."""
        with ended_by_signals():
            with unbroken():
                drain.start(self._table, self._book, self._members)
            try:
                left = self._wait(timeout, every, quiet=quiet)
            except BaseException as end:
                reason = "interrupted: " if isinstance(end, Ended) else ""
                complain(f"{reason}{self._name} is drained, but still there: {self._hint}")
                raise
            with unbroken():
                return self._finish(left, on_timeout, remove=remove)

    def _wait(self, timeout: float | None, every: float, *, quiet: bool) -> int:
        """Wait until there are no connections, or it has taken too long; return how many are left."""
        end = None if timeout is None else time.monotonic() + timeout
        with progress(self._members, quiet=quiet) as show:
            while True:
                counts = drain.connections(self._table, self._members)
                show(counts)
                left = sum([active + inactive for active, inactive in counts])
                now = time.monotonic()
                if not left or (end is not None and now >= end):
                    return left
                time.sleep(every if end is None else min(every, end - now))

    def _finish(self, left: int, on_timeout: str, *, remove: bool) -> str:
        if left and on_timeout == _KEEP:
            complain(f"timeout: {self._name} is drained, but {_connections(left)} left: {self._hint}")
            return "kept"
        if left and on_timeout == _RESTORE:
            first = self._members[0].server.key
            drain.undo(self._table, self._book, first.address, members=self._members)
            complain(f"timeout: {_connections(left)} left: {self._name} has its old weight again")
            return "restored"
        if left:
            complain(f"timeout: {_connections(left)} cut")
        if not (remove or left):
            return "drained"
        drain.remove(self._table, self._book, self._members)
        return "removed"


def _connections(count: int) -> str:
    return f"{count} connection{' is' if count == 1 else 's are'}"
