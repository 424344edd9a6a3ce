"""Network namespaces: run a piece of code in one, and come back."""

from __future__ import annotations

import os

from pyipvsadm.errors import Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Final

_DIRECTORY: Final = "/run/netns"  # ip-netns(8)
_CLONE_NEWNET: Final = 0x40000000  # linux/sched.h


class NetworkNamespace:
    """The namespace that ip-netns(8) calls ``name``, or that a path leads to; None is the caller's own.

    ``with namespace:`` moves the calling thread, and no other, into it for the block. Raises Unsupported where it does
    not exist or may not be entered.
    """

    def __init__(self, name: str | None) -> None:
        self.name = name
        self._back = -1

    def __enter__(self) -> None:
        if self.name is None:
            return
        path = self.name if "/" in self.name else f"{_DIRECTORY}/{self.name}"
        try:
            target = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except (OSError, ValueError) as problem:
            raise Unsupported(_refusal(self.name, problem)) from None
        self._back = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(target)
        except OSError as problem:
            os.close(self._back)
            raise Unsupported(_refusal(self.name, problem)) from None
        finally:
            os.close(target)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.name is None:
            return
        try:
            _setns(self._back)
        finally:
            os.close(self._back)


def _setns(descriptor: int) -> None:
    """Call setns(2), which Python has from 3.12 on."""
    if hasattr(os, "setns"):
        os.setns(descriptor, _CLONE_NEWNET)
        return
    from pyipvsadm import clib

    setns = clib.function(clib.open_library(None), "setns", clib.Int, clib.Int, clib.Int)
    if setns(descriptor, _CLONE_NEWNET):
        number = clib.errno()
        raise OSError(number, os.strerror(number))


def _refusal(name: str, problem: OSError | ValueError) -> str:
    """Return what is wrong with a namespace, and what to do."""
    if isinstance(problem, FileNotFoundError) and "/" not in name:
        reason = "there is none of this name, see 'ip netns list'"
    elif isinstance(problem, PermissionError):
        reason = "only root may enter it"
    else:
        reason = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
    return f"network namespace {name!r}: {reason}"
