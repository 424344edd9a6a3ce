"""ipvsadm-restore(8), and ``ipvsadm -R``: the commands of a dump, all or none."""

from __future__ import annotations

from pyipvsadm.cli.backend import open_backend
from pyipvsadm.cli.console import complain, guarded, program, read_input
from pyipvsadm.cli.ipvsadm import look
from pyipvsadm.errors import KernelError, Refused, UsageError
from pyipvsadm.ipvs.command import (
    AddServer,
    AddService,
    Change,
    EditServer,
    EditService,
    Flush,
    Help,
    SetTimeouts,
    StartDaemon,
    StopDaemon,
    Version,
    Zero,
)
from pyipvsadm.ipvs.dump import DumpParser, parse_dump
from pyipvsadm.ipvs.engine import State, Transaction
from pyipvsadm.ipvs.names import Names
from pyipvsadm.ipvs.options import split_own_options
from pyipvsadm.ipvs.syntax import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyipvsadm.ipvs.backend.base import Backend
    from pyipvsadm.ipvs.options import OwnOptions
    from pyipvsadm.ipvs.syntax import Command

_REFUSED = 255


def main(argv: list[str] | None = None) -> int:
    """Run ``ipvsadm-restore`` with the arguments ``argv`` (None: the process's own); return its exit status."""
    return guarded(_run, argv)


def _run(argv: Sequence[str]) -> int:
    own, _ = split_own_options(argv)  # other words count for nothing, as at the C tool
    with open_backend(own) as backend:
        return restore(backend, own, Names(), clear=True)


def restore(backend: Backend, own: OwnOptions, names: Names, *, clear: bool) -> int:
    """Carry out the dump on standard input; return the exit status.

    With ``clear`` the services end as if the table had been emptied first, but what is the same before and after is not
    touched; and lines that begin with "#" are passed over. Raises UsageError, with nothing changed, for a line that is
    no command or that is refused.
    """
    lines = read_input().decode("utf-8", "surrogateescape").split("\n")
    if clear:
        lines = ["" if line[:1] == "#" else line for line in lines]
    if own.no_rollback:
        return _one_by_one(backend, own, names, lines, clear=clear)
    try:
        commands = list(parse_dump(lines, names))
    except UsageError as error:
        raise _located(error.line or 0, lines, error, error.exit_status) from None
    (_replace if clear else _carry_out)(backend, own, names, commands, lines)
    return 0


def _located(number: int, lines: Sequence[str], error: Exception, status: int) -> UsageError:
    """Return an error that says where: the line's number and text, then the reason."""
    text = lines[number - 1].strip().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    shown = text if len(text) <= 200 else f"{text[:200]}..."
    shown = "".join([letter if letter.isprintable() else repr(letter)[1:-1] for letter in shown])
    return UsageError(f"line {number}: {shown}: {error}\nnothing was changed", exit_status=status, line=number)


def _carry_out(
    backend: Backend,
    own: OwnOptions,
    names: Names,
    commands: Sequence[tuple[int, Command]],
    lines: Sequence[str],
) -> None:
    """Carry out commands as one transaction. Raises UsageError, with the changes undone."""
    transaction = Transaction(backend)
    changes: list[Change] = []
    numbers: list[int] = []

    def submit() -> None:
        try:
            transaction.submit(changes)
        except Refused as refused:
            raise _located(numbers[refused.index], lines, refused.error, _REFUSED) from None
        changes.clear()
        numbers.clear()

    for number, command in commands:
        if isinstance(command, Change):
            changes.append(command)
            numbers.append(number)
            continue
        submit()
        try:
            look(backend, command, own, names)
        except KernelError as error:
            transaction.roll_back()
            raise _located(number, lines, error, error.exit_status) from None
        if isinstance(command, (Help, Version)):
            return  # the C tool exits here
    submit()


def _replace(
    backend: Backend,
    own: OwnOptions,
    names: Names,
    commands: Sequence[tuple[int, Command]],
    lines: Sequence[str],
) -> None:
    """Rehearse the dump in memory on an empty table, then take the shortest way to where it led.

    A table that is empty anyway needs no rehearsal.
    """
    from pyipvsadm.ipvs.backend.sandbox import SandboxBackend

    now = State(backend)
    if not now.services:
        _carry_out(backend, own, names, commands, lines)
        return
    rehearsal = SandboxBackend(schedulers=None)  # the kernel may have a module for any name
    rehearsal.submit([SetTimeouts(now.timeouts), *map(StartDaemon, now.daemons)])
    _carry_out(rehearsal, own, names, commands, lines)
    changes = State(rehearsal).reached_from(now)
    changes += [command for _, command in commands if isinstance(command, Zero)]
    try:
        Transaction(backend).submit(changes)
    except Refused as refused:
        number = _origin(changes[refused.index], commands)
        raise _located(number, lines, refused.error, _REFUSED) from None


def _origin(change: Change, commands: Sequence[tuple[int, Command]]) -> int:
    """Return the number of the last line that is about the same service, server, daemon or timeouts as a change."""
    target = _target(change)
    return next(number for number, command in reversed(commands) if _target(command) == target)


def _target(command: Command) -> object:
    if isinstance(command, (AddService, EditService)):
        return command.service.key
    if isinstance(command, (AddServer, EditServer)):
        return command.service, command.server.key
    if isinstance(command, (StartDaemon, StopDaemon)):
        return command.daemon.state
    return type(command)


def _one_by_one(backend: Backend, own: OwnOptions, names: Names, lines: Sequence[str], *, clear: bool) -> int:
    """Do as the C tool does: go on after a refusal, stop at a line that is no command, keep what was done.

    The exit status is the last line's. Changes are collected up to where something has to be printed.
    """
    changes: list[Change] = [Flush()] if clear else []
    status = 0
    parse = DumpParser(names).parse

    def submit() -> None:
        nonlocal status
        if changes:
            refusals = backend.submit(changes)
            for _, error in refusals:
                complain(str(error))
            status = _REFUSED if refusals and refusals[-1][0] == len(changes) - 1 else 0
            changes.clear()

    for line in lines:
        try:
            command = parse(line)
        except UsageError as error:
            submit()
            if not isinstance(error, OptionError):
                raise
            complain(str(error))
            status = error.exit_status
            continue
        if isinstance(command, Change):
            changes.append(command)
        elif command is not None:
            submit()
            look(backend, command, own, names)
            status = 0
            if isinstance(command, (Help, Version)):
                return 0  # the C tool exits here
    submit()
    return status


if __name__ == "__main__":
    program(main)
