"""What IPVS knows of a packet's connection.

Struct: ``struct xt_ipvs_mtinfo``, linux/netfilter/xt_ipvs.h. Syntax: iptables-extensions(8), "ipvs".
"""

from __future__ import annotations

from _socket import getaddrinfo

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.extensions.hostmasks import host_mask, read_protocol, show_mask
from pyipvsadm.xtables.kinds import choice, from_inet
from pyipvsadm.xtables.layout import Layout, be16, raw, u8
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout(
    "struct xt_ipvs_mtinfo",
    raw("vaddr", 16),
    raw("vmask", 16),
    be16("vport"),
    u8("l4proto"),
    u8("fwd_method"),
    be16("vportctl"),
    u8("invert"),
    u8("bitmask"),
)
_PROPERTY, _PROTO, _VADDR, _VPORT, _DIR, _METHOD, _VPORTCTL = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40  # XT_IPVS_*


def _read_port(word: str, draft: Draft) -> int:
    try:
        # Whatever number a name or digits stand for in the C library, of any protocol.
        return int(getaddrinfo(None, word.encode("utf-8", "surrogateescape"))[0][4][1])
    except (OSError, ValueError):
        raise draft.bad(word, "not a port or service") from None


_port: Final = Kind(_read_port, lambda value, _: str(value), "PORT")
_method: Final = choice(
    {"GATE": 3, "IPIP": 2, "MASQ": 0, "gate": 3, "ipip": 2, "masq": 0}, placeholder="GATE|IPIP|MASQ"
)


def _read_direction(word: str, draft: Draft) -> int:
    if word.upper() not in ("ORIGINAL", "REPLY"):
        raise draft.bad(word, "neither ORIGINAL nor REPLY")
    reply = _DIR if word.upper() == "REPLY" else 0
    return int(draft.values["invert"]) | reply


_direction: Final = Kind(_read_direction, lambda value, _: "REPLY" if value & _DIR else "ORIGINAL", "ORIGINAL|REPLY")


def _has(bit: int) -> Callable[[Values], bool]:
    return lambda values: bool(values["bitmask"] & bit)


# In the order in which they are printed.
_BITS: Final = {
    "ipvs": _PROPERTY,
    "vproto": _PROTO,
    "vaddr": _VADDR,
    "vport": _VPORT,
    "vdir": _DIR,
    "vmethod": _METHOD,
    "vportctl": _VPORTCTL,
}
_protocol: Final = Kind(read_protocol, lambda value, _: str(value), "PROTOCOL")
_options: Final = (
    Option(
        "ipvs",
        to="bitmask",
        bit=_PROPERTY,
        inverts=("invert", _PROPERTY),
        when=lambda values: values["bitmask"] == _PROPERTY,
    ),
    Option("vproto", kind=_protocol, to="l4proto", inverts=("invert", _PROTO), when=_has(_PROTO)),
    Option("vaddr", kind=host_mask(), to=("vaddr", "vmask"), inverts=("invert", _VADDR), when=_has(_VADDR)),
    Option("vport", kind=_port, to="vport", inverts=("invert", _VPORT), when=_has(_VPORT)),
    Option("vdir", kind=_direction, to="invert", when=_has(_DIR)),
    Option("vmethod", kind=_method, to="fwd_method", inverts=("invert", _METHOD), when=_has(_METHOD)),
    Option("vportctl", kind=_port, to="vportctl", inverts=("invert", _VPORTCTL), when=_has(_VPORTCTL)),
)


def _check(draft: Draft) -> None:
    values = draft.values
    for name in draft.seen:
        values["bitmask"] |= _BITS[name]
    if not values["bitmask"]:
        raise UsageError("IPVS: At least one option is required")
    if values["bitmask"] & ~_PROPERTY and values["invert"] & _PROPERTY:
        raise UsageError("! --ipvs cannot be together with other options")
    values["bitmask"] |= _PROPERTY


def _show_address(values: Values, view: View) -> str:
    address, mask = from_inet(values["vaddr"], view), values["vmask"]
    if not any(address):
        return "anywhere"
    return view.names.host(address) + show_mask(mask, view)


def _show(values: Values, view: View) -> str:
    text = ""
    for option in _options:
        if option.is_set(values, LAYOUT.defaults):
            if option.name == "vaddr" and not view.numeric:
                text += f"{' !' if option.inverted(values) else ''} vaddr {_show_address(values, view)}"
            else:
                text += option.save(values, view).replace("--", "", 1)
    return text


EXTENSIONS: Final = (
    Extension(
        "match",
        "ipvs",
        0,
        BOTH,
        LAYOUT,
        _options,
        summary="what IPVS knows of the packet's connection",
        check=_check,
        show=_show,
    ),
)
