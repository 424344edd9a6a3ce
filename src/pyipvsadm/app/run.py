"""Where files are that last until the machine's next start: /run/pyipvsadm, or $XDG_RUNTIME_DIR/pyipvsadm."""

from __future__ import annotations

import os
from typing import Final

from pyipvsadm.app.errors import Trouble, words

_RUN: Final = "/run/pyipvsadm"
_NAMESPACES: Final = "/run/netns"  # ip-netns(8)
_OWN: Final = "/proc/thread-self/ns/net"


def folders() -> list[str]:
    """Return the folders that there may be, the first that serves being the one."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return [_RUN, *([f"{runtime}/pyipvsadm"] if runtime else [])]


def folder(what: str) -> str:
    """Return the folder, which is made where it is missing. Raises Trouble, which tells ``what`` cannot be kept."""
    problem: OSError | None = None
    for path in folders():
        try:
            os.makedirs(path, 0o755, exist_ok=True)
        except OSError as error:
            problem = problem or error
            continue
        if os.access(path, os.W_OK):
            return path
    reason = f" ({problem.strerror})" if problem else ""
    raise Trouble(f"{what} cannot be kept in {_RUN}{reason}: run it as root, or set XDG_RUNTIME_DIR")


def namespace_path(name: str | None) -> str:
    """Return what leads to a network namespace by its name (ip-netns(8)), its path, or None for the caller's own."""
    if name is None:
        return _OWN
    return name if "/" in name else f"{_NAMESPACES}/{name}"


def namespace_of(name: str | None) -> str:
    """Return the numbers of a network namespace's device and inode, as part of a file's name. Raises Trouble."""
    try:
        status = os.stat(namespace_path(name))
    except OSError as error:
        raise Trouble(words(error)) from None
    return f"{status.st_dev}-{status.st_ino}"
