"""``pyipvsadm apply``: the live state becomes what a file says, and goes back unless it is confirmed."""

from __future__ import annotations

import os
import select
import sys
import termios
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import click

from pyipvsadm.app import options
from pyipvsadm.app import state as states
from pyipvsadm.app.errors import INTERRUPTED, REFUSED, Negative, Trouble, complain
from pyipvsadm.app.guardian import Guarded, Turn, answer, answering
from pyipvsadm.app.terminal import has_keyboard, unbroken
from pyipvsadm.app.work import work_on
from pyipvsadm.kinds import KINDS
from pyipvsadm.ui import steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyipvsadm.app.guardian import Answer, Event
    from pyipvsadm.app.state import Place, State
    from pyipvsadm.kinds import Kind

_EPILOG = """\b
Examples:
  pyipvsadm apply web.rules --dry-run
  pyipvsadm apply rules.v4 --confirm 30s
  pyipvsadm apply --confirmed
  pyipvsadm apply more.rules --no-prune --netns blue

Exit status: 0 done, confirmed, or nothing to do, 1 refused, or taken back, 2 trouble, 130 taken back by Ctrl-C."""

_YES: Final = ("", "y", "yes")


@click.command(epilog=_EPILOG)
@options.state("file", default=None)
@options.dry_run
@click.option(
    "--prune/--no-prune",
    default=None,
    help="Whether to remove what FILE does not name; where neither is said, all but tables of rules.",
)
@click.option(
    "--confirm",
    type=options.Seconds(),
    metavar="TIME",
    help="Take it back unless it is confirmed within a time: 30, 30s, 2m.",
)
@click.option("--confirmed", is_flag=True, help="Confirm a change that waits for it.")
@click.option("--undo", is_flag=True, help="Take a change back that waits to be confirmed.")
@options.kind
@options.as_json
@options.place
def command(
    file: str | None, kind: Kind | None, place: Place, as_json: bool, confirmed: bool, undo: bool, **how: Any
) -> int:
    """Make the live state what FILE says, with the fewest changes.

    FILE is a dump, a document or a sandbox, or "-" for standard input. What is the same is not touched: its connections
    and counters live on. Everything is done, or nothing: a refusal takes all back, and says what was refused.

    Virtual services and real servers that FILE does not name are removed, and so are chains of the tables that it
    names. Tables that it does not name are left alone, unless --prune is given, which empties them. With --no-prune
    nothing is removed but rules of the chains that FILE names.

    With --confirm the change is taken back when the time is over, unless Enter is pressed, or "pyipvsadm apply
    --confirmed" is called, from any terminal. That is done by a process of its own, which does not need the terminal:
    a rule that cuts off whoever applied it is gone after the time.
    """
    if confirmed or undo:
        if file is not None or (confirmed and undo) or how["dry_run"] or how["confirm"] is not None:
            raise Trouble("--confirmed and --undo stand alone: a change is waiting, or none is")
        return _answer(place, kind, "confirm" if confirmed else "undo", as_json=as_json)
    if file is None:
        raise Trouble("no FILE: name a dump, a document, a sandbox, or '-' for input")
    if file == states.LIVE:
        raise Trouble("what is live is made what a file says: name a dump, a document, a sandbox, or '-' for input")
    return _Run(place, states.read(file, place, kind), as_json=as_json).apply(**how)


