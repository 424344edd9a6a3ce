"""Common subsequences: as long as any, and soon found where sequences are long."""

from __future__ import annotations

import random
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyipvsadm import edits

few = st.lists(st.sampled_from("abcd"), max_size=9)


def longest(before: list[str], after: list[str]) -> int:
    """Return the length of the longest common subsequence, by trying all ways."""

    @cache
    def at(one: int, two: int) -> int:
        if one == len(before) or two == len(after):
            return 0
        if before[one] == after[two]:
            return 1 + at(one + 1, two + 1)
        return max(at(one + 1, two), at(one, two + 1))

    return at(0, 0)


def check(before: list[str], after: list[str], pairs: list[tuple[int, int]]) -> None:
    assert all(before[one] == after[two] for one, two in pairs)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(pairs))


@given(few, few)
def test_nothing_longer_is_common(before: list[str], after: list[str]) -> None:
    pairs = edits.common(before, after)
    check(before, after, pairs)
    assert len(pairs) == longest(before, after)


@given(few, few)
def test_nor_where_equal_items_are_many(before: list[str], after: list[str]) -> None:
    pairs = edits._few_edits([*before], [*after])
    assert pairs is not None
    check(before, after, pairs)
    assert len(pairs) == longest(before, after)


@given(few, few)
def test_what_is_too_much_is_still_common(before: list[str], after: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edits, "_PAIRS", 0)
        patch.setattr(edits, "_EDITS", 0)
        check(before, after, edits.common(before, after))


def test_many_items_some_of_them_changed() -> None:
    chosen = random.Random(1)
    before = [f"rule {number}" for number in range(50_000)]
    after = before.copy()
    gone = chosen.sample(range(50_000), 100)
    for place in sorted(gone, reverse=True):
        del after[place]
    for number in range(100):
        after.insert(chosen.randrange(len(after)), f"new {number}")
    pairs = edits.common(before, after)
    check(before, after, pairs)
    assert len(pairs) == 49_900


def test_many_items_in_the_order_of_a_shuffle() -> None:
    before = [str(number) for number in range(20_000)]
    after = before.copy()
    random.Random(2).shuffle(after)
    check(before, after, edits.common(before, after))


def test_the_same_item_again_and_again() -> None:
    before = ["return" if number % 2 else f"rule {number}" for number in range(20_000)]
    after = ["new", *before[:7_000], *before[7_001:], "newer", "return"]
    pairs = edits.common(["first", *before], after)
    check(["first", *before], after, pairs)
    assert len(pairs) == 19_999
