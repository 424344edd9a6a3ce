"""Rates from counters: how much a second has come since they were last looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

Key = TypeVar("Key")


class Meter(Generic[Key]):
    """Turns counters that are read again and again into rates.

    A counter that is smaller than before has been set to zero in between, and what it has now came since. One that was
    not there before has no rate yet.
    """

    def __init__(self) -> None:
        self._time: float | None = None
        self._counters: Mapping[Key, tuple[int, ...]] = {}

    def read(self, time: float, counters: Mapping[Key, tuple[int, ...]]) -> dict[Key, tuple[float, ...]]:
        """Return the rates per second of counters that were read at ``time`` (seconds of a clock that runs evenly).

        Without those that have none yet.
        """
        before, took = self._counters, 0.0 if self._time is None else time - self._time
        self._time, self._counters = time, counters
        if took <= 0:
            return {}
        rates = {}
        for key, values in counters.items():
            old = before.get(key)
            if old == values:
                rates[key] = (0.0,) * len(values)
            elif old is not None:
                rates[key] = tuple(
                    [(new - past if new >= past else new) / took for new, past in zip(values, old, strict=True)]
                )
        return rates
