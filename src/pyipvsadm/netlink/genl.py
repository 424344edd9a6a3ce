"""Generic netlink: a family found by its name, requests made of a command and attributes (linux/genetlink.h)."""

from __future__ import annotations

import struct

from pyipvsadm.abi import genetlink as abi
from pyipvsadm.abi.netlink import NETLINK_GENERIC
from pyipvsadm.netlink.attrs import iterate
from pyipvsadm.netlink.socket import NetlinkSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from pyipvsadm.netlink.socket import NetlinkError

_ATTRIBUTE: Final = struct.Struct("=HH")  # struct nlattr
HEADER_SIZE: Final = 4  # struct genlmsghdr: u8 cmd, u8 version, u16 reserved


def nested(number: int, attributes: bytes) -> bytes:
    """Wrap attributes, whose length is a multiple of 4, into one that holds them."""
    return _ATTRIBUTE.pack(4 + len(attributes), number) + attributes


class GenericSocket:
    """A socket for one generic netlink family, found on first use of its name.

    Raises NetlinkError (errno ENOENT) at creation where the kernel has no such family.
    """

    def __init__(self, family: str, version: int) -> None:
        self._socket = NetlinkSocket(NETLINK_GENERIC)
        self._version = version
        try:
            self._family = self._resolve(family)
        except OSError:
            self._socket.close()
            raise

    def _resolve(self, family: str) -> int:
        name = family.encode() + b"\0"
        attribute = struct.pack("=HH", 4 + len(name), abi.CTRL_ATTR_FAMILY_NAME) + name + bytes(-len(name) % 4)
        request = struct.pack("=BBH", abi.CTRL_CMD_GETFAMILY, 1, 0) + attribute
        data, start, end = self._socket.get(abi.GENL_ID_CTRL, request)
        for number, at, _ in iterate(data, start + HEADER_SIZE, end, "CTRL_CMD_NEWFAMILY"):
            if number == abi.CTRL_ATTR_FAMILY_ID:
                found: int = struct.unpack_from("=H", data, at)[0]
                return found
        raise AssertionError("the controller answered without a family id")

    def request(self, command: int, attributes: bytes = b"") -> tuple[int, bytes]:
        """Return a request of this family for ``submit``."""
        return self._family, bytes((command, self._version, 0, 0)) + attributes

    def submit(self, requests: Iterable[tuple[int, bytes]]) -> list[tuple[int, NetlinkError]]:
        """Carry out requests in order; see NetlinkSocket.submit."""
        return self._socket.submit(requests)

    def get(self, command: int, attributes: bytes = b"") -> tuple[bytes, int, int]:
        """Return (buffer, start, end) of the one answer's attributes. Raises NetlinkError."""
        data, start, end = self._socket.get(*self.request(command, attributes))
        return data, start + HEADER_SIZE, end

    def dump(self, command: int, attributes: bytes = b"") -> list[tuple[bytes, int, int]]:
        """Return (buffer, start, end) of the attributes of every message of a dump. Raises NetlinkError."""
        answers = self._socket.dump(*self.request(command, attributes))
        return [(data, start + HEADER_SIZE, end) for data, start, end in answers]

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
