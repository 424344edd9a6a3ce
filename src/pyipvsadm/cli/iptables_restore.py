"""iptables-restore(8) and ip6tables-restore(8): tables as a dump has them, all or none."""

from __future__ import annotations

import os

from pyipvsadm.cli.console import complain, guarded, open_dump, program, read_lines, say
from pyipvsadm.cli.options import parse_options
from pyipvsadm.cli.xtables import Tool
from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.command import Version
from pyipvsadm.xtables.kinds import read_number
from pyipvsadm.xtables.lock import LockFileError, LockHeldError
from pyipvsadm.xtables.restore import CommitMissing, LineFailed, Restore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from pyipvsadm.cli.options import Given

# Letter, word, argument; see options.py.
OPTIONS: Final = (
    ("c", "counters", ""),
    ("v", "verbose", ""),
    ("V", "version", "!"),
    ("t", "test", ""),
    ("h", "help", "!"),
    ("n", "noflush", ""),
    ("w", "wait", "?"),
    ("W", "wait-interval", "?"),
    ("T", "table", "1"),
    ("M", "modprobe", "1"),
    ("b", "binary", ""),
)

_WAITING: Final = {"w": "seconds", "W": "interval"}


class _WaitError(UsageError):
    """What is wrong with -w or -W, which the C tool says in the words, and with the status, of a rule's mistakes."""


def main(argv: list[str] | None = None) -> int:
    """Run ``iptables-restore`` with the arguments ``argv`` (None: the process's own); return its exit status."""
    return guarded(lambda words: run(Tool("iptables-restore", 4), words), argv)


def main6(argv: list[str] | None = None) -> int:
    """Run ``ip6tables-restore``."""
    return guarded(lambda words: run(Tool("ip6tables-restore", 6), words), argv)


def run(tool: Tool, words: Sequence[str]) -> int:
    """Restore what standard input, or a file, has; return the exit status."""
    try:
        given, files = parse_options(tool.choose(words), OPTIONS, met=_meet)
    except _WaitError as error:
        return tool.blame(error)
    except UsageError as error:
        complain(f"{tool.name}: {error}\nTry `{tool.name} -h' for more information.")
        return 1
    if "V" in given:
        say(tool.version())
        return 0
    if "h" in given:
        complain(_usage(tool.name))
        return 0
    source = open_dump(files)
    if source is None:
        return 1
    if "W" in given and "w" not in given:
        complain("Option --wait-interval requires option --wait")
        return 1
    return _restore(tool, given, source)


def _restore(tool: Tool, given: Given, source: int) -> int:
    wait = read_number(given.get("w") or "", 0, 0x7FFFFFFF) or -1  # without seconds, or with none: as long as it takes
    restore = Restore(
        tool.parser,
        tool.renderer,
        tool.backend,
        lock=lambda: tool.take_lock(wait),
        say=say,
        warn=complain,
        counters="c" in given,
        noflush="n" in given,
        verbose=len(given.get("v") or ""),
        test="t" in given,
        only=given.get("T"),
    )
    try:
        end = restore.run(read_lines(source))
        if end is not None:
            say(tool.version() if isinstance(end, Version) else tool.usage(end))
    except UsageError as error:
        return tool.blame(error)
    except LineFailed as error:
        if error.reason:
            complain(f"{tool.name}: {error}")
        complain(f"{tool.name}: line {error.line} failed")
        return error.exit_status
    except CommitMissing as error:
        complain(f"{tool.name}: {error}")
        return error.exit_status
    except (LockHeldError, LockFileError) as error:
        complain(str(error))
        return error.exit_status
    return 0


def _meet(letter: str, text: str | None) -> None:
    """Judge an option where it stands, as the C tool does: mistakes behind it do not count then."""
    if letter == "b":
        complain("-b/--binary option is not implemented")
    elif letter in _WAITING:
        if text is None and letter == "W":
            raise _WaitError("wait interval value required")
        if text is not None and read_number(text, 0, 0x7FFFFFFF) is None:
            raise _WaitError(f"wait {_WAITING[letter]} not numeric")
        if letter == "W":
            complain("Ignoring deprecated --wait-interval option.")


def _usage(name: str) -> str:
    rows = [f"  -{letter}  --{word}\n" for letter, word, _ in OPTIONS]
    return f"Usage: {name} [options] [file]\n{''.join(rows)}"


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C")
    program(main)
