"""Netlink attributes, declared once as a table of rows and compiled to one ``struct`` each way.

A table is a list of ``Attr`` rows: the attribute's number, the field that holds its value, the kind of value. Encoding
packs all rows in one call. Decoding learns the layout of the first message of a shape (which attributes, how long, in
which order: a kernel sends all its real servers alike) and reads the following ones in one call as well, checking every
attribute header against what it learned.

Format: struct nlattr of linux/netlink.h: u16 length (header included), u16 type, payload, padding to 4 bytes.
"""

from __future__ import annotations

import struct
from _operator import attrgetter, itemgetter

from pyipvsadm.abi.netlink import NLA_F_NESTED, NLA_F_NET_BYTEORDER
from pyipvsadm.errors import WireError
from pyipvsadm.memo import remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Final

_HEADER: Final = struct.Struct("=HH")
_TYPE_MASK: Final = ~(NLA_F_NESTED | NLA_F_NET_BYTEORDER) & 0xFFFF


class Kind:
    """How a value stands on the wire: a struct format, and what to do to a value before packing and after unpacking.

    A value of ``variable`` length is as long as its attribute says when read; it is sent in the format's size.
    """

    __slots__ = ("dump", "format", "load", "size", "variable", "width")

    def __init__(
        self,
        format: str,  # noqa: A002  # struct's own word for it
        *,
        dump: Callable[[Any], Any] | None = None,
        load: Callable[[Any], Any] | None = None,
        variable: bool = False,
    ) -> None:
        self.format = format
        self.variable = variable
        self.width = 1  # values that it gives, as AttrTable.width
        self.size = struct.calcsize("=" + format)
        self.dump = dump
        self.load = load


_LITTLE: Final = struct.pack("=H", 1) == b"\x01\x00"


def swap16(value: int) -> int:
    """Turn a 16-bit number between network and host order; one out of range stays out of range."""
    return value >> 8 | (value & 0xFF) << 8 if _LITTLE else value


def swap32(value: int) -> int:
    """Turn a 32-bit number between network and host order."""
    return int.from_bytes(value.to_bytes(4, "big"), "little" if _LITTLE else "big")


u8: Final = Kind("B")
u16: Final = Kind("H")
u32: Final = Kind("I")
i32: Final = Kind("i")
u64: Final = Kind("Q")
_swapped: Final = remembered(swap16)
be16: Final = Kind("H", dump=_swapped, load=_swapped)


def asciiz(size: int) -> Kind:
    """Return the kind of a text of at most ``size`` bytes with its NUL; it is sent padded with NULs to that size."""

    def dump(text: str) -> bytes:
        data = text.encode("utf-8", "surrogateescape")
        if len(data) >= size or b"\0" in data:
            raise WireError("text", 0, f"at most {size - 1} bytes and no NUL", repr(text))
        return data

    return Kind(f"{size}s", dump=dump, load=remembered(_load_text), variable=True)


def _load_text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")


class Attr:
    """A row: attribute ``number`` holds ``field`` (dots reach into records) as ``kind``, or as a nested table.

    ``when`` decides from the field's value whether the attribute is sent; it is always sent without it. A message
    without it is an error unless it is ``optional``, as attributes with a ``when`` are. One that is there ``instead``
    of another, of a row before, gives that row's values, and is passed over in messages that have both.
    """

    __slots__ = ("field", "instead", "kind", "number", "optional", "when")

    def __init__(
        self,
        number: int,
        field: str,
        kind: Kind | AttrTable,
        *,
        when: Callable[[Any], bool] | None = None,
        optional: bool = False,
        instead: int | None = None,
    ) -> None:
        self.number = number
        self.field = field
        self.kind = kind
        self.when = when
        self.optional = optional or when is not None
        self.instead = instead


def iterate(data: bytes, start: int, end: int, name: str) -> Iterator[tuple[int, int, int]]:
    """Yield (type, start, end) of each attribute's payload between two offsets.

    Raises WireError, with ``name`` for the struct, where a length leads outside.
    """
    while start + 4 <= end:
        length, number = _HEADER.unpack_from(data, start)
        if length < 4 or start + length > end:
            raise WireError(name, start, f"an attribute of 4 to {end - start} bytes", f"{length} bytes")
        yield number & _TYPE_MASK, start + 4, start + length
        start += length + 3 & ~3
    if start < end:
        raise WireError(name, start, "an attribute header of 4 bytes", f"{end - start} bytes")


