"""Where the old weights of drained servers are kept.

A sandbox keeps them in its own file. Those of a kernel's table are kept until the next start of the machine, as that
table is: in /run/pyipvsadm, or for who may not write there in $XDG_RUNTIME_DIR/pyipvsadm, in a file for each network
namespace that has its device and inode numbers in its name.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pyipvsadm.app.errors import Trouble, words
from pyipvsadm.drain import Book

if TYPE_CHECKING:
    from pyipvsadm.app.state import Place

_RUN: Final = "/run/pyipvsadm"
_NAMESPACES: Final = "/run/netns"  # ip-netns(8)


def book_of(place: Place) -> Book:
    """Return the book of a place; makes its folder where it is missing. Raises Trouble."""
    if place.sandbox is not None:
        return Book(place.sandbox)
    try:
        name = _name(place)
    except OSError as error:
        raise Trouble(words(error)) from None
    return Book(os.path.join(_folder(), name))


def discard(place: Place) -> None:
    """Take away the book of a namespace that ends, wherever it may be."""
    name = _name(place)
    for folder in _folders():
        with suppress(OSError):
            os.unlink(os.path.join(folder, name))


def _name(place: Place) -> str:
    status = os.stat(_namespace(place.netns))
    return f"drained-{status.st_dev}-{status.st_ino}.json"


def _folders() -> list[str]:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return [_RUN, *([f"{runtime}/pyipvsadm"] if runtime else [])]


def _namespace(name: str | None) -> str:
    if name is None:
        return "/proc/thread-self/ns/net"
    return name if "/" in name else f"{_NAMESPACES}/{name}"


def _folder() -> str:
    problem: OSError | None = None
    for folder in _folders():
        try:
            os.makedirs(folder, 0o755, exist_ok=True)
        except OSError as error:
            problem = problem or error
            continue
        if os.access(folder, os.W_OK):
            return folder
    reason = f" ({problem.strerror})" if problem else ""
    raise Trouble(f"old weights cannot be kept in {_RUN}{reason}: run it as root, or set XDG_RUNTIME_DIR")
