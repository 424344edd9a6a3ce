"""The file that sandboxes are kept in: JSON, with members for virtual servers and others for tables of rules.

It is read when it has changed and written as a whole, atomically; writers wait for each other and leave alone what is
not theirs.
"""

from __future__ import annotations

import os

from pyipvsadm.errors import SandboxFileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_FORMAT: Final = "pyipvsadm sandbox"
_VERSION: Final = 1


class SandboxFile:
    """The file of a name, which need not exist yet; ``content`` is what was last read. May raise SandboxFileError."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.realpath(path)  # a link stays one when its file is replaced
        self.content: dict[str, Any] = {}
        self._stamp: tuple[int, ...] | None = None  # what the file was like when it was read
        self._lock = Lock(self)

    def refresh(self) -> bool:
        """Read the file where it is not what was read before; return whether ``content`` is new."""
        try:
            with open(self.path, "rb") as file:
                status = os.fstat(file.fileno())
                stamp = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
                if stamp == self._stamp:
                    return False
                data = file.read()
        except FileNotFoundError:
            self.content, self._stamp = {}, None
            return True
        except OSError as problem:
            raise self.error(problem) from None
        try:
            self.content = _parse(data)
        except (ValueError, TypeError, LookupError, RecursionError) as problem:
            raise self.foreign(problem) from None
        self._stamp = stamp
        return True

    def lock(self) -> Lock:
        """Return a context in which nobody else writes; it can be entered again inside of it."""
        return self._lock

    def write(self, **members: object) -> None:
        """Replace some members of the file as it was last read; call it with the lock, after ``refresh``."""
        import json

        self._stamp = None  # from here on what counts is the file
        content = {"format": _FORMAT, "version": _VERSION, **self.content, **members}
        try:
            _write(self.path, json.dumps(content, indent=1).encode() + b"\n")
        except OSError as problem:
            raise self.error(problem) from None

    def error(self, problem: OSError) -> SandboxFileError:
        """Return the error for a file that cannot be read or written."""
        return SandboxFileError(f"{self.path}: {problem.strerror}")

    def foreign(self, problem: Exception) -> SandboxFileError:
        """Return the error for a file that is none of ours."""
        self._stamp = None
        return SandboxFileError(f"{self.path}: not a sandbox file: {problem}")


class Lock:
    """Holds a lock on the directory of a file: the file itself is another one after each writing."""

    def __init__(self, file: SandboxFile) -> None:
        self._file = file
        self._descriptor = -1
        self._depth = 0

    def __enter__(self) -> None:
        import fcntl

        self._depth += 1
        if self._depth > 1:
            return
        try:
            self._descriptor = os.open(os.path.dirname(self._file.path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError as problem:
            self.__exit__()
            raise self._file.error(problem) from None

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if not self._depth and self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _parse(data: bytes) -> dict[str, Any]:
    import json

    content: dict[str, Any] = json.loads(data)
    if content["format"] != _FORMAT:
        raise ValueError(f'"format" is {content["format"]!r}')
    if content["version"] != _VERSION:
        raise ValueError(f"version {content['version']!r} is not {_VERSION}, the one this program knows")
    return content


def _write(path: str, data: bytes) -> None:
    """Replace a file as a whole, keeping its permissions; a reader sees the old or the new one, also after a crash."""
    temporary = f"{path}.{os.getpid()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with open(descriptor, "wb") as file:
            try:
                os.fchmod(descriptor, os.stat(path).st_mode & 0o7777)
            except FileNotFoundError:
                pass  # a new file: as the umask has it
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
