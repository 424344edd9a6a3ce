"""The kernel's own interface to tables, getsockopt(2) and setsockopt(2): a table is read, and replaced, as a whole.

libiptc stands on the same calls. It is the better one to change a few rules of a large table; it is left out where all
of a table is only looked at, or made anew, and where it would copy every rule once more. Structures are in ``blob``.
"""

from __future__ import annotations

import _socket
import errno

from pyipvsadm import clib
from pyipvsadm.abi import ip6_tables as abi6
from pyipvsadm.abi import ip_tables as abi
from pyipvsadm.xtables import blob, entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap
    from collections.abc import Sequence
    from typing import Final

    from pyipvsadm.xtables.blob import Head
    from pyipvsadm.xtables.model import Kind
    from pyipvsadm.xtables.options import Family

_DOMAIN: Final = {4: _socket.AF_INET, 6: _socket.AF_INET6}
_LEVEL: Final = {4: _socket.IPPROTO_IP, 6: _socket.IPPROTO_IPV6}
_GET_REVISION: Final = {
    (4, "match"): abi.IPT_SO_GET_REVISION_MATCH,
    (4, "target"): abi.IPT_SO_GET_REVISION_TARGET,
    (6, "match"): abi6.IP6T_SO_GET_REVISION_MATCH,
    (6, "target"): abi6.IP6T_SO_GET_REVISION_TARGET,
}
# The others have the same numbers in both families.
_GET_INFO: Final = abi.IPT_SO_GET_INFO
_GET_ENTRIES: Final = abi.IPT_SO_GET_ENTRIES
_SET_REPLACE: Final = abi.IPT_SO_SET_REPLACE
_SET_ADD_COUNTERS: Final = abi.IPT_SO_SET_ADD_COUNTERS
_TRIES: Final = 10


class TableSocket:
    """The tables of one family, in the network namespace in which it is made. Every method may raise OSError."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._level = _LEVEL[family]
        self._socket = _socket.socket(_DOMAIN[family], _socket.SOCK_RAW | _socket.SOCK_CLOEXEC, _socket.IPPROTO_RAW)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _ask(self, option: int, data: bytearray | mmap.mmap) -> None:
        """Have the kernel answer a question in its place."""
        size = clib.UInt32(len(data))
        if clib.getsockopt(self._socket.fileno(), self._level, option, clib.buffer(data), clib.by_reference(size)):
            number = clib.errno()
            raise OSError(number, "getsockopt")

    def ask_revision(self, kind: Kind, name: bytes, revision: int) -> None:
        """Raise OSError where the kernel has no such revision of a match or target."""
        self._ask(_GET_REVISION[self._family, kind], bytearray(blob.GET_REVISION.pack(name, revision)))

    def head(self, name: bytes) -> Head:
        """Return what the kernel tells of a table."""
        data = bytearray(blob.INFO.pack(name, *[0] * 13))
        self._ask(_GET_INFO, data)
        return blob.unpack_head(bytes(data))

    def read(self, name: bytes) -> tuple[Head, mmap.mmap]:
        """Return a table's head and, in the first ``size`` bytes of the memory, its entries.

        Where the table changes between the two calls that this takes, they are made again.
        """
        import mmap

        for left in reversed(range(_TRIES)):
            head = self.head(name)
            # Slices of such memory are bytes, without another copy of all of it.
            size = blob.GET_ENTRIES.size + head.size
            data = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            blob.GET_ENTRIES.pack_into(data, 0, name, head.size)
            try:
                self._ask(_GET_ENTRIES, data)
            except OSError as problem:
                if problem.errno != errno.EAGAIN or not left:
                    raise
            else:
                data.move(0, blob.GET_ENTRIES.size, head.size)
                return head, data
        raise AssertionError("unreachable")

    def replace(self, name: bytes, head: Head, entries: Sequence[bytes | bytearray], before: int) -> None:
        """Put a table, whose entries are in pieces, in the place of one that has ``before`` entries.

        The counters of its entries are zero then, whatever they say. The kernel refuses with EAGAIN where the table
        that is there has another number of entries.
        """
        old = bytearray(entry.COUNTERS.size * before)  # the old counters, which nobody reads
        request = blob.request(name, head, before, clib.buffer(old).value or 0)
        self._socket.setsockopt(self._level, _SET_REPLACE, b"".join([request, *entries]))

    def add_counters(self, name: bytes, counters: Sequence[bytes]) -> None:
        """Add packed counters to those of a table's entries, one for each."""
        self._socket.setsockopt(
            self._level, _SET_ADD_COUNTERS, blob.COUNTERS_INFO.pack(name, len(counters)) + b"".join(counters)
        )
