"""What all drop-in commands do with their streams, their environment and their errors."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # typeshed knows signal alone, which costs an enum
import gc
import os
import sys

from pyipvsadm.errors import PyIpvsadmError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Final, NoReturn

STDIN: Final = 0
STDOUT: Final = 1
STDERR: Final = 2

_PIECE: Final = 1 << 16  # characters


def guarded(run: Callable[[Sequence[str]], int], argv: Sequence[str] | None) -> int:
    """Run a command on ``argv`` (None: the process's own); return its exit status, having printed its error if any.

    A closed pipe and Ctrl-C end the process as they end any C program.
    """
    _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    try:
        _keep_standard_descriptors()
        return run(sys.argv[1:] if argv is None else argv)
    except PyIpvsadmError as error:
        complain(str(error))
        return error.exit_status
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror))
        return 1


def program(main: Callable[[], int]) -> NoReturn:
    """Be the program whose main function is ``main``.

    It lives for one command: collecting garbage and taking the interpreter apart would take longer than some commands.
    """
    gc.disable()
    status = main()
    try:
        if sys.stdout:  # None where it was closed from the start
            sys.stdout.flush()  # rich prints through it
    except OSError as error:
        complain(str(error.strerror))
        status = status or 1
    os._exit(status)


def _keep_standard_descriptors() -> None:
    """Have something that fails in the place of a closed standard stream, or the kernel's socket would get its number.

    Then a listing would be sent to the kernel, and a dump be read from it.
    """
    for descriptor in (STDIN, STDOUT, STDERR):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open("/dev/null", os.O_RDONLY if descriptor else os.O_WRONLY)


def say(text: str) -> None:
    """Write text to standard output, undecodable bytes as they came. Raises OSError (a full disk, a closed file)."""
    _write(STDOUT, text)


def complain(text: str) -> None:
    """Write a line to standard error, if anything is there to take it."""
    try:
        _write(STDERR, text.rstrip("\n") + "\n")
    except OSError:
        pass


def _write(descriptor: int, text: str) -> None:
    for start in range(0, len(text), _PIECE):  # memory for a piece is used again, that for all of it would be new
        data = memoryview(text[start : start + _PIECE].encode("utf-8", "surrogateescape"))
        while data:
            data = data[os.write(descriptor, data) :]


def read_input() -> bytes:
    """Return all of standard input. Raises OSError."""
    parts = []
    while part := os.read(STDIN, 1 << 18):
        parts.append(part)
    return b"".join(parts)


def open_dump(files: Sequence[str]) -> int | None:
    """Open the file that a command line names, standard input if none; None where that cannot be, which is said."""
    if len(files) > 1:
        complain("Unknown arguments found on commandline")
        return None
    try:
        return os.open(files[0], os.O_RDONLY | os.O_CLOEXEC) if files else STDIN
    except (OSError, ValueError) as problem:
        complain(f"Can't open {files[0]}: {problem.strerror if isinstance(problem, OSError) else problem}")
        return None


def read_lines(descriptor: int) -> Iterator[str]:
    """Yield the lines of an open file as they are read, the last of them being what follows its last newline.

    Raises OSError.
    """
    left: list[bytes] = []  # pieces of a line whose end was not read yet: joined once, however many there are
    while part := os.read(descriptor, 1 << 18):
        end = part.rfind(b"\n")
        if end < 0:
            left.append(part)
            continue
        yield from b"".join([*left, part[:end]]).decode("utf-8", "surrogateescape").split("\n")
        left = [part[end + 1 :]]
    yield b"".join(left).decode("utf-8", "surrogateescape")


def environment(name: str) -> str | None:
    """Return an environment variable; one that is set to nothing counts as not set."""
    return os.environ.get(name) or None


def on_terminal() -> bool:
    """Whether people read standard output."""
    return os.isatty(STDOUT)
