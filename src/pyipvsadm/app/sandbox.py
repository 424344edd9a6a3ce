"""``pyipvsadm sandbox``: a shell, or one command, on a throwaway state.

Two processes see to it that nothing is left behind: a guard, and the worker that it forks. Each takes away the folder
of the sandbox and ends every process that was started in it, the worker also when the guard is killed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import termios
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem

from pyipvsadm import apply, ipvs, isolation
from pyipvsadm.app import book, options
from pyipvsadm.app import state as states
from pyipvsadm.app.errors import Trouble, complain, words
from pyipvsadm.app.state import Place, Services, family_of
from pyipvsadm.app.terminal import Ended
from pyipvsadm.errors import PyIpvsadmError, Refused, UsageError
from pyipvsadm.kinds import KINDS
from pyipvsadm.snapshot import Snapshot, take

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from types import FrameType

    from pyipvsadm.app.state import State
    from pyipvsadm.kinds import Kind
    from pyipvsadm.ui.differences import Differences

_ENDS: Final = (signal.SIGTERM, signal.SIGHUP)
_KEYS: Final = (signal.SIGINT, signal.SIGQUIT)  # they are for the shell or the command
_NOT_FOUND: Final = 127
_NOT_EXECUTABLE: Final = 126
_STDERR: Final = 2

_PREFIX: Final = "pyipvsadm-sandbox-"

# How the names of drop-ins begin, and what these are about: a kernel without it is no place for them.
_COMMANDS: Final[dict[str, Kind]] = {"ipvsadm": "ipvs", "iptables": "iptables", "ip6tables": "ip6tables"}

# What shells read when they start: the user's own, then the prompt, and our commands before others of their names.
_BASH: Final = """\
[ -f ~/.bashrc ] && . ~/.bashrc
PATH=$SANDBOX_COMMANDS:$PATH PS1="(sandbox) $PS1"
"""
_ZSH: Final = """\
ZDOTDIR=$SANDBOX_ZDOTDIR
[ -f $ZDOTDIR/.zshrc ] && . $ZDOTDIR/.zshrc
PATH=$SANDBOX_COMMANDS:$PATH PS1="(sandbox) $PS1"
"""
_FISH: Final = """\
set -gx PATH $SANDBOX_COMMANDS $PATH
functions -c fish_prompt _prompt_outside
function fish_prompt; echo -n '(sandbox) '; _prompt_outside; end
"""


def _offered(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the drop-ins that a command line may go on with."""
    names = [f"{name}{what}" for name in _COMMANDS for what in ("", "-save", "-restore")]
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


_EPILOG = """\b
Examples:
  pyipvsadm sandbox
  pyipvsadm sandbox --from live --diff
  pyipvsadm sandbox --from rules.v4 --diff -- iptables -D INPUT 3
  pyipvsadm sandbox --memory --json -- sh ./set-up-balancer

Exit status: 0 or whatever the shell or the command ends with (128 + the number of a signal that ended it; 126, 127
where it cannot be started), 2 trouble before that."""


