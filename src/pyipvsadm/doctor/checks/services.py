"""Virtual services: their addresses, their real servers, and the ways between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyipvsadm import ipvs
from pyipvsadm.doctor.check import IPVS, Fault, check
from pyipvsadm.doctor.machine import service_name, setting_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyipvsadm.doctor.machine import Machine
    from pyipvsadm.ipvs import RealServer, ServiceKey, ServiceState

_OUTER_HEADER: Final = {4: 20, 6: 40}  # bytes
_INNER_HEADERS: Final = {4: 40, 6: 60}  # bytes, with that of TCP
_ETHERNET: Final = 1500  # bytes of the largest packet
# What becomes of the connections of a server that is this machine.
_LOCAL_NAT: Final = "its connections go to a program here that listens on this address and the server's port"
_LOCAL_DIRECT: Final = "its connections stay here, for a program that listens on the virtual address and port"
_LOOPED: Final = (
    "by NAT the loopback network can be reached from this machine alone, and the kernel throws away packets of others. "
    "Give the server another address of this machine"
)
_NONLOCAL_BIND: Final = {4: ("net/ipv4", "ip_nonlocal_bind"), 6: ("net/ipv6", "ip_nonlocal_bind")}


@check(
    "virtual-address",
    "virtual addresses are this machine's",
    severity="problem",
    kinds=IPVS,
    reads=("virtual services", "addresses", "routes"),
    reason="{address}, of {service}, is no address of this machine: IPVS sees only packets that are for the machine "
    "itself, so the service gets none. On the standby of a failover pair that is as it should be",
    mend=("ip address add {address}/{length} dev {interface}",),
)
def virtual_address(machine: Machine) -> Iterator[Fault]:
    """Ask the kernel whether a packet to the address would be its own.

    The command puts the address on the interface with the network that it is in, or with the default route.
    """
    for address, key in machine.virtual_addresses().items():
        route = machine.network.route(address)
        if route is None or not route.local:
            interface = route.interface if route else _first_interface(machine)
            length = 128 if key.family == 6 else 32
            yield Fault(address=address, service=service_name(key), length=length, interface=interface)


def _first_interface(machine: Machine) -> str:
    return next((link.name for link in machine.network.links if link.up and link.arp), "lo")


@check(
    "nonlocal-bind",
    "programs can listen on virtual addresses that are elsewhere now",
    severity="info",
    kinds=IPVS,
    reads=("net.ipv4.ip_nonlocal_bind", "net.ipv6.ip_nonlocal_bind", "virtual services", "routes"),
    reason="{address}, of {service}, is not on this machine, and {setting} is 0: a program that listens on it (a "
    "proxy on the standby of a failover pair) cannot start before the address comes",
    mend=("sysctl -w {setting}=1",),
)
def nonlocal_bind(machine: Machine) -> Iterator[Fault]:
    """Look where a virtual address is not here; once for each family."""
    told = set()
    for address, key in machine.virtual_addresses().items():
        route = machine.network.route(address)
        if key.family in told or (route and route.local):
            continue
        parts = _NONLOCAL_BIND[key.family]
        if machine.setting(*parts) == 0:
            told.add(key.family)
            yield Fault(address=address, service=service_name(key), setting=setting_name(*parts))


@check(
    "no-servers",
    "every service has real servers",
    severity="problem",
    kinds=IPVS,
    reads=("virtual services",),
    reason="{service} has no real server: connections to it are refused. A server is added with ipvsadm -a",
)
def no_servers(machine: Machine) -> Iterator[Fault]:
    """Look for services without servers."""
    for service in machine.services:
        if not service.servers:
            yield Fault(service=service_name(service.config.key))


@check(
    "no-weight",
    "every service has a server that takes connections",
    severity="problem",
    kinds=IPVS,
    reads=("virtual services",),
    reason="all real servers of {service} have weight 0: none takes new connections; ipvsadm -e gives one another "
    "weight",
    mend=("ipvsadm {edit}",),
)
def no_weight(machine: Machine) -> Iterator[Fault]:
    """Look for services all of whose servers are drained."""
    for service in machine.services:
        if service.servers and not any(server.config.weight for server in service.servers):
            name = service_name(service.config.key)
            words = _with_weight(service)
            # Who may not change it was not told the thresholds either, which the command would take away.
            yield Fault(service=name, edit=words, mendable=machine.may_change)


def _with_weight(service: ServiceState) -> list[str]:
    """Return the words of ipvsadm that give a service's first server weight 1 and leave all else as it is."""
    first = service.servers[0]
    config = first.config.replace(weight=1)
    saved = ipvs.save([service.replace(servers=(first.replace(config=config),))]).splitlines()[1]
    thresholds = (("-x", config.u_threshold), ("-y", config.l_threshold))
    words = [*saved.split(), *[word for letter, value in thresholds if value for word in (letter, str(value))]]
    return ["-e", *words[1:]]


