"""Frozen value types that cost a command line nothing to import.

``@dataclass`` would do, but importing ``dataclasses`` takes as long as starting Python itself, and the drop-in commands
have to start within twice that. A ``Record`` subclass is written, and read by type checkers, just like a frozen,
slotted dataclass:

    class Point(Record):
        x: int
        y: int = 0

    Point(1).replace(y=2)    # Point(x=1, y=2)

Equality takes the type into account; records are hashable, ordered by nothing, and pickle and copy like tuples.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, Self, dataclass_transform
else:

    def dataclass_transform(**_: object) -> Callable[[type], type]:
        """Stand in for typing.dataclass_transform, which only type checkers need."""
        return lambda cls: cls


@dataclass_transform(frozen_default=True)
class _RecordType(type):
    """Turns the annotated names of a class body into slots and an ``__init__`` that fills them."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> _RecordType:
        annotations: dict[str, Any] = body.get("__annotations__", {})
        own = [field for field in annotations if not str(annotations[field]).startswith("ClassVar")]
        defaults: dict[str, Any] = {field: body.pop(field) for field in own if field in body}
        inherited: tuple[str, ...] = ()
        for base in bases:
            inherited += getattr(base, "__fields__", ())
            defaults = {**getattr(base, "__defaults__", {}), **defaults}
        body["__slots__"] = tuple(own)
        body["__fields__"] = inherited + tuple(own)
        body["__defaults__"] = defaults
        cls = super().__new__(mcs, name, bases, body)
        cls.__init__ = _first_init  # type: ignore[misc]
        return cls

    __fields__: tuple[str, ...]
    __defaults__: dict[str, Any]


def _first_init(self: Any, *args: Any, **kwargs: Any) -> None:
    """Stand in for ``__init__`` until the first instance is made: most classes that a command imports get none."""
    cls: Any = type(self)
    cls.__init__ = _make_init(cls)
    cls.__init__(self, *args, **kwargs)


def _make_init(cls: _RecordType) -> Callable[..., None]:
    """Compile ``__init__``; it sets slots through their descriptors, which is what makes freezing free of charge."""
    fields, defaults = cls.__fields__, cls.__defaults__
    scope: dict[str, Any] = {f"_set_{field}": getattr(cls, field).__set__ for field in fields}
    scope |= {f"_default_{field}": value for field, value in defaults.items()}
    arguments = "".join([f", {field}=_default_{field}" if field in defaults else f", {field}" for field in fields])
    body = "; ".join([f"_set_{field}(self, {field})" for field in fields]) or "pass"
    exec(f"def __init__(self{arguments}): {body}", scope)  # names come from class bodies, never from input
    init: Callable[..., None] = scope["__init__"]
    return init


class Record(metaclass=_RecordType):
    """Base of all value types; see the module for how to declare one."""

    __fields__: ClassVar[tuple[str, ...]]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot set {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot delete {name}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, field) == getattr(other, field) for field in self.__fields__)

    def __hash__(self) -> int:
        return hash(tuple([getattr(self, field) for field in self.__fields__]))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join([f'{field}={getattr(self, field)!r}' for field in self.__fields__])})"

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), tuple([getattr(self, field) for field in self.__fields__])

    def asdict(self) -> dict[str, Any]:
        """Return the fields by name, in declaration order; nested records stay records."""
        return {field: getattr(self, field) for field in self.__fields__}

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed; raises TypeError for a name that is no field."""
        return type(self)(**{**self.asdict(), **changes})
