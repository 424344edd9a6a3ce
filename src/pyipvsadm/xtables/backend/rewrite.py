"""Tables that are made anew and take the place of the kernel's whole, without libiptc."""

from __future__ import annotations

from pyipvsadm.xtables import blob, entry
from pyipvsadm.xtables.blob import TableWriter, WrittenChain
from pyipvsadm.xtables.model import POLICIES, VERDICTS
from pyipvsadm.xtables.reasons import commit_refused
from pyipvsadm.xtables.table import MemoryChain, MemoryTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyipvsadm.xtables.backend.sockopt import TableSocket
    from pyipvsadm.xtables.model import Rule
    from pyipvsadm.xtables.options import Family


class NewTable(MemoryTable):
    """A table without rules and chains, but with the policies that the kernel has; see base.Table.

    As long as rules are only added, and nothing is odd about them, each is packed as it comes and forgotten. Anything
    else asks for ``_chains``, where a table in memory has its rules: they are unpacked then.
    """

    def __init__(self, socket: TableSocket, family: Family, name: str) -> None:
        super().__init__(family, name, ())
        self._socket = socket
        head, entries = socket.read(blob.encode(name))
        self._entries_before = head.num_entries
        self._writer: TableWriter | None = TableWriter(family)
        for chain, policy in blob.policies(family, head, entries).items():
            self._writer.chains[chain] = WrittenChain(policy)

    @property
    def _chains(self) -> dict[str, MemoryChain]:
        if self._writer is not None:
            self._unpack(self._writer)
        return self._unpacked

    @_chains.setter
    def _chains(self, chains: dict[str, MemoryChain]) -> None:
        self._writer = None
        self._unpacked = chains

    def _unpack(self, writer: TableWriter) -> None:
        self._chains = {name: MemoryChain(name, chain.policy, chain.given) for name, chain in writer.chains.items()}
        for name, rule in writer.rules():
            self.append(name, rule)

    def has_chain(self, chain: str) -> bool:
        """Whether there is a chain of this name."""
        return chain in (self._chains if self._writer is None else self._writer.chains)

    def is_builtin(self, chain: str) -> bool:
        """Whether a chain belongs to a hook."""
        if self._writer is None:
            return super().is_builtin(chain)
        written = self._writer.chains.get(chain)
        return written is not None and written.policy is not None

    def append_plain(self, chain: str, rule: bytes, jump: str | None, counters: tuple[int, int]) -> None:
        """Add a rule about which there is no doubt; see base.Table."""
        writer = self._writer
        written = writer and writer.chains.get(chain)
        if writer and written:
            writer.add(written, rule, jump, counters)
        else:
            super().append_plain(chain, rule, jump, counters)

    def append(self, chain: str, rule: Rule) -> None:
        """Add a rule at a chain's end."""
        if self._writer is not None and chain in self._writer.chains and _is_plain(rule, self._writer.chains):
            self._writer.add(self._writer.chains[chain], *entry.pack_plain(rule, self.family))
        else:
            super().append(chain, rule)

    def create(self, chain: str) -> None:
        """Make a chain."""
        writer = self._writer
        if writer is not None and chain not in writer.chains and self.is_fine(chain):
            writer.chains[chain] = WrittenChain(None)
        else:
            super().create(chain)

    def set_policy(self, chain: str, policy: str, counters: tuple[int, int] | None) -> None:
        """Say what becomes of packets that come to the end of a built-in chain."""
        if self._writer is not None and self.is_builtin(chain) and policy in POLICIES:
            self._writer.chains[chain].policy = policy
            self._writer.chains[chain].given = counters
        else:
            super().set_policy(chain, policy, counters)

    def commit(self) -> None:
        """Have the kernel take the table."""
        packed = (self._writer or self._pack_again()).pack()
        name = blob.encode(self.name)
        try:
            self._socket.replace(name, packed.head, packed.entries, self._entries_before)
            if packed.counted:
                self._socket.add_counters(name, blob.counters(self.family, b"".join(packed.entries)))
        except OSError as problem:
            raise commit_refused(problem.errno or 0) from None

    def _pack_again(self) -> TableWriter:
        writer = TableWriter(self.family)
        for stored in self._contents():
            chain = writer.chains[stored.name] = WrittenChain(stored.policy, stored.counters)
            for rule in stored.rules:
                writer.add(chain, *entry.pack_plain(rule, self.family))
        return writer


def _is_plain(rule: Rule, chains: dict[str, WrittenChain]) -> bool:
    """Whether nothing is odd about a rule's target, so that ``append_plain`` can take it."""
    if rule.target:
        return entry.extension_name(rule.target) not in chains
    jump = rule.jump
    if jump in chains:
        return chains[jump].policy is None
    return not jump or jump in VERDICTS
