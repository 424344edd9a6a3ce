"""``first:last`` of numbers, SPIs and ports as most matches read it: an end may be missing, nothing at all is 0."""

from __future__ import annotations

from pyipvsadm.xtables.kinds import U16, U32, U64, read_number
from pyipvsadm.xtables.options import Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_EVERY_PORT: Final = (0, U16)
_EVERY_SPI: Final = (0, U32)
SRC_PORTS: Final = 1  # XT_SCTP_SRC_PORTS and XT_DCCP_SRC_PORTS
DEST_PORTS: Final = 2  # XT_SCTP_DEST_PORTS and XT_DCCP_DEST_PORTS


def read_span(text: str, draft: Draft, high: int, read: Callable[[str], int | None]) -> tuple[int, int]:
    """Return both ends, in the order given: a range may be upside down. Raises UsageError."""
    words = text.split(":")
    if len(words) > 2:
        raise draft.bad(text, "a range has two ends")
    first = read(words[0]) if words[0] else 0
    last = first if len(words) == 1 else read(words[1]) if words[1] else high
    if first is None or last is None:
        raise draft.bad(text, f"not a number from 0 to {high}, or a range of such")
    return first, last


def show_span(ends: tuple[int, int]) -> str:
    """Return the two ends, or the one where they are the same."""
    first, last = ends
    return str(first) if first == last else f"{first}:{last}"


def span(high: int) -> Kind:
    """Return the kind of a number or ``first:last``, for two members or one of two elements."""
    return Kind(
        lambda text, draft: read_span(text, draft, high, lambda word: read_number(word, 0, high)),
        lambda ends, _: show_span(ends),
        "NUMBER[:NUMBER]",
    )


# -- SPIs of IPsec -----------------------------------------------------------------------------------------------------


def spi_option(name: str) -> Option:
    """Return the option for the member ``spis``; a range of all is not printed, an inverted one neither."""
    return Option(
        name,
        kind=span(U32),
        to="spis",
        inverts=("invflags", 1),  # XT_ESP_INV_SPI, XT_IPCOMP_INV_SPI, IPT_AH_INV_SPI and IP6T_AH_INV_SPI
        when=lambda values: values["spis"] != _EVERY_SPI,
    )


def show_spis(values: Values) -> str:
    """Return the member ``spis`` as ``-L`` prints it, without a space before it; nothing for all of them."""
    first, last = values["spis"]
    sign = "!" if values["invflags"] & 1 else ""
    if (first, last) == _EVERY_SPI and not sign:
        return ""
    return f"spi:{sign}{first}" if first == last else f"spis:{sign}{first}:{last}"


# -- ports -------------------------------------------------------------------------------------------------------------


def _read_service(word: str, draft: Draft) -> int | None:
    """Return a port as getaddrinfo(3) finds it: by a name that any protocol has, or in base 10 and cut to 16 bits."""
    digits = word.lstrip(" \t\n\v\f\r")
    digits = digits[1:] if digits[:1] == "+" else digits
    if digits.isascii() and digits.isdigit() and len(digits) < 100:
        value = min(int(digits), U64) & U32
        return value & U16 if value <= U32 >> 1 else None
    return draft.names.port(word, None)


# Ports of any protocol. Those of tcp and its like are kinds.port_range.
service_span: Final = Kind(
    lambda text, draft: read_span(text, draft, U16, lambda word: _read_service(word, draft)),
    lambda ends, _: show_span(ends),
    "PORT[:PORT]",
)


def flagged_ports(kind: Kind) -> tuple[Option, Option]:
    """Return the options for ports where ``flags`` has whether they are given; see ``flag_given``."""
    return (
        Option(
            "sport",
            "source-port",
            kind=kind,
            to="spts",
            inverts=("invflags", SRC_PORTS),
            when=lambda values: bool(values["flags"] & SRC_PORTS),
        ),
        Option(
            "dport",
            "destination-port",
            kind=kind,
            to="dpts",
            inverts=("invflags", DEST_PORTS),
            when=lambda values: bool(values["flags"] & DEST_PORTS),
        ),
    )


def flag_given(draft: Draft, bits: dict[str, int]) -> None:
    """Set the bits in ``flags`` of the options that were given."""
    for name, bit in bits.items():
        if name in draft.seen:
            draft.values["flags"] |= bit


def show_flagged_ports(values: Values, view: View, protocol: str) -> str:
    """Return the ports that are given as ``-L`` prints them."""
    from pyipvsadm.xtables.extensions.matches.tcp import show_ports

    given = dict(values)
    for member, bit in (("spts", SRC_PORTS), ("dpts", DEST_PORTS)):
        if not values["flags"] & bit:
            given[member] = _EVERY_PORT
    return show_ports(given, view, protocol)
