"""Real servers of direct routing: they have the virtual address, and must keep quiet about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyipvsadm.doctor.check import IPVS, Fault, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyipvsadm.doctor.check import Check
    from pyipvsadm.doctor.machine import Machine

_HIDDEN: Final = ("dummy", "ipip")  # where real servers have virtual addresses, besides lo
_READS: Final = ("virtual services", "addresses")


def _virtual_addresses(machine: Machine) -> list[str]:
    """Return the IPv4 addresses that this machine seems to have as a real server.

    They stand alone on lo, a dummy or a tunnel. Those of a service of this machine are a director's own.
    """
    network = machine.network
    places = [link for link in network.links if link.up and (link.loopback or link.kind in _HIDDEN)]
    found = [address.text for address in network.on(*places) if address.alone and ":" not in address.text]
    candidates = [text for text in dict.fromkeys(found) if not text.startswith("127.")]
    if not candidates:
        return []
    virtual = machine.virtual_addresses()
    return [text for text in candidates if text not in virtual]


def _loud(machine: Machine, setting: str, enough: tuple[int, ...]) -> list[str]:
    """Return the interfaces with a neighbourhood on which a setting has another value."""
    links = [link for link in machine.network.links if link.up and link.arp and link.kind not in _HIDDEN]
    return [link.name for link in links if machine.interface_setting(link.name, setting) not in enough]


def _keeps_quiet(setting: str, enough: tuple[int, ...], summary: str, loudness: str) -> Check:
    """Declare the check of a setting that keeps such an address quiet, with the values that do; the first mends it."""

    @check(
        setting.replace("_", "-"),
        summary,
        severity="warning",
        kinds=IPVS,
        reads=(f"net.ipv4.conf.*.{setting}", *_READS),
        reason="{address} is an address of this machine that stands alone, as a virtual address does on a real server "
        f"of direct routing; {loudness}. If it is none, all is well",
        mend=(f"sysctl -w net.ipv4.conf.all.{setting}={enough[0]}",),
    )
    def declared(machine: Machine) -> Iterator[Fault]:
        """Look whether an interface is too loud about an address that stands alone."""
        for address in _virtual_addresses(machine):
            loud = _loud(machine, setting, enough)
            if loud:
                yield Fault(address=address, interfaces=", ".join(loud))

    return declared


arp_ignore = _keeps_quiet(
    "arp_ignore",
    (1, 2, 8),  # an address of another interface is not answered for
    "a real server does not answer for the virtual address",
    "this machine answers ARP requests for it on {interfaces} and so takes it from the director",
)
arp_announce = _keeps_quiet(
    "arp_announce",
    (2,),  # the sender is the best address of the interface
    "a real server does not announce the virtual address",
    "the ARP requests for the way of its answers out of {interfaces} carry it, and so take it from the director",
)
