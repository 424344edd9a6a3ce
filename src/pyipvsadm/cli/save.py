"""ipvsadm-save(8): the table as lines for ipvsadm-restore."""

from __future__ import annotations

from pyipvsadm.cli.backend import open_backend
from pyipvsadm.cli.console import guarded, program
from pyipvsadm.cli.ipvsadm import run
from pyipvsadm.errors import UsageError
from pyipvsadm.ipvs.command import Save
from pyipvsadm.ipvs.names import Names
from pyipvsadm.ipvs.options import split_own_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

USAGE: Final = """Usage: ipvsadm-save [-n] [--netns NAME | --sandbox FILE]
Writes the virtual server table to standard output; -n keeps addresses and ports as numbers."""


def main(argv: list[str] | None = None) -> int:
    """Run ``ipvsadm-save`` with the arguments ``argv`` (None: the process's own); return its exit status."""
    return guarded(_run, argv)


def _run(argv: Sequence[str]) -> int:
    own, arguments = split_own_options(argv)
    numeric = "-n" in arguments
    if any(word.startswith("-") and word != "-n" for word in arguments):
        raise UsageError(USAGE, exit_status=1)
    with open_backend(own) as backend:  # other words count for nothing, as at the C tool
        return run(backend, Save(numeric), own, Names())


if __name__ == "__main__":
    program(main)
