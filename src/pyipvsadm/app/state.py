"""States that a command line names: what is live, a dump, a document, a sandbox, or standard input.

What a file holds is told by its content: JSON of a sandbox has its own mark, a document says its kind, a dump of
iptables-save begins with a table ("*nat"), one of ipvsadm-save with a command ("-A"). ``--kind`` says it where that is
not enough: for a sandbox that holds both, or where something else than virtual servers is meant by ``live``.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import click

from pyipvsadm import ipvs
from pyipvsadm.app.errors import Trouble
from pyipvsadm.errors import KernelError, NoCommandError, Refused, UsageError
from pyipvsadm.kinds import KINDS
from pyipvsadm.record import Record
from pyipvsadm.snapshot import Snapshot, dumped, take

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyipvsadm import iptables
    from pyipvsadm.kinds import Kind

    Family = Literal[4, 6]

Form = Literal["dump", "json", "yaml"]

FORMS: Final[tuple[Form, ...]] = ("dump", "json", "yaml")
LIVE: Final = "live"
STDIN: Final = "-"

_NO_RIGHT: Final = (errno.EPERM, errno.EACCES)
_LARGEST: Final = 1 << 28  # bytes of a dump, of which there is none as large
_SANDBOX: Final = "pyipvsadm sandbox"  # the member "format" of a sandbox's file


# What is not in a state that is "partial", in words.
NOT_SEEN: Final = "root alone sees counters, thresholds, tunnels, scheduler flags, persistence engines and times"


class NoRight(Trouble):
    """The kernel tells it to others alone."""


class Place(Record):
    """Where what is ``live`` lives: a sandbox's file, a network namespace, or (None, None) the caller's namespace."""

    netns: str | None = None
    sandbox: str | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        if self.sandbox is not None:
            return f"sandbox {self.sandbox}"
        return "live" if self.netns is None else f"live in {self.netns}"

    def options(self, *, anywhere: bool = False) -> list[str]:
        """Return the words of a command line that mean it: in this shell and folder, or ``anywhere``."""
        found = [] if self.netns is None else ["--netns", self.netns]
        if self.sandbox is not None and anywhere:
            found += ["--sandbox", os.path.abspath(self.sandbox)]
        elif self.sandbox is not None and self.sandbox != os.environ.get("PYIPVSADM_SANDBOX"):
            found += ["--sandbox", self.sandbox]
        return found


class Services(Record):
    """A table of virtual servers, and what it was called.

    Where it is ``partial``, it is what everybody can see of the kernel's (ipvs.Listed), and nothing else is known.
    """

    source: str
    info: ipvs.Info
    snapshot: Snapshot
    partial: bool = False

    kind: ClassVar[Kind] = "ipvs"

    @property
    def services(self) -> tuple[ipvs.ServiceState, ...]:
        """The virtual services."""
        return self.snapshot.services


class Rules(Record):
    """Tables of rules of one family, and what they were called.

    Of a dump ``policies`` are the built-in chains, as (table, chain), whose policies it says; None where these are all
    tables that there are.
    """

    source: str
    ruleset: iptables.Ruleset
    policies: frozenset[tuple[str, str]] | None = None

    @property
    def kind(self) -> Kind:
        """Whose they are."""
        return "iptables" if self.ruleset.family == 4 else "ip6tables"


State = Services | Rules


def read(
    name: str, place: Place, kind: Kind | None = None, form: Form | None = None, *, partial: bool = False
) -> State:
    """Return the state that a command line calls ``name``; ``place`` is what ``live`` means.

    ``kind`` and ``form`` are None where they are to be found out; ``partial`` is whether a part will do, as for
    ``read_services``.

    Raises Trouble, with what to do, for what cannot be read or is none.
    """
    if name == LIVE:
        return _read_place(place, kind, partial=partial)
    data = content(name)
    source = shown(name)
    if _sandbox_members(data) is not None:
        if name == STDIN:
            raise Trouble("standard input: a sandbox is a file: give its name")
        return _read_place(Place(sandbox=name), kind)
    text = data.decode("utf-8", "surrogateescape")
    form = form or form_of(text)
    if form != "dump":
        return _read_document(source, text, form, kind)
    found = kind or kind_of(text)
    if found is None:
        raise Trouble(f"{source}: cannot tell what it is: say it with --kind {'|'.join(KINDS)}")
    if found == "ipvs":
        return _parse_services(source, text.splitlines())
    return _parse_rules(source, text, found, told=kind is not None)


def read_pair(first: str, second: str, place: Place, kind: Kind | None = None) -> tuple[State, State]:
    """Return two states of one kind: what is live is of the kind of the other. Raises Trouble."""
    if first == LIVE and kind is None:
        two = read(second, place)
        return read(first, place, two.kind), two
    one = read(first, place, kind)
    two = read(second, place, kind or (one.kind if second == LIVE else None))
    if one.kind != two.kind:
        raise Trouble(f"{one.source} is of {one.kind}, {two.source} of {two.kind}: name two of a kind, or say --kind")
    return one, two


def open_services(place: Place) -> ipvs.VirtualServerTable:
    """Open a place's virtual servers. Raises Trouble, with what to do."""
    if place.sandbox is not None:
        return ipvs.sandbox(place.sandbox)
    try:
        return ipvs.open(place.netns)
    except KernelError as error:
        if error.errno in _NO_RIGHT:
            raise NoRight(f"the kernel's virtual servers: {error}: run it as root, or try it with --sandbox") from None
        if error.errno == errno.ENOPROTOOPT:
            raise Trouble(
                f"the kernel's virtual servers: {error}: load the module (modprobe ip_vs), or try it with --sandbox"
            ) from None
        raise Trouble(f"the kernel's virtual servers: {error}") from None


