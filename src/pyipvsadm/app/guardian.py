"""A change that is taken back unless somebody confirms it, whatever becomes of the terminal that it was begun at.

A process of its own, the guardian, makes the change and waits: it has left the terminal and its session, and does not
mind their signals. Who began it is told what happens over a socket, and may confirm; so may anybody with the right to
another socket, whose name is known. When time is up, or the guardian is told to end, it takes the change back.

While a change waits, a file is locked (flock(2)) that has in it who waits and until when. There is one for each kind of
tables of a network namespace, and of a sandbox, so that nobody changes them by another ``apply`` in the meantime. The
lock goes with the process, so one that was killed leaves nothing that is in the way.
"""

from __future__ import annotations

import fcntl
import json
import os
import selectors
import shlex
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, Protocol, Self

import click

from pyipvsadm.app.errors import Negative, Trouble, translated, words
from pyipvsadm.app.run import folder, namespace_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyipvsadm.app.state import Place
    from pyipvsadm.kinds import Kind

    Step = dict[str, Any]  # a change, as it is told
    Event = dict[str, Any]
    Answer = Literal["confirm", "undo"]

_IGNORED: Final = (
    signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU,
)  # fmt: skip
_ANSWERS: Final[dict[Answer, str]] = {"confirm": "confirmed", "undo": "undo"}  # and the options of apply for them
_WHAT: Final = "what waits to be confirmed"


class Work(Protocol):
    """What can be done and taken back; both may raise what subcommands may raise, and have changed nothing then."""

    @property
    def descriptors(self) -> Sequence[int]:
        """What it holds open for itself."""
        ...

    @property
    def others(self) -> bool:
        """Whether others had changed the same tables when it was taken back."""
        ...

    def do(self) -> list[Step]:
        """Make the change; return what was changed, [] where nothing had to be."""
        ...

    def undo(self) -> list[Step]:
        """Take it back; return what was changed."""
        ...


# -- one at a time -----------------------------------------------------------------------------------------------------


class Turn:
    """The right to apply to the tables of a kind in a place, for a ``with`` block, or for as long as a guardian lives.

    Raises Negative where a change waits to be confirmed or is being made. ``needed``: raises Trouble where nobody can
    be told of it; else it is done without.
    """

    def __init__(self, place: Place, kind: Kind, *, needed: bool) -> None:
        self.path = _path(place, kind, needed=needed)
        self._place = place
        self._file = -1

    def __enter__(self) -> Self:
        if self.path is None:
            return self
        while not self._taken(self.path):
            pass
        return self

    def _taken(self, path: str) -> bool:
        """Lock the file; False where another process has just removed it."""
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise Trouble(words(error)) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            content = os.read(self._file, 4096)
            self.leave()
            raise Negative(_occupied(content, self._place)) from None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(path), os.fstat(self._file)):
                return True
        self.leave()
        return False

    def __exit__(self, *_: object) -> None:
        if self._file >= 0:
            self.end()

    def leave(self) -> None:
        """Have it no longer; a guardian that was started meanwhile still has it."""
        os.close(self._file)
        self._file = -1

    def end(self) -> None:
        """Give it back for all who have it."""
        assert self.path is not None
        with suppress(OSError):
            os.unlink(self.path)
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self.leave()

    def note(self, text: str) -> None:
        """Write into the file what waits."""
        os.pwrite(self._file, text.encode(), 0)

    @property
    def descriptor(self) -> int:
        """What holds the lock."""
        return self._file

    @property
    def socket(self) -> str:
        """The name of the socket at which a change is confirmed."""
        return f"{self.path}.socket"


def _path(place: Place, kind: Kind, *, needed: bool) -> str | None:
    try:
        where = folder(_WHAT)
    except Trouble:
        if needed:
            raise
        return None
    if place.sandbox is None:
        return os.path.join(where, f"apply-{kind}-{namespace_of(place.netns)}")
    from hashlib import sha256

    return os.path.join(where, f"apply-{kind}-{sha256(os.fsencode(os.path.realpath(place.sandbox))).hexdigest()[:16]}")


