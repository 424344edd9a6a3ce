"""Kinds of arguments that the options of extensions share; each reads a word and writes it back as ``-S`` does.

Numbers are read as strtoul(3) does with base 0: 0x… is hexadecimal, 0… octal.
"""

from __future__ import annotations

from _socket import AF_INET, AF_INET6, inet_ntop

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.options import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final

    from pyipvsadm.xtables.options import Draft, View

U8: Final = 0xFF
U16: Final = 0xFFFF
U32: Final = 0xFFFFFFFF
U64: Final = 0xFFFFFFFFFFFFFFFF


# -- numbers -----------------------------------------------------------------------------------------------------------


def read_number(text: str, low: int = 0, high: int = U32) -> int | None:
    """Return the number from low to high that is the whole of ``text``, or None."""
    digits = text.lstrip(" \t\n\v\f\r")
    digits = digits[1:] if digits[:1] == "+" else digits
    if not digits.isascii() or not digits.isalnum():
        return None
    if digits[1:2] in ("o", "O") or digits[3:4] in ("x", "X"):  # int() would take 0o7 and, after 0x, another 0x
        return None
    try:
        if digits[:2] in ("0x", "0X"):
            value = int(digits, 16)
        elif digits[:1] == "0" and len(digits) > 1:
            value = int(digits, 8)
        else:
            value = int(digits)
    except ValueError:
        return None
    return value if low <= value <= high else None


def read_counter(text: str) -> int | None:
    """Return the decimal number that a text begins with, as sscanf(3) reads an unsigned long long; None for none."""
    digits = text.lstrip(" \t\n\v\f\r")
    sign = digits[:1] if digits[:1] in ("+", "-") else ""
    digits = digits[len(sign) :]
    rest = digits.lstrip("0123456789")
    if rest == digits:
        return None
    number = int(digits[: len(digits) - len(rest)].lstrip("0")[:21] or "0")
    if number > U64:
        return U64
    return -number & U64 if sign == "-" else number


def number(low: int = 0, high: int = U32, *, base: int = 10, placeholder: str = "NUMBER") -> Kind:
    """Take a number from low to high; written in base 10 or 16."""

    def read(text: str, draft: Draft) -> int:
        value = read_number(text, low, high)
        if value is None:
            raise draft.bad(text, f"not a number from {low} to {high}")
        return value

    return Kind(read, (lambda value, _: str(value)) if base == 10 else (lambda value, _: f"{value:#x}"), placeholder)


def number_range(low: int = 0, high: int = U32, *, joined: bool = True, separator: str = ":") -> Kind:
    """One number or ``first:last``, for two members; a missing end of it is the lowest or the highest there is.

    Written as one number where both are the same, unless not ``joined``.
    """

    def read(text: str, draft: Draft) -> tuple[int, int]:
        first, colon, last = text.partition(separator)
        begin = low if colon and not first else read_number(first, low, high)
        end = begin if not colon else (read_number(last, low, high) if last else high)
        if begin is None or end is None:
            raise draft.bad(text, f"not a number or a range within {low}{separator}{high}")
        if end < begin:
            raise draft.bad(text, "the range is upside down")
        return begin, end

    def write(value: tuple[int, int], _: View) -> str:
        first, last = value
        return str(first) if joined and first == last else f"{first}{separator}{last}"

    return Kind(read, write, f"NUMBER[{separator}NUMBER]")


def masked(high: int = U32, *, default_mask: int | None = None) -> Kind:
    """``value[/mask]``, for two members; written in base 16, the mask where it is not ``default_mask`` (all bits)."""
    whole = high if default_mask is None else default_mask

    def read(text: str, draft: Draft) -> tuple[int, int]:
        first, slash, last = text.partition("/")
        value = read_number(first, 0, high)
        mask = read_number(last, 0, high) if slash else whole
        if value is None or mask is None:
            raise draft.bad(text)
        return value, mask

    return Kind(read, lambda pair, _: show_masked(pair[0], pair[1], whole), "VALUE[/MASK]")


def show_masked(value: int, mask: int, whole: int = U32) -> str:
    """Return ``0xVALUE`` or ``0xVALUE/0xMASK``."""
    return f"0x{value:x}" if mask == whole else f"0x{value:x}/0x{mask:x}"


# -- words -------------------------------------------------------------------------------------------------------------


def text(longest: int, *, quoted: bool = True, placeholder: str = "TEXT") -> Kind:
    """Take a text of at most ``longest`` bytes, none of them a NUL; written in quotes where it needs them."""

    def read(word: str, draft: Draft) -> str:
        if len(word.encode("utf-8", "surrogateescape")) > longest:
            raise draft.bad(word, f"longer than {longest} bytes")
        return word

    return Kind(read, (lambda value, _: quote(value)) if quoted else (lambda value, _: str(value)), placeholder)


_BARE: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_ESCAPED: Final = {ord(letter): f"\\{letter}" for letter in "\"\\'"}


def quote(value: str) -> str:
    """Return a text as a dump holds it: bare where it is made of letters, digits, "_" and "-", else in quotes."""
    if value and _BARE.issuperset(value):
        return value
    if '"' not in value and "\\" not in value and "'" not in value:
        return f'"{value}"'
    return f'"{value.translate(_ESCAPED)}"'