def read_services(place: Place, *, partial: bool = False) -> Services:
    """Return a place's virtual servers; with ``partial`` what everybody can see of them will do. Raises Trouble."""
    try:
        with open_services(place) as table:
            return Services(place.name, table.info(), take(table))
    except NoRight:
        if not partial or place.netns is not None:
            raise
        with suppress(OSError):
            seen = ipvs.listed()
            return Services(place.name, seen.info, Snapshot(seen.services), partial=True)
        raise


def family_of(kind: Kind) -> Family:
    """Return the family of a kind's rules."""
    return 6 if kind == "ip6tables" else 4


def read_rules(place: Place, family: Family) -> iptables.Ruleset:
    """Return a place's tables of rules that have been used. Raises Trouble, with what to do."""
    from pyipvsadm import iptables

    name = "iptables" if family == 4 else "ip6tables"
    try:
        return iptables.read(family=family, netns=place.netns, sandbox=place.sandbox)
    except KernelError as error:
        raise trouble_with_rules(error, name) from None


def trouble_with_rules(error: KernelError, name: str) -> Trouble:
    """Return what to say where the tables of iptables or ip6tables cannot be read."""
    hint = ": run it as root, or try it with --sandbox" if error.errno in _NO_RIGHT else ""
    return Trouble(f"the kernel's tables of {name}: {error}{hint}")


def form_of(text: str) -> Form:
    """Return the form of a text: a dump where it is none of the others'."""
    for line in text.splitlines():
        if not line.strip() or line.startswith(("#", "%")):
            continue
        if line.lstrip().startswith("{"):
            return "json"
        name, colon, _ = line.partition(":")
        return "yaml" if line.startswith("---") or (colon and name.strip("\"' ").isidentifier()) else "dump"
    return "dump"


def kind_of(text: str) -> Kind | None:
    """Return the kind of a dump, None where its first line that is no comment says nothing."""
    for line in text.splitlines():
        if line.startswith("# Generated by ip6tables"):
            return "ip6tables"
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("*"):
            return "iptables"
        if stripped.startswith(("-", "ipvsadm ")):
            return "ipvs"
        return None
    return None


def _read_place(place: Place, kind: Kind | None, *, partial: bool = False) -> State:
    if kind is None:
        kind = _sandbox_kind(place.sandbox) if place.sandbox is not None else "ipvs"
    if kind != "ipvs":
        return Rules(place.name, read_rules(place, family_of(kind)))
    return read_services(place, partial=partial)


def shown(name: str) -> str:
    """Return what people call a file, or standard input."""
    return "standard input" if name == STDIN else click.format_filename(name) or "''"


