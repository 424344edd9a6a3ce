"""What can go wrong, as types: facts for programs, one line of text for people.

``exit_status`` is what a drop-in command exits with unless its original does something else for that error.
"""

from __future__ import annotations


class PyIpvsadmError(Exception):
    """Base of everything that this package raises on purpose."""

    exit_status: int = 1


class UsageError(PyIpvsadmError):
    """Arguments that do not make a command; ``line`` is the dump's line number, counted from 1, or None.

    ``argument`` is the index of the word that is wrong, where that is known. ``option`` names what it is about, for the
    parser, which finds the word by it.
    """

    def __init__(
        self,
        message: str,
        *,
        exit_status: int = 2,
        line: int | None = None,
        argument: int | None = None,
        option: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.exit_status = exit_status
        self.line = line
        self.argument = argument
        self.option = option


class UnknownOptionError(UsageError):
    """A word that looks like an option and is none, or none of what was named before it."""


class NoCommandError(UsageError):
    """Words of which the first is no command; ``message`` has the C tool's answer, ``reason`` what is wrong."""

    reason = "this begins with no command"


class MisplacedOptionError(UsageError):
    """An option that does not go with its command or with others, or that is missing or given twice."""


class KernelError(PyIpvsadmError):
    """A refusal by the kernel, or by the sandbox in its place.

    ``operation`` names what was asked ("add service"), ``errno`` is positive, ``reason`` its text for that operation,
    ``extack`` the kernel's own explanation where it gave one.
    """

    def __init__(self, operation: str, errno: int, reason: str, extack: str = "") -> None:
        super().__init__(f"{reason} ({extack})" if extack else reason)
        self.operation = operation
        self.errno = errno
        self.reason = reason
        self.extack = extack


class Refused(PyIpvsadmError):
    """Some changes of a batch were refused: ``refusals`` holds (index, KernelError) of each, in order.

    The text and the exit status are the first one's.
    """

    def __init__(self, refusals: list[tuple[int, KernelError]]) -> None:
        self.refusals = refusals
        self.index, self.error = refusals[0]
        super().__init__(str(self.error))


class Unsupported(PyIpvsadmError):
    """What was asked for is not there: no IPVS in this kernel, no such network namespace, no such backend."""


class WireError(PyIpvsadmError):
    """Bytes that are not what the kernel's headers promise; decoding never guesses."""

    def __init__(self, struct: str, offset: int, expected: str, got: str) -> None:
        super().__init__(f"{struct} at byte {offset}: expected {expected}, got {got}")
        self.struct = struct
        self.offset = offset
        self.expected = expected
        self.got = got


class SandboxFileError(PyIpvsadmError):
    """A sandbox file that cannot be read, or that this version does not understand."""
