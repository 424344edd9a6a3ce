"""What a place for tables can do; the kernel and the sandbox do it alike."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, Protocol

    from pyipvsadm.xtables.model import Chain, Kind, Rule
    from pyipvsadm.xtables.options import Family

    class Listing(Protocol):
        """A table to look at. Chains are named; rules are counted from 1."""

        family: Family
        name: str

        def chains(self, *, references: bool = True) -> list[Chain]:
            """Return the chains: the built-in ones in the order of hooks, the others by name.

            ``references`` need not be right where they are not asked for: counting them takes time.
            """
            ...

        def chain_names(self) -> list[str]:
            """Return the names of the chains, in the same order."""
            ...

        def has_chain(self, chain: str) -> bool:
            """Whether there is a chain of this name."""
            ...

        def is_builtin(self, chain: str) -> bool:
            """Whether a chain belongs to a hook."""
            ...

        def rules(self, chain: str) -> Iterable[Rule]:
            """Return the rules of a chain."""
            ...

        def close(self) -> None:
            """Forget the table."""
            ...

    class Table(Listing, Protocol):
        """A table in memory: what is done to it reaches the kernel at ``commit``, whole or not at all.

        Everything that changes it raises KernelError, whose operation is the name of libiptc's function and whose text
        is libiptc's.
        """

        def append(self, chain: str, rule: Rule) -> None:
            """Add a rule at a chain's end."""
            ...

        def append_plain(self, chain: str, rule: bytes, jump: str | None, counters: tuple[int, int]) -> None:
            """Add a rule about which there is no doubt, given as its entry without counters.

            Where it leads to a verdict, to a chain of the table that is not built in or, by the name "", to the next
            rule, that is its ``jump``, and its target is left out of the entry. It is None where there is another
            target, whose name no chain has.
            """
            ...

        def insert(self, chain: str, number: int, rule: Rule) -> None:
            """Add a rule that becomes the one with this number."""
            ...

        def replace(self, chain: str, number: int, rule: Rule) -> None:
            """Put a rule in the place of another."""
            ...

        def check(self, chain: str, rule: Rule, mask: bytes) -> None:
            """Raise KernelError (ENOENT) where the chain has no such rule."""
            ...

        def delete(self, chain: str, rule: Rule, mask: bytes) -> None:
            """Take the first such rule away; ``mask`` has ones where the entries must be the same."""
            ...

        def delete_number(self, chain: str, number: int) -> None:
            """Take a rule away."""
            ...

        def flush(self, chain: str) -> None:
            """Take all rules of a chain away."""
            ...

        def zero(self, chain: str) -> None:
            """Set the counters of a chain and its rules to zero."""
            ...

        def zero_number(self, chain: str, number: int) -> None:
            """Set the counters of a rule to zero."""
            ...

        def create(self, chain: str) -> None:
            """Make a chain."""
            ...

        def remove(self, chain: str) -> None:
            """Take an empty chain away to which no rule jumps."""
            ...

        def rename(self, old: str, new: str) -> None:
            """Give a chain another name; rules that jump to it still do."""
            ...

        def set_policy(self, chain: str, policy: str, counters: tuple[int, int] | None) -> None:
            """Say what becomes of packets that come to the end of a built-in chain."""
            ...

        def entries_text(self) -> str:
            """Return what libiptc prints of the entries that the kernel had, "" where there is no kernel."""
            ...

        def commit(self) -> None:
            """Have the kernel take the table."""
            ...

    class Backend(Protocol):
        """Where tables are."""

        def open(self, table: str) -> Table:
            """Read a table. Raises KernelError where there is none of this name, or no right to it."""
            ...

        def read(self, table: str) -> Listing:
            """Read a table to look at it. Raises KernelError as ``open`` does."""
            ...

        def rewrite(self, table: str) -> Table:
            """Return a table that is to be made anew: its policies are there, its rules and chains are gone.

            Raises KernelError as ``open`` does.
            """
            ...

        def image(self, table: str) -> Any:
            """Return all of a table, for ``put_back``. Raises KernelError."""
            ...

        def put_back(self, table: str, image: Any) -> None:
            """Make a table what it was. Raises KernelError."""
            ...

        def revision(self, kind: Kind, name: str, revisions: Sequence[int]) -> int | None:
            """Return the highest of some revisions of a match or target that is there, None for none."""
            ...

        def names(self) -> list[str]:
            """Return the tables that have been used, the last one first."""
            ...
