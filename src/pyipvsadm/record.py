"""Frozen value types that cost a command line nothing to import, and little to make by the ten thousand.

``@dataclass`` would do, but importing ``dataclasses`` takes as long as starting Python itself, and the drop-in commands
have to start within twice that. A ``Record`` subclass is written, and read by type checkers, just like a frozen,
slotted dataclass:

    class Point(Record):
        x: int
        y: int = 0

    Point(1).replace(y=2)    # Point(x=1, y=2)

Equality takes the type into account; records are hashable, ordered by nothing, and pickle and copy like tuples.

A record is a tuple of its type and its fields: the interpreter makes, compares and hashes those without running a line
of Python. That it is one is nobody's business; it does not iterate.
"""

from __future__ import annotations

from _collections import _tuplegetter  # type: ignore[import-not-found]  # what namedtuple reads its fields with
from _functools import partial  # type: ignore[import-not-found]  # the package takes as long as a small module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

    T = TypeVar("T")

    class _Fields:
        """What type checkers know of the tuple."""

        def __eq__(self, other: object) -> bool: ...
        def __hash__(self) -> int: ...
        def __getitem__(self, index: slice) -> tuple[Any, ...]: ...

else:

    class _Fields(tuple):
        """A tuple that has no order and does not iterate."""

        __slots__ = ()
        __iter__ = None

        def __lt__(self, _: object) -> bool:
            return NotImplemented

        __le__ = __gt__ = __ge__ = __lt__

    def dataclass_transform(**_: object) -> Callable[[type], type]:
        """Stand in for typing.dataclass_transform, which only type checkers need."""
        return lambda cls: cls


@dataclass_transform(frozen_default=True)
class _RecordType(type):
    """Turns the annotated names of a class body into fields and a ``__new__`` that takes them."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> _RecordType:
        annotations: dict[str, Any] = body.get("__annotations__", {})
        own = [field for field in annotations if not str(annotations[field]).startswith("ClassVar")]
        defaults: dict[str, Any] = {field: body.pop(field) for field in own if field in body}
        inherited: tuple[str, ...] = ()
        for base in bases:
            inherited += getattr(base, "__fields__", ())
            defaults = {**getattr(base, "__defaults__", {}), **defaults}
        for index, field in enumerate(own, len(inherited) + 1):
            body[field] = _tuplegetter(index, None)
        body["__slots__"] = ()
        body["__fields__"] = inherited + tuple(own)
        body["__defaults__"] = defaults
        body["__new__"] = _first_new
        return super().__new__(mcs, name, bases, body)

    __fields__: tuple[str, ...]
    __defaults__: dict[str, Any]


def _first_new(cls: Any, *args: Any, **kwargs: Any) -> Any:
    """Stand in for ``__new__`` until the first instance is made: most classes that a command imports get none."""
    cls.__new__ = staticmethod(_compile_new(cls))
    return cls.__new__(cls, *args, **kwargs)


def _compile_new(cls: _RecordType) -> Callable[..., Any]:
    fields, defaults = cls.__fields__, cls.__defaults__
    scope: dict[str, Any] = {f"_default_{field}": value for field, value in defaults.items()}
    scope["_tuple_new"] = tuple.__new__
    arguments = "".join([f", {field}=_default_{field}" if field in defaults else f", {field}" for field in fields])
    values = "".join([f", {field}" for field in fields])
    # names come from class bodies, never from input
    exec(f"def __new__(_cls{arguments}): return _tuple_new(_cls, (_cls{values},))", scope)
    new: Callable[..., Any] = scope["__new__"]
    return new


def maker(cls: type[T]) -> Callable[[tuple[Any, ...]], T]:
    """Return the fastest way to a record, from the tuple of its type and all its fields' values; nothing is checked."""
    made: Callable[[tuple[Any, ...]], T] = partial(tuple.__new__, cls)
    return made


class Record(_Fields, metaclass=_RecordType):
    """Base of all value types; see the module for how to declare one."""

    __fields__: ClassVar[tuple[str, ...]]

    @classmethod
    def make(cls, values: Iterable[Any]) -> Self:
        """Return a record of all its fields' values in their order, without checking how many there are."""
        return tuple.__new__(cls, (cls, *values))  # type: ignore[type-var]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot set {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot delete {name}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join([f'{field}={value!r}' for field, value in self.asdict().items()])})"

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), self[1:]

    def asdict(self) -> dict[str, Any]:
        """Return the fields by name, in declaration order; nested records stay records."""
        return dict(zip(self.__fields__, self[1:], strict=True))

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed; raises TypeError for a name that is no field."""
        return type(self)(**{**self.asdict(), **changes})
