"""Rates of counters that grow, are set to zero, come and go."""

from __future__ import annotations

from pyipvsadm.rates import Meter


def test_rates() -> None:
    meter: Meter[str] = Meter()
    assert meter.read(10.0, {"a": (100, 1)}) == {}
    assert meter.took is None
    assert meter.read(12.0, {"a": (150, 1), "b": (7, 7)}) == {"a": (25.0, 0.0)}
    assert meter.read(12.5, {"a": (150, 1), "b": (8, 7)}) == {"a": (0.0, 0.0), "b": (2.0, 0.0)}
    assert meter.took == 0.5


def test_counters_that_were_set_to_zero() -> None:
    meter: Meter[str] = Meter()
    meter.read(0.0, {"a": (1000,)})
    assert meter.read(2.0, {"a": (10,)}) == {"a": (5.0,)}


def test_what_goes_and_comes_again_has_no_rate() -> None:
    meter: Meter[str] = Meter()
    meter.read(0.0, {"a": (1000,)})
    assert meter.read(1.0, {}) == {}
    assert meter.read(2.0, {"a": (2000,)}) == {}


def test_a_clock_that_stands_still() -> None:
    meter: Meter[str] = Meter()
    meter.read(1.0, {"a": (1,)})
    assert meter.read(1.0, {"a": (2,)}) == {}
