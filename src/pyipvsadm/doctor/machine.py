"""A machine as checks see it: what the kernel tells of itself in one network namespace, each thing asked for once.

Nothing here changes anything: no module is loaded, no lock taken. What cannot be seen raises Unknown.
"""

from __future__ import annotations

import errno
import os
import shlex
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pyipvsadm import ipvs
from pyipvsadm.doctor.check import Unknown
from pyipvsadm.doctor.netfilter import Netfilter
from pyipvsadm.doctor.network import Network
from pyipvsadm.errors import KernelError
from pyipvsadm.ipvs.names import Numbers
from pyipvsadm.ipvs.words import endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from pyipvsadm.ipvs import RealServer, ServiceKey, ServiceState
    from pyipvsadm.kinds import Kind

    Presence = Literal["loaded", "built-in", "loadable", "missing"]

CAP_NET_ADMIN: Final = 12  # linux/capability.h
_NS_GET_USERNS: Final = 0xB701  # linux/nsfs.h
_SELF: Final = "/proc/thread-self"  # /proc/self is the first thread's, which may be in another namespace


class Machine:
    """The namespace that the calling thread is in; ``netns`` is what it is called, None for the caller's own.

    ``sandbox`` is the file that PYIPVSADM_SANDBOX names, if it does; ``lock`` the xtables lock's; ``kind`` what it is
    wanted for, if that was said.
    """

    def __init__(self, netns: str | None, sandbox: str | None, lock: str, kind: Kind | None = None) -> None:
        self.kind = kind
        self.netns = netns
        self.sandbox = sandbox
        self.lock = lock
        self.network = Network()
        self.netfilter = Netfilter(self.has_module)

    def close(self) -> None:
        """Close what was opened to look."""
        self.network.close()

    @property
    def prefix(self) -> str:
        """What has to stand before a command that is for this namespace."""
        if self.netns is None:
            return ""
        inside = f"nsenter --net={shlex.quote(self.netns)}" if "/" in self.netns else None
        return f"{inside or f'ip netns exec {shlex.quote(self.netns)}'} "

    # -- settings ------------------------------------------------------------------------------------------------------

    def setting(self, *parts: str) -> int | None:
        """Return a setting of sysctl(8), None where this kernel has none of that name; "/" between its parts."""
        try:
            return int(_read("/".join(("/proc/sys", *parts))))
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise Unknown(f"{setting_name(*parts)}: {problem.strerror}") from None

    def interface_setting(self, interface: str, name: str) -> int:
        """Return a setting of IPv4 on an interface, where the larger of the interface's own and that of all counts."""
        values = [self.setting("net/ipv4/conf", place, name) for place in ("all", interface)]
        return max([value for value in values if value is not None], default=0)

    # -- rights --------------------------------------------------------------------------------------------------------

    @cached_property
    def may_change(self) -> bool:
        """Whether the caller has CAP_NET_ADMIN for this network namespace."""
        return bool(_status_field("CapEff") >> CAP_NET_ADMIN & 1) and _owns_network()

    # -- modules -------------------------------------------------------------------------------------------------------

    @cached_property
    def release(self) -> str:
        """The running kernel's, as uname(1) has it."""
        return os.uname().release

    @property
    def module_directory(self) -> str:
        """Where the running kernel's modules should be."""
        return f"/lib/modules/{self.release}"

    @cached_property
    def _loads_modules(self) -> bool:
        """Whether the kernel was built to load modules."""
        return os.path.exists("/proc/modules")

    @cached_property
    def _loaded_modules(self) -> frozenset[str]:
        lines = _read("/proc/modules").splitlines() if self._loads_modules else []
        return frozenset([line.split()[0] for line in lines])

    def _listed_modules(self, name: str) -> frozenset[str]:
        try:
            lines = _read(f"{self.module_directory}/{name}").splitlines()
        except OSError:
            return frozenset()
        return frozenset([module_of(line) for line in lines])

    @cached_property
    def _built_in_modules(self) -> frozenset[str]:
        return self._listed_modules("modules.builtin")

    @cached_property
    def _loadable_modules(self) -> frozenset[str]:
        return self._listed_modules("modules.dep")

    def module(self, name: str, sign: str = "") -> Presence:
        """Return where a module is; ``sign`` is a file below the thread's /proc that only a kernel with it has.

        Raises Unknown where nothing says what the kernel was built with, as in most containers.
        """
        if name in self._loaded_modules:
            return "loaded"
        if name in self._built_in_modules or os.path.exists(f"/sys/module/{name}"):
            return "built-in"
        if sign and os.path.exists(f"{_SELF}/{sign}"):
            return "built-in"
        if name in self._loadable_modules:
            return "loadable"
        listed = self._loadable_modules or self._built_in_modules
        if not listed and (self._loads_modules or not sign):
            raise Unknown(f"{name}: there is no {self.module_directory}, which would say whether the kernel has it")
        return "missing"

    def has_module(self, name: str) -> bool:
        """Whether the kernel can do what a module is for without loading it; True where nothing says."""
        try:
            return self.module(name) in ("loaded", "built-in")
        except Unknown:
            return True

    # -- virtual servers -----------------------------------------------------------------------------------------------

    @cached_property
    def services(self) -> list[ServiceState]:
        """The virtual services; none where the kernel has no IPVS, which is not loaded for this.

        Who may not ask for them gets them from the kernel's listing, without thresholds and counters.
        """
        try:
            listed = ipvs.listed()
        except FileNotFoundError:
            return []
        except OSError as problem:
            raise Unknown(f"virtual services: {problem.strerror}") from None
        if not self.may_change:
            return [*listed.services]
        try:
            with ipvs.open() as table:
                return table.services()
        except KernelError as error:
            raise Unknown(f"virtual services: {error}") from None

    def servers(self, *forwards: str) -> Iterator[tuple[ServiceKey, RealServer]]:
        """Yield all real servers to which a method of forwarding leads ("masq", "gateway", "ipip")."""
        for service in self.services:
            for server in service.servers:
                if server.config.forward in forwards:
                    yield service.config.key, server.config

    def virtual_addresses(self) -> dict[str, ServiceKey]:
        """Return the addresses of services, each with the first service that has it."""
        found: dict[str, ServiceKey] = {}
        for service in self.services:
            if service.config.key.address:
                found.setdefault(service.config.key.address, service.config.key)
        return found


