"""Tables of rules without a kernel: in memory, or kept in a file from one command to the next.

What a kernel refuses was found by experiment (Linux 6.18); what libiptc refuses is in ``table``.
"""

from __future__ import annotations

import binascii
import errno
import sys

from pyipvsadm.errors import KernelError, PyIpvsadmError
from pyipvsadm.sandbox import SandboxFile
from pyipvsadm.xtables import checks, entry
from pyipvsadm.xtables.model import POLICIES, TABLES, VERDICTS, Rule
from pyipvsadm.xtables.table import MemoryTable, Stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import Any, Final

    from pyipvsadm.xtables.model import Kind
    from pyipvsadm.xtables.options import Family
    from pyipvsadm.xtables.table import Contents

_LONGEST_TABLE: Final = 31  # XT_TABLE_MAXNAMELEN without its NUL
_MEMBER: Final = "xtables"
_FAMILIES: Final[dict[Family, str]] = {4: "ipv4", 6: "ipv6"}


class SandboxTable(MemoryTable):
    """A table of a sandbox, as it was when it was opened and as it has become."""

    def __init__(self, backend: SandboxBackend, name: str, contents: Contents) -> None:
        super().__init__(backend.family, name, contents)
        self._backend = backend
        self._before = contents

    def commit(self) -> None:
        """Have the sandbox take the table. Raises KernelError (EAGAIN) where somebody else has changed it meanwhile."""
        if not self._changed:
            return
        new = self._contents()
        checks.check(self.name, self.family, [(chain.name, chain.policy is not None, chain.rules) for chain in new])
        self._backend.store(self.name, self._before, new)


class SandboxBackend:
    """The tables of one family; with ``path``, in the file of that name, which need not exist yet.

    The file is read when a table is opened and it has changed, and written once per commit, as a whole and atomically.
    Every method of it and its tables may raise SandboxFileError.
    """

    def __init__(self, family: Family, path: str | os.PathLike[str] | None = None) -> None:
        self.family = family
        self._file = None if path is None else SandboxFile(path)
        self._tables: dict[str, Contents] = {}

    def open(self, table: str) -> SandboxTable:
        """Read a table. Raises KernelError where there is none of this name."""
        if len(table.encode("utf-8", "surrogateescape")) > _LONGEST_TABLE:
            raise KernelError("init", errno.EINVAL, "Module is wrong version")
        if table not in TABLES:
            raise KernelError("init", errno.ENOENT, "Table does not exist (do you need to insmod?)")
        return SandboxTable(self, table, self._read(table))

    def read(self, table: str) -> SandboxTable:
        """Read a table to look at it."""
        return self.open(table)

    def rewrite(self, table: str) -> SandboxTable:
        """Return a table that is to be made anew: its policies are there, its rules and chains are gone."""
        opened = self.open(table)
        opened.clear()
        return opened

    def image(self, table: str) -> Contents:
        """Return all of a table, for ``put_back``."""
        return self._read(table)

    def put_back(self, table: str, image: Contents) -> None:
        """Make a table what it was."""
        self.store(table, self._read(table), image)

    def hold(self) -> None:
        """Keep other writers of the file away as long as this process lasts, so that no commit comes too late."""
        if self._file is not None:
            self._file.lock().__enter__()

    def revision(self, kind: Kind, name: str, revisions: Sequence[int]) -> int | None:  # noqa: ARG002
        """Return the highest of some revisions: all that are declared are there."""
        return max(revisions, default=None)

    def names(self) -> list[str]:
        """Return the tables that have been changed, the last one first."""
        self._refresh()
        return list(reversed(self._tables))

    def _refresh(self) -> None:
        if self._file is None or not self._file.refresh():
            return
        try:
            tables = self._file.content.get(_MEMBER, {}).get(_FAMILIES[self.family], {})
            self._tables = {name: _load(self.family, name, chains) for name, chains in tables.items()}
        except (ValueError, TypeError, LookupError, AttributeError, PyIpvsadmError) as problem:
            raise self._file.foreign(problem) from None

    def _read(self, table: str) -> Contents:
        self._refresh()
        contents = self._tables.get(table)
        if contents is None:
            contents = tuple([Stored(chain, "ACCEPT", (0, 0), ()) for chain in TABLES[table]])
        return contents

    def store(self, table: str, old: Contents, new: Contents) -> None:
        """Keep a table in the place of ``old``. Raises KernelError (EAGAIN) where that is not what is there."""
        if self._file is None:
            self._keep(table, old, new)
            return
        with self._file.lock():
            self._keep(table, old, new)
            families = dict(self._file.content.get(_MEMBER, {}))
            families[_FAMILIES[self.family]] = {name: _dump(contents) for name, contents in self._tables.items()}
            self._file.write(**{_MEMBER: families})

    def _keep(self, table: str, old: Contents, new: Contents) -> None:
        if self._read(table) != old:
            raise KernelError("commit", errno.EAGAIN, "Resource temporarily unavailable")
        self._tables[table] = new


