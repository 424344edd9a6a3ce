"""What the targets that translate addresses share: addresses and ports to translate to, and flags.

Structs: ``struct nf_nat_ipv4_multi_range_compat``, ``struct nf_nat_range`` and ``struct nf_nat_range2``,
linux/netfilter/nf_nat.h. Syntax: iptables-extensions(8), "DNAT", "SNAT", "MASQUERADE", "REDIRECT".
"""

from __future__ import annotations

import struct
from _socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from pyipvsadm.errors import UsageError
from pyipvsadm.memo import remembered
from pyipvsadm.xtables.kinds import U16, from_inet, show_address
from pyipvsadm.xtables.layout import Layout, be16, raw, u32
from pyipvsadm.xtables.options import IPV4, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, Family, View

    Ports = tuple[int, int, int, int]  # flags, first, last, base
    Translation = tuple[Any, ...]  # flags, first and last address, first and last port, perhaps the base

MAP_IPS, PROTO_SPECIFIED, PROTO_RANDOM, PERSISTENT, PROTO_RANDOM_FULLY, PROTO_OFFSET = (
    1,
    2,
    4,
    8,
    16,
    32,
)  # NF_NAT_RANGE_*

IPV4_RANGE: Final = Layout(
    "struct nf_nat_ipv4_multi_range_compat",
    u32("rangesize", 1),
    u32("flags"),
    raw("min_ip", 4),
    raw("max_ip", 4),
    be16("min"),
    be16("max"),
)
IPV4_MEMBERS: Final = ("flags", "min_ip", "max_ip", "min", "max")

_RANGE: Final = (u32("flags"), raw("min_addr", 16), raw("max_addr", 16), be16("min_proto"), be16("max_proto"))
RANGE: Final = Layout("struct nf_nat_range", *_RANGE)
MEMBERS: Final = ("flags", "min_addr", "max_addr", "min_proto", "max_proto")

RANGE2: Final = Layout("struct nf_nat_range2", *_RANGE, be16("base_proto"))
MEMBERS2: Final = (*MEMBERS, "base_proto")

# ICMP, which has no ports but identifiers, is let through for either family; ICMPv6 is not.
_WITH_PORTS: Final = (1, 6, 17, 33, 132)


# -- ports -------------------------------------------------------------------------------------------------------------

_DIGITS: Final = {8: "01234567", 10: "0123456789", 16: "0123456789abcdefABCDEF"}


def read_leading_number(text: str) -> tuple[int | None, str]:
    """Return the number that a text begins with, as strtoul(3) reads it with base 0, and what follows it."""
    digits = text.lstrip(" \t\n\v\f\r")
    digits = digits[1:] if digits[:1] == "+" else digits
    base = 10
    if digits[:1] == "0":
        base = 16 if digits[1:2] in ("x", "X") and digits[2:3] and digits[2] in _DIGITS[16] else 8
    body = digits[2:] if base == 16 else digits
    rest = body.lstrip(_DIGITS[base])
    number = body[: len(body) - len(rest)]
    return (int(number, base) if 0 < len(number) <= 24 else None), rest


def _read_ports(text: str, draft: Draft, *, shifts: bool) -> Ports:
    """Return the ports of ``port``, ``first-last`` or ``first-last/base``; only single ones can be services."""
    if draft.stated not in _WITH_PORTS:
        raise UsageError(f"{draft.extension.name}: ports need a rule for TCP, UDP, SCTP or DCCP")
    first, rest = read_leading_number(text)
    if first is None or first > U16:
        service = draft.names.port(text, None)
        if service is None:
            raise draft.bad(text, "not a port or service")
        return PROTO_SPECIFIED, service, service, 0
    if not rest:
        return PROTO_SPECIFIED, first, first, 0
    last, after = read_leading_number(rest[1:])
    if rest[0] != "-" or last is None or last > U16 or after[:1] not in ("", "/"):
        raise draft.bad(text, "not a port or a range of ports")
    if last < first:
        raise draft.bad(text, "the range is upside down")
    if not after:
        return PROTO_SPECIFIED, first, last, 0
    if not shifts:
        raise draft.bad(text, "the kernel cannot shift ranges of ports here")
    return PROTO_SPECIFIED | PROTO_OFFSET, first, last, _read_base(after[1:], draft)


