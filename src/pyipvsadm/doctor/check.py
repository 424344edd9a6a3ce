"""What a check is, and what comes of one: declarations, and findings made from them.

A check is declared once, above the function that looks:

    @check(
        "ip-forward",
        "IPv4 packets are passed on",
        severity="problem",
        reads=("net.ipv4.ip_forward",),
        reason="{service} forwards by NAT, and …",
        mend=("sysctl -w net.ipv4.ip_forward=1",),
    )
    def ip_forward(machine: Machine) -> Iterator[Fault]:
        ...

The function yields a ``Fault`` for each thing that is wrong; what the fault knows fills the places in ``reason`` and
``mend``. Words in a command are quoted for the shell: interfaces may be called anything.
"""

from __future__ import annotations

import shlex
from string import Formatter
from typing import TYPE_CHECKING, Any, Final, Literal

from pyipvsadm.errors import PyIpvsadmError
from pyipvsadm.kinds import KINDS
from pyipvsadm.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pyipvsadm.doctor.machine import Machine
    from pyipvsadm.kinds import Kind

Severity = Literal["info", "warning", "problem"]
Status = Literal["problem", "could-not-tell", "warning", "info", "ok"]

STATUSES: Final[tuple[Status, ...]] = ("problem", "warning", "could-not-tell", "info", "ok")
"""What a finding can be, the worst first, which is the order in which they are told."""


IPVS: Final[tuple[Kind, ...]] = ("ipvs",)
RULES: Final[tuple[Kind, ...]] = ("iptables", "ip6tables")


class Unknown(PyIpvsadmError):
    """Something cannot be looked at; the text says why."""


class Each(tuple[str, ...]):
    """A fact with several values, for each of which a command is repeated; a list is several words of one command."""

    __slots__ = ()


class Fault:
    """Something that is wrong: ``facts`` fill the places of the declaration's texts, by name.

    ``severity`` is given where this one is milder than the declaration says. ``on`` is another machine's address, where
    the commands are to be run there. Without ``mendable`` no command helps; the reason says what does.
    """

    def __init__(self, *, severity: Severity | None = None, on: str = "", mendable: bool = True, **facts: Any) -> None:
        self.severity = severity
        self.on = on
        self.mendable = mendable
        self.facts = facts


class Check(Record):
    """A check: see the module. ``summary`` is what is so where nothing is wrong.

    ``everywhere``: its commands act on the whole machine, so that they are the same for every network namespace.
    ``kinds`` are those that it is about.
    """

    code: str
    summary: str
    severity: Severity
    reads: tuple[str, ...]
    reason: str
    mend: tuple[str, ...]
    look: Callable[[Machine], Iterable[Fault]]
    everywhere: bool = False
    kinds: tuple[Kind, ...] = KINDS

    def findings(self, machine: Machine) -> list[Finding]:
        """Look; return what is wrong, or could not be seen, or one finding that all is well."""
        found = []
        try:
            for fault in self.look(machine):
                found.append(self._finding(machine, fault))  # noqa: PERF401  # kept where an error follows
        except PyIpvsadmError as problem:
            found.append(self._plain("could-not-tell", str(problem)))
        return found or [self._plain("ok", "")]

    def _plain(self, status: Status, reason: str) -> Finding:
        return Finding(self.code, status, self.summary, self.reads, reason)

    def _finding(self, machine: Machine, fault: Fault) -> Finding:
        prefix = "" if self.everywhere or fault.on else machine.prefix
        return Finding(
            self.code,
            fault.severity or self.severity,
            self.summary,
            self.reads,
            self.reason.format_map(fault.facts),
            tuple([prefix + command for command in self._commands(fault)]),
            fault.on,
        )

    def _commands(self, fault: Fault) -> Iterator[str]:
        """Yield the commands that mend a fault."""
        for command in self.mend if fault.mendable else ():
            places = [name for _, name, _, _ in Formatter().parse(command) if name]
            each = next((name for name in places if isinstance(fault.facts[name], Each)), None)
            for value in fault.facts[each] if each else (None,):
                facts = {**fault.facts, each: value} if each else fault.facts
                yield command.format_map({name: _words(facts[name]) for name in places})


class Finding(Record):
    """What came of a check: ``reason`` says why it matters, ``mend`` are commands that mend it, to be run by root.

    ``on`` is the machine that they are for, "" for this one. With "ok" there is neither; with "could-not-tell" the
    reason says what was in the way.
    """

    code: str
    status: Status
    summary: str
    reads: tuple[str, ...]
    reason: str = ""
    mend: tuple[str, ...] = ()
    on: str = ""


def check(
    code: str,
    summary: str,
    *,
    severity: Severity,
    reads: tuple[str, ...],
    reason: str,
    mend: tuple[str, ...] = (),
    everywhere: bool = False,
    kinds: tuple[Kind, ...] = KINDS,
) -> Callable[[Callable[[Machine], Iterable[Fault]]], Check]:
    """Declare the check that a function does."""
    return lambda look: Check(code, summary, severity, reads, reason, mend, look, everywhere, kinds)


def _words(value: object) -> str:
    """Return a fact as words of a command: several for a list."""
    if isinstance(value, list):
        return " ".join([_words(item) for item in value])
    return shlex.quote(str(value))