# -- the file ----------------------------------------------------------------------------------------------------------


def _text(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


def _dump(contents: Contents) -> list[dict[str, Any]]:
    return [{**chain.asdict(), "rules": [_dump_rule(rule) for rule in chain.rules]} for chain in contents]


def _dump_rule(rule: Rule) -> dict[str, Any]:
    return {
        "header": _text(rule.header),
        "matches": [_text(block) for block in rule.matches],
        "target": _text(rule.target),
        "jump": rule.jump,
        "counters": rule.counters,
    }


def _load(family: Family, table: str, chains: list[dict[str, Any]]) -> Contents:
    """Return the table of a file's members; raises one of many exceptions where they are not a table's."""
    contents = tuple(
        [
            Stored(
                _checked(chain["name"], str),
                None if chain["policy"] is None else _checked(chain["policy"], str),
                _load_counters(chain["counters"]),
                tuple([_load_rule(family, rule) for rule in chain["rules"]]),
            )
            for chain in chains
        ]
    )
    builtin = [chain.name for chain in contents if chain.policy is not None]
    names = {chain.name for chain in contents}
    if tuple(builtin) != TABLES[table] or len(names) != len(contents):
        raise ValueError(f"the chains of {table} are {[chain.name for chain in contents]}")
    for chain in contents:
        if chain.policy not in (None, *POLICIES):
            raise ValueError(f'"policy" is {chain.policy!r}')
        for rule in chain.rules:
            if rule.jump and rule.jump not in names and rule.jump not in VERDICTS:
                raise ValueError(f"no chain {rule.jump!r}")
    # By the rules: what the kernel refuses is in no file of ours.
    checks.check(table, family, [(chain.name, chain.policy is not None, chain.rules) for chain in contents])
    return contents


def _load_rule(family: Family, rule: dict[str, Any]) -> Rule:
    header = binascii.a2b_base64(rule["header"], strict_mode=True)
    matches = tuple([binascii.a2b_base64(block, strict_mode=True) for block in rule["matches"]])
    target = binascii.a2b_base64(rule["target"], strict_mode=True)
    if len(header) != entry.HEADER_SIZE[family]:
        raise ValueError(f"a header of {len(header)} bytes")
    for block in (*matches, target):
        if block and int.from_bytes(block[:2], sys.byteorder) != len(block):
            raise ValueError(f"an extension of {len(block)} bytes")
    return Rule(header, matches, target, _checked(rule["jump"], str), _load_counters(rule["counters"]))


def _load_counters(counters: list[int]) -> tuple[int, int]:
    packets, octets = [_checked(counter, int) for counter in counters]
    if not (0 <= packets < 1 << 64 and 0 <= octets < 1 << 64):
        raise ValueError(f'"counters" are {counters!r}')
    return packets, octets


def _checked(value: Any, kind: type[Any]) -> Any:
    if type(value) is not kind:  # not isinstance: True is no number here
        raise ValueError(f"{value!r} is no {kind.__name__}")
    return value
