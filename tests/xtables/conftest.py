"""Fixtures of the tests that need root, the C tools and the tables of the running kernel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from support import netns as netns_support
from support import xtables

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say why what is in this folder cannot run where it cannot."""
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    reason = xtables.unavailable() if here else ""
    if reason:
        for item in here:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def netns() -> Iterator[netns_support.Namespace]:
    """Give a fresh network namespace with lo up."""
    with netns_support.fresh() as namespace:
        yield namespace


class Pair(NamedTuple):
    """Two namespaces to compare: the C tools work in one, ours in the other, each with a lock of its own."""

    theirs: netns_support.Namespace
    mine: netns_support.Namespace
    locks: Path

    def peer(self, tool: str, *words: str, stdin: str = "", in_mine: bool = False) -> netns_support.Result:
        """Run a C tool, by the name that ours has, in its namespace or in ours."""
        name, dash, rest = tool.partition("-")
        namespace, lock = (self.mine, "mine") if in_mine else (self.theirs, "theirs")
        return namespace.run([f"{name}-legacy{dash}{rest}", *words], stdin, self.environment(lock))

    def ours(self, tool: str, *words: str, stdin: str = "") -> netns_support.Result:
        """Run our command of that name."""
        return self.mine.ours(*words, tool=tool, stdin=stdin, env=self.environment("mine"))

    def environment(self, lock: str) -> dict[str, str]:
        """Return what leads to a lock that no other test has."""
        return {"XTABLES_LOCKFILE": str(self.locks / lock)}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Give two namespaces to compare."""
    with netns_support.fresh() as theirs, netns_support.fresh() as mine:
        yield Pair(theirs, mine, tmp_path)
