"""Every case of every extension: refused by both, or the same bytes in the kernel and the same text from these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import xtables

if TYPE_CHECKING:
    from pathlib import Path

    from support.netns import Namespace


@pytest.mark.parametrize(
    "path", sorted(xtables.CASES.glob("*/*.txt")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_cases_are_as_at_the_peer(netns: Namespace, path: Path) -> None:
    with netns.entered():
        xtables.make_sets()
        xtables.prepare(path)
        found = {case.place: differences for case in xtables.cases(path) if (differences := xtables.differences(case))}
    assert not found
