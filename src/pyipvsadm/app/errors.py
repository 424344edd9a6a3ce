"""What becomes of errors: one line on standard error, and an exit status."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import click

from pyipvsadm.errors import KernelError, PyIpvsadmError, Refused, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REFUSED: Final = 1  # the answer is no, or the kernel's is
TROUBLE: Final = 2  # wrong usage, or something that is needed is not there
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells say it
CLOSED_PIPE: Final = 141  # 128 + SIGPIPE


class Trouble(click.ClickException):
    """What keeps a command from doing its work: one line that says what to do."""

    exit_code = TROUBLE


class Negative(click.ClickException):
    """A refusal, or an answer that is no: one line that says why."""

    exit_code = REFUSED


class _Silent(click.ClickException):
    """An end that needs no words."""

    def __init__(self, status: int) -> None:
        super().__init__("")
        self.status = status


@contextmanager
def translated() -> Iterator[None]:
    """Turn what a subcommand may raise into one of the above."""
    try:
        yield
        sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        raise _Silent(INTERRUPTED) from None
    except BrokenPipeError:
        forget_output()
        raise _Silent(CLOSED_PIPE) from None
    except (KernelError, Refused) as error:
        raise Negative(str(error)) from None
    except UsageError as error:
        raise Trouble(error.message) from None
    except PyIpvsadmError as error:
        raise Trouble(str(error)) from None
    except OSError as error:
        _give_up_output()
        raise Trouble(words(error)) from None


def words(error: OSError) -> str:
    """Return what the system says of a file or a call."""
    reason = error.strerror or str(error)
    return f"{os.fsdecode(error.filename)}: {reason}" if error.filename else reason


def ended(run: Callable[[], Any]) -> int:
    """Run a command line; return its exit status, having said what went wrong if anything did."""
    try:
        with translated():
            status = run()
    except click.UsageError as error:
        hint = f" (see '{error.ctx.command_path} --help')" if error.ctx else ""
        complain(f"{error.format_message().rstrip('.')}{hint}")
        return TROUBLE
    except _Silent as error:
        return error.status
    except click.ClickException as error:
        complain(error.format_message())
        return error.exit_code
    return status if isinstance(status, int) else 0


def complain(text: str) -> None:
    """Write a line to standard error, if anything is there to take it."""
    with suppress(OSError):
        click.echo(f"pyipvsadm: {' '.join(text.split())}", err=True)


def _give_up_output() -> None:
    """Have the interpreter not try again, at its end, to write what cannot be written: it would have the last word."""
    try:
        sys.stdout.flush()
    except OSError:
        forget_output()


def forget_output() -> None:
    """Have the interpreter not try again, at its end, to write what nobody reads."""
    with suppress(OSError, ValueError):  # no file at all where tests run it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
