"""ipvsadm(8): one command on the virtual server table."""

from __future__ import annotations

from pyipvsadm.cli.backend import open_backend
from pyipvsadm.cli.console import environment, guarded, on_terminal, program, say
from pyipvsadm.errors import UsageError
from pyipvsadm.ipvs.command import Change, Help, List, Restore, Save, Version
from pyipvsadm.ipvs.names import Names, Numbers
from pyipvsadm.ipvs.options import split_own_options
from pyipvsadm.ipvs.syntax import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from pyipvsadm.ipvs.backend.base import Backend
    from pyipvsadm.ipvs.options import OwnOptions
    from pyipvsadm.ipvs.syntax import Command


def main(argv: list[str] | None = None) -> int:
    """Run ``ipvsadm`` with the arguments ``argv`` (None: the process's own); return its exit status."""
    return guarded(_run, argv)


def _run(argv: Sequence[str]) -> int:
    own, arguments = split_own_options(argv)
    names = Names()
    try:
        command = parse(arguments, names)
    except UsageError:
        open_backend(own).close()  # a kernel without IPVS is the first thing that the C tool complains of
        raise
    if isinstance(command, (Help, Version)):
        tell(command)
        return 0
    with open_backend(own) as backend:
        return run(backend, command, own, names)


def run(backend: Backend, command: Command, own: OwnOptions, names: Names) -> int:
    """Carry out a command; return the exit status. Raises KernelError for what is refused."""
    if isinstance(command, Restore):
        from pyipvsadm.cli.restore import restore

        return restore(backend, own, names, clear=False)
    if isinstance(command, Change):
        for _, error in backend.submit([command]):
            error.exit_status = 255
            raise error
    else:
        look(backend, command, own, names)
    return 0


def look(backend: Backend, command: Command, own: OwnOptions, names: Names) -> None:
    """Carry out a command that changes nothing. Raises KernelError, such as for a service that is not there."""
    if isinstance(command, List):
        _list(backend, command, _format(own), Numbers() if command.numeric else names)
    elif isinstance(command, Save):
        from pyipvsadm.ipvs.render import save

        say(save(backend.services(counters=False), Numbers() if command.numeric else names))
    else:
        tell(command)


def tell(command: Command) -> None:
    """Print what needs no table: the help text or the version."""
    if isinstance(command, Help):
        from pyipvsadm.ipvs.usage import usage

        say(usage())
    elif on_terminal():  # people learn whose command it is, programs see the line that they know
        from pyipvsadm import __version__

        say(f"ipvsadm v1.31 (pyipvsadm {__version__} and IPVS v1.2.1)\n")
    else:
        say("ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)\n")


def _format(own: OwnOptions) -> ModuleType:
    """Return what prints a listing: as asked for, else a table for people and the C tool's text for programs."""
    form = own.format or environment("PYIPVSADM_FORMAT") or ("table" if on_terminal() else "classic")
    if form == "classic":
        from pyipvsadm.ipvs import render

        return render
    if form == "table":
        from pyipvsadm.ui import tables

        return tables
    if form == "json":
        from pyipvsadm.ui import json

        return json
    raise UsageError(f"PYIPVSADM_FORMAT={form}: must be classic, table or json")


def _list(backend: Backend, options: List, form: ModuleType, resolver: Names | Numbers) -> None:
    if options.connection:
        for piece in form.connections(backend.connections(), options, resolver):
            say(piece)
    elif options.timeout:
        say(form.timeouts(backend.timeouts()))
    elif options.daemon:
        say(form.daemons(backend.daemons()))
    else:
        counters = options.stats or options.rate or form.__name__ != "pyipvsadm.ipvs.render"
        services = backend.services(options.key, counters=counters)
        say(form.listing(services, options, backend.info(), resolver))


if __name__ == "__main__":
    program(main)