@click.command(epilog=_EPILOG, context_settings={"allow_interspersed_args": False})
@click.option(
    "--from", "source", metavar="STATE", shell_complete=options.states, help='Begin with a state: "live", a file, "-".'
)
@click.option("--diff", is_flag=True, help="At the end, print what is different from the beginning.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="The same as a JSON document; what the command prints goes to standard error.",
)
@click.option("--memory", is_flag=True, help="Work in memory, without the kernel.")
@options.kind
@options.place
@click.argument("command", nargs=-1, type=click.UNPROCESSED, shell_complete=_offered)
def command(
    source: str | None,
    diff: bool,
    as_json: bool,
    memory: bool,
    kind: Kind | None,
    place: Place,
    command: tuple[str, ...],
) -> int:
    """Have a shell, or one command, in which everything acts on a throwaway state.

    ipvsadm, iptables, ip6tables, their -save and -restore, and pyipvsadm work there in a network namespace of its own,
    of the real kernel, with lo up and nothing else, where there is the right to make one: for root, or in a user
    namespace. Otherwise, and with --memory, they work in memory. Which it is, and why, is said.

    What --from names is there at the beginning; "live" is all that the kernel has, of every kind. At the end all of it
    is gone, and so is every process that was started inside.
    """
    if source == states.STDIN and not command:
        raise Trouble("--from -: standard input is the shell's: name a command, or a file")
    if place.netns is not None and source != states.LIVE:
        raise Trouble("--netns says where what is live lives: it goes with --from live")
    begun = _read(source, place, kind)
    box: Place | None = None
    guard = os.getpid()
    try:
        with _ended_by_signals(), tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as folder:
            try:
                box = _choose(folder, begun, command, memory=memory)
                isolation.adopt_orphans()
                worker = os.fork()
                if worker:
                    return _guard(worker)
                isolation.adopt_orphans()
                if not isolation.end_with_parent(guard, signal.SIGTERM):
                    raise Ended(signal.SIGTERM)
                return _work(box, folder, begun, command, diff=diff, as_json=as_json)
            finally:
                isolation.end_children()
                if box == Place():
                    book.discard(box)
    except Ended as ended:
        return ended.status


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Have signals end the block with an exception; a second one does not disturb the clearing up."""

    def end(number: int, _: FrameType | None) -> None:
        for one in _ENDS:
            signal.signal(one, signal.SIG_IGN)
        raise Ended(number)

    before = {number: signal.signal(number, end) for number in _ENDS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


# -- what it begins with -----------------------------------------------------------------------------------------------


def _read(source: str | None, place: Place, kind: Kind | None) -> list[State]:
    """Return the states that a source has: of every kind, where it has several and nobody says which."""
    if source is None:
        return []
    if source != states.LIVE or kind is not None:
        return [states.read(source, place, kind)]
    found: list[State] = []
    problems: list[str] = []
    for one in KINDS:
        try:
            found.append(states.read(source, place, one))
        except Trouble as problem:
            problems.append(problem.format_message())
        except PyIpvsadmError as problem:
            problems.append(str(problem))
    if not found:
        raise Trouble(problems[0])
    for text in problems:
        complain(f"left out: {text}")
    return [state for state in found if not _is_empty(state)]


def _is_empty(state: State) -> bool:
    return not (state.services if isinstance(state, Services) else state.ruleset.tables)


# -- where it is -------------------------------------------------------------------------------------------------------


def _choose(folder: str, begun: list[State], command: Sequence[str], *, memory: bool) -> Place:
    """Return the place of a sandbox: a namespace, into which this process moves, or a file in a folder."""
    os.environ["XTABLES_LOCKFILE"] = os.path.join(folder, "xtables.lock")
    os.environ.pop("PYIPVSADM_SANDBOX", None)
    why = "" if memory else _unfit(begun, command)
    if not memory and not why:
        isolation.enter_network()
        return Place()
    complain(f"sandbox in memory{why and f': {why}'}")
    place = Place(sandbox=os.path.join(folder, "sandbox.json"))
    os.environ["PYIPVSADM_SANDBOX"] = str(place.sandbox)
    return place


def _unfit(begun: list[State], command: Sequence[str]) -> str:
    """Return why the kernel is no place for what is wanted, "" where it is, having said what is not there then."""
    found = _try_kernel()
    if found is None:
        return "no network namespace can be made"
    if isinstance(found, str):
        return found
    needed = {state.kind for state in begun}
    if command:
        needed.update(kind for name, kind in _COMMANDS.items() if os.path.basename(command[0]).startswith(name))
    for kind in KINDS:
        if kind in found and (kind in needed or len(found) == len(KINDS)):
            return f"{kind} does not work in a namespace here ({found[kind]})"
    without = "; ".join([f"without {kind} ({reason})" for kind, reason in found.items()])
    complain(f"sandbox in a network namespace of this kernel{without and f', {without}'}")
    return ""


def _try_kernel() -> dict[Kind, str] | str | None:
    """Make a namespace in a process of its own; return which kinds do not work there and why, or why there is none."""
    receiver, sender = os.pipe()
    child = os.fork()
    if not child:
        with suppress(BaseException):
            os.write(sender, json.dumps(_missing()).encode())
        os._exit(0)
    os.close(sender)
    with open(receiver, "rb") as answer:
        data = answer.read()
    os.waitpid(child, 0)
    found: dict[Kind, str] | str | None = json.loads(data) if data else None
    return found


def _missing() -> dict[Kind, str] | str:
    from pyipvsadm import iptables

    try:
        isolation.enter_network()
    except PyIpvsadmError as problem:
        return str(problem)
    missing: dict[Kind, str] = {}
    for kind in KINDS:
        try:
            if kind == "ipvs":
                ipvs.open().close()
            else:
                with iptables.open("filter", family=family_of(kind)):
                    pass
                iptables.read(family=family_of(kind))  # takes files in /proc as well
        except PyIpvsadmError as problem:
            missing[kind] = str(problem)
    return missing


# -- two processes -----------------------------------------------------------------------------------------------------


def _guard(worker: int) -> int:
    """Wait for the worker, to which signals are passed on; return its exit status."""

    def pass_on(number: int, _: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(worker, number)

    for number in _ENDS:
        signal.signal(number, pass_on)
    for number in _KEYS:
        signal.signal(number, _ignore)
    with _terminal():
        return _status(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))


def _work(place: Place, folder: str, begun: list[State], command: Sequence[str], *, diff: bool, as_json: bool) -> int:
    """Load what it begins with, run the command, tell what has changed; return the exit status."""
    for state in begun:
        _load(state, place)
    before = _states(place, needed={state.kind for state in begun}) if diff or as_json else {}
    with _terminal():
        status = _run(command, folder, stdout=_STDERR if as_json else None)
    isolation.end_children()
    if diff or as_json:
        from pyipvsadm.ui import differences

        found = _changes(before, _states(place, needed=before))
        if as_json:
            where = "namespace" if place == Place() else "memory"
            text = differences.sandbox_document(where, status, found)
        else:
            text = "".join([differences.text(one) for one in found])
        click.echo(text, nl=False, color=True)
    return status


def _run(command: Sequence[str], folder: str, *, stdout: int | None) -> int:
    commands = _commands()
    environment = {**os.environ, "PATH": f"{commands}:{os.environ.get('PATH', os.defpath)}"}
    command = command or _shell(folder, commands, environment)
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        complain(f"{command[0]}: command not found")
        return _NOT_FOUND
    for number in _KEYS:
        signal.signal(number, _ignore)  # not SIG_IGN, which the command would inherit
    try:
        return _status(subprocess.Popen([program, *command[1:]], env=environment, stdout=stdout).wait())
    except OSError as problem:
        complain(words(problem))
        return _NOT_EXECUTABLE


def _ignore(_: int, __: FrameType | None) -> None:
    """Take a signal that is for somebody else."""


def _status(status: int) -> int:
    return status if status >= 0 else 128 - status


@contextmanager
def _terminal() -> Iterator[None]:
    """Have the terminal afterwards as it was: a shell that is killed leaves it to its own group of processes."""
    try:
        modes, group = termios.tcgetattr(0), os.tcgetpgrp(0)
    except (termios.error, OSError):
        yield
        return
    try:
        yield
    finally:
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        with suppress(termios.error, OSError):
            os.tcsetpgrp(0, group)
            termios.tcsetattr(0, termios.TCSADRAIN, modes)
        signal.signal(signal.SIGTTOU, before)


def _commands() -> str:
    """Return the folder of our commands."""
    own = shutil.which(sys.argv[0]) or sys.executable
    folders = [os.path.dirname(os.path.abspath(program)) for program in (own, sys.executable)]
    for folder in (*folders, sysconfig.get_path("scripts")):
        if os.path.exists(os.path.join(folder, "ipvsadm")):
            return folder
    raise Trouble("the commands ipvsadm and iptables of this package are not installed: install it with pip")


def _shell(folder: str, commands: str, environment: dict[str, str]) -> list[str]:
    """Return the user's shell with a prompt that shows where it is."""
    shell = os.environ.get("SHELL") or "/bin/sh"
    environment["SANDBOX_COMMANDS"] = commands
    texts = {"bash": ("bashrc", _BASH), "zsh": (".zshrc", _ZSH), "fish": ("config.fish", _FISH)}
    name = os.path.basename(shell)
    if name not in texts:
        environment["PS1"] = f"(sandbox) {'$' if os.geteuid() else '#'} "
        return [shell]
    path = os.path.join(folder, texts[name][0])
    with open(path, "w") as file:
        file.write(texts[name][1])
    if name == "bash":
        return [shell, "--rcfile", path]
    if name == "fish":
        environment["SANDBOX_FISH"] = path
        return [shell, "-C", "source $SANDBOX_FISH"]
    environment["SANDBOX_ZDOTDIR"] = os.environ.get("ZDOTDIR") or os.path.expanduser("~")
    environment["ZDOTDIR"] = folder
    return [shell]