def choice(meanings: Mapping[str, Any], *, placeholder: str = "") -> Kind:
    """One of some words, in any case of letters; written as the first word that has the same meaning."""
    words: dict[Any, str] = {}
    for word, value in meanings.items():
        words.setdefault(value, word)

    def read(given: str, draft: Draft) -> Any:
        found = meanings.get(given, meanings.get(given.lower()))
        if found is None:
            raise draft.bad(given, f"none of {', '.join(meanings)}")
        return found

    return Kind(read, lambda value, _: words.get(value, str(value)), placeholder or "|".join(meanings))


def bits(names: Mapping[str, int], *, separator: str = ",", empty: str = "NONE") -> Kind:
    """Words with commas that stand for bits; written in the order of ``names``, ``empty`` for none.

    A word whose bits are all covered by words before it is not written: put "ALL" where it should win.
    """

    def read(given: str, draft: Draft) -> int:
        value = 0
        for word in given.split(separator):
            if word not in names:
                raise draft.bad(given, f"{word!r} is none of {', '.join(names)}")
            value |= names[word]
        return value

    return Kind(read, lambda value, _: show_bits(value, names, separator, empty), f"WORD[{separator}WORD...]")


def show_bits(value: int, names: Mapping[str, int], separator: str = ",", empty: str = "NONE") -> str:
    """Return the names of the bits that are set."""
    words = []
    left = value
    for word, bit in names.items():
        if bit and left & bit == bit:
            words.append(word)
            left &= ~bit
    return separator.join(words) or empty


# -- ports -------------------------------------------------------------------------------------------------------------


def read_port(word: str, draft: Draft, protocol: str | None) -> int:
    """Return a port by number, or by the name that it has for a protocol (None: for any)."""
    value = read_number(word, 0, U16)
    if value is None:
        value = draft.names.port(word, protocol)
    if value is None:
        raise draft.bad(word, "not a port or service")
    return value


def port_range(protocol: str | None = None) -> Kind:
    """Take a port or ``first:last``, for one member with two elements."""

    def read(word: str, draft: Draft) -> tuple[int, int]:
        first, colon, last = word.partition(":")
        begin = 0 if colon and not first else read_port(first, draft, protocol)
        end = begin if not colon else (read_port(last, draft, protocol) if last else U16)
        if end < begin:
            raise draft.bad(word, "the range is upside down")
        return begin, end

    def write(value: tuple[int, int], _: View) -> str:
        first, last = value
        return str(first) if first == last else f"{first}:{last}"

    return Kind(read, write, "PORT[:PORT]")


def show_port(port: int, view: View, protocol: str | None) -> str:
    """Return a port's number, or its name where the view has names."""
    return str(port) if view.numeric else view.names.service(port, protocol)


# -- addresses ---------------------------------------------------------------------------------------------------------


def show_address(packed: bytes) -> str:
    """Return 4 or 16 bytes as inet_ntop(3) does."""
    return inet_ntop(AF_INET if len(packed) == 4 else AF_INET6, packed)


def read_address(word: str, draft: Draft) -> bytes:
    """Return the one address of a host, 4 or 16 bytes as the rule's family has it."""
    found = draft.names.addresses(word, draft.family)
    if not found:
        raise draft.bad(word, "not an address or host")
    if len(found) > 1:
        raise UsageError(f'{draft.extension.name}: "{word}" has more than one address')
    return found[0]


def from_inet(packed: bytes, view: View) -> bytes:
    """Return what ``union nf_inet_addr`` holds: its first 4 bytes for IPv4."""
    return packed[:4] if view.family == 4 else packed


def address(size: int = 16) -> Kind:
    """Take the address of a host, in a member of 16 bytes (``union nf_inet_addr``) or, where only IPv4 fits, of 4."""
    return Kind(
        lambda word, draft: read_address(word, draft).ljust(size, b"\0"),
        lambda value, view: show_address(from_inet(value, view)),
        "ADDRESS",
    )


def each(kind: Kind, count: int, separator: str = ",") -> Kind:
    """At most ``count`` arguments of a kind with commas, as a tuple."""

    def read(word: str, draft: Draft) -> tuple[Any, ...]:
        words = word.split(separator)
        if len(words) > count:
            raise draft.bad(word, f"more than {count}")
        return tuple([kind.read(one, draft) for one in words])

    return Kind(
        read,
        lambda values, view: separator.join([kind.write(value, view) for value in values]),
        f"{kind.placeholder}[{separator}...]",
    )


def as_member(kind: Kind, load: Callable[[Any], Any], dump: Callable[[Any], Any]) -> Kind:
    """Keep a kind's value in another form in the struct: ``dump(value)`` goes in, ``load(member)`` comes out."""
    return Kind(
        lambda word, draft: dump(kind.read(word, draft)),
        lambda member, view: kind.write(load(member), view),
        kind.placeholder,
    )


def odd_interface(name: str) -> str:
    """Return a warning about the name of an interface, "" where there can be one of this name."""
    if "/" in name or " " in name:
        return f"Warning: weird character in interface `{name}': no interface can have '/' or ' ' in its name"
    return ""