def _read_base(text: str, draft: Draft) -> int:
    # Whatever follows the number is not looked at.
    base, _ = read_leading_number(text)
    if base is None or not 1 <= base <= U16:
        base = draft.names.port(text, None)
    if base is None:
        raise draft.bad(text, "not a port or service")
    return base


def _show_ports(flags: int, first: int, last: int, base: int = 0) -> str:
    text = str(first) if first == last else f"{first}-{last}"
    return f"{text}/{base}" if flags & PROTO_OFFSET else text


def _ports(*, shifts: bool) -> Kind:
    """Ports, for the flags and two members."""

    def read(text: str, draft: Draft) -> tuple[int, int, int]:
        flags, first, last, _ = _read_ports(text, draft, shifts=shifts)
        return draft.values["flags"] | flags, first, last

    return Kind(read, lambda value, _: _show_ports(*value), "PORT[-PORT]")


# -- addresses ---------------------------------------------------------------------------------------------------------


def _read_address(text: str, draft: Draft) -> bytes:
    try:
        return inet_pton(AF_INET if draft.family == 4 else AF_INET6, text)
    except (OSError, ValueError):
        raise draft.bad(text, "not an address") from None


def _split(text: str, draft: Draft) -> tuple[str | None, str | None]:
    """Return the addresses, None where there is no place for them, and the ports, None where there is no colon."""
    opening = text.find("[")
    closing = text.find("]", opening)
    if opening >= 0 and (closing < 0 or draft.family == 4):
        raise draft.bad(text, 'not an IPv6 address in "[" and "]"')
    # What stands before the brackets, or between them and the ports, is not looked at.
    colon = text.find(":", 0 if opening < 0 else closing)
    if colon < 0 or (opening < 0 and text.find(":", colon + 1) >= 0):
        addresses, ports = text, None
    else:
        addresses, ports = text[:colon], text[colon + 1 :]
    if ports is not None and colon in (0, 2):  # 2 is meant for "[]", but any two letters are taken for it
        return None, ports
    return addresses if opening < 0 else text[opening + 1 : closing], ports


def _read_translation(text: str, draft: Draft, *, shifts: bool) -> Translation:
    addresses, ports = _split(text, draft)
    flags = draft.values["flags"]
    first = last = base = 0
    low = high = bytes(4 if draft.family == 4 else 16)
    if ports is not None:
        more, first, last, base = _read_ports(ports, draft, shifts=shifts)
        flags |= more
    if addresses is not None:
        begin, dash, end = addresses.partition("-")
        low = _read_address(begin, draft)
        high = _read_address(end, draft) if dash else low
        flags |= MAP_IPS
    return flags, low, high, first, last, base


def _show_translation(value: Translation, view: View) -> str:
    flags, low, high, first, last, *base = value
    text = ""
    if flags & MAP_IPS:
        text = show_address(from_inet(low, view))
        if low != high:
            text += f"-{show_address(from_inet(high, view))}"
        if view.family == 6 and flags & PROTO_SPECIFIED:
            text = f"[{text}]"
    if flags & PROTO_SPECIFIED:
        text += f":{_show_ports(flags, first, last, *base)}"
    return text


def _translation(members: tuple[str, ...], *, shifts: bool) -> Kind:
    """``[address[-address]][:port[-port[/base]]]``, for the flags and the other members; a base where it ``shifts``."""

    def read(text: str, draft: Draft) -> Translation:
        flags, low, high, *ports = _read_translation(text, draft, shifts=shifts)
        size = len(draft.extension.layout.defaults[members[1]])
        return (flags, low.ljust(size, b"\0"), high.ljust(size, b"\0"), *ports)[: len(members)]

    return Kind(read, _show_translation, "[ADDRESS[-ADDRESS]][:PORT[-PORT]]")


# -- targets -----------------------------------------------------------------------------------------------------------

# Those that the kernel has are printed, be there an option for them or not.
_FLAGS: Final = {"random": PROTO_RANDOM, "random-fully": PROTO_RANDOM_FULLY, "persistent": PERSISTENT}


