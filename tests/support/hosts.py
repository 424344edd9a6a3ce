"""Names of our own, known to this process and its children only."""

from __future__ import annotations

import contextlib
import ctypes
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CLONE_NEWNS = 0x00020000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18

SWITCH = "hosts: files\nservices: files\nprotocols: files\n"  # nothing that has to be waited for

_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def known(hosts: str) -> Iterator[None]:
    """Have ``hosts`` for /etc/hosts, and files alone to look names up in, in a mount namespace that ends with this."""
    root, folder = os.open("/", os.O_RDONLY), os.open(".", os.O_RDONLY)
    with open("/proc/self/ns/mnt") as home, tempfile.TemporaryDirectory() as files:
        _check(_libc.unshare(CLONE_NEWNS), "unshare")
        try:
            _check(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount")
            for name, text in (("hosts", hosts), ("nsswitch.conf", SWITCH)):
                file = Path(files, name)
                file.write_text(text)
                _check(_libc.mount(bytes(file), f"/etc/{name}".encode(), None, MS_BIND, None), f"/etc/{name}")
            yield
        finally:
            _check(_libc.setns(home.fileno(), CLONE_NEWNS), "setns")
            os.fchdir(root)  # setns leaves a chroot, which a guest's tests run in
            os.chroot(".")
            os.fchdir(folder)
            os.close(root)
            os.close(folder)


def _check(result: int, what: str) -> None:
    if result:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), what)
