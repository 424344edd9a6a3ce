"""Changes by the numbers of rules, made again where another program has come between."""

from __future__ import annotations

import errno
import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyipvsadm import iptables
from pyipvsadm.errors import KernelError
from support import numbered

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from support.numbered import Change


@given(st.lists(st.sampled_from(numbered.RULES), max_size=6), numbered.changes)
def test_changes_are_made_again(rules: list[str], changes: Sequence[Change]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/file"
        with iptables.sandbox(path=path) as table:
            numbered.begin(table, rules)
        with iptables.sandbox(path=path) as table:
            numbered.change(table, rules, changes)
            with iptables.sandbox(path=path) as other:
                other.append("FORWARD", "-j DROP")
        with iptables.sandbox(path=path) as table:
            assert [rule.text for rule in table.rules(numbered.CHAIN)] == rules
            assert [rule.text for rule in table.rules("FORWARD")] == ["-j DROP"]


@pytest.mark.parametrize(
    ("others", "number"),
    [(("-I", 1), 2), (("-I", 3), 3), (("-D", 1), 2), (("-D", 3), 3), (("-A", 0), 4)],
)
def test_a_number_is_that_of_the_rule_that_was_seen(tmp_path: Path, others: tuple[str, int], number: int) -> None:
    """The chain has three rules; the last change by number comes after others that change what numbers mean."""
    path = tmp_path / "file"
    with iptables.sandbox(path=path) as table:
        numbered.begin(table, ["-i one", "-i two", "-i three"])
    with pytest.raises(KernelError) as caught, iptables.sandbox(path=path) as table:  # noqa: PT012
        table.append("INPUT", "-i four")
        table.insert("INPUT", "-i zero", 1)
        table.delete("INPUT", 1)
        table.replace("INPUT", number, "-i other")
        with iptables.sandbox(path=path) as other:
            what, place = others
            if what == "-I":
                other.insert("INPUT", "-i new", place)
            elif what == "-D":
                other.delete("INPUT", place)
            else:
                other.append("INPUT", "-i new")
    assert caught.value.errno == errno.EAGAIN


def test_the_end_is_a_place_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with iptables.sandbox(path=path) as table:
        numbered.begin(table, ["-i one"])
    with pytest.raises(KernelError) as caught, iptables.sandbox(path=path) as table:  # noqa: PT012
        table.insert("INPUT", "-i two", 2)
        with iptables.sandbox(path=path) as other:
            other.append("INPUT", "-i new")
    assert caught.value.errno == errno.EAGAIN
