"""Reading documents strictly: members of objects, each asked for by its name and with what it may be."""

from __future__ import annotations

from pyipvsadm.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Final, TypeVar

    T = TypeVar("T")
    Reader = Callable[[object, str], T]  # of a value and its path; raises DocumentError

VERSION: Final = 1
U16: Final = (1 << 16) - 1
U32: Final = (1 << 32) - 1
U64: Final = (1 << 64) - 1

_REQUIRED: Final = object()
_LONGEST_SHOWN: Final = 40


def member(path: str, name: str) -> str:
    """Return the path of a member of the object at a path."""
    return f"{path}.{name}" if path else name


class DocumentError(UsageError):
    """What is wrong with a document; ``path`` says where ("services[2].servers[0].weight", "" for all of it)."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


class Object:
    """An object of a document whose members are taken one after the other; ``end`` refuses what nobody took."""

    def __init__(self, value: object, path: str = "") -> None:
        if not isinstance(value, dict):
            raise DocumentError(path, f"an object is needed, not {shown(value)}")
        self.path = path
        self._members: dict[str, object] = dict(value)

    def at(self, name: str) -> str:
        """Return the path of a member."""
        return member(self.path, name)

    def has(self, name: str) -> bool:
        """Whether a member is there that nobody took."""
        return name in self._members

    def take(self, name: str, read: Reader[T], default: Any = _REQUIRED) -> T:
        """Return what a reader makes of a member, or the default where it is not there, if it has one."""
        if name in self._members:
            return read(self._members.pop(name), self.at(name))
        if default is _REQUIRED:
            raise DocumentError(self.path, f'"{name}" is missing')
        found: T = default
        return found

    def end(self) -> None:
        """Refuse members that nobody took."""
        for name in self._members:
            raise DocumentError(self.path, f"there is no member {shown(name)} here")


def head(found: Object) -> Any:
    """Return what kind of document an object is ("ipvs", "iptables"), of a version that can be read."""
    found.take("version", word(VERSION))
    return found.take("kind", word("ipvs", "iptables"))


def each(
    found: Object, name: str, read: Reader[T], default: Any = _REQUIRED
) -> Iterator[tuple[str, T | DocumentError]]:
    """Yield what a reader makes of each item of a member, with its path; in the place of what it refuses, the error."""

    def item(value: object, path: str) -> tuple[str, object]:
        return path, value

    try:
        items = found.take(name, array(item), default)
    except DocumentError as error:
        yield error.path, error
        return
    for path, value in items:
        try:
            yield path, read(value, path)
        except DocumentError as error:
            yield error.path, error


def with_error(parts: Iterator[tuple[str, T]]) -> Iterator[tuple[str, T | DocumentError]]:
    """Yield what an iterator does; if it ends with an error, that too."""
    try:
        yield from parts
    except DocumentError as error:
        yield error.path, error


def shown(value: object) -> str:
    """Return a value as a message shows it."""
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "an array"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return ascii(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")[1:-1].replace("\\u2026", "…")


def text(value: object, path: str) -> str:
    """Read a string."""
    if not isinstance(value, str):
        quoted = "" if isinstance(value, (dict, list)) or value is None else ": write it in quotes"
        raise DocumentError(path, f"a string is needed, not {shown(value)}{quoted}")
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise DocumentError(path, "half of a surrogate pair is no text") from None
    if "\0" in value:
        raise DocumentError(path, "a NUL cannot be in it")
    return value


def flag(value: object, path: str) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise DocumentError(path, f"true or false is needed, not {shown(value)}")
    return value


def number(least: int, most: int) -> Reader[int]:
    """Return a reader of integers of a range."""

    def read(value: object, path: str) -> int:
        if type(value) is not int:  # not isinstance: True is no number here
            raise DocumentError(path, f"an integer is needed, not {shown(value)}")
        if not least <= value <= most:
            raise DocumentError(path, f"{shown(value)} is not from {least} to {most}")
        return value

    return read


def word(*words: str | int) -> Reader[Any]:
    """Return a reader of one of a few words or numbers."""

    def read(value: object, path: str) -> Any:
        for one in words:
            if type(value) is type(one) and value == one:
                return one
        names = [shown(one) for one in words]
        listed = " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        raise DocumentError(path, f"it must be {listed}, not {shown(value)}")

    return read


def nullable(read: Reader[T]) -> Reader[T | None]:
    """Return a reader of null or what another reads."""

    def read_any(value: object, path: str) -> T | None:
        return None if value is None else read(value, path)

    return read_any


def array(read: Reader[T]) -> Reader[tuple[T, ...]]:
    """Return a reader of arrays of what another reads."""

    def read_all(value: object, path: str) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise DocumentError(path, f"an array is needed, not {shown(value)}")
        return tuple([read(one, f"{path}[{place}]") for place, one in enumerate(value)])

    return read_all
