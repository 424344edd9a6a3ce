"""iptables-xml(1): a dump as XML."""

from __future__ import annotations

from pyipvsadm.cli.console import complain, guarded, open_dump, program, read_lines, say
from pyipvsadm.cli.options import parse_options
from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.xml import Converter, Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Final

_NAME: Final = "iptables-xml"
_VERSION: Final = "v1.8.9"
_PIECES: Final = 1000  # of a document that are written at once

OPTIONS: Final = (
    ("c", "combine", ""),
    ("v", "verbose", ""),
    ("h", "help", "!"),
)


def main(argv: list[str] | None = None) -> int:
    """Run ``iptables-xml`` with the arguments ``argv`` (None: the process's own); return its exit status."""
    return guarded(run, argv)


def run(words: Sequence[str]) -> int:
    """Convert what standard input, or a file, has; return the exit status."""
    given, files = parse_options(words, OPTIONS, lambda mistake: complain(f"{_NAME}: {mistake}"))
    say("xptables-xml\n" * len(given.get("v") or ""))  # as it stands in the C tool
    if "h" in given:
        rows = [f"  -{letter}  --{word}\n" for letter, word, _ in OPTIONS]
        complain(f"Usage: {_NAME} [options] [file]\n{''.join(rows)}")
        return 1
    source = open_dump(files)
    if source is None:
        return 1
    try:
        _write(Converter(_NAME, combine="c" in given, verbose="v" in given).convert(read_lines(source)))
    except UsageError as error:
        complain(
            f"{_NAME} {_VERSION}: {error}\nError occurred at line: {error.line}\n"
            f"Try `{_NAME} -h' or '{_NAME} --help' for more information."
        )
        return error.exit_status
    except Malformed as error:
        complain(f"{_NAME}: {error}")
        return error.exit_status
    return 0


def _write(document: Iterable[str]) -> None:
    """Write a document, all of it up to its first mistake."""
    pieces: list[str] = []
    try:
        for piece in document:
            pieces.append(piece)
            if len(pieces) == _PIECES:
                say("".join(pieces))
                pieces.clear()
    finally:
        say("".join(pieces))


if __name__ == "__main__":
    program(main)
