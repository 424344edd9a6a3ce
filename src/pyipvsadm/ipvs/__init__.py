"""IPVS, the kernel's layer-4 load balancer: virtual services, real servers, counters.

    from pyipvsadm import ipvs

    with ipvs.open() as lvs:
        web = ipvs.ServiceKey(4, "tcp", "192.0.2.1", 80)
        lvs.apply(
            ipvs.AddService(ipvs.VirtualService(web, scheduler="wrr")),
            ipvs.AddServer(web, ipvs.RealServer(ipvs.ServerKey(4, "10.0.0.1", 80), "masq", weight=3)),
        )
        for service in lvs.services():
            print(service.config.key, [server.config.key for server in service.servers])

The names of the interface are those of ``pyipvsadm.ipvs.api``, which is imported when one of them is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyipvsadm.ipvs.api import *  # noqa: F403  # __all__ stands there

_FUNCTIONS = ("changes", "command_line", "listed", "open", "parse", "sandbox", "save")


def __getattr__(name: str) -> object:
    """Import the interface when a name of it is asked for: the drop-in commands do without, and share this file."""
    if name[:1].isupper() or name in _FUNCTIONS:
        from pyipvsadm.ipvs import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    from pyipvsadm.ipvs import api

    return api.__all__
