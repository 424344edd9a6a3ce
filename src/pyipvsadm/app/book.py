"""Where the old weights of drained servers are kept.

A sandbox keeps them in its own file. Those of a kernel's table are kept until the next start of the machine, as that
table is: in a file for each network namespace that has its device and inode numbers in its name.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from pyipvsadm.app.run import folder, folders, namespace_of
from pyipvsadm.drain import Book

if TYPE_CHECKING:
    from pyipvsadm.app.state import Place
    from pyipvsadm.drain import Entry


def book_of(place: Place) -> Book:
    """Return the book of a place; makes its folder where it is missing. Raises Trouble."""
    if place.sandbox is not None:
        return Book(place.sandbox)
    name = _name(place)
    return Book(os.path.join(folder("old weights"), name))


def noted(place: Place) -> list[Entry]:
    """Return what the book of a place has, if there is one; makes none. Raises Trouble or SandboxFileError."""
    paths = [os.path.join(path, _name(place)) for path in folders()] if place.sandbox is None else [place.sandbox]
    return [entry for path in paths if os.path.exists(path) for entry in Book(path).entries()]


def discard(place: Place) -> None:
    """Take away the book of a namespace that ends, wherever it may be."""
    name = _name(place)
    for path in folders():
        with suppress(OSError):
            os.unlink(os.path.join(path, name))


def _name(place: Place) -> str:
    return f"drained-{namespace_of(place.netns)}.json"
