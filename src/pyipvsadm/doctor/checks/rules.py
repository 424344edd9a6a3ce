"""Rules: the legacy tables beside nf_tables, and the way back of NAT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyipvsadm.doctor.check import IPVS, RULES, Each, Fault, check
from pyipvsadm.doctor.machine import service_name
from pyipvsadm.xtables.model import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyipvsadm.doctor.machine import Machine

_DISTANT: Final = (
    "that depends on its routes, which are not seen from here: its default route has to lead to this machine"
)
_TOOLS: Final = {4: "iptables", 6: "ip6tables"}


@check(
    "two-worlds",
    "rules are in the legacy tables or in nf_tables, not in both",
    severity="warning",
    kinds=RULES,
    reads=("legacy tables", "nf_tables"),
    reason="the legacy table {table} of {tool} holds {legacy}, and nf_tables holds {nft} for packets of the same "
    "family: the kernel asks both, so a packet has to pass both, while {tool}-legacy and {tool}-nft each show "
    "one alone. The commands put the legacy rules behind those that iptables-nft has",
    mend=(
        "{tool}-legacy-save -t {table} -f /root/{tool}-{table}.rules",
        "{tool}-nft-restore -n /root/{tool}-{table}.rules",
        "{tool}-legacy -t {table} -P {chain} ACCEPT",
        "{tool}-legacy -t {table} -F",
        "{tool}-legacy -t {table} -X",
    ),
)
def two_worlds(machine: Machine) -> Iterator[Fault]:
    """Count the rules of both, by family."""
    netfilter = machine.netfilter
    for family, tool in _TOOLS.items():
        newer = sum([rule.family == family for rule in netfilter.nf_tables])
        if not newer:
            continue
        older = [rule.table for rule in netfilter.legacy if rule.family == family]
        for table in dict.fromkeys(older):
            legacy = _counted(older.count(table))
            yield Fault(table=table, tool=tool, legacy=legacy, nft=_counted(newer), chain=Each(TABLES[table]))


def _counted(rules: int) -> str:
    return f"{rules} rule{'s' if rules > 1 else ''}"


@check(
    "return-path",
    "answers of real servers come back through this machine where it does NAT",
    severity="warning",
    kinds=IPVS,
    reads=("virtual services", "addresses", "routes", "rules"),
    reason="{service} forwards by NAT to {server}, whose answers have to come back through this machine; {why}. No "
    "rule here gives packets another source, which would bring all of them back. With the commands the servers "
    "see this machine's address in the place of the clients'",
    mend=(
        "sysctl -w net.ipv4.vs.conntrack=1",
        "{tool} -t nat -A POSTROUTING -m ipvs --vmethod MASQ -j MASQUERADE",
    ),
)
def return_path(machine: Machine) -> Iterator[Fault]:
    """Look for real servers whose answers may take another way, as far as that can be seen from here.

    A client in the network that a virtual address and a real server share gets the answer from the server itself, and
    throws it away. For all others the routes of the server decide, which are not seen from here. Whether rules that
    give packets another source are about these packets is not looked at.
    """
    network = machine.network
    links = {link.index: link.name for link in network.links}
    for family, tool in _TOOLS.items():
        places = {(address.text, links[address.index]) for address in network.addresses}
        distant = None
        for key, server in machine.servers("masq"):
            route = network.route(server.key.address) if server.key.family == family else None
            if route is None or route.local:
                continue
            facts: dict[str, Any] = {"service": service_name(key), "server": server.key.address, "tool": tool}
            if not route.gateway and (key.address, route.interface) in places:
                found = Fault(why=_near(route.interface), **facts)
                break
            distant = distant or Fault(why=_DISTANT, severity="info", **facts)
        else:
            if distant is None:
                continue
            found = distant
        if not machine.netfilter.source_nat(4 if family == 4 else 6):
            yield found


def _near(interface: str) -> str:
    return (
        f"both addresses are in the network of {interface}, and a client in it gets the answer from the server itself, "
        "from an address that it did not ask"
    )
