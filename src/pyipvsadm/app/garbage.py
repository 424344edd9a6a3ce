"""How often Python looks for values that nobody has any more."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def few_collections() -> Iterator[None]:
    """Have garbage collected seldom.

    A large table is ten thousands of values, which live until all is done and have no cycles. Python's own threshold,
    700 of them, makes a look at it take twice as long.
    """
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
