"""Modules of the kernel: there, to be had, or missing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from pyipvsadm.doctor import intent
from pyipvsadm.doctor.check import IPVS, RULES, Fault, check
from pyipvsadm.doctor.machine import service_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyipvsadm.doctor.machine import Machine
    from pyipvsadm.kinds import Kind

_MODULES: Final = ("/proc/modules", "modules.builtin", "modules.dep")
_FTP: Final = 21
# What libiptc needs for a family: the module, and what only a kernel with it has.
_LEGACY: Final[dict[Kind, tuple[str, str]]] = {
    "iptables": ("ip_tables", "net/ip_tables_names"),
    "ip6tables": ("ip6_tables", "net/ip6_tables_names"),
}


@check(
    "module-directory",
    "the running kernel's modules are where they are looked for",
    severity="warning",
    reads=("/lib/modules", "/proc/sys/kernel/modprobe"),
    reason="the running kernel is {release}, and of modules there are only those of {others}: no module can be loaded "
    "until the machine has been started with a kernel that is installed",
    mend=("systemctl reboot",),
    everywhere=True,
)
def module_directory(machine: Machine) -> Iterator[Fault]:
    """Look for a kernel that was upgraded under the running one."""
    try:
        others = sorted(os.listdir("/lib/modules"))
    except OSError:  # no modules at all: a container, or a kernel that has everything built in
        return
    if others and machine.release not in others:
        yield Fault(release=machine.release, others=", ".join(others))


@check(
    "module-ip-vs",
    "the kernel has IPVS",
    severity="problem",
    kinds=IPVS,
    reads=("/proc/net/ip_vs", *_MODULES, "what ipvsadm, keepalived and ldirectord are to do"),
    reason="the running kernel, {release}, has no IPVS, neither built in nor as the module ip_vs: ipvsadm needs one "
    "built with CONFIG_IP_VS, as Debian's is; in a container it is the host's. {wanted}",
    everywhere=True,
)
def module_ip_vs(machine: Machine) -> Iterator[Fault]:
    """Look for IPVS and for who wants it; one that can be loaded is, by the first command of root's that needs it."""
    if machine.module("ip_vs", "net/ip_vs") != "missing":
        return
    file = None if machine.kind else intent.to_balance()
    if file:
        yield Fault(release=machine.release, wanted=f"{file} wants virtual servers")
    elif machine.kind:
        yield Fault(release=machine.release, wanted="It was asked for")
    else:
        yield Fault(release=machine.release, wanted="Nothing seen here wants it", severity="info")


@check(
    "module-scheduler",
    "the kernel has the schedulers in use",
    severity="problem",
    kinds=IPVS,
    reads=("virtual services", *_MODULES),
    reason="{user}, and the kernel has no module {module}: it refuses such a service with “No such file or directory”",
    everywhere=True,
)
def module_scheduler(machine: Machine) -> Iterator[Fault]:
    """Look for the schedulers of services, and for the one that ipvsadm takes where none is named."""
    if machine.module("ip_vs", "net/ip_vs") == "missing":
        return
    users = {"wlc": "ipvsadm takes the scheduler wlc where none is named"}
    for service in machine.services:
        users[service.config.scheduler] = f"{service_name(service.config.key)} has {service.config.scheduler}"
    live = {service.config.scheduler for service in machine.services}  # the kernel has what it is using
    for scheduler, user in users.items():
        module = f"ip_vs_{scheduler}"
        if scheduler not in live and scheduler != "none" and machine.module(module) == "missing":
            yield Fault(user=user, module=module)


@check(
    "module-ip-vs-ftp",
    "FTP is followed where it is balanced",
    severity="warning",
    kinds=IPVS,
    reads=("virtual services", *_MODULES),
    reason="{service} forwards FTP by NAT, and the module ip_vs_ftp is not loaded: the connections for data, passive "
    "ones too, do not get through",
    mend=("modprobe ip_vs_ftp",),
    everywhere=True,
)
def module_ip_vs_ftp(machine: Machine) -> Iterator[Fault]:
    """Look for services on FTP's port that forward by NAT."""
    users = [key for key, _ in machine.servers("masq") if (key.protocol, key.port) == ("tcp", _FTP)]
    if users and not machine.has_module("ip_vs_ftp"):
        yield Fault(service=service_name(users[0]), mendable=machine.module("ip_vs_ftp") == "loadable")


@check(
    "module-nf-conntrack",
    "connections can be tracked",
    severity="warning",
    reads=("/proc/sys/net/netfilter", *_MODULES),
    reason="the running kernel, {release}, has no nf_conntrack: NAT and the matches state and conntrack do not work",
    everywhere=True,
)
def module_nf_conntrack(machine: Machine) -> Iterator[Fault]:
    """Look for connection tracking."""
    tracks = machine.setting("net/netfilter/nf_conntrack_max") is not None
    if not tracks and machine.module("nf_conntrack") == "missing":
        yield Fault(release=machine.release)


@check(
    "module-ip-tables",
    "the kernel has the legacy tables",
    severity="problem",
    kinds=RULES,
    reads=tuple([f"/proc/{sign}" for _, sign in _LEGACY.values()]) + _MODULES,
    reason="the running kernel, {release}, has no {module}: iptables-legacy does not work, ours included; "
    "iptables-nft does where the kernel has nf_tables",
    everywhere=True,
)
def module_ip_tables(machine: Machine) -> Iterator[Fault]:
    """Look for the modules that the legacy tables are in; that one is missing is a problem where it was asked for."""
    for kind, (module, sign) in _LEGACY.items():
        if machine.kind in (None, kind) and machine.module(module, sign) == "missing":
            yield Fault(release=machine.release, module=module, severity=None if machine.kind else "warning")


@check(
    "modules-disabled",
    "modules can be loaded",
    severity="warning",
    reads=("kernel.modules_disabled",),
    reason="kernel.modules_disabled is set: the kernel loads no module until the machine starts again, a scheduler or "
    "a match that was not used before neither",
    mend=("systemctl reboot",),
    everywhere=True,
)
def modules_disabled(machine: Machine) -> Iterator[Fault]:
    """Look whether loading modules was switched off, which nothing but a new start switches on."""
    if machine.setting("kernel/modules_disabled"):
        yield Fault()
