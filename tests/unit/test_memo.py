"""Functions with a memory answer the same, are asked once, and forget rather than grow."""

from __future__ import annotations

import pytest

from pyipvsadm import memo


def test_a_function_is_asked_once_for_each_value() -> None:
    asked: list[int] = []

    def double(number: int) -> int:
        asked.append(number)
        return 2 * number

    remembering = memo.remembered(double)
    assert [remembering(number) for number in (1, 2, 1, 2, 1)] == [2, 4, 2, 4, 2]
    assert asked == [1, 2]


def test_the_memory_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memo, "_MOST_ANSWERS", 3)
    asked: list[int] = []

    def ask(number: int) -> None:
        asked.append(number)

    remembering = memo.remembered(ask)
    for number in (0, 1, 2, 3, 0):
        remembering(number)
    assert asked == [0, 1, 2, 3, 0]


def test_errors_are_not_remembered() -> None:
    def read(text: str) -> int:
        return int(text)

    remembering = memo.remembered(read)
    for _ in range(2):
        with pytest.raises(ValueError, match="abc"):
            remembering("abc")