# -- states ------------------------------------------------------------------------------------------------------------


def _load(state: State, place: Place) -> None:
    """Put a state into an empty place, but for daemons, whose interfaces are not there. Raises Trouble."""
    from pyipvsadm import iptables

    if isinstance(state, Services):
        with states.open_services(place) as table:
            try:
                table.apply(*apply.service_changes(take(table), state.snapshot.replace(daemons=None)))
            except Refused as refused:
                raise Trouble(f"{state.source}: {refused}") from None
        return
    dump = iptables.save(state.ruleset, counters=True)
    try:
        iptables.restore(dump, family=state.ruleset.family, sandbox=place.sandbox, counters=True)
    except (UsageError, iptables.LineFailed) as error:
        line = dump.splitlines()[(error.line or 1) - 1]
        raise Trouble(f"{state.source}: {line}: {error}") from None


def _states(place: Place, needed: Container[Kind] = ()) -> dict[Kind, State]:
    """Return all that a place holds, of the kinds that it has. Raises where one of those that are needed is not."""
    found: dict[Kind, State] = {}
    for kind in KINDS:
        try:
            found[kind] = states.read(states.LIVE, place, kind)
        except (Trouble, PyIpvsadmError):  # not there, as was said
            if kind in needed:
                raise
    return found


def _changes(before: dict[Kind, State], after: dict[Kind, State]) -> list[Differences]:
    """Return what is different, kind by kind."""
    from pyipvsadm.app.comparison import compare

    return [
        compare(
            (before.get(kind) or _emptied(new)).replace(source=f"{kind} at the beginning"),
            new.replace(source=f"{kind} at the end"),
        )
        for kind, new in after.items()
    ]


def _emptied(state: State) -> State:
    """Return what was there before a kernel had something of a kind at all."""
    if isinstance(state, Services):
        return state.replace(snapshot=Snapshot(()))
    return state.replace(ruleset=state.ruleset.replace(tables=()))
