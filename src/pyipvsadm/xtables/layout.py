"""The C structs of matches and targets: fields declared in the kernel's order, packed and unpacked by ``struct``.

    LAYOUT = Layout("struct xt_tcp", u16.array("spts", 2, (0, 0xFFFF)), u8("option"), u8("flg_mask"))

Values are a dict from field to value: an int, ``bytes`` (addresses, in network order), text, or a tuple of an array's
elements. Alignment and padding are the C compiler's, which ``struct`` knows.
"""

from __future__ import annotations

import struct

from pyipvsadm.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    Values = dict[str, Any]

_LITTLE: Final = struct.pack("=H", 1) == b"\x01\x00"
ALIGNMENT: Final = 8  # XT_ALIGN, linux/netfilter/x_tables.h


class Field:
    """A member of a struct. ``private`` ones are the kernel's own: written as zeros, never compared."""

    __slots__ = ("count", "default", "dump", "format", "load", "name", "private")

    def __init__(
        self,
        name: str,
        format: str,  # noqa: A002  # struct's own word for it
        default: Any,
        *,
        count: int = 1,
        dump: Callable[[Any], Any] | None = None,
        load: Callable[[Any], Any] | None = None,
        private: bool = False,
    ) -> None:
        self.name = name
        self.format = format
        self.default = default
        self.count = count
        self.dump = dump
        self.load = load
        self.private = private


class Type:
    """A C type: call it with a field's name to declare a member of a struct."""

    __slots__ = ("_dump", "_format", "_load", "_zero")

    def __init__(
        self,
        format: str,  # noqa: A002
        zero: Any = 0,
        *,
        dump: Callable[[Any], Any] | None = None,
        load: Callable[[Any], Any] | None = None,
    ) -> None:
        self._format = format
        self._zero = zero
        self._dump = dump
        self._load = load

    def __call__(self, name: str, default: Any = None) -> Field:
        """Return a member of this type."""
        return Field(name, self._format, self._zero if default is None else default, dump=self._dump, load=self._load)

    def array(self, name: str, count: int, default: tuple[Any, ...] | None = None) -> Field:
        """Return a member that is an array; its value is a tuple."""
        zeros = (self._zero,) * count
        return Field(
            name,
            self._format * count,
            zeros if default is None else default,
            count=count,
            dump=self._dump,
            load=self._load,
        )


def _swap(size: int) -> Callable[[int], int]:
    def swap(value: int) -> int:
        return int.from_bytes(value.to_bytes(size, "big"), "little" if _LITTLE else "big")

    return swap


u8: Final = Type("B")
u16: Final = Type("H")
u32: Final = Type("I")
u64: Final = Type("Q")
i8: Final = Type("b")
i16: Final = Type("h")
i32: Final = Type("i")
i64: Final = Type("q")
be16: Final = Type("H", dump=_swap(2), load=_swap(2))  # host-order value
be32: Final = Type("I", dump=_swap(4), load=_swap(4))


def raw(name: str, size: int, default: bytes | None = None) -> Field:
    """Return a member of bytes as they are: an address (``union nf_inet_addr`` takes 16), a bit map."""
    return Field(name, f"{size}s", bytes(size) if default is None else default)


def _load_text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _dump_text(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def chars(name: str, size: int, default: str = "") -> Field:
    """Return a ``char[size]`` that holds a text with NULs to its end; a longer text is cut."""
    return Field(name, f"{size}s", default, dump=_dump_text, load=_load_text)


def private(name: str, size: int = 8, alignment: int = 8) -> Field:
    """Return a member that is the kernel's own, such as a pointer; what follows it is not compared either."""
    unit = {1: "B", 2: "H", 4: "I", 8: "Q"}[alignment]
    count = size // alignment
    return Field(name, f"{count}{unit}", 0 if count == 1 else (0,) * count, count=count, private=True)


def align(to: int) -> Field:
    """Return an invisible member that moves the next one to a multiple of ``to`` bytes, as a union or struct would."""
    return Field("", f"0{'BBHHI   Q'[to]}", (), count=0)


class Layout:
    """A C struct by its members. ``size`` is sizeof, ``user_size`` what of it is compared when rules are."""

    def __init__(self, name: str, *fields: Field) -> None:
        self.name = name
        self.fields = fields
        self.defaults: Values = {field.name: field.default for field in fields if field.name and not field.private}
        code = "@" + "".join([field.format for field in fields])
        widest = max(["BHIQ".index(_UNITS.get(letter, "B")) for letter in code if letter in _UNITS], default=0)
        self._struct = struct.Struct(code + f"0{'BHIQ'[widest]}")
        self.size: int = self._struct.size
        self.user_size = self.size
        for place, field in enumerate(fields):
            if field.private:
                before = "@" + "".join([earlier.format for earlier in fields[:place]]) + f"0{field.format[-1]}"
                self.user_size = struct.calcsize(before)
                break

    def pack(self, values: Values) -> bytes:
        """Return the struct. Raises WireError for a value that does not fit its member."""
        arguments: list[Any] = []
        for field in self.fields:
            value = field.default if field.private else values.get(field.name, field.default)
            dump = field.dump
            if field.count == 1:
                arguments.append(dump(value) if dump else value)
            else:
                arguments += [dump(item) for item in value] if dump else value
        try:
            return self._struct.pack(*arguments)
        except struct.error as problem:
            raise WireError(self.name, 0, str(problem), repr(values)) from None

    def unpack(self, data: bytes) -> Values:
        """Return the members' values. Raises WireError where ``data`` is shorter than the struct."""
        if len(data) < self.size:
            raise WireError(self.name, 0, f"{self.size} bytes", f"{len(data)}")
        found = self._struct.unpack_from(data)
        values: Values = {}
        at = 0
        for field in self.fields:
            count, load = field.count, field.load
            if not field.private and field.name:
                if count == 1:
                    value = found[at]
                    values[field.name] = load(value) if load else value
                else:
                    items = found[at : at + count]
                    values[field.name] = tuple([load(item) for item in items]) if load else items
            at += count
        return values


_UNITS: Final = {
    **dict.fromkeys("bB", "B"),
    **dict.fromkeys("hH", "H"),
    **dict.fromkeys("iI", "I"),
    **dict.fromkeys("qQ", "Q"),
}
