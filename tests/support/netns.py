"""Throwaway network namespaces, and cheap ways to run the peer's commands and ours in them.

IPVS is per network namespace, so each test gets an empty table of its own. Under emulation a new Python takes seconds:
``Namespace.ours`` forks the test process instead, and ``Namespace.installed`` is there for what a fork would not show.
Run as a script, this module tells (exit status, one line) whether the running kernel can do what the tests need.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

CLONE_NEWNET = 0x40000000
PATH = (
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # what a shell of root searches; a user's lacks sbin
)
TIMEOUT = 120  # seconds for one command; emulation is 20 times slower than a machine
MODULES = {  # of our commands: where they are in pyipvsadm, and the function
    "ipvsadm": ("cli.ipvsadm", "main"),
    "ipvsadm-save": ("cli.save", "main"),
    "ipvsadm-restore": ("cli.restore", "main"),
    "iptables": ("cli.iptables", "main"),
    "ip6tables": ("cli.iptables", "main6"),
    "iptables-save": ("cli.iptables_save", "main"),
    "ip6tables-save": ("cli.iptables_save", "main6"),
    "iptables-restore": ("cli.iptables_restore", "main"),
    "ip6tables-restore": ("cli.iptables_restore", "main6"),
    "iptables-xml": ("cli.iptables_xml", "main"),
    "xtables-legacy-multi": ("cli.multi", "main"),
    "pyipvsadm": ("app.main", "application"),
}

_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count()


class Result(NamedTuple):
    """What a command left: its exit status and its output, undecodable bytes as surrogates."""

    status: int
    stdout: str
    stderr: str


class Namespace:
    """A network namespace with a name (/run/netns), lo up and an empty virtual server table."""

    def __init__(self, name: str) -> None:
        self.name = name
        _ip("netns", "add", name)
        with self.entered():  # not "ip -n", which wants to mount, and a chroot's / is no mount
            _ip("link", "set", "lo", "up")  # the kernel refuses real servers until there is a routing table

    def delete(self) -> None:
        """Delete it; processes that are still inside keep it alive without a name."""
        _ip("netns", "delete", self.name)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Have this thread, and what it starts, inside the namespace for a while."""
        with open("/proc/self/ns/net") as home, open(f"/run/netns/{self.name}") as inside:
            _setns(inside)
            try:
                yield
            finally:
                _setns(home)

    def run(
        self,
        argv: Sequence[str],
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        prepare: Callable[[], None] | None = None,
    ) -> Result:
        """Run a program in the namespace; ``env`` is added to a minimal environment, ``prepare`` runs just before."""
        program = shutil.which(argv[0], path=PATH) or argv[0]
        with self.entered():
            done = subprocess.run(
                [program, *argv[1:]],
                input=os.fsencode(stdin),
                capture_output=True,
                check=False,
                env={"PATH": PATH, **(env or {})},
                timeout=TIMEOUT,
                preexec_fn=prepare,
            )
        return Result(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))

    def peer(
        self, *args: str, stdin: str = "", tool: str = "ipvsadm", prepare: Callable[[], None] | None = None
    ) -> Result:
        """Run Debian's ipvsadm, or its ``tool`` ipvsadm-save or ipvsadm-restore."""
        return self.run([f"/usr/sbin/{tool}", *args], stdin, prepare=prepare)

    def installed(
        self, *args: str, stdin: str = "", tool: str = "ipvsadm", env: Mapping[str, str] | None = None
    ) -> Result:
        """Run our command as a program of its own, in a new interpreter."""
        return self.run([sys.executable, "-m", f"pyipvsadm.{MODULES[tool][0]}", *args], stdin, env)

    def ours(
        self,
        *args: str,
        stdin: str = "",
        tool: str = "ipvsadm",
        env: Mapping[str, str] | None = None,
        prepare: Callable[[], None] | None = None,
    ) -> Result:
        """Run our command in a fork of this process, which saves starting an interpreter."""
        name, function = MODULES[tool]
        main = getattr(importlib.import_module(f"pyipvsadm.{name}"), function)
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(os.fsencode(stdin))
            given.seek(0)
            with self.entered():
                child = os.fork()
                if not child:
                    _become(main, list(args), (given, out, err), env or {}, prepare)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            out.seek(0)
            err.seek(0)
            return Result(status, os.fsdecode(out.read()), os.fsdecode(err.read()))


@contextlib.contextmanager
def fresh() -> Iterator[Namespace]:
    """Make a namespace, delete it afterwards."""
    namespace = Namespace(f"pyipvsadm-{os.getpid()}-{next(_numbers)}")
    try:
        yield namespace
    finally:
        namespace.delete()


def unavailable() -> str:
    """Return why this machine cannot run the tests that need a kernel with IPVS; "" where it can."""
    if os.geteuid():
        return "not root"
    for program in ("ip", "ipvsadm"):
        if not shutil.which(program, path=PATH):
            return f"{program} is not installed"
    modprobe = shutil.which("modprobe", path=PATH)
    if modprobe:
        subprocess.run([modprobe, "-q", "ip_vs"], check=False)
    if not Path("/proc/net/ip_vs").exists():
        return "the running kernel has no ip_vs"
    try:
        with fresh():
            return ""
    except RuntimeError as error:
        return f"no network namespaces: {error}"


def _ip(*args: str) -> None:
    done = subprocess.run(["ip", *args], env={"PATH": PATH}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(args)}: {done.stderr.strip()}")


def _setns(namespace: IO[str]) -> None:
    if _libc.setns(namespace.fileno(), CLONE_NEWNET):  # os.setns is there from Python 3.12
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), "setns")


def _become(
    main: object,
    args: list[str],
    files: tuple[IO[bytes], IO[bytes], IO[bytes]],
    env: Mapping[str, str],
    prepare: Callable[[], None] | None,
) -> NoReturn:
    """In the child: give ``main`` the standard streams that a new interpreter would, and exit as one would."""
    status = 1
    signal.alarm(TIMEOUT)
    try:
        for number, file in enumerate(files):
            os.dup2(file.fileno(), number)
        sys.stdin, sys.stdout, sys.stderr = (
            open(number, mode, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
            for number, mode in enumerate(("r", "w", "w"))
        )
        os.environ.clear()
        os.environ.update({"PATH": PATH, **env})
        sys.argv = ["ipvsadm", *args]
        if prepare:
            prepare()
        status = main(args) if callable(main) else 1
    except SystemExit as request:
        status = request.code if isinstance(request.code, int) else int(request.code is not None)
    except BaseException:  # noqa: BLE001 - a child must never return into pytest
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    sys.exit(unavailable() or 0)
