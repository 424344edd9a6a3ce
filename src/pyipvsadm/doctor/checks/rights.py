"""What the caller may do, and on what its commands act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyipvsadm.doctor.check import Fault, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyipvsadm.doctor.machine import Machine


@check(
    "rights",
    "the caller may change virtual services and rules",
    severity="warning",
    reads=("/proc/self/status: CapEff", "the owner of the network namespace"),
    reason="you have no CAP_NET_ADMIN for this network namespace: the kernel refuses ipvsadm and iptables to you, and "
    "some things cannot be looked at here; root sees all",
    mend=("sudo {command}",),
    everywhere=True,
)
def rights(machine: Machine) -> Iterator[Fault]:
    """Look whether the caller has the capability, and whether it counts in this namespace."""
    if not machine.may_change:
        yield Fault(command=["pyipvsadm", "doctor", *(["--netns", machine.netns] if machine.netns else [])])


@check(
    "sandbox",
    "commands act on the kernel",
    severity="warning",
    reads=("PYIPVSADM_SANDBOX",),
    reason="PYIPVSADM_SANDBOX is set: ipvsadm, iptables and pyipvsadm act on the file {file}, not on the kernel",
    mend=("unset PYIPVSADM_SANDBOX",),
    everywhere=True,
)
def sandbox(machine: Machine) -> Iterator[Fault]:
    """Look whether a variable leads the commands elsewhere."""
    if machine.sandbox:
        yield Fault(file=machine.sandbox)
