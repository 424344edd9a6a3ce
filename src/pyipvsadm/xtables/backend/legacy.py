"""The tables of a network namespace's kernel: one read and one commit a table.

Rules are changed over libiptc (libip4tc, libip6tc); a table that is only looked at, or made anew, does without it, by
``sockopt``.

libiptc.h declares the functions; they fail with an errno, for which iptc_strerror(3) has a text that depends on the
function that failed last.
"""

from __future__ import annotations

import errno

from pyipvsadm import clib
from pyipvsadm.errors import KernelError, Unsupported
from pyipvsadm.netns import NetworkNamespace
from pyipvsadm.xtables import blob, entry
from pyipvsadm.xtables.backend.rewrite import NewTable
from pyipvsadm.xtables.backend.sockopt import TableSocket
from pyipvsadm.xtables.blob import encode
from pyipvsadm.xtables.model import Chain, Rule
from pyipvsadm.xtables.reasons import commit_refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, Final

    from pyipvsadm.xtables.backend.base import Listing, Table
    from pyipvsadm.xtables.blob import Head
    from pyipvsadm.xtables.model import Kind
    from pyipvsadm.xtables.options import Family

    Image = tuple[Head, bytes]

_P, _I, _T, _U = clib.Pointer, clib.Int, clib.Text, clib.UInt32

# Functions of libiptc by name without prefix: result, arguments.
SIGNATURES: Final[dict[str, tuple[Any, ...]]] = {
    "init": (_P, _T),
    "free": (_P, _P),
    "is_chain": (_I, _T, _P),
    "first_chain": (_T, _P),
    "next_chain": (_T, _P),
    "first_rule": (_P, _T, _P),
    "next_rule": (_P, _P, _P),
    "get_target": (_T, _P, _P),
    "builtin": (_I, _T, _P),
    "get_policy": (_T, _T, _P, _P),
    "insert_entry": (_I, _T, _P, _U, _P),
    "replace_entry": (_I, _T, _P, _U, _P),
    "append_entry": (_I, _T, _P, _P),
    "check_entry": (_I, _T, _P, _P, _P),
    "delete_entry": (_I, _T, _P, _P, _P),
    "delete_num_entry": (_I, _T, _U, _P),
    "flush_entries": (_I, _T, _P),
    "zero_entries": (_I, _T, _P),
    "create_chain": (_I, _T, _P),
    "delete_chain": (_I, _T, _P),
    "rename_chain": (_I, _T, _T, _P),
    "set_policy": (_I, _T, _T, _P, _P),
    "get_references": (_I, _P, _T, _P),
    "zero_counter": (_I, _T, _U, _P),
    "set_counter": (_I, _T, _U, _P, _P),
    "commit": (_I, _P),
    "strerror": (_T, _I),
    "dump_entries": (_I, _P),
}
_LIBRARY: Final = {4: ("libip4tc.so.2", "iptc_"), 6: ("libip6tc.so.2", "ip6tc_")}
_OTHER_NAMES: Final = {(4, "dump_entries"): "dump_entries", (6, "dump_entries"): "dump_entries6"}  # without the prefix
_NAMES: Final = {4: "/proc/thread-self/net/ip_tables_names", 6: "/proc/thread-self/net/ip6_tables_names"}


class _Library:
    """The functions of libip4tc or libip6tc, each bound when it is first asked for."""

    def __init__(self, family: Family) -> None:
        self._family = family
        name, self._prefix = _LIBRARY[family]
        try:
            self._handle = clib.open_library(name)
        except OSError as problem:
            raise Unsupported(f"{name}: {problem}: install iptables") from None

    def __getattr__(self, name: str) -> Any:
        symbol = _OTHER_NAMES.get((self._family, name), self._prefix + name)
        function = clib.function(self._handle, symbol, *SIGNATURES[name])
        setattr(self, name, function)
        return function


_libraries: dict[Family, _Library] = {}


def library(family: Family) -> _Library:
    """Return libip4tc or libip6tc. Raises Unsupported where it is not installed."""
    if family not in _libraries:
        _libraries[family] = _Library(family)
    return _libraries[family]


