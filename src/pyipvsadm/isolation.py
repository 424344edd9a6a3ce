"""A network namespace that nobody else has, and processes that do not outlive what started them.

    from pyipvsadm import isolation

    isolation.enter_network()    # from here on this process sees one interface, lo, and empty tables

These calls are about the whole process: it must have one thread alone.
"""

from __future__ import annotations

import os

from pyipvsadm import clib
from pyipvsadm.errors import Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# linux/sched.h, linux/prctl.h, linux/sockios.h, linux/if.h
_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_SIOCGIFFLAGS: Final = 0x8913
_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP: Final = 1


def enter_network() -> None:
    """Move this process into a new network namespace in which ``lo`` is up; it ends with the last process inside.

    Without the right to do so, in a new user namespace too, in which the caller is root over that network alone. Raises
    Unsupported where neither is possible.
    """
    user, group = os.geteuid(), os.getegid()
    try:
        _call("unshare", _CLONE_NEWNET)
    except PermissionError:
        try:
            _call("unshare", _CLONE_NEWUSER)
            _write("/proc/self/setgroups", "deny")
            _write("/proc/self/uid_map", f"0 {user} 1")
            _write("/proc/self/gid_map", f"0 {group} 1")
            _call("unshare", _CLONE_NEWNET)  # after the maps: its files in /proc/net belong to who is root by them
        except OSError as problem:
            raise Unsupported(f"no network namespace without being root: {problem.strerror}") from None
    except OSError as problem:
        raise Unsupported(f"no network namespace: {problem.strerror}") from None
    try:
        _bring_up(b"lo")
    except OSError as problem:
        raise Unsupported(f"lo cannot be brought up: {problem.strerror}") from None


def end_with_parent(parent: int, signal: int) -> bool:
    """Have this process get a signal when its parent ends; return whether the parent of that number is still there."""
    _call("prctl", _PR_SET_PDEATHSIG, signal)
    return os.getppid() == parent


def adopt_orphans() -> None:
    """Have processes become children of this one when those that started them, below it, have ended."""
    _call("prctl", _PR_SET_CHILD_SUBREAPER, 1)


def end_children() -> None:
    """Kill this process's children and, after ``adopt_orphans``, all below them."""
    from signal import SIGKILL

    while True:
        with open("/proc/thread-self/children") as file:
            children = [int(number) for number in file.read().split()]
        if not children:
            return
        for child in children:
            os.kill(child, SIGKILL)
        for child in children:
            os.waitpid(child, 0)


def _call(name: str, *arguments: int) -> None:
    function = clib.function(clib.open_library(None), name, clib.Int, *([clib.Int] * len(arguments)))
    if function(*arguments):
        number = clib.errno()
        raise OSError(number, os.strerror(number))


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def _bring_up(interface: bytes) -> None:
    from fcntl import ioctl
    from socket import AF_INET, SOCK_DGRAM, socket
    from struct import pack, unpack_from

    with socket(AF_INET, SOCK_DGRAM) as any_socket:  # struct ifreq: name, flags, and room for other members
        request = ioctl(any_socket, _SIOCGIFFLAGS, pack("16sH22x", interface, 0))
        (flags,) = unpack_from("16xH", request)
        ioctl(any_socket, _SIOCSIFFLAGS, pack("16sH22x", interface, flags | _IFF_UP))
