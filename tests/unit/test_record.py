"""Records: what a frozen, slotted dataclass would do."""

from __future__ import annotations

import copy
import pickle
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyipvsadm.record import Record


class Point(Record):
    """Two fields, one with a default."""

    unit: ClassVar[str] = "mm"
    x: int
    y: int = 0

    @property
    def square(self) -> int:
        return self.x**2 + self.y**2


class Pixel(Point):
    """A record that adds a field."""

    colour: str = "black"


class Spot(Record):
    """The fields of Point in another type."""

    x: int
    y: int = 0


class Origin(Record):
    """A record without fields."""


def test_fields_are_given_by_position_or_name() -> None:
    assert Point(1, 2) == Point(1, y=2) == Point(x=1, y=2) == Point(y=2, x=1)
    assert (Point(1, 2).x, Point(1, 2).y) == (1, 2)


def test_defaults_fill_what_is_not_given() -> None:
    assert Point(1) == Point(1, 0)
    assert Pixel(1) == Pixel(1, 0, "black")


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((), {}), ((), {"y": 1}), ((1, 2, 3), {}), ((1,), {"z": 1}), ((1,), {"x": 1}), ((1,), {"unit": "m"})],
)
def test_wrong_arguments_are_refused(args: tuple[int, ...], kwargs: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Point(*args, **kwargs)


def test_a_record_without_fields_takes_no_arguments() -> None:
    assert Origin() == Origin()
    assert repr(Origin()) == "Origin()"
    with pytest.raises(TypeError):
        Origin(1)  # type: ignore[call-arg]


def test_class_variables_are_no_fields() -> None:
    assert Point.__fields__ == ("x", "y")
    assert Point(1).unit == Point.unit == "mm"


def test_inherited_fields_come_first() -> None:
    assert Pixel.__fields__ == ("x", "y", "colour")
    assert Pixel(3, 4, "red").square == 25


def test_records_are_frozen() -> None:
    point: Any = Point(1)
    with pytest.raises(AttributeError, match="Point is frozen: cannot set x"):
        point.x = 2
    with pytest.raises(AttributeError, match="Point is frozen: cannot delete x"):
        del point.x
    with pytest.raises(AttributeError):
        point.other = 1
    assert point == Point(1)
    assert not hasattr(point, "__dict__")


def test_equality_takes_the_type_into_account() -> None:
    assert Point(1, 2) != Spot(1, 2)
    assert Point(1, 2) != Pixel(1, 2)
    assert Point(1, 2) != (1, 2)
    assert Point(1, 2) != Point(2, 1)


def test_records_have_no_order() -> None:
    with pytest.raises(TypeError):
        sorted([Point(1), Point(2)])  # type: ignore[type-var]


@given(st.integers(), st.integers())
def test_equal_records_hash_alike(x: int, y: int) -> None:
    assert hash(Point(x, y)) == hash(Point(x, y))
    assert len({Point(x, y), Point(x, y), Pixel(x, y)}) == 2


@given(st.integers(), st.integers(), st.text())
def test_records_survive_pickle_copy_and_repr(x: int, y: int, colour: str) -> None:
    pixel = Pixel(x, y, colour)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(pixel, protocol)) == pixel  # noqa: S301 - it was made in this line
    assert copy.copy(pixel) == copy.deepcopy(pixel) == pixel
    assert eval(repr(pixel)) == pixel  # noqa: S307 - the text is a constructor call of this module's


def test_replace_changes_what_is_named() -> None:
    point = Point(1, 2)
    assert point.replace(y=3) == Point(1, 3)
    assert point.replace() == point
    assert point == Point(1, 2)
    assert type(Pixel(1).replace(x=2)) is Pixel
    with pytest.raises(TypeError):
        point.replace(z=1)


def test_asdict_keeps_nested_records_and_order() -> None:
    nested = Pixel(1, colour="red").asdict()
    assert list(nested.items()) == [("x", 1), ("y", 0), ("colour", "red")]
    inner = Point(1)
    assert Spot(inner, 2).asdict()["x"] is inner  # type: ignore[arg-type]


def test_a_field_without_a_default_after_one_with_is_refused() -> None:
    class Wrong(Point):
        z: int  # type: ignore[misc]

    with pytest.raises(SyntaxError):
        Wrong(1, 2, 3)
