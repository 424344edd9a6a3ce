"""The connection table as the kernel prints it: /proc/net/ip_vs_conn, a line an entry.

Columns, separated by blanks: protocol, client address and port, virtual address and port, server address and port,
state, seconds until it expires, and with a persistence engine its name and data. Addresses are eight hexadecimal
digits for IPv4, eight groups with colons for IPv6, ports four hexadecimal digits.
"""

from __future__ import annotations

from _socket import AF_INET, AF_INET6, inet_ntop

from pyipvsadm.errors import WireError
from pyipvsadm.ipvs.model import Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

PATH: Final = "/proc/thread-self/net/ip_vs_conn"


def parse(lines: Iterable[bytes]) -> Iterator[Connection]:
    """Yield the entries of the file's lines; the first line holds the titles. Raises WireError."""
    iterator = iter(lines)
    next(iterator, None)
    for line in iterator:
        fields = line.split(None, 10)
        try:
            protocol, client, cport, virtual, vport, server, dport, state, expires, *engine = fields
            yield Connection(
                protocol.decode(),
                _address(client),
                int(cport, 16),
                _address(virtual),
                int(vport, 16),
                _address(server),
                int(dport, 16),
                state.decode(),
                int(expires),
                engine[0].decode() if engine else "",
                engine[1].rstrip(b"\n").decode("utf-8", "surrogateescape") if len(engine) > 1 else "",
            )
        except ValueError:
            raise WireError(PATH, 0, "nine columns or more of a connection", repr(line)) from None


def _address(digits: bytes) -> str:
    if b":" in digits:
        return inet_ntop(AF_INET6, bytes.fromhex(digits.replace(b":", b"").decode()))
    return inet_ntop(AF_INET, bytes.fromhex(digits.decode()))
