"""Records whose fields are worked out when they are first asked for: of most rules of a large table none ever is.

    class Person(LateRecord):
        name: str
        age: int = 0

    late = late_maker(Person, "name", look_up)
    ann = late("Ann")    # ann.age calls look_up(ann, "age"), which returns {"age": 3}

In all else they are as a ``Record`` is, and that is how they are made where all is known: ``Person("Ann", 3)``.
"""

from __future__ import annotations

from pyipvsadm.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self, TypeVar, dataclass_transform

    R = TypeVar("R", bound="LateRecord")
else:
    from pyipvsadm.record import dataclass_transform


@dataclass_transform(frozen_default=True)
class _LateType(type):
    """Turns the annotated names of a class body into slots, and into a record type that takes all of them."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> _LateType:
        fields: dict[str, Any] = body.get("__annotations__", {}) if bases else {}
        defaults = {field: body.pop(field) for field in fields if field in body}
        body.setdefault("__slots__", tuple(fields))
        body["__whole__"] = type(name, (Record,), {"__annotations__": fields, **defaults})
        made = super().__new__(mcs, name, bases, body)
        made.__setters__ = {field: getattr(made, field).__set__ for field in fields}
        return made

    __whole__: Any
    __setters__: dict[str, Callable[[Any, Any], None]]


class LateRecord(metaclass=_LateType):
    """Base of such values; see the module for how to declare one."""

    __slots__ = ("_work_out",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _fill(self, type(self).__whole__(*args, **kwargs).asdict())

    def __getattr__(self, name: str) -> Any:
        """Work out a field: this is called for one that is not there yet."""
        if name not in type(self).__setters__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        _fill(self, self._work_out(self, name))
        return getattr(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot set {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot delete {name}")

    def _whole(self) -> Any:
        whole = type(self).__whole__
        return whole.make([getattr(self, field) for field in whole.__fields__])

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self is other or bool(self._whole() == other._whole())

    def __hash__(self) -> int:
        return hash(self._whole())

    def __repr__(self) -> str:
        return repr(self._whole())

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), self._whole()[1:]

    def asdict(self) -> dict[str, Any]:
        """Return the fields by name, in declaration order; nested records stay records."""
        fields: dict[str, Any] = self._whole().asdict()
        return fields

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed; raises TypeError for a name that is no field."""
        return type(self)(**{**self.asdict(), **changes})


def _fill(record: LateRecord, values: dict[str, Any]) -> None:
    setters = type(record).__setters__
    for field, value in values.items():
        setters[field](record, value)


def late_maker(cls: type[R], field: str, work_out: Callable[[R, str], dict[str, Any]]) -> Callable[[Any], R]:
    """Return what makes a record of one field.

    ``work_out(record, name)`` returns the field of that name, and what others are found on the way, by their names.
    """
    new = cls.__new__
    put = cls.__setters__[field]
    put_work_out = LateRecord.__dict__["_work_out"].__set__

    def make(value: Any) -> R:
        record = new(cls)
        put(record, value)
        put_work_out(record, work_out)
        return record

    return make
