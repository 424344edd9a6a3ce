"""Who holds a lock of flock(2): from /proc/locks, and from the open files of all processes.

/proc/locks names the process that took a lock. The lock is its open file's, though: a child that inherited the file
keeps the lock when that process has ended. Which open files have the lock is in /proc/PID/fdinfo (proc(5)).
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from pyipvsadm.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator


class LockLine(NamedTuple):
    """A line of /proc/locks about a lock of flock(2): device as (major, minor)."""

    waiting: bool
    pid: int
    device: tuple[int, int]
    inode: int


class Holder(Record):
    """A process with a file open that has the lock; ``stopped``: by a signal, as Ctrl-Z sends one."""

    pid: int
    command: str
    age: float  # seconds since the process started
    stopped: bool


class Held(Record):
    """A lock that is held: by whom it was taken, who has it now (none where that cannot be seen), how many wait."""

    owner: int
    owner_lives: bool
    holders: tuple[Holder, ...]
    waiting: int


def parse(text: str) -> Iterator[LockLine]:
    """Yield the locks of flock(2) of /proc/locks; lines that are none, or of another form, are passed over."""
    for line in text.splitlines():
        words = line.split()[1:]
        waiting = words[:1] == ["->"]
        if waiting:
            del words[0]
        if len(words) < 5 or words[0] != "FLOCK":
            continue
        major, minor, inode = words[4].split(":")
        yield LockLine(waiting, int(words[3]), (int(major, 16), int(minor, 16)), int(inode))


def find(path: str) -> Held | None:
    """Return who holds the lock of a file, None where there is none or only the caller, who may have inherited it."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    place = (os.major(status.st_dev), os.minor(status.st_dev))
    with open("/proc/locks", encoding="ascii") as file:
        lines = [line for line in parse(file.read()) if line.inode == status.st_ino and line.device == place]
    owner = next((line.pid for line in lines if not line.waiting), None)
    if owner is None:
        return None
    everybody = tuple(_holders((status.st_dev, status.st_ino)))
    holders = tuple([holder for holder in everybody if holder.pid != os.getpid()])
    if everybody and not holders:
        return None
    waiting = sum([line.waiting for line in lines])
    return Held(owner, os.path.exists(f"/proc/{owner}"), holders, waiting)


def _holders(identity: tuple[int, int]) -> Iterator[Holder]:
    """Yield the processes that have a file open which has a lock; those that may not be looked at are passed over."""
    for pid in sorted([int(name) for name in os.listdir("/proc") if name.isdecimal()]):
        try:
            files = os.listdir(f"/proc/{pid}/fd")
            if any(_has_lock(pid, file, identity) for file in files):
                yield _describe(pid)
        except OSError:  # no right to it, or it has ended
            continue


def _has_lock(pid: int, file: str, identity: tuple[int, int]) -> bool:
    try:
        status = os.stat(f"/proc/{pid}/fd/{file}")
        if (status.st_dev, status.st_ino) != identity:
            return False
        with open(f"/proc/{pid}/fdinfo/{file}", encoding="ascii") as information:
            return any(line.startswith("lock:") and "FLOCK" in line for line in information)
    except FileNotFoundError:  # closed meanwhile
        return False


def _describe(pid: int) -> Holder:
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        words = file.read().rstrip(b"\0").split(b"\0")
    with open(f"/proc/{pid}/stat", "rb") as file:
        name, _, rest = file.read().rpartition(b")")
    fields = rest.split()  # from the third on
    command = b" ".join(words) or name.partition(b"(")[2]
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    age = max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started)
    return Holder(pid, command.decode("utf-8", "backslashreplace"), age, fields[0] in (b"T", b"t"))
