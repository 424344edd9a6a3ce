"""Administration of Linux load balancing: IPVS now, netfilter's tables next.

    import pyipvsadm

    with pyipvsadm.ipvs.open() as lvs:
        for service in lvs.services():
            print(service.config.key, [server.config.key for server in service.servers])

Importing the package opens nothing; each subsystem is imported when it is first named.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyipvsadm import ipvs as ipvs

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import the public subpackages when they are first named: the drop-in commands share this file."""
    if name == "ipvs":
        import importlib

        return importlib.import_module("pyipvsadm.ipvs")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
