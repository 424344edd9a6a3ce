"""Which headers an IPv6 packet has.

Struct: ``struct ip6t_ipv6header_info``, linux/netfilter_ipv6/ip6t_ipv6header.h. Syntax: iptables-extensions(8),
"ipv6header".
"""

from __future__ import annotations

from _socket import getprotobyname

from pyipvsadm.xtables.kinds import show_bits
from pyipvsadm.xtables.layout import Layout, u8
from pyipvsadm.xtables.options import IPV6, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout("struct ip6t_ipv6header_info", u8("matchflags"), u8("invflags"), u8("modeflag"))
_ALL: Final = 0xFF  # of invflags and modeflag, each bit is set or none

# MASK_*, by the name that is printed.
_BITS: Final = {
    "hop-by-hop": 0x80,
    "ipv6-opts": 0x40,
    "ipv6-route": 0x20,
    "ipv6-frag": 0x10,
    "ah": 0x08,
    "esp": 0x04,
    "ipv6-nonxt": 0x02,
    "protocol": 0x01,
}
_SHORT: Final = {
    "hop": "hop-by-hop",
    "dst": "ipv6-opts",
    "route": "ipv6-route",
    "frag": "ipv6-frag",
    "auth": "ah",
    "none": "ipv6-nonxt",
    "prot": "protocol",
}
_NUMBERS: Final = {
    0: "hop-by-hop",
    60: "ipv6-opts",
    43: "ipv6-route",
    44: "ipv6-frag",
    51: "ah",
    50: "esp",
    59: "ipv6-nonxt",
    255: "protocol",
}
_WORDS: Final = {
    **_BITS,
    **{word: _BITS[name] for word, name in _SHORT.items()},
    **{str(number): _BITS[name] for number, name in _NUMBERS.items()},
}


def _by_protocol(name: str) -> int | None:
    """Return the bit of a header by any name that the system has for it, such as "hopopt" or "IPSEC-AH"."""
    try:
        return _WORDS.get(str(getprotobyname(name)))
    except (OSError, ValueError):
        return None


def _read(text: str, draft: Draft) -> int:
    value = 0
    for word in text.split(","):
        if word:
            bit = _WORDS.get(word) or _by_protocol(word)
            if not bit:
                raise draft.bad(text, f"no header {word!r}")
            value |= bit
    if not value:
        raise draft.bad(text, "no header")
    return value


def _write(value: int, _: View) -> str:
    return show_bits(value, _BITS)


def _show(values: Values, view: View) -> str:
    flags, inverted = values["matchflags"], values["invflags"]
    text = " ipv6header"
    if flags or inverted:
        names = f"0x{flags:02X}" if view.numeric else _write(flags, view)
        text += f" flags:{'!' if inverted else ''}{names}"
    return f"{text} soft" if values["modeflag"] else text


EXTENSIONS: Final = (
    Extension(
        "match",
        "ipv6header",
        0,
        IPV6,
        LAYOUT,
        (
            Option(
                "header",
                kind=Kind(_read, _write, "HEADER[,HEADER...]"),
                to="matchflags",
                inverts=("invflags", _ALL),
                needed=True,
                when=lambda _: True,
            ),
            Option("soft", to="modeflag", bit=_ALL),
        ),
        summary="which headers a packet has",
        show=_show,
    ),
)
