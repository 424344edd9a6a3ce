"""The command ``pyipvsadm``: which subcommands there are, and where each is.

A subcommand is a module of this package that is imported when it runs, so that ``pyipvsadm --help`` takes no longer
for there being more of them. It exposes ``command``, a click command that returns its exit status (None for 0).
``COMMANDS`` is where it is named, and with that in the help text, the manual (script/man) and the completions.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from pyipvsadm import __version__
from pyipvsadm.app import errors
from pyipvsadm.app.garbage import few_collections

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME: Final = "pyipvsadm"

# Subcommand: its module in this package, and what it does in a line.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "show": ("show", "Show services and servers, or chains and rules."),
    "diff": ("diff", "Show what differs between two states."),
    "apply": ("apply", "Make the live state what a file says, with the fewest changes."),
    "drain": ("drain", "Take a real server out of service when its connections have ended."),
    "undrain": ("undrain", "Put a drained server back with its old weight."),
    "top": ("top", "Watch the rates of services and servers, or of rules."),
    "doctor": ("doctor", "Find out why it does not work, and what mends it."),
    "check": ("check", "Find mistakes in dumps and documents."),
    "convert": ("convert", "Write a dump as JSON or YAML, and either as the others."),
    "sandbox": ("sandbox", "Have a shell, or one command, on a throwaway state."),
}


class Application(click.Group):
    """The group of all subcommands; ends with one line on standard error where something goes wrong."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names of the subcommands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a subcommand; None where there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = import_module(f"pyipvsadm.app.{COMMANDS[cmd_name][0]}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Return what may stand for an incomplete subcommand or option, without importing subcommands."""
        from click.shell_completion import CompletionItem

        names = [
            CompletionItem(name, help=summary) for name, (_, summary) in COMMANDS.items() if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the subcommand that words name, and the other words; says which name is near one that is none."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"see '{NAME} --help'"
            raise errors.Trouble(f"no such command: {args[0]}: {hint}")
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read a command line, of which --help and --version write at once."""
        with errors.translated():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a subcommand."""
        with errors.translated(), few_collections():
            return super().invoke(ctx)

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run a command line and end with its exit status."""
        extra["standalone_mode"] = False
        sys.exit(errors.ended(lambda: click.Group.main(self, args, prog_name or NAME, **extra)))


@click.group(
    cls=Application,
    name=NAME,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def application(ctx: click.Context) -> None:
    """Look at and change virtual servers (IPVS) and tables of rules (iptables, ip6tables).

    On the kernel's tables, in a network namespace (--netns), in a sandbox, or on dumps in files.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(errors.TROUBLE)


def program() -> NoReturn:
    """Be the program ``pyipvsadm``."""
    if sys.stdin is None:  # closed: no socket may get its number and be read as a dump
        os.open(os.devnull, os.O_RDONLY)
    if sys.stdout is None:
        errors.complain("standard output is closed")
        sys.exit(errors.TROUBLE)
    if sys.stderr is None:
        os.open(os.devnull, os.O_WRONLY)
    application.main()


if __name__ == "__main__":
    program()
