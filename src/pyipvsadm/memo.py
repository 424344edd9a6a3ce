"""Functions that remember their answers, for what is asked for a hundred thousand times with a few different values."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, TypeVar

    A = TypeVar("A")
    R = TypeVar("R")

_MOST_ANSWERS: Final = 1 << 16  # a long-lived program must not grow with its input


class Answers(dict):  # type: ignore[type-arg]
    """What a function returned, by its argument: asked for as ``answers[argument]``."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def __missing__(self, value: Any) -> Any:
        if len(self) >= _MOST_ANSWERS:
            self.clear()
        answer = self[value] = self._function(value)
        return answer


def remembered(function: Callable[[A], R]) -> Callable[[A], R]:
    """Return ``function`` with a memory: a known answer costs a dictionary look-up and no line of Python.

    functools.lru_cache, whose package takes long to import, would also keep the order in which values were asked for.
    """
    return Answers(function).__getitem__
