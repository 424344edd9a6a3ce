"""Numbers anywhere in the packet, found and compared by a small program.

Struct: ``struct xt_u32``, linux/netfilter/xt_u32.h. Syntax: iptables-extensions(8), "u32".

The program's bytes are kept whole: 11 tests, of each 11 pairs (number, operator before it), 11 ranges (first, last),
and how many there are of both.
"""

from __future__ import annotations

import struct

from pyipvsadm.xtables.extensions.scan import split_number
from pyipvsadm.xtables.kinds import U32
from pyipvsadm.xtables.layout import Layout, raw, u8
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

    Test = tuple[list[tuple[int, int]], list[tuple[int, int]]]

_MOST: Final = 10  # XT_U32_MAXSIZE
_SLOTS: Final = _MOST + 1
_OPERATORS: Final = ("&", "<<", ">>", "@")  # enum xt_u32_ops
_TEST: Final = struct.Struct("=" + "IB3x" * _SLOTS + "II" * _SLOTS + "BB2x")  # struct xt_u32_test
_FIRST_VALUE: Final = 2 * _SLOTS

# The first member has the alignment of a number.
LAYOUT: Final = Layout(
    "struct xt_u32", raw("tests", _TEST.size * _SLOTS), u8("ntests"), u8("invert"), u8("padding"), u8("padding2")
)


# -- reading -----------------------------------------------------------------------------------------------------------


class _Reader:
    """A place in a program."""

    def __init__(self, text: str, draft: Draft) -> None:
        self.text = self.rest = text
        self.draft = draft

    def ended(self) -> bool:
        """Whether there is nothing left but space."""
        self.rest = self.rest.lstrip(" \t\n\v\f\r")
        return not self.rest

    def bad(self, why: str) -> Exception:
        """Return the error for what is here."""
        return self.draft.bad(self.text, f"at char {len(self.text) - len(self.rest)}: {why}")

    def word(self, *words: str) -> str:
        """Pass over one of some words, and return it; "" for none of them."""
        if not self.ended():
            for word in words:
                if self.rest.startswith(word):
                    self.rest = self.rest[len(word) :]
                    return word
        return ""

    def number(self) -> int:
        """Pass over a number, and return it."""
        value, rest = split_number(self.rest, 0)
        if rest == self.rest or self.rest.lstrip()[:1] == "-" or value > U32:
            raise self.bad("not a number or out of range")
        self.rest = rest
        return value

    def location(self) -> list[tuple[int, int]]:
        """Pass over numbers with operators between, and the "=" after them."""
        found = [(self.number(), 0)]
        while not self.word("="):
            operator = self.word(*_OPERATORS)
            if not operator:
                raise self.bad("operator expected")
            found.append((self.number(), _OPERATORS.index(operator)))
        return self.at_most(found, "too many operators")

    def value(self) -> list[tuple[int, int]]:
        """Pass over ranges with commas between."""
        found = []
        while True:
            first = self.number()
            found.append((first, self.number() if self.word(":") else first))
            if not self.word(","):
                return self.at_most(found, 'too many ","s')

    def tests(self) -> list[Test]:
        """Pass over all tests."""
        found = [(self.location(), self.value())]
        while not self.ended():
            if not self.word("&&"):
                raise self.bad('expected "," or "&&"')
            found.append((self.location(), self.value()))
        return self.at_most(found, 'too many "&&"s')

    def at_most(self, found: list[Any], why: str) -> list[Any]:
        """Return what was found, if it is not too much."""
        if len(found) > _MOST:
            raise self.bad(why)
        return found


def _flat(pairs: list[tuple[int, int]]) -> list[int]:
    numbers = [number for pair in pairs for number in pair]
    return numbers + [0] * (2 * _SLOTS - len(numbers))


def _read(text: str, draft: Draft) -> tuple[bytes, int]:
    tests = _Reader(text, draft).tests()
    packed = [_TEST.pack(*_flat(location), *_flat(value), len(location), len(value)) for location, value in tests]
    return b"".join(packed), len(tests)


# -- writing -----------------------------------------------------------------------------------------------------------


def _test_text(test: tuple[int, ...]) -> str:
    *_, locations, ranges = test
    text = f"{test[0]:#x}"
    for place in range(2, 2 * locations, 2):
        text += f"{_OPERATORS[test[place + 1] & 3]}{test[place]:#x}"
    words = []
    for place in range(_FIRST_VALUE, _FIRST_VALUE + 2 * ranges, 2):
        first, last = test[place], test[place + 1]
        words.append(f"{first:#x}" if first == last else f"{first:#x}:{last:#x}")
    return f"{text}={','.join(words)}"


def _text(tests: bytes, count: int) -> str:
    found = [_TEST.unpack_from(tests, place * _TEST.size) for place in range(min(count, _SLOTS))]
    return f'"{"&&".join([_test_text(test) for test in found])}"'


def _show(values: Values, _: View) -> str:
    return f" u32{' !' if values['invert'] else ''} {_text(values['tests'], values['ntests'])}"


EXTENSIONS: Final = (
    Extension(
        "match",
        "u32",
        0,
        BOTH,
        LAYOUT,
        (
            Option(
                "u32",
                kind=Kind(_read, lambda value, _: _text(*value), "LOCATION=VALUE[&&...]"),
                to=("tests", "ntests"),
                inverts=("invert", 1),
                needed=True,
                when=lambda _: True,
            ),
        ),
        summary="numbers anywhere in the packet",
        show=_show,
    ),
)