def service_name(key: ServiceKey) -> str:
    """Return what a virtual service is called: "TCP 192.0.2.1:80", "FWM 3"."""
    if key.protocol is None:
        return f"FWM {key.fwmark}{' IPv6' if key.family == 6 else ''}"
    return f"{key.protocol.upper()} {endpoint(Numbers(), key.address, key.port, None)}"


def setting_name(*parts: str) -> str:
    """Return a setting's name as sysctl(8) takes it: with dots, or slashes where an interface's name has a dot."""
    name = "/".join(parts)
    return name if any("." in part for part in parts) else name.replace("/", ".")


def module_of(line: str) -> str:
    """Return the module that a line of modules.dep or modules.builtin is about: "net/ip-x.ko.xz: …" gives "ip_x"."""
    path = line.partition(":")[0]
    return path.rpartition("/")[2].partition(".ko")[0].replace("-", "_")


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def _status_field(name: str) -> int:
    """Return a mask of /proc/…/status."""
    for line in _read(f"{_SELF}/status").splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value, 16)
    return 0


def _owns_network() -> bool:
    """Whether rights in the caller's user namespace count in its network namespace.

    They do not where the network namespace is owned by another one further out, as after ``unshare --user`` alone: the
    kernel then refuses to say which.
    """
    import fcntl

    descriptor = os.open(f"{_SELF}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        owner = fcntl.ioctl(descriptor, _NS_GET_USERNS)
    except OSError as problem:
        return problem.errno != errno.EPERM  # kernels before 4.9 cannot be asked
    finally:
        os.close(descriptor)
    os.close(owner)
    return True
