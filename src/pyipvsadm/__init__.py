"""Administration of Linux load balancing: IPVS, and netfilter's tables.

    import pyipvsadm

    with pyipvsadm.ipvs.open() as lvs:
        for service in lvs.services():
            print(service.config.key, [server.config.key for server in service.servers])

    with pyipvsadm.iptables.open("filter", family=4) as table:
        table.append("INPUT", "-p tcp --dport 80 -j ACCEPT")

Importing the package opens nothing; each subsystem is imported when it is first named.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyipvsadm import check as check
    from pyipvsadm import iptables as iptables
    from pyipvsadm import ipvs as ipvs

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import the public subpackages when they are first named: the drop-in commands share this file."""
    if name in ("check", "iptables", "ipvs"):
        import importlib

        return importlib.import_module(f"pyipvsadm.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
