"""-L and -S: tables to look at."""

from __future__ import annotations

import errno

from pyipvsadm.errors import KernelError
from pyipvsadm.xtables import command
from pyipvsadm.xtables.render import chain_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Protocol

    from pyipvsadm.xtables.backend.base import Listing
    from pyipvsadm.xtables.model import Chain, Rule
    from pyipvsadm.xtables.render import Renderer

    Listed = Iterable[tuple[Chain, list[tuple[int, Rule]]]]  # chains with their rules, or some, and these's numbers

    class Form(Protocol):
        """A way to show a table."""

        def listing(
            self, table: Listing, chains: Listed, asked: command.List | command.ListRules, renderer: Renderer, /
        ) -> Iterator[str]:
            """Yield the text of a listing in pieces."""
            ...


class Lister:
    """Lists one table; ``say`` takes the text, which ``form`` makes, None the one of iptables."""

    def __init__(
        self, table: Listing, renderer: Renderer, say: Callable[[str], None], form: Form | None = None
    ) -> None:
        self._table = table
        self._renderer = renderer
        self._say = say
        self._form = form

    def run(self, asked: command.List | command.ListRules) -> None:
        """List what is asked for. Raises KernelError where there is no such chain."""
        if self._form:
            chains = ((chain, list(self._numbered(chain.name, asked.number))) for chain in self._chains(asked.chain))
            for piece in self._form.listing(self._table, chains, asked, self._renderer):
                self._say(piece)
        elif isinstance(asked, command.List):
            self._list(asked)
        else:
            self._list_rules(asked)

    def _chains(self, name: str | None, *, references: bool = True) -> list[Chain]:
        chains = self._table.chains(references=references)
        if name is None:
            return chains
        found = [chain for chain in chains if chain.name == name]
        if not found:
            raise KernelError("is_chain", errno.ENOENT, "No chain/target/match by that name")
        return found

    def _numbered(self, chain: str, number: int) -> Iterator[tuple[int, Rule]]:
        for place, rule in enumerate(self._table.rules(chain), 1):
            if number in (0, place):
                yield place, rule

    def _list(self, asked: command.List) -> None:
        for index, chain in enumerate(self._chains(asked.chain)):
            lines = ["\n"] if index else []
            if not asked.number:
                lines.append(self._renderer.heading(chain, asked))
            lines += [
                self._renderer.line(rule, place, asked) for place, rule in self._numbered(chain.name, asked.number)
            ]
            self._say("".join(lines))

    def _list_rules(self, asked: command.ListRules) -> None:
        counters = bool(asked.verbose)
        chains = self._chains(asked.chain, references=False)
        lines = [] if asked.number else [chain_line(chain, counters=counters) for chain in chains]
        for chain in chains:
            if counters or asked.number:
                lines += [
                    f"-A {chain.name}{self._renderer.save(rule, counters=counters)}\n"
                    for _, rule in self._numbered(chain.name, asked.number)
                ]
            else:
                lines += self._renderer.save_all(self._table, [chain.name], counters=False)
        self._say("".join(lines))