def _decode(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


class LegacyTable:
    """A table as libiptc has it; see base.Table."""

    def __init__(self, family: Family, name: str) -> None:
        self.family = family
        self.name = name
        self._library = library(family)
        self._handle = self._library.init(encode(name))
        if not self._handle:
            raise self._error("init")
        self._append = self._library.append_entry

    def _error(self, operation: str) -> KernelError:
        number = clib.errno()
        reason = _decode(self._library.strerror(number) or b"")
        return KernelError(operation, number, reason)

    def _do(self, operation: str, *arguments: object) -> None:
        function = getattr(self._library, operation)
        if not function(*arguments, self._handle):
            raise self._error(operation)

    def chains(self, *, references: bool = True) -> list[Chain]:  # noqa: ARG002  # libiptc counts them as rules come
        """Return the chains: the built-in ones in the order of hooks, the others by name."""
        return [self._chain(name) for name in self._names()]

    def chain_names(self) -> list[str]:
        """Return the names of the chains, in the same order."""
        return [_decode(name) for name in self._names()]

    def _names(self) -> list[bytes]:
        next_chain, handle = self._library.next_chain, self._handle
        found = []
        name = self._library.first_chain(handle)
        while name is not None:
            found.append(name)
            name = next_chain(handle)
        return found

    def _chain(self, name: bytes) -> Chain:
        references = clib.UInt32()
        self._library.get_references(clib.by_reference(references), name, self._handle)
        if not self._library.builtin(name, self._handle):
            return Chain(_decode(name), None, (0, 0), references.value)
        counters = bytearray(entry.COUNTERS.size)
        policy = self._library.get_policy(name, clib.buffer(counters), self._handle)
        packets, octets = entry.COUNTERS.unpack(counters)
        return Chain(_decode(name), _decode(policy or b""), (packets, octets), references.value)

    def has_chain(self, chain: str) -> bool:
        """Whether there is a chain of this name."""
        return bool(self._library.is_chain(encode(chain), self._handle))

    def is_builtin(self, chain: str) -> bool:
        """Whether a chain belongs to a hook."""
        return bool(self._library.builtin(encode(chain), self._handle))

    def rules(self, chain: str) -> Iterator[Rule]:
        """Yield the rules of a chain."""
        library, handle, family = self._library, self._handle, self.family
        next_rule, get_target, memory = library.next_rule, library.get_target, clib.memory
        start, sizes, unpack = entry.HEADER_SIZE[family] + 4, entry.unpack_sizes, entry.unpack
        place = library.first_rule(encode(chain), handle)
        while place:
            target, size = sizes(memory(place + start, 4))
            data = memory(place, size)
            jump = "" if data[target + 2] else _decode(get_target(place, handle) or b"")  # an extension has a name
            rule = unpack(data, family, jump)
            if len(rule.target) == entry.STANDARD_SIZE:  # or it is new, and may be a jump to a chain, by a name of then
                name = get_target(place, handle) or b""
                if library.is_chain(name, handle):
                    rule = rule.replace(target=b"", jump=_decode(name))
            yield rule
            place = next_rule(place, handle)

    def append(self, chain: str, rule: Rule) -> None:
        """Add a rule at a chain's end."""
        if not self._append(encode(chain), entry.pack(rule, self.family), self._handle):
            raise self._error("append_entry")

    def append_plain(self, chain: str, rule: bytes, jump: str | None, counters: tuple[int, int]) -> None:
        """Add a rule about which there is no doubt; see base.Table."""
        if jump is not None:
            rule += entry.named_target(jump)
        if counters != (0, 0):
            rule = entry.count(rule, self.family, counters)
        if not self._append(encode(chain), rule, self._handle):
            raise self._error("append_entry")

    def insert(self, chain: str, number: int, rule: Rule) -> None:
        """Add a rule that becomes the one with this number."""
        self._do("insert_entry", encode(chain), entry.pack(rule, self.family), number - 1)

    def replace(self, chain: str, number: int, rule: Rule) -> None:
        """Put a rule in the place of another."""
        self._do("replace_entry", encode(chain), entry.pack(rule, self.family), number - 1)

    def check(self, chain: str, rule: Rule, mask: bytes) -> None:
        """Raise KernelError (ENOENT) where the chain has no such rule."""
        self._do("check_entry", encode(chain), entry.pack(rule, self.family), clib.buffer(bytearray(mask)))

    def delete(self, chain: str, rule: Rule, mask: bytes) -> None:
        """Take the first such rule away; ``mask`` has ones where the entries must be the same."""
        self._do("delete_entry", encode(chain), entry.pack(rule, self.family), clib.buffer(bytearray(mask)))

    def delete_number(self, chain: str, number: int) -> None:
        """Take a rule away."""
        self._do("delete_num_entry", encode(chain), number - 1)

    def flush(self, chain: str) -> None:
        """Take all rules of a chain away."""
        self._do("flush_entries", encode(chain))

    def zero(self, chain: str) -> None:
        """Set the counters of a chain and its rules to zero."""
        self._do("zero_entries", encode(chain))

    def zero_number(self, chain: str, number: int) -> None:
        """Set the counters of a rule to zero."""
        self._do("zero_counter", encode(chain), number)

    def create(self, chain: str) -> None:
        """Make a chain."""
        self._do("create_chain", encode(chain))

    def remove(self, chain: str) -> None:
        """Take an empty chain away to which no rule jumps."""
        self._do("delete_chain", encode(chain))

    def rename(self, old: str, new: str) -> None:
        """Give a chain another name; rules that jump to it still do."""
        self._do("rename_chain", encode(old), encode(new))

    def set_policy(self, chain: str, policy: str, counters: tuple[int, int] | None) -> None:
        """Say what becomes of packets that come to the end of a built-in chain."""
        given = clib.buffer(bytearray(entry.COUNTERS.pack(*counters))) if counters else None
        self._do("set_policy", encode(chain), encode(policy), given)

    def entries_text(self) -> str:
        """Return what libiptc prints of the entries that the kernel had when the table was read."""
        return _decode(clib.printed(self._library.dump_entries, self._handle))

    def commit(self) -> None:
        """Have the kernel take the table."""
        self._do("commit")

    def close(self) -> None:
        """Free the table."""
        if self._handle:
            self._library.free(self._handle)
            self._handle = 0


class LegacyBackend:
    """The kernel's tables of one family, in a network namespace by its name (ip-netns(8)), or in the caller's (None).

    Every method may raise Unsupported where there is no such namespace.
    """

    def __init__(self, family: Family, netns: str | None = None) -> None:
        self.family = family
        self._inside = NetworkNamespace(netns)
        self._revisions: dict[tuple[Kind, str, int], bool] = {}
        self._socket: TableSocket | None = None

    def open(self, table: str) -> LegacyTable:
        """Read a table. Raises KernelError where there is none of this name, or no right to it."""
        with self._inside:
            return LegacyTable(self.family, table)

    def read(self, table: str) -> Listing:
        """Read a table to look at it. Raises KernelError as ``open`` does."""
        try:
            image = self._opened().read(encode(table))
        except OSError:
            return self.open(table)  # which may load a module, or knows better words for what is wrong
        return blob.Snapshot(self.family, table, *image)

    def rewrite(self, table: str) -> Table:
        """Return a table that is to be made anew. Raises KernelError as ``open`` does."""
        try:
            return NewTable(self._opened(), self.family, table)
        except OSError:
            return self.open(table)  # as in read

    def image(self, table: str) -> Image:
        """Return a table as the kernel has it now. Raises KernelError."""
        try:
            head, entries = self._opened().read(encode(table))
        except OSError as problem:
            raise commit_refused(problem.errno or 0) from None
        return head, entries[: head.size]

    def put_back(self, table: str, image: Image) -> None:
        """Make a table what it was. Raises KernelError."""
        name, (head, entries) = encode(table), image
        try:
            socket = self._opened()
            socket.replace(name, head, [entries], socket.head(name).num_entries)
            socket.add_counters(name, blob.counters(self.family, entries))
        except OSError as problem:
            raise commit_refused(problem.errno or 0) from None

    def _opened(self) -> TableSocket:
        """Return the socket that tables are read over. Raises OSError."""
        if self._socket is None:
            with self._inside:
                self._socket = TableSocket(self.family)
        return self._socket

    def revision(self, kind: Kind, name: str, revisions: Sequence[int]) -> int | None:
        """Return the highest of some revisions of a match or target that the kernel has, None for none.

        A kernel that cannot be asked is taken to have all.
        """
        for revision in revisions:
            key = (kind, name, revision)
            if key not in self._revisions:
                self._revisions[key] = self._has(kind, name, revision)
            if self._revisions[key]:
                return revision
        return None

    def _has(self, kind: Kind, name: str, revision: int) -> bool:
        try:
            socket = self._opened()
        except OSError:
            return True
        try:
            socket.ask_revision(kind, name.encode(), revision)
        except OSError as problem:
            return problem.errno not in (errno.EPROTONOSUPPORT, errno.ENOENT) and revision == 0
        return True

    def close(self) -> None:
        """Close the socket that tables are read over."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def names(self) -> list[str]:
        """Return the tables that have been used, the last one first. Raises KernelError where there is no right to."""
        path = _NAMES[self.family]
        try:
            with self._inside, open(path, encoding="ascii", errors="surrogateescape") as file:
                return file.read().split()
        except PermissionError as problem:
            path = path.replace("/thread-self", "")  # as the C tool calls it
            reason = f"Failed to list table names in {path}: {problem.strerror}"
            raise KernelError("names", problem.errno or 0, reason) from None
        except OSError:
            return []
