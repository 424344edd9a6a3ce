"""The lock that keeps programs from writing tables at the same time: flock(2) on /run/xtables.lock."""

from __future__ import annotations

import errno
import os

from pyipvsadm.errors import PyIpvsadmError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

PATH: Final = "/run/xtables.lock"
VARIABLE: Final = "XTABLES_LOCKFILE"


class LockHeldError(PyIpvsadmError):
    """Somebody else has the lock."""

    exit_status = 4


class LockFileError(PyIpvsadmError):
    """The lock's file cannot be opened."""

    exit_status = 4


def take(path: str, wait: int | None) -> int:
    """Take the lock; return the descriptor that holds it until it is closed.

    ``wait`` is how many seconds at most, -1 for as long as it takes, and so is None: what iptables 1.8.9 does without
    -w. Raises LockHeldError and LockFileError.
    """
    import fcntl

    try:
        descriptor = os.open(path, os.O_CREAT | os.O_CLOEXEC | os.O_RDONLY, 0o600)
    except OSError as problem:
        raise LockFileError(f"Fatal: can't open lock file {path}: {problem.strerror}") from None
    try:
        if wait is None or wait < 0:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        else:
            _wait(descriptor, wait)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _wait(descriptor: int, seconds: int) -> None:
    import fcntl
    import time

    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            if problem.errno not in (errno.EWOULDBLOCK, errno.EINTR):
                raise
        else:
            return
        left = end - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(left, 0.05))
    stopped = f"Stopped waiting after {seconds}s." if seconds else ""
    raise LockHeldError(f"Another app is currently holding the xtables lock. {stopped}".rstrip())