class AttrTable:
    """Rows of attributes and the two directions between them and values; see the module."""

    def __init__(self, name: str, *rows: Attr) -> None:
        self.name = name
        self.rows = rows
        self.width: int = sum([row.kind.width for row in rows if row.instead is None])
        self._encoders: dict[tuple[bool, ...], _Encoder] = {}
        self._layouts: dict[int, _Layout] = {}
        self._conditional = [(attrgetter(row.field), row.when) for row in rows if row.when]

    def encode(self, value: object) -> bytes:
        """Return the attributes of ``value``, back to back; raises WireError for what does not fit its attribute."""
        conditional = self._conditional
        present = tuple([when(get(value)) for get, when in conditional]) if conditional else ()
        encoder = self._encoders.get(present)
        if encoder is None:
            answers = iter(present)
            rows = [row for row in self.rows if row.when is None or next(answers)]
            encoder = self._encoders[present] = _Encoder(rows)
        try:
            return encoder.encode(value)
        except struct.error as problem:
            raise WireError(self.name, 0, str(problem), repr(value)) from None

    def decode(self, data: bytes, start: int, end: int) -> list[Any]:
        """Return the values between two offsets in the order of the rows, nested tables' spread out in place.

        An absent optional attribute is None; unknown ones are passed over. Raises WireError for lengths that cannot
        be and for missing attributes.
        """
        layout = self._layouts.get(end - start)
        if layout is not None:
            values = layout.decode(data, start)
            if values is not None:
                return values
        layout = self._layouts[end - start] = _Layout(self, data, start, end)
        values = layout.decode(data, start)
        assert values is not None  # learned from these very bytes
        return values


class _Encoder:
    """The rows of a table that are present in one shape of message, as one struct."""

    def __init__(self, rows: Sequence[Attr]) -> None:
        formats = ["="]
        self._arguments: list[Any] = []  # attribute headers, each followed by its value
        self._dumps: list[tuple[int, Callable[[Any], Any]]] = []
        for row in rows:
            kind = row.kind
            assert isinstance(kind, Kind)  # nested tables are read, never sent
            formats.append(f"4s{kind.format}{-kind.size % 4}x")
            self._arguments += [_HEADER.pack(4 + kind.size, row.number), None]
            if kind.dump is not None:
                self._dumps.append((len(self._arguments) - 1, kind.dump))
        fields = [row.field for row in rows]
        get = attrgetter(*fields)
        self._get = get if len(fields) > 1 else lambda value: (get(value),)
        self._pack = struct.Struct("".join(formats)).pack

    def encode(self, value: object) -> bytes:
        arguments = self._arguments
        arguments[1::2] = self._get(value)
        for at, dump in self._dumps:
            arguments[at] = dump(arguments[at])
        return self._pack(*arguments)


class _Layout:
    """Where everything is in messages of one shape: learned from one, checked against each.

    The check compares all attribute headers at once: the message as a number, under a mask that leaves nothing else.
    """

    def __init__(self, table: AttrTable, data: bytes, start: int, end: int) -> None:
        self._size = end - start
        self._formats = ["="]
        self._sources: list[tuple[int, Callable[[Any], Any] | None]] = []  # of each value: row, load
        mask = bytearray(self._size)
        self._learn(table, 0, data, start, end, memoryview(mask), start)
        self._mask = int.from_bytes(mask, "little")
        self._headers = int.from_bytes(data[start:end], "little") & self._mask
        self._unpack_from = struct.Struct("".join(self._formats)).unpack_from
        absent = len(self._sources)  # index of the None that stands for absent attributes
        picks = [absent] * table.width
        self._loads: list[tuple[int, Callable[[Any], Any]]] = []
        for at, (row, load) in enumerate(self._sources):
            picks[row] = at
            if load is not None:
                self._loads.append((row, load))
        self._in_order = picks == list(range(absent))
        self._get_values = itemgetter(*picks, absent)

    def _learn(
        self, table: AttrTable, first_row: int, data: bytes, start: int, end: int, mask: memoryview, origin: int
    ) -> None:
        rows: dict[int, tuple[int, Attr | None]] = {}
        for known in table.rows:
            if known.instead is not None:
                rows[known.number] = (rows[known.instead][0], known)
                continue
            rows[known.number] = (first_row, known)
            first_row += known.kind.width
        attributes = list(iterate(data, start, end, table.name))
        present = {number for number, _, _ in attributes}
        for number, payload, payload_end in attributes:
            mask[payload - 4 - origin : payload - origin] = b"\xff\xff\xff\xff"
            size = payload_end - payload
            padding = min(-size % 4, end - payload_end)
            self._formats.append("4x")
            at, row = rows.get(number, (0, None))
            if row is None or row.instead in present:
                self._formats.append(f"{size}x")
            elif isinstance(row.kind, AttrTable):
                self._learn(row.kind, at, data, payload, payload_end, mask, origin)
            else:
                self._formats.append(self._value_format(table, row, row.kind, payload, size))
                self._sources.append((at, row.kind.load))
            self._formats.append(f"{padding}x")
        for known in table.rows:
            if not known.optional and known.number not in present:
                raise WireError(table.name, start, f"attribute {known.number} ({known.field})", "none")

    @staticmethod
    def _value_format(table: AttrTable, row: Attr, kind: Kind, offset: int, size: int) -> str:
        if kind.variable:
            return f"{size}s"
        if kind.size != size:
            raise WireError(f"{table.name}.{row.field}", offset, f"{kind.size} bytes", f"{size}")
        return kind.format

    def decode(self, data: bytes, start: int) -> list[Any] | None:
        """Return the rows' values, or None where the bytes at ``start`` are of another shape."""
        if int.from_bytes(data[start : start + self._size], "little") & self._mask != self._headers:
            return None
        found = list(self._unpack_from(data, start))
        if not self._in_order:
            found.append(None)
            found = list(self._get_values(found))
            found.pop()  # the None that makes itemgetter return a tuple even for one row
        for row, load in self._loads:
            found[row] = load(found[row])
        return found
