"""Types of messages of Mobile IPv6.

Struct: ``struct ip6t_mh``, linux/netfilter_ipv6/ip6t_mh.h. Syntax: iptables-extensions(8), "mh". Names of types: what
``ip6tables -p mh -h`` lists; numbers: RFC 6275, section 6.1.
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.headers import show_range
from pyipvsadm.xtables.kinds import U8, read_number
from pyipvsadm.xtables.layout import Layout, u8
from pyipvsadm.xtables.options import IPV6, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_WHOLE: Final = (0, U8)
LAYOUT: Final = Layout("struct ip6t_mh", u8.array("types", 2, _WHOLE), u8("invflags"))
_INV_TYPE = 1  # IP6T_MH_INV_TYPE

# By number: the name that is printed, and a shorter one.
_TYPES: Final = (
    ("binding-refresh-request", "brr"),
    ("home-test-init", "hoti"),
    ("careof-test-init", "coti"),
    ("home-test", "hot"),
    ("careof-test", "cot"),
    ("binding-update", "bu"),
    ("binding-acknowledgement", "ba"),
    ("binding-error", "be"),
)
_NAMES: Final = {name: number for number, names in enumerate(_TYPES) for name in names}


def _read_type(word: str, text: str, draft: Draft) -> int:
    """Return a type by its name, by how its name begins (the first name that begins so), or by its number."""
    lower = word.lower()
    if lower in _NAMES:
        return _NAMES[lower]
    for name, number in _NAMES.items():
        if name.startswith(lower):
            return number
    value = read_number(word, 0, U8)
    if value is None:
        raise draft.bad(text, f"no type {word!r}")
    return value


def _read(text: str, draft: Draft) -> tuple[int, int]:
    first, colon, last = text.partition(":")
    begin = _read_type(first, text, draft) if first or not colon else 0
    end = begin if not colon else (_read_type(last, text, draft) if last else U8)
    if end < begin:
        raise draft.bad(text, "the range is upside down")
    return begin, end


def _show(values: Values, view: View) -> str:
    types = values["types"]
    inverted = values["invflags"] & _INV_TYPE
    if types == _WHOLE and not inverted:
        return " mh"
    words = [_TYPES[type_][0] if type_ < len(_TYPES) and not view.numeric else str(type_) for type_ in types]
    return f" mh {'!' if inverted else ''}{':'.join(dict.fromkeys(words))}"


EXTENSIONS: Final = (
    Extension(
        "match",
        "mh",
        0,
        IPV6,
        LAYOUT,
        (
            Option(
                "mh-type",
                kind=Kind(_read, lambda types, _: show_range(types), "TYPE[:TYPE]"),
                to="types",
                inverts=("invflags", _INV_TYPE),
                when=lambda values: values["types"] != _WHOLE,
            ),
        ),
        summary="types of messages of Mobile IPv6",
        protocols=(135,),
        show=_show,
    ),
)