class _Run:
    """One run of the command, once it is known what is wanted."""

    def __init__(self, place: Place, wanted: State, *, as_json: bool) -> None:
        self._place = place
        self._wanted = wanted
        self._as_json = as_json

    def apply(self, *, dry_run: bool, prune: bool | None, confirm: float | None) -> int:
        """Do it, as the options say; return the exit status."""
        work = work_on(self._place, self._wanted, prune=prune)
        if dry_run:
            planned = work.plan()
            self._tell("planned" if planned else "same", planned, steps.lines(planned))
            return 0
        with Turn(self._place, self._wanted.kind, needed=confirm is not None) as turn:
            if confirm is not None:
                work.pin()
                with Guarded(work, turn, confirm) as change:
                    return self._guarded(change)
            with unbroken():
                done = work.do()
        self._tell("done" if done else "same", done, f"done: {steps.counted(done)}\n")
        return 0

    def _tell(self, outcome: str, changes: list[dict[str, Any]], text: str) -> None:
        if self._as_json:
            click.echo(steps.document(self._wanted.kind, outcome, changes), nl=False)
        elif outcome == "same":
            click.echo(f"nothing to do: {self._place.name} is as {self._wanted.source} says")
        else:
            click.echo(text, nl=False)

    # -- confirmation --------------------------------------------------------------------------------------------------

    def _guarded(self, change: Guarded) -> int:
        """See a change through that a guardian makes."""
        changes: list[dict[str, Any]] = []
        status = REFUSED
        with _keyboard() as keyboard:
            try:
                event = change.event()
                if event["event"] == "applied":
                    changes = event["changes"]
                    self._ask(changes, event["until"])
                    event = _await(change, keyboard)
            except KeyboardInterrupt:
                status = INTERRUPTED
                change.answer("undo")
                while (event := change.event())["event"] == "applied":
                    changes = event["changes"]
        if event["event"] == "trouble":
            raise _trouble(event)
        if event["event"] == "undone":
            self._tell("undone", changes, f"{_taken_back(event)}\n")
            return status
        self._tell(event["event"], changes, "confirmed\n")
        return 0

    def _ask(self, changes: list[dict[str, Any]], until: float) -> None:
        click.echo(
            f"done: {steps.counted(changes)}, to be taken back at {time.strftime('%H:%M:%S', time.localtime(until))}"
            f" unless you press Enter or call '{answering(self._place, 'confirm')}'; 'no' takes it back now",
            err=self._as_json,
        )


def _await(change: Guarded, keyboard: int | None) -> Event:
    """Wait until a change is confirmed or taken back; what is typed here does it too."""
    watched = [change.fileno(), *([] if keyboard is None else [keyboard])]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if change.fileno() in ready:
            return change.event()
        typed = os.read(ready[0], 4096)
        if typed:
            change.answer("confirm" if typed.decode("utf-8", "replace").strip().lower() in _YES else "undo")
        else:  # Ctrl-D, or a terminal that is gone: nothing more will be said here
            watched.remove(ready[0])


@contextmanager
def _keyboard() -> Iterator[int | None]:
    """Give the terminal, None where there is none: what was typed before counts for nothing."""
    opened: int | None = None
    try:
        if has_keyboard():
            descriptor = sys.stdin.fileno()
        else:
            with suppress(OSError):
                opened = os.open("/dev/tty", os.O_RDONLY | os.O_CLOEXEC)
            if opened is None:
                yield None
                return
            descriptor = opened
        with suppress(termios.error):
            termios.tcflush(descriptor, termios.TCIFLUSH)
        yield descriptor
    finally:
        if opened is not None:
            os.close(opened)


def _trouble(event: Event) -> click.ClickException:
    """Return what a guardian met with."""
    return (Negative if event["status"] == REFUSED else Trouble)(event["text"])


def _taken_back(event: Event) -> str:
    reasons = {
        "timeout": "not confirmed in time",
        "undo": "as asked",
        "ended": "the process that waits was told to end",
    }
    others = "; what others have changed meanwhile was left" if event["others"] else ""
    return f"taken back ({reasons[event['why']]}): {steps.counted(event['changes'])}{others}"


def _answer(place: Place, kind: Kind | None, told: Answer, *, as_json: bool) -> int:
    """Confirm changes that wait, or have them taken back."""
    found = False
    for each in (kind,) if kind else KINDS:
        for event in answer(place, each, told):
            found = True
            if event["event"] == "trouble":
                raise _trouble(event)
            if as_json:
                outcome = "confirmed" if event["event"] == "confirmed" else "undone"
                click.echo(steps.document(each, outcome, event.get("changes", [])), nl=False)
            else:
                click.echo(f"{each}: {'confirmed' if event['event'] == 'confirmed' else _taken_back(event)}")
    if not found:
        complain(f"no change waits to be confirmed: {place.name}")
        return REFUSED
    return 0