@check(
    "server-unreachable",
    "there is a route to every real server",
    severity="problem",
    kinds=IPVS,
    reads=("virtual services", "routes"),
    reason="{server}, a real server of {service}, cannot be reached: the kernel has no route to it, or one that "
    "refuses. A route to its network is missing, or its interface is down",
)
def server_unreachable(machine: Machine) -> Iterator[Fault]:
    """Ask the kernel for the route to each server."""
    told = set()
    for key, server in machine.servers("masq", "gateway", "ipip"):
        address = server.key.address
        if address not in told and machine.network.route(address) is None:
            told.add(address)
            yield Fault(server=address, service=service_name(key))


@check(
    "server-local",
    "real servers are other machines",
    severity="info",
    kinds=IPVS,
    reads=("virtual services", "routes"),
    reason="{server}, a real server of {service}, is an address of this machine: {what}",
)
def server_local(machine: Machine) -> Iterator[Fault]:
    """Ask the kernel whether a server's address is its own."""
    told = set()
    for key, server in machine.servers("masq", "gateway", "ipip"):
        address = server.key.address
        fact = (address, server.forward == "masq")
        route = machine.network.route(address)
        if fact in told or route is None or not route.local:
            continue
        told.add(fact)
        loops = server.forward == "masq" and address.startswith("127.")
        what = _LOOPED if loops else _LOCAL_NAT if server.forward == "masq" else _LOCAL_DIRECT
        yield Fault(server=address, service=service_name(key), what=what, severity="warning" if loops else None)


@check(
    "direct-routing-gateway",
    "servers of direct routing are on the link",
    severity="problem",
    kinds=IPVS,
    reads=("virtual services", "routes"),
    reason="{server}, a real server of {service} by direct routing, is behind the gateway {gateway}: the gateway gets "
    "packets to {virtual} and sends them back here. Direct routing needs the server in a network of this "
    "machine's; tunnelling (-i) or NAT (-m) do not",
)
def direct_routing_gateway(machine: Machine) -> Iterator[Fault]:
    """Look for such servers behind a gateway: the kernel sends the packet as it is to the next hop."""
    for key, server in machine.servers("gateway"):
        route = machine.network.route(server.key.address)
        if route and route.gateway:
            yield Fault(
                server=server.key.address,
                service=service_name(key),
                gateway=route.gateway,
                virtual=key.address or "the service's address",
            )


@check(
    "tunnel-server",
    "tunnels are taken apart at their other end",
    severity="info",
    kinds=IPVS,
    reads=("virtual services",),
    reason="{service} reaches {servers} by tunnels ({kind}): a server has to take them apart, and to have the virtual "
    "address without answering ARP requests for it. Whether it does is not seen from here",
    mend=(
        "modprobe ipip",
        "ip link set tunl0 up",
        "ip address add {address}/32 dev tunl0",
        "sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.tunl0.rp_filter=0",
        "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2",
    ),
)
def tunnel_server(machine: Machine) -> Iterator[Fault]:
    """Name the servers by tunnel, with commands for the commonest: IPv4 in IPv4."""
    for service in machine.services:
        key = service.config.key
        servers = [server.config for server in service.servers if server.config.forward == "ipip"]
        if not servers:
            continue
        kinds = sorted({server.tun_type for server in servers})
        plain = kinds == ["ipip"] and key.address and all(family == 4 for family in _families(key, servers))
        addresses = ", ".join([server.key.address for server in servers])
        yield Fault(
            service=service_name(key),
            servers=addresses,
            kind=", ".join(kinds),
            address=key.address,
            on=addresses,
            mendable=bool(plain),
        )


def _families(key: ServiceKey, servers: list[RealServer]) -> set[int]:
    return {key.family, *[server.key.family for server in servers]}


@check(
    "tunnel-mtu",
    "packets of an Ethernet fit into tunnels",
    severity="info",
    kinds=IPVS,
    reads=("virtual services", "routes", "links"),
    reason="{service} reaches {server} by a tunnel through {interface}, whose MTU is {mtu}: with the outer header "
    "packets of more than {room} bytes do not fit. Clients are told so by ICMP, which may not get through to "
    "them; the servers can ask for smaller ones at once",
    mend=("{tool} -t mangle -A OUTPUT -s {address} -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss {mss}",),
)
def tunnel_mtu(machine: Machine) -> Iterator[Fault]:
    """Compare the MTU of the way to a server with an Ethernet's packet in its outer header; once for a service."""
    told = set()
    for key, server in machine.servers("ipip"):
        route = machine.network.route(server.key.address)
        link = machine.network.link(route.interface) if route and not route.local else None
        if link is None or key in told:
            continue
        room = link.mtu - _OUTER_HEADER[server.key.family]
        if room < _ETHERNET:
            told.add(key)
            yield Fault(
                service=service_name(key),
                server=server.key.address,
                interface=link.name,
                mtu=link.mtu,
                room=room,
                tool="iptables" if key.family == 4 else "ip6tables",
                address=key.address,
                mss=room - _INNER_HEADERS[key.family],
                on=server.key.address,
                mendable=bool(key.address) and key.protocol == "tcp",
            )
