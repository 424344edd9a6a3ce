"""Links, addresses and routes of the calling thread's network namespace, over pyroute2."""

from __future__ import annotations

import errno
from functools import cached_property
from ipaddress import ip_address, ip_interface
from typing import TYPE_CHECKING, Any, Final

from pyipvsadm.doctor.check import Unknown
from pyipvsadm.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

_IFF_UP, _IFF_LOOPBACK, _IFF_NOARP = 0x1, 0x8, 0x80  # linux/if.h
_RTN_LOCAL: Final = 2  # linux/rtnetlink.h
_RTN_UNICAST: Final = 1
# What the kernel says of an address that no packet can be sent to, or not from where it is asked about.
_REFUSALS: Final = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EINVAL, errno.EXDEV)


class Link(Record):
    """A network interface; ``kind`` is "" for hardware, else "veth", "dummy", "ipip" …"""

    index: int
    name: str
    kind: str
    up: bool
    loopback: bool
    arp: bool
    mtu: int


class Address(Record):
    """An address of an interface, by the interface's index, and the length of its prefix."""

    text: str
    length: int
    index: int

    @property
    def alone(self) -> bool:
        """Whether its network is the address itself, as of a virtual address on a real server."""
        return self.length == ip_address(self.text).max_prefixlen

    def neighbours(self, address: str) -> bool:
        """Whether an address is in its network."""
        return ip_address(address) in ip_interface(f"{self.text}/{self.length}").network


class Route(Record):
    """How packets to an address leave: through an interface, "" where the address is this machine's own.

    ``gateway`` is "" where the address is on the link.
    """

    local: bool
    interface: str = ""
    gateway: str = ""


class Network:
    """What rtnetlink(7) tells; each thing is asked once. Anything may raise Unknown."""

    def __init__(self) -> None:
        self._socket: Any = None
        self._routes: dict[tuple[str, str, str], Route | None] = {}

    def _ask(self, command: str, *arguments: Any, **options: Any) -> list[Any]:
        """Ask over one socket. Raises NetlinkError of pyroute2."""
        from pyroute2 import IPRoute

        try:
            if self._socket is None:
                self._socket = IPRoute()
            return list(getattr(self._socket, command)(*arguments, **options))
        except OSError as problem:
            raise Unknown(f"routing sockets: {problem.strerror}") from None

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @cached_property
    def links(self) -> list[Link]:
        """All interfaces."""
        found = []
        for link in self._ask("get_links"):
            information = link.get_attr("IFLA_LINKINFO")
            flags = link["flags"]
            found.append(
                Link(
                    index=link["index"],
                    name=link.get_attr("IFLA_IFNAME"),
                    kind=(information.get_attr("IFLA_INFO_KIND") if information else None) or "",
                    up=bool(flags & _IFF_UP),
                    loopback=bool(flags & _IFF_LOOPBACK),
                    arp=not flags & (_IFF_LOOPBACK | _IFF_NOARP),
                    mtu=link.get_attr("IFLA_MTU"),
                )
            )
        return found

    @cached_property
    def addresses(self) -> list[Address]:
        """All addresses of interfaces."""
        return [
            Address(found.get_attr("IFA_LOCAL") or found.get_attr("IFA_ADDRESS"), found["prefixlen"], found["index"])
            for found in self._ask("get_addr")
        ]

    def link(self, interface: str) -> Link | None:
        """Return the interface of a name."""
        return next((link for link in self.links if link.name == interface), None)

    def on(self, *links: Link) -> Iterator[Address]:
        """Yield the addresses of interfaces."""
        indices = [link.index for link in links]
        return (address for address in self.addresses if address.index in indices)

    def route(self, address: str, source: str = "", interface: str = "") -> Route | None:
        """Return how the kernel would send a packet to an address, None where it would not.

        With ``source`` and ``interface``: one that came in through the interface from that address.
        """
        key = (address, source, interface)
        if key not in self._routes:
            self._routes[key] = self._ask_route(*key)
        return self._routes[key]

    def _ask_route(self, address: str, source: str, interface: str) -> Route | None:
        from pyroute2.netlink.exceptions import NetlinkError

        names = {link.index: link.name for link in self.links}
        indices = {link.name: link.index for link in self.links}
        came = {"src": source, "iif": indices[interface]} if interface else {}
        try:
            [found] = self._ask("route", "get", dst=address, **came)
        except NetlinkError as refusal:
            if refusal.code in _REFUSALS:
                return None
            raise Unknown(f"the route to {address}: {refusal.args[1]}") from None
        if found["type"] == _RTN_LOCAL:
            return Route(local=True)
        if found["type"] != _RTN_UNICAST:  # IPv6 tells so of what it would refuse
            return None
        via = found.get_attr("RTA_VIA")  # of the other family
        gateway = found.get_attr("RTA_GATEWAY") or (via["addr"] if via else "")
        return Route(local=False, interface=names.get(found.get_attr("RTA_OIF"), ""), gateway=gateway)
