"""Many changes as one: carried out whole or taken back."""

from __future__ import annotations

from pyipvsadm.errors import Refused
from pyipvsadm.ipvs import command
from pyipvsadm.ipvs.plan import plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Final

    from pyipvsadm.ipvs.backend.base import Backend
    from pyipvsadm.ipvs.command import Change
    from pyipvsadm.ipvs.model import ServiceKey

# How many changes are tried before the refusals among them are looked at: what the kernel backend sends at once.
_STEP: Final = 128

# What is taken back without knowing what was there before.
_ADDITIONS: Final = (command.AddService, command.AddServer)


class Transaction:
    """Batches of changes to one backend, all of which stay or none.

    After a refusal no later changes are begun and everything is as it was, but for the counters and connections of
    services and servers that had been deleted.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._undo: list[State | list[Change]] = []

    def submit(self, changes: Sequence[Change]) -> None:
        """Carry out changes in order; undo them and all earlier ones, and raise Refused, if one is refused.

        ``Refused.refusals`` counts from the first of ``changes``. Raises KernelError where undoing is refused.
        """
        additions: list[Change] | None = None
        if all(type(change) in _ADDITIONS for change in changes):
            additions = []
            self._undo.append(additions)
        else:
            self._undo.append(State(self._backend))
        for start in range(0, len(changes), _STEP):
            step = changes[start : start + _STEP]
            refusals = self._backend.submit(step)
            if additions is not None:
                refused = {index for index, _ in refusals}
                additions += [change for index, change in enumerate(step) if index not in refused]
            if refusals:
                self.roll_back()
                raise Refused([(start + index, error) for index, error in refusals])

    def roll_back(self) -> None:
        """Take everything back. Raises KernelError where that is refused."""
        while self._undo:
            before = self._undo.pop()
            way = before.reached_from(State(self._backend)) if isinstance(before, State) else _removals(before)
            for _, error in self._backend.submit(way):
                raise error


class State:
    """Everything that changes can change, as a backend has it now."""

    def __init__(self, backend: Backend) -> None:
        self.services = backend.services(counters=False)
        self.timeouts = backend.timeouts()
        self.daemons = backend.daemons()

    def reached_from(self, now: State) -> list[Change]:
        """Return the fewest changes that lead from ``now`` to this state; what is the same is not touched.

        Daemons stop before services change and start after, as they do not get along with tunnels across families.
        """
        changes: list[Change] = [command.StopDaemon(daemon) for daemon in now.daemons if daemon not in self.daemons]
        changes += plan(now.services, self.services)
        if now.timeouts != self.timeouts:
            changes.append(command.SetTimeouts(self.timeouts))
        changes += [command.StartDaemon(daemon) for daemon in self.daemons if daemon not in now.daemons]
        return changes


def _removals(additions: Iterable[Change]) -> list[Change]:
    """Return what takes additions back; a new service takes its servers along."""
    services: set[ServiceKey] = set()
    undo: list[Change] = []
    for change in additions:
        if isinstance(change, command.AddService):
            services.add(change.service.key)
            undo.append(command.DeleteService(change.service.key))
        elif isinstance(change, command.AddServer) and change.service not in services:
            undo.append(command.DeleteServer(change.service, change.server.key))
    return undo[::-1]
