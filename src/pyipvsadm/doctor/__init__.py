"""Why does it not work: checks of a machine that balances or filters, each with a reason and the commands that mend it.

    from pyipvsadm import doctor

    for finding in doctor.examine():
        if finding.status != "ok":
            print(finding.code, finding.reason, *finding.mend)

Looking changes nothing: no module is loaded, no lock is taken, no program is run. What the caller has no right to see
becomes a finding that says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyipvsadm.doctor.check import STATUSES, Check, Finding, Severity, Status
from pyipvsadm.doctor.checks import arp, conntrack, forwarding, lock, modules, rights, rules, services, settings
from pyipvsadm.doctor.machine import Machine
from pyipvsadm.errors import UsageError
from pyipvsadm.netns import NetworkNamespace
from pyipvsadm.xtables.lock import PATH

if TYPE_CHECKING:
    from collections.abc import Collection

    from pyipvsadm.kinds import Kind

__all__ = ["CHECKS", "STATUSES", "Check", "Finding", "Severity", "Status", "examine"]

_FAMILIES: Final = (rights, modules, services, forwarding, arp, conntrack, settings, rules, lock)

CHECKS: Final[dict[str, Check]] = {
    check.code: check for family in _FAMILIES for check in vars(family).values() if isinstance(check, Check)
}
"""All checks by their codes."""


def examine(
    netns: str | None = None,
    *,
    only: Collection[str] = (),
    kind: Kind | None = None,
    sandbox: str | None = None,
    lock_file: str | None = None,
) -> list[Finding]:
    """Look at a network namespace: a name of ip-netns(8), a path, or None for the caller's own; the worst first.

    ``only`` are codes of checks, all where there are none. ``kind`` is what the machine is wanted for, "ipvs",
    "iptables" or "ip6tables": what is not about that is left out; None is to be found out. ``sandbox`` and
    ``lock_file`` are what PYIPVSADM_SANDBOX and XTABLES_LOCKFILE lead the commands to, None where they are not set.
    Every check gives one finding or more. Takes two seconds longer where the xtables lock is held. Raises UsageError
    for a code that there is not, Unsupported where there is no such namespace or it may not be entered.
    """
    for code in only:
        if code not in CHECKS:
            raise UsageError(f"no such check: {code}")
    with NetworkNamespace(netns):
        machine = Machine(netns, sandbox, lock_file or PATH, kind)
        try:
            found = [
                finding
                for code, check in CHECKS.items()
                if (not only or code in only) and (kind is None or kind in check.kinds)
                for finding in check.findings(machine)
            ]
        finally:
            machine.close()
    return sorted(found, key=lambda finding: STATUSES.index(finding.status))
