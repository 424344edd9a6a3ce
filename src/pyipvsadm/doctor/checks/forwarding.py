"""Whether packets are passed on, and whether they are let in: forwarding and reverse path filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyipvsadm.doctor.check import IPVS, Fault, check
from pyipvsadm.doctor.machine import service_name, setting_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from pyipvsadm.doctor.machine import Machine

_STRICT: Final = 1
_LOOSE: Final = 2
# Addresses that no client has (RFC 2544): they are where the default route leads.
_ELSEWHERE: Final = "198.18.0.1"
_TUNNELS: Final = ("ipip", "ip6tnl", "sit", "gre", "ip6gre")


def _who_forwards(machine: Machine, family: Literal[4, 6]) -> str:
    """Return who needs packets to be passed on, "" for nobody."""
    for key, server in machine.servers("masq"):
        route = machine.network.route(server.key.address)
        if server.key.family == family and not (route and route.local):
            return f"{service_name(key)} forwards by NAT"
    rules = machine.netfilter.source_nat(family)
    if rules:
        return f"a rule in the table {rules[0].table} gives packets that are passed on another source"
    return ""


@check(
    "ip-forward",
    "IPv4 packets are passed on where that is needed",
    severity="problem",
    kinds=IPVS,
    reads=("net.ipv4.ip_forward", "virtual services", "rules"),
    reason="{who}, and net.ipv4.ip_forward is 0: answers on their way through this machine are thrown away",
    mend=("sysctl -w net.ipv4.ip_forward=1",),
)
def ip_forward(machine: Machine) -> Iterator[Fault]:
    """Look at the switch of IPv4, where somebody needs it."""
    if machine.setting("net/ipv4/ip_forward") == 0 and (who := _who_forwards(machine, 4)):
        yield Fault(who=who, severity=None if " by NAT" in who else "warning")


@check(
    "ipv6-forward",
    "IPv6 packets are passed on where that is needed",
    severity="problem",
    kinds=IPVS,
    reads=("net.ipv6.conf.all.forwarding", "virtual services", "rules"),
    reason="{who}, and net.ipv6.conf.all.forwarding is 0: answers on their way through this machine are thrown away",
    mend=("sysctl -w net.ipv6.conf.all.forwarding=1",),
)
def ipv6_forward(machine: Machine) -> Iterator[Fault]:
    """Look at the switch of IPv6, where somebody needs it."""
    if machine.setting("net/ipv6/conf/all/forwarding") == 0 and (who := _who_forwards(machine, 6)):
        yield Fault(who=who, severity=None if " by NAT" in who else "warning")


@check(
    "interface-forward",
    "the interfaces of real servers pass IPv4 on",
    severity="problem",
    kinds=IPVS,
    reads=("net.ipv4.conf.*.forwarding", "virtual services", "routes"),
    reason="{service} forwards by NAT to {server}, whose answers come in through {interface}; "
    "net.ipv4.conf.{interface}.forwarding is 0, so they are thrown away",
    mend=("sysctl -w {setting}=1",),
)
def interface_forward(machine: Machine) -> Iterator[Fault]:
    """Look at the switches of the interfaces that lead to real servers; ip-forward looks at the one of all."""
    if machine.setting("net/ipv4/ip_forward") == 0:
        return
    told = set()
    for key, server in machine.servers("masq"):
        route = machine.network.route(server.key.address) if server.key.family == 4 else None
        if route is None or route.local or route.interface in told:
            continue
        parts = ("net/ipv4/conf", route.interface, "forwarding")
        if machine.setting(*parts) == 0:
            told.add(route.interface)
            yield Fault(
                service=service_name(key),
                server=server.key.address,
                interface=route.interface,
                setting=setting_name(*parts),
            )


@check(
    "rp-filter",
    "packets of clients pass the reverse path filter",
    severity="warning",
    kinds=IPVS,
    reads=("net.ipv4.conf.*.rp_filter", "virtual services", "addresses", "routes"),
    reason="{service} has its address on {interface}, where the reverse path filter is strict (rp_filter 1), and the "
    "route to clients elsewhere leaves through {other}: their packets are thrown away when they come in",
    mend=("sysctl -w {setting}=2",),
)
def rp_filter(machine: Machine) -> Iterator[Fault]:
    """Ask the kernel whether it would take a packet from elsewhere on the interface of a virtual address."""
    network = machine.network
    virtual = machine.virtual_addresses()
    links = {link.index: link for link in network.links}
    told = set()
    for address in network.addresses:
        link = links[address.index]
        key = virtual.get(address.text)
        if key is None or key.family != 4 or not link.up or not link.arp or link.name in told:
            continue
        home = network.route(_ELSEWHERE)
        if (
            machine.interface_setting(link.name, "rp_filter") == _STRICT
            and home is not None
            and home.interface != link.name
            and network.route(address.text, _ELSEWHERE, link.name) is None
        ):
            told.add(link.name)
            setting = setting_name("net/ipv4/conf", link.name, "rp_filter")
            yield Fault(service=service_name(key), interface=link.name, other=home.interface, setting=setting)


@check(
    "rp-filter-tunnel",
    "packets out of tunnels pass the reverse path filter",
    severity="problem",
    kinds=IPVS,
    reads=("net.ipv4.conf.*.rp_filter", "links"),
    reason="{interface} is a tunnel on which rp_filter is 1: what a director sends through it comes from clients, "
    "whose route leaves elsewhere, and is thrown away",
    mend=("sysctl -w {setting}=2",),
)
def rp_filter_tunnel(machine: Machine) -> Iterator[Fault]:
    """Look at tunnels that are up and end here for any sender, as those of a real server do."""
    for link in machine.network.links:
        if link.kind not in _TUNNELS or not link.up:
            continue
        home = machine.network.route(_ELSEWHERE)
        if machine.interface_setting(link.name, "rp_filter") == _STRICT and (
            home is None or home.interface != link.name
        ):
            alone = any(address.alone for address in machine.network.on(link))
            setting = setting_name("net/ipv4/conf", link.name, "rp_filter")
            yield Fault(interface=link.name, setting=setting, severity=None if alone else "warning")
