"""Functions of C libraries, called through ``_ctypes``, the interpreter's half of ctypes.

The other half, the package, takes a drop-in command three times as long to import, and all it would add here are names.
A function's signature is stated in full: the interpreter checks and converts every argument by it. One that is passed
often is better made once, as an ``Int`` or a ``Pointer``.
"""

from __future__ import annotations

import _ctypes
from _ctypes import _SimpleCData

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable
    from typing import Any, Final

    Simple = type[_SimpleCData[Any]]


class Int(_SimpleCData):  # type: ignore[type-arg]
    """``int``."""

    _type_ = "i"


class Pointer(_SimpleCData):  # type: ignore[type-arg]
    """``void *``: an address, bytes that are only read, or None; what it was made of lives as long as it does."""

    _type_ = "P"
    memory: object


class UInt32(_SimpleCData):  # type: ignore[type-arg]
    """``uint32_t``, ``socklen_t``."""

    _type_ = "I"


class Char(_SimpleCData):  # type: ignore[type-arg]
    """``char``."""

    _type_ = "c"


errno: Final = _ctypes.get_errno  # of the last call of a function here


def by_reference(value: _SimpleCData[Any]) -> Pointer:
    """Return a pointer to a value, to be written to."""
    pointer = Pointer(_ctypes.addressof(value))
    pointer.memory = value
    return pointer


def buffer(data: bytearray | mmap.mmap) -> Pointer:
    """Return a pointer to the memory of ``data``, which must not change its size as long as there is one."""
    array = type("Buffer", (_ctypes.Array,), {"_type_": Char, "_length_": len(data)})
    return by_reference(array.from_buffer(data))  # type: ignore[attr-defined]


def function(library: int, name: str, result: Simple, *arguments: Simple) -> Callable[..., Any]:
    """Return the function ``name`` of an opened ``library``. Raises OSError where it has none."""
    members = {
        "_flags_": _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO,
        "_restype_": result,
        "_argtypes_": arguments,
    }
    address = _ctypes.dlsym(library, name)
    made: Callable[..., Any] = type(name, (_ctypes.CFuncPtr,), members)(address)
    return made


def open_library(name: str | None) -> int:
    """Load a shared library (None: what the interpreter is linked with, the C library). Raises OSError."""
    return _ctypes.dlopen(name)  # type: ignore[arg-type]  # typeshed does not know of None


getsockopt: Final = function(open_library(None), "getsockopt", Int, Int, Int, Int, Pointer, Pointer)
"""getsockopt(2) with a buffer that is also read, which the interpreter's own has not."""


class Text(_SimpleCData):  # type: ignore[type-arg]
    """``const char *``: bytes, or None."""

    _type_ = "z"


# All of the process's memory: a slice of it is a copy of what is there.
_memory: Final = type("Memory", (_ctypes.Array,), {"_type_": Char, "_length_": (1 << 63) - 1}).from_address(0)  # type: ignore[attr-defined]


def memory(address: int, size: int) -> bytes:
    """Return a copy of what a library has at an address."""
    data: bytes = _memory[address : address + size]
    return data


class Size(_SimpleCData):  # type: ignore[type-arg]
    """``size_t``."""

    _type_ = "L"


def printed(print_something: Callable[..., Any], *arguments: Any) -> bytes:
    """Return what a function of a C library prints: C's standard output is a piece of memory while it runs.

    Its order with what the interpreter prints cannot get lost so, whatever standard output is. What other threads print
    through C at that moment is caught too. Needs a C library whose ``stdout`` is a variable, as glibc's is.
    """
    libc = open_library(None)
    open_memstream = function(libc, "open_memstream", Pointer, Pointer, Pointer)
    fclose = function(libc, "fclose", Int, Pointer)
    free = function(libc, "free", Pointer, Pointer)
    stdout = Pointer.from_address(_ctypes.dlsym(libc, "stdout"))
    place, size = Pointer(), Size()
    stream = open_memstream(by_reference(place), by_reference(size))
    if not stream:
        raise MemoryError
    before = stdout.value
    stdout.value = stream
    try:
        print_something(*arguments)
    finally:
        stdout.value = before
        fclose(stream)
    text = memory(place.value, size.value)
    free(place)
    return text
