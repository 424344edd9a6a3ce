"""A virtual server table as JSON, for programs: everything that the kernel gives, whatever options a listing has.

A document is an object with ``"version": 1`` (of this form), ``"kind": "ipvs"`` and what was asked for:

``ipvs``         ``version`` ("1.2.1") and ``conn_tab_size`` (buckets) of the kernel's IPVS
``services``     virtual services: ``family`` (4, 6), ``protocol`` ("tcp", "udp", "sctp"; null for a firewall mark),
                 ``address``, ``port``, ``fwmark`` (0 for an address), ``scheduler``, ``flags`` (mask of IP_VS_SVC_F_*),
                 ``persistent``, ``one_packet``, ``timeout`` (seconds), ``netmask`` ("255.255.255.0", or a prefix length
                 for IPv6), ``pe_name``, ``servers``, ``stats``
``servers``      real servers: ``family``, ``address``, ``port``, ``forward`` ("masq", "local", "ipip", "gateway",
                 "bypass"), ``weight``, ``u_threshold``, ``l_threshold``, ``tun_type``, ``tun_port``, ``tun_flags``,
                 ``activeconns``, ``inactconns``, ``persistconns``, ``stats``
``stats``        64-bit counters ``conns``, ``inpkts``, ``outpkts``, ``inbytes``, ``outbytes`` and rates per second
                 ``cps``, ``inpps``, ``outpps``, ``inbps``, ``outbps`` (bytes)
``connections``  ``protocol``, ``client``, ``client_port``, ``virtual``, ``virtual_port``, ``server``, ``server_port``,
                 ``state``, ``expires`` (seconds), ``pe_name``, ``pe_data``
``timeouts``     ``tcp``, ``tcp_fin``, ``udp`` (seconds)
``daemons``      ``state`` ("master", "backup"), ``mcast_ifn``, ``syncid``, ``sync_maxlen``, ``mcast_group``,
                 ``mcast_port``, ``mcast_ttl``

Names are those of linux/ip_vs.h where it has them. Addresses and ports are never turned into names. Fields may be added
within a version; none is renamed, removed or given another meaning.
"""

from __future__ import annotations

from itertools import islice

from pyipvsadm.ipvs import words
from pyipvsadm.ipvs.model import NOT_LISTED, WHOLE_NETMASK
from pyipvsadm.ipvs.order import sort_servers, sort_services

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any, Final

    from pyipvsadm.drain import Member, Undone
    from pyipvsadm.ipvs.command import List
    from pyipvsadm.ipvs.model import (
        Connection,
        Info,
        RealServer,
        ServerState,
        ServiceKey,
        ServiceState,
        SyncDaemon,
        Timeouts,
        VirtualService,
    )
    from pyipvsadm.ipvs.words import Resolver

VERSION: Final = 1


def to_json(kind: str = "ipvs", /, **parts: object) -> str:
    """Return a document with the parts named as in the module's table, made of what JSON has."""
    import json

    return json.dumps({"version": VERSION, "kind": kind, **parts}, indent=2) + "\n"


def listing(services: Sequence[ServiceState], options: List, info: Info, resolver: Resolver) -> str:  # noqa: ARG001
    """Return services as a document; of the options only ``nosort`` matters."""
    return document(services, info, nosort=options.nosort)


def document(services: Sequence[ServiceState], info: Info, *, nosort: bool = False, partial: bool = False) -> str:
    """Return services as a document, sorted unless ``nosort``; ``partial`` if they are of the kernel's listing."""
    ordered = services if nosort else sort_services(services)
    listed = [service(state, nosort=nosort) for state in ordered]
    return to_json(
        ipvs={"version": words.version(info), "conn_tab_size": info.conn_tab_size},
        services=[_as_listed(one) for one in listed] if partial else listed,
    )


def _as_listed(found: dict[str, Any]) -> dict[str, Any]:
    """Return a service or a server with null for what the kernel's listing does not tell (ipvs.Listed)."""
    told = {name: None if name in NOT_LISTED else value for name, value in found.items()}
    if "servers" in found:
        lonely = found["fwmark"] and not found["servers"]
        told["family"] = None if lonely else found["family"]
        told["netmask"] = found["netmask"] if found["persistent"] and not lonely else None
        told["servers"] = [_as_listed(one) for one in found["servers"]]
    return told


def service(state: ServiceState, *, nosort: bool = False) -> dict[str, Any]:
    """Return a virtual service with its servers, sorted unless ``nosort``."""
    return {
        **service_settings(state.config),
        "servers": [server(real) for real in (state.servers if nosort else sort_servers(state.servers))],
        "stats": state.stats.asdict(),
    }


def service_settings(config: VirtualService) -> dict[str, Any]:
    """Return what is configured of a virtual service itself."""
    return {
        **config.key.asdict(),
        "scheduler": config.scheduler,
        "flags": config.flags,
        "persistent": config.persistent,
        "one_packet": config.one_packet,
        "timeout": config.timeout,
        "netmask": _netmask(config),
        "pe_name": config.pe_name,
    }


def _netmask(config: VirtualService) -> str | int:
    if config.key.family == 6:
        return config.netmask or WHOLE_NETMASK[6]
    return words.netmask(config) or "255.255.255.255"


def server(state: ServerState) -> dict[str, Any]:
    """Return a real server."""
    fields = state.asdict()
    del fields["config"]
    return {**server_settings(state.config), **fields, "stats": state.stats.asdict()}


def server_settings(config: RealServer) -> dict[str, Any]:
    """Return what is configured of a real server."""
    fields = config.asdict()
    del fields["key"]
    return {**config.key.asdict(), **fields}


def drained(members: Sequence[Member], outcome: str, *, partial: bool = False) -> str:
    """Return what became of servers that were to be drained, each as it was found."""
    servers = [server(member.state) for member in members]
    listed = [_as_listed(one) for one in servers] if partial else servers
    named = [_of(member.service, one) for member, one in zip(members, listed, strict=True)]
    return to_json("drain", outcome=outcome, servers=named)


def undrained(done: Sequence[Undone]) -> str:
    """Return what became of servers that were to be put back, each as it is now."""
    servers = [_of(one.service, {**server_settings(one.server), "outcome": one.outcome}) for one in done]
    return to_json("undrain", servers=servers)


def _of(service: ServiceKey, fields: dict[str, Any]) -> dict[str, Any]:
    return {"service": service.asdict(), **fields}


def connections(entries: Iterable[Connection], options: List, resolver: Resolver) -> Iterator[str]:  # noqa: ARG001
    """Yield a document of the connection table in pieces, as there may be millions of entries."""
    import json

    head, tail = to_json(connections=[]).split("[]")
    separator = f"{head}["
    rows = iter(entries)
    while step := list(islice(rows, 1000)):
        yield separator + ",".join([f"\n    {json.dumps(entry.asdict())}" for entry in step])
        separator = ","
    yield f"\n  ]{tail}" if separator == "," else f"{head}[]{tail}"


def timeouts(values: Timeouts) -> str:
    """Return the timeouts as a document."""
    return to_json(timeouts=values.asdict())


def daemons(running: Iterable[SyncDaemon]) -> str:
    """Return the synchronisation daemons as a document."""
    return to_json(daemons=[daemon.asdict() for daemon in running])
