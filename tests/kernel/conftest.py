"""Fixtures of the tests that need root and a kernel with IPVS; script/test finds such a kernel or boots one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import netns as netns_support

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder; say why it cannot run where it cannot."""
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    reason = netns_support.unavailable() if here else ""
    for item in here:
        item.add_marker(pytest.mark.kernel)
        if reason:
            item.add_marker(pytest.mark.skip(reason=f"{reason}; script/test boots a kernel for this"))


@pytest.fixture
def netns() -> Iterator[netns_support.Namespace]:
    """Give a fresh network namespace with lo up."""
    with netns_support.fresh() as namespace:
        yield namespace


@pytest.fixture
def other_netns() -> Iterator[netns_support.Namespace]:
    """Give a second one, to compare with: the peer in one, ours in the other."""
    with netns_support.fresh() as namespace:
        yield namespace