def content(name: str, others: str = f"a sandbox, {LIVE!r}, or {STDIN!r} for input") -> bytes:
    """Return what a file has in it, or standard input; ``others`` is what else than a dump may be named.

    Raises Trouble, with what to do.
    """
    try:
        if name == STDIN and sys.stdin is None:
            raise Trouble("standard input is closed: name a file")
        if name == STDIN:
            data = sys.stdin.buffer.read(_LARGEST + 1)
        else:
            with open(name, "rb") as file:
                data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise Trouble(f"{shown(name)}: no such file: name a dump, {others}") from None
    except OSError as error:
        raise Trouble(f"{shown(name)}: {error.strerror or error}") from None
    if len(data) > _LARGEST:
        raise Trouble(f"{shown(name)}: more than {_LARGEST >> 20} MiB: no dump")
    return data


def is_sandbox(text: str) -> bool:
    """Whether a text is that of a sandbox's file."""
    return _sandbox_members(text.encode("utf-8", "surrogateescape")) is not None


def _sandbox_members(data: bytes) -> dict[str, Any] | None:
    """Return the members of a sandbox's file, None for another file."""
    if not data.lstrip().startswith(b"{"):
        return None
    import json

    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) and content.get("format") == _SANDBOX else None


def _sandbox_kind(path: str) -> Kind:
    """Return what a sandbox holds: rules only where it holds nothing else."""
    try:
        with open(path, "rb") as file:
            content = _sandbox_members(file.read()) or {}
    except OSError:  # a new one, or one that whoever reads it complains of
        return "ipvs"
    rules = content.get("xtables")
    if "services" in content or not isinstance(rules, dict):
        return "ipvs"
    return "ip6tables" if "ipv6" in rules and "ipv4" not in rules else "iptables"


def _read_document(source: str, text: str, form: Literal["json", "yaml"], kind: Kind | None) -> State:
    from pyipvsadm import documents

    try:
        state = documents.state(documents.load(text, form))
    except UsageError as error:
        place = source if error.line is None else f"{source}:{error.line}"
        raise Trouble(f"{place}: {error.message}") from None
    found: State
    if isinstance(state, documents.VirtualServers):
        with ipvs.sandbox() as table:
            snapshot = Snapshot(state.services, state.timeouts, state.daemons)
            found = Services(source, state.info or table.info(), snapshot)
    else:
        found = Rules(source, state)
    if kind not in (None, found.kind):
        raise Trouble(f"{source}: this is a document of {found.kind}, not of {kind}")
    return found


def _parse_rules(source: str, text: str, kind: Kind, *, told: bool) -> Rules:
    """Return a dump of rules; where nobody has said which, it is of IPv6 if it is none of IPv4 but one of IPv6."""
    from pyipvsadm import iptables

    wrong = (UsageError, iptables.LineFailed, iptables.CommitMissing)
    try:
        return Rules(source, iptables.parse(text, family=family_of(kind)), _policies(text))
    except wrong as error:
        problem = error
    if not told and kind == "iptables":
        with suppress(*wrong):
            return Rules(source, iptables.parse(text, family=6), _policies(text))
    if isinstance(problem, iptables.LineFailed):
        reason = problem.reason or "this is no line of a dump"
    else:
        reason = problem.message if isinstance(problem, UsageError) else str(problem)
    raise Trouble(f"{source}:{problem.line}: {reason}")


def _policies(text: str) -> frozenset[tuple[str, str]]:
    """Return the chains whose policies a dump says, with their tables; others that it makes are among them."""
    found = set()
    table = ""
    for line in text.splitlines():
        first = line[:1]
        if first == "*":
            table = line[1:].strip()
        elif first == ":":
            found.add((table, *line[1:].split()[:1]))
        elif first == "-" and line.startswith(("-P ", "--policy ")):
            found.add((table, *line.split()[1:2]))
    return frozenset(found)  # type: ignore[arg-type]  # of pairs: what has no name does not get here


def _parse_services(source: str, lines: Sequence[str]) -> Services:
    commands = ["" if line.startswith("#") else line for line in lines]  # as ipvsadm-restore has it
    try:
        snapshot = dumped(ipvs.parse(commands))
    except UsageError as error:
        reason = error.reason if isinstance(error, NoCommandError) else error.message
        raise Trouble(f"{source}:{error.line}: {reason}") from None
    except Refused as refused:
        numbers = [number for number, line in enumerate(commands, 1) if ipvs.parse([line])]
        raise Trouble(f"{source}:{numbers[refused.index]}: {refused}") from None
    with ipvs.sandbox() as table:
        return Services(source, table.info(), snapshot)
