"""Connection tracking: room for connections, and whether NAT sees those of IPVS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyipvsadm.doctor.check import IPVS, Fault, check
from pyipvsadm.doctor.machine import service_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyipvsadm.doctor.machine import Machine

_FULL: Final = 0.9
_NEARLY: Final = 0.75


@check(
    "conntrack-full",
    "there is room for connections to be tracked",
    severity="problem",
    reads=("net.netfilter.nf_conntrack_count", "net.netfilter.nf_conntrack_max"),
    reason="{count} of at most {most} connections are tracked: when there is no more room, packets of new ones are "
    "thrown away (“nf_conntrack: table full, dropping packet” in the kernel's log)",
    mend=("sysctl -w net.netfilter.nf_conntrack_max={more}",),
    everywhere=True,  # the limit is the first namespace's alone; each has a count of its own
)
def conntrack_full(machine: Machine) -> Iterator[Fault]:
    """Compare how many connections are tracked with the limit, 0 of which is none."""
    count = machine.setting("net/netfilter/nf_conntrack_count") or 0
    most = machine.setting("net/netfilter/nf_conntrack_max") or 0
    if most and count >= most * _NEARLY:
        yield Fault(count=count, most=most, more=2 * most, severity=None if count >= most * _FULL else "warning")


@check(
    "vs-conntrack",
    "connections of IPVS are tracked where rules give them another source",
    severity="problem",
    kinds=IPVS,
    reads=("net.ipv4.vs.conntrack", "virtual services", "rules"),
    reason="{service} forwards by NAT, and a rule of {world} in the table {table} {aim}; with net.ipv4.vs.conntrack 0 "
    "connections of IPVS are not tracked, and such rules never see them",
    mend=("sysctl -w net.ipv4.vs.conntrack=1",),
)
def vs_conntrack(machine: Machine) -> Iterator[Fault]:
    """Look for rules that give a service's packets another source, or may be meant to.

    A rule with the match ipvs is surely meant for them; any other may be about other packets.
    """
    if machine.setting("net/ipv4/vs/conntrack") != 0:
        return
    told = set()
    for key, server in machine.servers("masq"):
        family = server.key.family
        if family in told:
            continue
        told.add(family)
        rules = machine.netfilter.source_nat(family)
        for rule in sorted(rules, key=lambda rule: "ipvs" not in rule.uses)[:1]:
            surely = "ipvs" in rule.uses
            yield Fault(
                service=service_name(key),
                world=rule.world,
                table=rule.table,
                aim="is meant to give its packets another source" if surely else "gives packets another source",
                severity=None if surely else "info",
            )
