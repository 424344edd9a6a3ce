"""What ``pyipvsadm apply`` does to each kind of tables: plan it, do it, and take it back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pyipvsadm import apply, ipvs
from pyipvsadm.app.errors import Negative, Trouble, words
from pyipvsadm.app.run import namespace_path
from pyipvsadm.app.state import Rules, family_of, open_services, trouble_with_rules
from pyipvsadm.errors import KernelError, Refused
from pyipvsadm.snapshot import take
from pyipvsadm.ui.steps import rule_step, service_step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyipvsadm import iptables
    from pyipvsadm.app.guardian import Step
    from pyipvsadm.app.state import Place, State
    from pyipvsadm.iptables import Ruleset
    from pyipvsadm.snapshot import Snapshot


def work_on(place: Place, wanted: State, *, prune: bool | None) -> ServiceWork | RuleWork:
    """Return what makes of a place what is wanted."""
    return RuleWork(place, wanted, prune) if isinstance(wanted, Rules) else ServiceWork(place, wanted.snapshot, prune)


class _Work:
    """A place, which can be held on to where its name may be gone in a while."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.descriptors: list[int] = []
        self.others = False

    def pin(self) -> None:
        """Have the place be the same whatever becomes of its name."""
        if self._place.sandbox is not None:
            self._place = self._place.replace(sandbox=os.path.abspath(self._place.sandbox))
        if self._place.netns is None:
            return
        try:
            self.descriptors.append(os.open(namespace_path(self._place.netns), os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            raise Trouble(words(error)) from None
        self._place = self._place.replace(netns=f"/proc/self/fd/{self.descriptors[-1]}")


class ServiceWork(_Work):
    """Virtual servers that are to be as a snapshot."""

    def __init__(self, place: Place, wanted: Snapshot, prune: bool | None) -> None:
        super().__init__(place)
        self._wanted = wanted
        self._prune = prune
        self._before: Snapshot | None = None
        self._ours: Snapshot | None = None

    def plan(self) -> list[Step]:
        """Return what would be changed."""
        with open_services(self._place) as table:
            changes = apply.service_changes(take(table), self._wanted, prune=self._prune)
        return [service_step(change) for change in changes]

    def do(self) -> list[Step]:
        """Make the change; return what was changed."""
        with open_services(self._place) as table:
            self._before = take(table)
            changes = apply.service_changes(self._before, self._wanted, prune=self._prune)
            _carry_out(table, changes)
            self._ours = take(table) if changes else self._before
        return [service_step(change) for change in changes]

    def undo(self) -> list[Step]:
        """Take it back; return what was changed."""
        assert self._before
        assert self._ours
        with open_services(self._place) as table:
            now = take(table)
            self.others = bool(apply.service_changes(self._ours, now))
            changes = apply.service_changes(now, apply.services_before(self._before, self._ours, now))
            _carry_out(table, changes)
        return [service_step(change) for change in changes]


def _carry_out(table: ipvs.VirtualServerTable, changes: Sequence[ipvs.Change]) -> None:
    try:
        table.apply(*changes)
    except Refused as refused:
        line = ipvs.command_line(changes[refused.index])
        raise Negative(f"ipvsadm {line}: {refused}; nothing was changed") from None


class RuleWork(_Work):
    """Tables of rules that are to be as those of a state."""

    def __init__(self, place: Place, wanted: Rules, prune: bool | None) -> None:
        super().__init__(place)
        self._program = wanted.kind
        self._family = family_of(wanted.kind)
        named = wanted.ruleset
        self._named = named if wanted.policies is None else apply.without_policies(named, wanted.policies)
        self._prune = prune
        self._before: Ruleset | None = None
        self._ours: Ruleset | None = None

    def plan(self) -> list[Step]:
        """Return what would be changed."""
        return self._update(lambda now: apply.wanted_rules(now, self._named, prune=self._prune), test=True)

    def do(self) -> list[Step]:
        """Make the change; return what was changed."""

        def wanted(now: Ruleset) -> Ruleset:
            self._before = now
            self._ours = apply.wanted_rules(now, self._named, prune=self._prune)
            return self._ours

        return self._update(wanted)

    def undo(self) -> list[Step]:
        """Take it back; return what was changed."""
        before, ours = self._before, self._ours
        assert before
        assert ours

        def as_before(now: Ruleset) -> Ruleset:
            self.others = apply.is_changed(ours, now)
            return apply.rules_before(before, ours, now)

        return self._update(as_before, counters=True)

    def _update(self, make: Callable[[Ruleset], Ruleset], **how: Any) -> list[Step]:
        from pyipvsadm import iptables

        where: dict[str, Any] = {
            "family": self._family, "netns": self._place.netns, "sandbox": self._place.sandbox,
        }  # fmt: skip
        try:
            changes: list[iptables.Change] = iptables.update(make, **where, **how)
        except iptables.ChangeRefused as refused:
            raise Negative(f"{self._program} {refused}; nothing was changed") from None
        except iptables.LockFileError as error:
            hint = ": run it as root, or try it with --sandbox" if os.geteuid() else ""
            raise Trouble(f"{error}{hint}") from None
        except KernelError as error:
            raise trouble_with_rules(error, self._program) from None
        return [rule_step(self._program, change) for change in changes]
