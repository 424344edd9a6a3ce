"""What hosts, networks, ports and protocols are called, and what their names stand for; each question is asked once."""

from __future__ import annotations

import _socket

from pyipvsadm.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final, Literal

    from pyipvsadm.xtables.options import Family

# Protocols that rules name even where the system's list of them (/etc/protocols) does not.
PROTOCOLS: Final = {
    "tcp": 6,
    "sctp": 132,
    "udp": 17,
    "udplite": 136,
    "icmp": 1,
    "ipv6-icmp": 58,
    "icmpv6": 58,
    "esp": 50,
    "ah": 51,
    "mobility-header": 135,
    "ipv6-mh": 135,
    "mh": 135,
    "all": 0,
}
_COMMON: Final = {1: "icmp", 6: "tcp", 17: "udp"}  # by this name on every system
_PROTOCOL_NAMES: Final[dict[int, str]] = {}
for _name, _number in PROTOCOLS.items():
    _PROTOCOL_NAMES.setdefault(_number, _name)


class Resolver:
    """Answers questions about names, from the system, and remembers the answers.

    ``warn`` takes a line about what cannot be asked.
    """

    def __init__(self, warn: Callable[[str], None] = lambda _: None) -> None:
        self._warn = warn
        self._addresses: dict[tuple[str, Family], list[bytes]] = {}
        self._hosts: dict[bytes, str] = {}
        self._ports: dict[tuple[str, str | None], int | None] = {}
        self._services: dict[tuple[int, str | None], str] = {}
        self._protocols: dict[int, str] = {}
        self._networks: list[tuple[bytes, list[str]]] | None = None
        self._files: dict[str, dict[str, int]] = {}

    def file(self, path: str, read: Callable[[Iterable[str]], dict[str, int]]) -> dict[str, int]:
        """Return the numbers that names have in a file, as ``read`` finds them in its lines; none without the file."""
        if path not in self._files:
            self._files[path] = {}
            try:
                with open(path, encoding="utf-8", errors="surrogateescape") as lines:
                    self._files[path] = read(lines)
            except OSError as problem:
                self._warn(f"Warning: cannot open {path}: {problem.strerror}")
        return self._files[path]

    def addresses(self, host: str, family: Family) -> list[bytes]:
        """Return the addresses of a host, 4 or 16 bytes each, in the system's order; [] for none."""
        key = (host, family)
        if key not in self._addresses:
            self._addresses[key] = self._ask_addresses(host, family)
        return self._addresses[key]

    def _ask_addresses(self, host: str, family: Family) -> list[bytes]:
        kind = _socket.AF_INET if family == 4 else _socket.AF_INET6
        try:
            return [_socket.inet_pton(kind, host)]
        except (OSError, ValueError):
            pass
        encoded: Any = host.encode("utf-8", "surrogateescape")
        try:
            answers = _socket.getaddrinfo(encoded, None, kind, _socket.SOCK_RAW)
        except (OSError, ValueError):
            return []
        found = [_socket.inet_pton(kind, str(answer[4][0])) for answer in answers]
        return list(dict.fromkeys(found))

    def number_in_kernel(self, kind: Literal["set", "program"], name: str) -> int | None:  # noqa: ARG002
        """Return what stands for a name that the kernel numbers, a set or a pinned program; None to have it asked."""
        return None

    def network(self, name: str, family: Family) -> list[bytes]:
        """Return the address of a network by its name (/etc/networks, IPv4 alone); [] for none."""
        if family != 4:
            return []
        return [address for address, names in self._system_networks() if name in names][:1]

    def _system_networks(self) -> list[tuple[bytes, list[str]]]:
        """Read /etc/networks, IPv4 addresses and their names: Python has no getnetbyname(3)."""
        if self._networks is None:
            self._networks = []
            try:
                with open("/etc/networks", encoding="utf-8", errors="surrogateescape") as file:
                    for line in file:
                        words = line.partition("#")[0].split()
                        try:
                            packed = bytes([int(part) for part in words[1].split(".")])
                        except (ValueError, IndexError):
                            continue
                        self._networks.append((packed.ljust(4, b"\0")[:4], words[:1] + words[2:]))
            except OSError:
                pass
        return self._networks

    def host(self, packed: bytes) -> str:
        """Return the name of an address or, for IPv4, of a network; the address where it has none."""
        name = self._hosts.get(packed)
        if name is None:
            text = _socket.inet_ntop(_socket.AF_INET if len(packed) == 4 else _socket.AF_INET6, packed)
            try:
                name = _socket.getnameinfo((text, 0), _socket.NI_NAMEREQD)[0]
            except (OSError, ValueError):
                name = next((names[0] for network, names in self._system_networks() if network == packed), text)
            self._hosts[packed] = name
        return name

    def port(self, name: str, protocol: str | None) -> int | None:
        """Return the port of a service, for a protocol or for any; None for an unknown name."""
        key = (name, protocol)
        if key not in self._ports:
            try:
                self._ports[key] = _socket.getservbyname(name, protocol) if protocol else _socket.getservbyname(name)
            except (OSError, ValueError):
                self._ports[key] = None
        return self._ports[key]

    def service(self, port: int, protocol: str | None) -> str:
        """Return the name of a port, for a protocol or for any, or its number."""
        key = (port, protocol)
        if key not in self._services:
            try:
                name = _socket.getservbyport(port, protocol) if protocol else _socket.getservbyport(port)
            except (OSError, OverflowError):
                name = str(port)
            self._services[key] = name
        return self._services[key]

    def protocol_number(self, name: str) -> int | None:
        """Return the number of a protocol, in any case of letters; None for an unknown name."""
        name = name.lower()
        if name in PROTOCOLS:
            return PROTOCOLS[name]
        try:
            return _socket.getprotobyname(name)
        except (OSError, ValueError):
            return None

    def protocol(self, number: int) -> str | None:
        """Return the name of a protocol, None where it has none."""
        if number in _COMMON:
            return _COMMON[number]
        return self._system_protocols().get(number) or _PROTOCOL_NAMES.get(number)

    @staticmethod
    def listed_protocol(number: int) -> str:
        """Return the name of a protocol without asking the system, its number where that takes asking."""
        return _PROTOCOL_NAMES.get(number, str(number))

    def _system_protocols(self) -> dict[int, str]:
        """Read /etc/protocols: there is no getprotobynumber(3) in Python."""
        if not self._protocols:
            self._protocols[-1] = ""
            try:
                with open("/etc/protocols", encoding="utf-8", errors="surrogateescape") as file:
                    for line in file:
                        words = line.partition("#")[0].split()
                        if len(words) > 1 and words[1].isdigit():
                            self._protocols.setdefault(int(words[1]), words[0])
            except OSError:
                pass
        return self._protocols


class DumpResolver(Resolver):
    """Names in dumps: what a kernel has by number is not asked of one, but has a stand-in all through the process."""

    def number_in_kernel(self, kind: Literal["set", "program"], name: str) -> int | None:
        """Return what stands for a set, or for a pinned program, of which nothing shows the number.

        Raises UsageError.
        """
        if kind == "program":
            return 0
        if name not in _stand_ins:
            if len(_stand_ins) > _HIGHEST_SET:
                raise UsageError("more sets than a kernel has room for")
            _stand_ins[name] = _HIGHEST_SET - len(_stand_ins)
            _stood_for[_stand_ins[name]] = name
        return _stand_ins[name]


def stood_for(number: int) -> str | None:
    """Return the name of the set that a number stands for, None where it does for none."""
    return _stood_for.get(number)


_HIGHEST_SET: Final = 0xFFFE  # a kernel counts them from 0
_stand_ins: Final[dict[str, int]] = {}
_stood_for: Final[dict[int, str]] = {}
