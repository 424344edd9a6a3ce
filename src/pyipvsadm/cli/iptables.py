"""iptables(8) and ip6tables(8): one command on a table."""

from __future__ import annotations

from pyipvsadm.cli.console import complain, environment, guarded, on_terminal, program, say
from pyipvsadm.cli.xtables import Tool
from pyipvsadm.errors import KernelError, UsageError
from pyipvsadm.xtables import VERSION, command
from pyipvsadm.xtables.engine import Engine, changes
from pyipvsadm.xtables.listing import Lister
from pyipvsadm.xtables.lock import LockFileError, LockHeldError
from pyipvsadm.xtables.syntax import FORMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyipvsadm.xtables.listing import Form
    from pyipvsadm.xtables.syntax import Command, Wanted


def main(argv: list[str] | None = None) -> int:
    """Run ``iptables`` with the arguments ``argv`` (None: the process's own); return its exit status."""
    return guarded(lambda words: run(Tool("iptables", 4), words), argv)


def main6(argv: list[str] | None = None) -> int:
    """Run ``ip6tables``."""
    return guarded(lambda words: run(Tool("ip6tables", 6), words), argv)


def run(tool: Tool, words: Sequence[str]) -> int:
    """Carry out a command line; return the exit status."""
    try:
        asked, wanted = tool.parser.parse(tool.choose(words))
        return _carry_out(tool, asked, wanted)
    except (LockHeldError, LockFileError) as error:
        complain(str(error))
        return error.exit_status
    except UsageError as error:
        return tool.blame(error)
    except KernelError as error:
        return tool.refused(error)


def _carry_out(tool: Tool, asked: Command, wanted: Wanted) -> int:
    if isinstance(asked, command.Version):
        say(f"Not {VERSION.removeprefix('v')} ;-)\n" if asked.negated else tool.version())
        return 0
    if isinstance(asked, command.Help):
        say(tool.usage(asked))
        return 0
    form = _form(asked, wanted.form)
    tool.take_lock(wanted.wait)
    if isinstance(asked, (command.List, command.ListRules)) and asked.zero is None and asked.verbose < 2:
        Lister(tool.read(wanted.table), tool.renderer, tool.say, form).run(asked)
        return 0
    table = tool.open(wanted.table)
    Engine(table, tool.renderer, tool.say, complain, form).run(asked)
    if changes(asked):
        table.commit()
    return 0


def _form(asked: Command, form: str | None) -> Form | None:
    """Return what prints a listing: as asked for, else a table for people and the C tool's text (None) for programs.

    -S is a text to be read again, for people too: only --format json makes it another.
    """
    if isinstance(asked, command.List) and form is None:
        form = environment("PYIPVSADM_FORMAT") or ("table" if on_terminal() else "classic")
        if form not in FORMS:
            raise UsageError(f"PYIPVSADM_FORMAT={form}: must be classic, table or json")
    if form == "json" and isinstance(asked, (command.List, command.ListRules)):
        from pyipvsadm.ui import rules_json

        return rules_json
    if form == "table" and isinstance(asked, command.List):
        from pyipvsadm.ui import rules_tables

        return rules_tables
    return None


if __name__ == "__main__":
    program(main)
