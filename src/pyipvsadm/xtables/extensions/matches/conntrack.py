"""What connection tracking knows about the packet's connection.

Struct: ``struct xt_conntrack_mtinfo3``, linux/netfilter/xt_conntrack.h. Syntax: iptables-extensions(8), "conntrack".

The kernel takes revisions 1 and 2 too, but the peer shows them as unsupported where there is revision 3.
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.extensions.prefixes import EVERY_BIT, bits, length_of, read_mask
from pyipvsadm.xtables.extensions.spans import read_span, span
from pyipvsadm.xtables.kinds import (
    U16,
    U32,
    choice,
    from_inet,
    read_address,
    read_number,
    show_address,
    show_bits,
)
from pyipvsadm.xtables.layout import Layout, raw, u16, u32
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout(
    "struct xt_conntrack_mtinfo3",
    raw("origsrc_addr", 16),
    raw("origsrc_mask", 16),
    raw("origdst_addr", 16),
    raw("origdst_mask", 16),
    raw("replsrc_addr", 16),
    raw("replsrc_mask", 16),
    raw("repldst_addr", 16),
    raw("repldst_mask", 16),
    u32("expires_min"),
    u32("expires_max"),
    u16("l4proto"),
    u16("origsrc_port"),
    u16("origdst_port"),
    u16("replsrc_port"),
    u16("repldst_port"),
    u16("match_flags"),
    u16("invert_flags"),
    u16("state_mask"),
    u16("status_mask"),
    u16("origsrc_port_high"),
    u16("origdst_port_high"),
    u16("replsrc_port_high"),
    u16("repldst_port_high"),
)

# XT_CONNTRACK_*, in the order of the options.
STATE: Final = 1 << 0
STATE_ALIAS: Final = 1 << 13  # the rule was made with "-m state"
_DIRECTION: Final = 1 << 12
_BITS: Final = {
    "ctstate": STATE,
    "ctproto": 1 << 1,
    "ctorigsrc": 1 << 2,
    "ctorigdst": 1 << 3,
    "ctreplsrc": 1 << 4,
    "ctrepldst": 1 << 5,
    "ctorigsrcport": 1 << 8,
    "ctorigdstport": 1 << 9,
    "ctreplsrcport": 1 << 10,
    "ctrepldstport": 1 << 11,
    "ctstatus": 1 << 6,
    "ctexpire": 1 << 7,
    "ctdir": _DIRECTION,
}

STATES: Final = {
    "INVALID": 1 << 0,
    "NEW": 1 << 3,
    "RELATED": 1 << 2,
    "ESTABLISHED": 1 << 1,
    "UNTRACKED": 1 << 8,
    "SNAT": 1 << 6,
    "DNAT": 1 << 7,
}
_STATUSES: Final = {"NONE": 0, "EXPECTED": 1 << 0, "SEEN_REPLY": 1 << 1, "ASSURED": 1 << 2, "CONFIRMED": 1 << 3}


# -- states and statuses -----------------------------------------------------------------------------------------------


def words_for_bits(names: dict[str, int], *, empty: str = "") -> Kind:
    """Beginnings of names, in any case of letters, with commas; ``empty`` is written where there is no bit at all."""

    def read(text: str, draft: Draft) -> int:
        value = 0
        for word in text.split(","):
            found = [bit for name, bit in names.items() if word and word.isascii() and name.startswith(word.upper())]
            if not found:
                raise draft.bad(text, f"{word!r} is none of {', '.join(names)}")
            value |= found[0]
        return value

    def write(value: int, _: View) -> str:
        return show_bits(value, names, empty="") if value else empty

    return Kind(read, write, "WORD[,WORD...]")


# -- protocols, addresses, ports, times --------------------------------------------------------------------------------


def _read_protocol(word: str, draft: Draft) -> int:
    """Return a protocol; its name counts in the case of letters that the system knows it in, unlike that after -p."""
    number = read_number(word, 0, 255)
    if number is None and word == word.lower():
        number = draft.names.protocol_number(word)
    if number is None:
        from _socket import getprotobyname

        try:
            number = getprotobyname(word)
        except (OSError, ValueError):
            raise draft.bad(word, "not a protocol") from None
    return number


def _read_network(word: str, draft: Draft) -> tuple[bytes, bytes]:
    host, slash, text = word.partition("/")
    mask = read_mask(text, draft) if slash else EVERY_BIT
    return read_address(host, draft).ljust(16, b"\0"), mask


def _write_network(value: tuple[bytes, bytes], view: View) -> str:
    address, mask = from_inet(value[0], view), value[1]
    if view.numeric:
        text = show_address(address)
    elif any(address):
        text = view.names.host(address)
    else:
        return "anywhere"
    length = length_of(mask, view.family)
    return text if length in (None, bits(view.family)) else f"{text}/{length}"


def _read_port(word: str, draft: Draft) -> int:
    """Return a port as getaddrinfo(3) reads that: in base 10, an ``int`` of C that wraps around."""
    digits = word.lstrip(" \t\n\v\f\r")
    sign = -1 if digits[:1] == "-" else 1
    digits = digits[1:] if digits[:1] in ("-", "+") else digits
    if digits.isascii() and digits.isdigit() and len(digits) <= 20 and int(digits) < 1 << 64:
        number = sign * int(digits) & U32
        if number < 1 << 31:
            return number & U16
    for protocol in ("tcp", "udp", "dccp", "udplite", "sctp"):
        port = draft.names.port(word, protocol)
        if port is not None:
            return port
    raise draft.bad(word, "not a port or service")


def _read_ports(text: str, draft: Draft) -> tuple[int, int]:
    return read_span(text, draft, U16, lambda word: _read_port(word, draft))


def _write_ports(value: tuple[int, int], _: View) -> str:
    first, last = value
    return f"{first}:{last}" if last and last != first else str(first)


# -- the direction: its value is in the flag that inverts other options ------------------------------------------------

_direction: Final = choice(
    {"ORIGINAL": 0, "REPLY": _DIRECTION, "original": 0, "reply": _DIRECTION},
    placeholder="ORIGINAL|REPLY",
)


def _read_direction(word: str, draft: Draft) -> int:
    flags: int = draft.values["invert_flags"]
    bit: int = _direction.read(word, draft)
    return flags | bit


def _write_direction(flags: int, view: View) -> str:
    return _direction.write(flags & _DIRECTION, view)


# -- together ----------------------------------------------------------------------------------------------------------


def _option(name: str, kind: Kind, to: str | tuple[str, ...]) -> Option:
    bit = _BITS[name]
    return Option(
        name,
        kind=kind,
        to=to,
        inverts=None if bit == _DIRECTION else ("invert_flags", bit),
        when=lambda values: bool(values["match_flags"] & bit),
    )


_network: Final = Kind(_read_network, _write_network, "ADDRESS[/MASK]")
_ports: Final = Kind(_read_ports, _write_ports, "PORT[:PORT]")

_OPTIONS: Final = (
    _option("ctstate", words_for_bits(STATES), "state_mask"),
    _option("ctproto", Kind(_read_protocol, lambda value, _: str(value), "PROTOCOL"), "l4proto"),
    _option("ctorigsrc", _network, ("origsrc_addr", "origsrc_mask")),
    _option("ctorigdst", _network, ("origdst_addr", "origdst_mask")),
    _option("ctreplsrc", _network, ("replsrc_addr", "replsrc_mask")),
    _option("ctrepldst", _network, ("repldst_addr", "repldst_mask")),
    _option("ctorigsrcport", _ports, ("origsrc_port", "origsrc_port_high")),
    _option("ctorigdstport", _ports, ("origdst_port", "origdst_port_high")),
    _option("ctreplsrcport", _ports, ("replsrc_port", "replsrc_port_high")),
    _option("ctrepldstport", _ports, ("repldst_port", "repldst_port_high")),
    _option("ctstatus", words_for_bits(_STATUSES, empty="NONE"), "status_mask"),
    _option("ctexpire", span(U32), ("expires_min", "expires_max")),
    _option("ctdir", Kind(_read_direction, _write_direction, _direction.placeholder), "invert_flags"),
)


def _check(draft: Draft) -> None:
    if not draft.seen:
        raise UsageError("conntrack: At least one option is required")
    for name in draft.seen:
        draft.values["match_flags"] |= _BITS[name]


def save(values: Values, view: View) -> str:
    """Return the options as ``-S`` prints them; also those of a rule that was made with "-m state"."""
    # No bit that has a name leaves the option without an argument.
    texts = [option.save(values, view).rstrip() for option in _OPTIONS if option.is_set(values, LAYOUT.defaults)]
    text = "".join(texts)
    return text.replace("--ctstate", "--state", 1) if values["match_flags"] & STATE_ALIAS else text


def show(values: Values, view: View) -> str:
    """Return the options as ``-L`` prints them."""
    return save(values, view).replace("--", "")


def name_in_rule(values: Values) -> str:
    """Return the name that a rule was made with."""
    return "state" if values["match_flags"] & STATE_ALIAS else "conntrack"


EXTENSIONS: Final = (
    Extension(
        "match",
        "conntrack",
        3,
        BOTH,
        LAYOUT,
        _OPTIONS,
        summary="state, addresses and more of the connection",
        check=_check,
        save=save,
        show=show,
        typed=name_in_rule,
    ),
)