def answering(place: Place, told: Answer) -> str:
    """Return the command that answers a change that waits in a place, from any terminal."""
    return shlex.join(["pyipvsadm", "apply", *place.options(anywhere=True), f"--{_ANSWERS[told]}"])


def _occupied(content: bytes, place: Place) -> str:
    try:
        waits = json.loads(content)
        until, process = time.strftime("%H:%M:%S", time.localtime(waits["until"])), int(waits["pid"])
    except (ValueError, TypeError, LookupError, OverflowError):
        return "another apply is at work: try again when it has ended"
    return (
        f"a change waits until {until} to be confirmed (process {process}): "
        f"'{answering(place, 'confirm')}' keeps it, '{answering(place, 'undo')}' takes it back"
    )


def answer(place: Place, kind: Kind, told: Answer) -> list[Event]:
    """Tell the guardian of a change that waits, if there is one; return what happened: [] where none waits."""
    path = _path(place, kind, needed=True)
    with socket.socket(socket.AF_UNIX) as peer:
        try:
            peer.connect(f"{path}.socket")
        except (FileNotFoundError, ConnectionRefusedError):
            return []
        except OSError as error:
            raise Trouble(f"{path}.socket: {words(error)}") from None
        peer.sendall(told.encode() + b"\n")
        return list(_Channel(peer).events())


# -- the guardian ------------------------------------------------------------------------------------------------------


class _Channel:
    """A socket over which events go as lines of JSON, and answers as words."""

    def __init__(self, peer: socket.socket) -> None:
        self.socket = peer
        self._rest = b""

    def send(self, event: Event) -> None:
        """Tell what happens, if anybody is there."""
        with suppress(OSError):
            self.socket.sendall(json.dumps(event).encode() + b"\n")

    def lines(self) -> list[str] | None:
        """Return the lines that have come; None where nobody is there any longer."""
        try:
            data = self.socket.recv(65536)
        except OSError:
            return None
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [line.decode("utf-8", "replace") for line in whole] if data else None

    def events(self) -> Iterator[Event]:
        """Yield events until the other side has ended."""
        while (lines := self.lines()) is not None:
            yield from [json.loads(line) for line in lines]


class Guarded:
    """A change that a guardian makes, seen from where it was begun, for a ``with`` block."""

    def __init__(self, work: Work, turn: Turn, seconds: float) -> None:
        mine, its = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, (*_IGNORED, signal.SIGTERM))
        child = os.fork()
        if not child:
            try:
                _leave_terminal()
                _Guardian(work, turn, seconds, its).live(blocked)
            finally:
                os._exit(1)  # whatever comes, this process does not return
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        its.close()
        os.waitpid(child, 0)
        turn.leave()
        self._channel = _Channel(mine)
        self._waiting: list[Event] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.socket.close()

    def fileno(self) -> int:
        """Return what can be read when something has happened."""
        return self._channel.socket.fileno()

    def event(self) -> Event:
        """Wait until something happens; return it. Raises Trouble where the guardian is gone."""
        while not self._waiting:
            lines = self._channel.lines()
            if lines is None:
                raise Trouble("the process that was to take the change back has ended: see what 'pyipvsadm diff' says")
            self._waiting = [json.loads(line) for line in lines]
        return self._waiting.pop(0)

    def answer(self, told: Answer) -> None:
        """Confirm the change, or have it taken back now."""
        with suppress(OSError):
            self._channel.socket.sendall(told.encode() + b"\n")


def _leave_terminal() -> None:
    """Become a process that belongs to no terminal, no session and no parent; the caller of fork(2) goes on."""
    for ignored in _IGNORED:
        signal.signal(ignored, signal.SIG_IGN)
    os.setsid()
    if os.fork():
        os._exit(0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)