def _extension(
    name: str,
    revision: int,
    families: Iterable[Family],
    option: Option,
    flags: tuple[str, ...],
    *,
    show: Callable[[Values, View], str],
    heading: str,
    summary: str,
    hooks: tuple[str, ...],
    quick: Callable[[str, Family, int], bytes | None] | None = None,
    quick_save: Callable[[bytes, Family], str | None] | None = None,
) -> Extension:
    """Return a target of an option and some flags; these are printed after what ``show`` returns, if it does."""

    def text(values: Values, view: View, before: str, dashes: str) -> str:
        place = show(values, view)
        words = [f" {dashes}{word}" for word, bit in _FLAGS.items() if values["flags"] & bit]
        return (f" {before}{place}" if place else "") + "".join(words)

    return Extension(
        "target",
        name,
        revision,
        families,
        IPV4_RANGE if families == IPV4 else RANGE2 if revision == 2 else RANGE,
        (option, *[Option(word, to="flags", bit=_FLAGS[word]) for word in flags]),
        summary=summary,
        tables=("nat",),
        hooks=hooks,
        save=lambda values, view: text(values, view, f"--{option.name} ", "--"),
        show=lambda values, view: text(values, view, heading, ""),
        quick=quick,
        quick_save=quick_save,
    )


def translator(
    name: str,
    revision: int,
    families: Iterable[Family],
    option: str,
    flags: tuple[str, ...],
    *,
    shifts: bool,
    summary: str,
    hooks: tuple[str, ...],
) -> Extension:
    """Return a target that translates to addresses and ports."""
    members = IPV4_MEMBERS if families == IPV4 else MEMBERS2 if revision == 2 else MEMBERS
    kind = _translation(members, shifts=shifts)

    def show(values: Values, view: View) -> str:
        return _show_translation(tuple([values[member] for member in members]), view)

    written = f"--{option} "

    def quick(options: str, family: Family, protocol: int) -> bytes | None:
        if family != 4 or protocol not in _WITH_PORTS or not options.startswith(written):
            return None
        return _pack_endpoint(options[len(written) :])

    def quick_save(data: bytes, family: Family) -> str | None:
        return _save_endpoint(option, data) if family == 4 else None

    place = Option(option, kind=kind, to=members, needed=True)
    return _extension(
        name,
        revision,
        families,
        place,
        flags,
        show=show,
        heading="to:",
        summary=summary,
        hooks=hooks,
        quick=quick if revision == 2 else None,
        quick_save=quick_save if revision == 2 else None,
    )


def _pack_endpoint(text: str) -> bytes | None:
    """Return the range of one IPv4 address with a port."""
    host, _, word = text.partition(":")
    port = _packed_port(word)
    try:
        packed = inet_pton(AF_INET, host)
    except (OSError, ValueError):
        return None
    return port and _ENDPOINT.pack(MAP_IPS | PROTO_SPECIFIED, packed, packed, port, port)


@remembered
def _packed_port(text: str) -> bytes | None:
    if not (text.isascii() and text.isdigit() and text[0] != "0" and len(text) < 6 and int(text) <= U16):
        return None
    return int(text).to_bytes(2, "big")


def _save_endpoint(option: str, data: bytes) -> str | None:
    if len(data) != _ENDPOINT.size:
        return None
    flags, first, last, low, high = _ENDPOINT.unpack(data)
    if flags != MAP_IPS | PROTO_SPECIFIED or first != last or low != high:
        return None
    return f" --{option} {inet_ntop(AF_INET, first)}:{int.from_bytes(low, 'big')}"


_ENDPOINT: Final = struct.Struct("@I4s12x4s12x2s2s8x")  # struct nf_nat_range2, padded


def to_ports(
    name: str,
    families: Iterable[Family],
    flags: tuple[str, ...],
    *,
    shifts: bool,
    heading: str,
    summary: str,
    hooks: tuple[str, ...],
) -> Extension:
    """Return a target that translates to ports of an address it finds itself; a base for them is read, and lost."""
    members = IPV4_MEMBERS if families == IPV4 else MEMBERS

    def show(values: Values, view: View) -> str:
        return _show_translation(tuple([values[member] for member in members]), view).removeprefix(":")

    ports = Option("to-ports", kind=_ports(shifts=shifts), to=(members[0], *members[3:]))
    return _extension(name, 0, families, ports, flags, show=show, heading=heading, summary=summary, hooks=hooks)
