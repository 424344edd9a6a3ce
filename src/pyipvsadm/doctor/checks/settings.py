"""Settings of IPVS that are worth knowing (net.ipv4.vs.*; the kernel's ipvs-sysctl.rst)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyipvsadm.doctor.check import IPVS, Fault, check
from pyipvsadm.doctor.machine import service_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyipvsadm.doctor.machine import Machine


@check(
    "expire-nodest-conn",
    "connections of a removed server end at once",
    severity="info",
    kinds=IPVS,
    reads=("net.ipv4.vs.expire_nodest_conn", "virtual services"),
    reason="net.ipv4.vs.expire_nodest_conn is 0: when a real server is removed, packets of its connections are "
    "dropped until the connections time out; with 1 clients hear of it and can connect anew",
    mend=("sysctl -w net.ipv4.vs.expire_nodest_conn=1",),
)
def expire_nodest_conn(machine: Machine) -> Iterator[Fault]:
    """Look where there are services."""
    if machine.setting("net/ipv4/vs/expire_nodest_conn") == 0 and machine.services:
        yield Fault()


@check(
    "expire-quiescent-template",
    "a drained server loses its persistent clients",
    severity="warning",
    kinds=IPVS,
    reads=("net.ipv4.vs.expire_quiescent_template", "virtual services"),
    reason="{service} is persistent, and net.ipv4.vs.expire_quiescent_template is 0: {what} goes on getting new "
    "connections of the clients that it has",
    mend=("sysctl -w net.ipv4.vs.expire_quiescent_template=1",),
)
def expire_quiescent_template(machine: Machine) -> Iterator[Fault]:
    """Look at persistent services; that one has a server with weight 0 makes it more than worth knowing."""
    if machine.setting("net/ipv4/vs/expire_quiescent_template") != 0:
        return
    persistent = [service for service in machine.services if service.config.persistent]
    drained = [
        (service, server.config.key.address)
        for service in persistent
        for server in service.servers
        if server.config.weight == 0
    ]
    if drained:
        service, address = drained[0]
        yield Fault(service=service_name(service.config.key), what=f"{address}, whose weight is 0,")
    elif persistent:
        yield Fault(
            service=service_name(persistent[0].config.key), what="a server whose weight is made 0", severity="info"
        )


@check(
    "conn-reuse-mode",
    "a port that a client uses again is scheduled again",
    severity="info",
    kinds=IPVS,
    reads=("net.ipv4.vs.conn_reuse_mode", "virtual services"),
    reason="net.ipv4.vs.conn_reuse_mode is 0: a new connection from a port whose last connection is still remembered "
    "goes to that one's server, even if its weight is 0 by now",
    mend=("sysctl -w net.ipv4.vs.conn_reuse_mode=1",),
)
def conn_reuse_mode(machine: Machine) -> Iterator[Fault]:
    """Look where there are services; 1 is the kernel's default."""
    if machine.setting("net/ipv4/vs/conn_reuse_mode") == 0 and machine.services:
        yield Fault()