class _Guardian:
    """The process that makes a change and takes it back."""

    def __init__(self, work: Work, turn: Turn, seconds: float, beginner: socket.socket) -> None:
        self._work = work
        self._turn = turn
        self._seconds = seconds
        self._beginner = _Channel(beginner)
        self._listener = socket.socket(socket.AF_UNIX)
        self._ready = selectors.DefaultSelector()
        self._told_to_end = False

    def live(self, blocked: set[int | signal.Signals]) -> NoReturn:
        """Do all of it, then end; ``blocked`` signals stay so."""
        try:
            signal.signal(signal.SIGTERM, self._end)
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            _close_all_but(
                self._turn.descriptor, self._beginner.socket, self._listener, self._ready, *self._work.descriptors
            )
            self._run()
        except BaseException as error:  # noqa: BLE001  # told to whoever waits: this process has no terminal for it
            self._beginner.send({"event": "trouble", "text": repr(error), "status": 2})
        finally:
            os._exit(0)

    def _end(self, *_: object) -> None:
        self._told_to_end = True

    def _run(self) -> None:
        self._listen()
        steps, problem = _tried(self._work.do)
        if problem or not steps:
            self._stop_listening()
            self._turn.end()
            self._beginner.send(problem or {"event": "same"})
            return
        until = time.time() + self._seconds
        self._turn.note(json.dumps({"pid": os.getpid(), "until": until}))
        self._beginner.send({"event": "applied", "changes": steps, "until": until})
        why, asking = self._wait(time.monotonic() + self._seconds)
        self._stop_listening()
        if why == "confirm":
            event: Event = {"event": "confirmed"}
        else:
            steps, problem = _tried(self._work.undo)
            event = problem or {"event": "undone", "changes": steps, "why": why, "others": self._work.others}
        self._turn.end()
        for channel in (self._beginner, asking):
            if channel:
                channel.send(event)
        _log(event)

    def _listen(self) -> None:
        name = self._turn.socket
        with suppress(FileNotFoundError):
            os.unlink(name)  # whose guardian was killed: the lock is ours
        before = os.umask(0o177)
        self._listener.bind(name)
        os.umask(before)
        self._listener.listen()

    def _stop_listening(self) -> None:
        with suppress(OSError):
            os.unlink(self._turn.socket)

    def _wait(self, end: float) -> tuple[str, _Channel | None]:
        """Wait for an answer; return it, "timeout" or "ended", and who gave it, unless it is the beginner."""
        self._ready.register(self._beginner.socket, selectors.EVENT_READ, self._beginner)
        self._ready.register(self._listener, selectors.EVENT_READ)
        while not self._told_to_end and (left := end - time.monotonic()) > 0:
            for key, _ in self._ready.select(min(left, 1.0)):
                channel: _Channel | None = key.data
                if channel is None:
                    peer = self._listener.accept()[0]
                    self._ready.register(peer, selectors.EVENT_READ, _Channel(peer))
                    continue
                lines = channel.lines()
                if lines is None:  # a terminal that is gone confirms nothing
                    self._ready.unregister(channel.socket)
                    continue
                for line in lines:
                    if line in _ANSWERS:
                        return line, None if channel is self._beginner else channel
        return "ended" if self._told_to_end else "timeout", None


def _tried(do: Any) -> tuple[list[Step], Event | None]:
    """Return what was changed, or else what is to be told of the trouble."""
    try:
        with translated():
            return do(), None
    except click.ClickException as error:
        return [], {"event": "trouble", "text": error.format_message(), "status": error.exit_code}


def _close_all_but(*kept: Any) -> None:
    """Close what was inherited: a terminal, pipes that others wait at the end of."""
    numbers = {one if isinstance(one, int) else one.fileno() for one in kept}
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in numbers:
            with suppress(OSError):
                os.close(int(name))


def _log(event: Event) -> None:
    """Tell the system's log: whoever began it may be gone."""
    import syslog

    syslog.openlog("pyipvsadm", syslog.LOG_PID)
    if event["event"] == "undone":
        syslog.syslog(syslog.LOG_WARNING, f"apply: taken back ({event['why']}): {len(event['changes'])} changes")
    elif event["event"] == "confirmed":
        syslog.syslog(syslog.LOG_NOTICE, "apply: confirmed")
    else:
        syslog.syslog(syslog.LOG_ERR, f"apply: could not be taken back: {event['text']}")
