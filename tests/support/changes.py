"""Random changes of a table, from pools small enough that they meet, with what the kernel refuses among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from pyipvsadm.ipvs import command
from pyipvsadm.ipvs.model import (
    FORWARD_FLAGS,
    PROTOCOL_NUMBERS,
    TUNNEL_TYPES,
    RealServer,
    ServerKey,
    ServiceKey,
    SyncDaemon,
    Timeouts,
    VirtualService,
)

if TYPE_CHECKING:
    from pyipvsadm.ipvs.model import Family

# Without twos, which Debian's kernel does not build.
SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "none")
INTERFACE = "d0"  # a kernel that these are tried on needs it, up: lo takes no IPv6 multicast
BAD_SERVERS: dict[Family, tuple[str, ...]] = {
    4: ("0.0.0.0", "224.0.0.1", "239.1.1.1", "255.255.255.255", "127.255.255.255"),
    6: ("::", "ff02::1", "fe80::1", "febf::1", "::ffff:1.2.3.4"),
}
GOOD_SERVERS: dict[Family, tuple[str, ...]] = {
    4: ("10.1.0.1", "10.1.0.2", "127.0.0.1", "240.0.0.1"),
    6: ("2001:db8::1", "2001:db8::2", "::1", "fec0::1", "::1.2.3.4"),
}

service_keys = st.one_of(
    st.builds(
        ServiceKey, st.just(4), st.sampled_from([*PROTOCOL_NUMBERS]), st.just("10.0.0.1"), st.sampled_from((0, 80))
    ),
    st.builds(ServiceKey, st.just(6), st.just("udp"), st.sampled_from(("2001:db8::9", "::")), st.just(53)),
    st.builds(ServiceKey, st.sampled_from((4, 6)), fwmark=st.sampled_from((1, 2))),
)


def _server_keys(*pools: dict[Family, tuple[str, ...]]) -> st.SearchStrategy[ServerKey]:
    pairs = [(family, address) for pool in pools for family, addresses in pool.items() for address in addresses]
    return st.builds(
        lambda pair, port: ServerKey(pair[0], pair[1], port), st.sampled_from(pairs), st.sampled_from((0, 80))
    )


server_keys = st.one_of(_server_keys(GOOD_SERVERS), _server_keys(GOOD_SERVERS), _server_keys(BAD_SERVERS))


def _services(key: ServiceKey) -> st.SearchStrategy[VirtualService]:
    masks = (None, 0, 0xFFFFFF00, 0xFFFFFFFF) if key.family == 4 else (None, 0, 1, 64, 128, 129)
    return st.builds(
        VirtualService,
        st.just(key),
        scheduler=st.sampled_from((*SCHEDULERS, "nosuch")),
        flags=st.sampled_from((0, 1, 2, 4, 8, 16, 63)),
        timeout=st.sampled_from((0, 1, 300, 2678400)),
        netmask=st.sampled_from(masks),
        pe_name=st.sampled_from(("", "", "sip", "nosuch")),
    )


services = service_keys.flatmap(_services)
servers = st.builds(
    RealServer,
    server_keys,
    forward=st.sampled_from(("ipip", *FORWARD_FLAGS)),
    weight=st.sampled_from((0, 1, 1, 65536, 0x7FFFFFFF, -1)),
    u_threshold=st.sampled_from((0, 0, 0, 9, 0x7FFFFFFF, 0x80000000)),
    l_threshold=st.sampled_from((0, 0, 0, 9, 10, 0xFFFFFFFF)),
    tun_type=st.sampled_from([*TUNNEL_TYPES]),
    tun_port=st.sampled_from((0, 1, 65535)),
    tun_flags=st.sampled_from((0, 1, 2, 65535)),
)
daemons = st.builds(
    SyncDaemon,
    st.sampled_from(("master", "backup")),
    mcast_ifn=st.sampled_from((INTERFACE, INTERFACE, INTERFACE, "")),
    syncid=st.sampled_from((0, 7, 255, 256)),
    sync_maxlen=st.sampled_from((0, 1, 1023, 1024, 1472, 65507, 65535)),
    mcast_group=st.sampled_from(("", "224.1.2.3", "ff02::81", "10.0.0.1", "2001:db8::1")),
    mcast_port=st.sampled_from((0, 1, 65535)),
    mcast_ttl=st.sampled_from((0, 1, 255)),
)
_seconds = st.sampled_from((0, 1, 900, 8589934, 8589935))
timeouts = st.builds(Timeouts, _seconds, _seconds, _seconds)

_common = (
    st.builds(command.AddService, services),
    st.builds(command.AddService, services),
    st.builds(command.EditService, services),
    st.builds(command.AddServer, service_keys, servers),
    st.builds(command.AddServer, service_keys, servers),
    st.builds(command.EditServer, service_keys, servers),
    st.builds(command.DeleteServer, service_keys, server_keys),
)
_rare = st.one_of(
    st.builds(command.DeleteService, service_keys),
    st.just(command.Flush()),
    st.builds(command.Zero, st.none() | service_keys),
    st.builds(command.SetTimeouts, timeouts),
    st.builds(command.StartDaemon, daemons),
    st.builds(command.StopDaemon, daemons),
)
changes: st.SearchStrategy[command.Change] = st.one_of(*_common, _rare)
sequences = st.lists(changes, min_size=1, max_size=60)
