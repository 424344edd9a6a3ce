"""ICMP's types and codes by name, number or both, as the matches for ICMP and ICMPv6 read and print them."""

from __future__ import annotations

from pyipvsadm.xtables.kinds import U8, read_number
from pyipvsadm.xtables.layout import Layout, u8
from pyipvsadm.xtables.options import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

    Codes = tuple[int, int]
    Types = Mapping[str, tuple[int, Codes]]

EVERY_CODE: Codes = (0, U8)
INV = 1  # IPT_ICMP_INV and IP6T_ICMP_INV


def layout(name: str) -> Layout:
    """Return the struct, which both families have under a name of their own."""
    return Layout(name, u8("type"), u8.array("code", 2, EVERY_CODE), u8("invflags"))


def _read(text: str, draft: Draft, types: Types) -> tuple[int, Codes]:
    start = text.lower()
    meant = [name for name in types if name.lower().startswith(start)]
    if len(meant) > 1:
        raise draft.bad(text, f"{meant[0]} or {meant[1]}?")
    if meant:
        return types[meant[0]]
    first, slash, last = text.partition("/")
    kinds = _read_span(first)
    codes = _read_span(last) if slash else EVERY_CODE
    if kinds is None or codes is None:
        raise draft.bad(text, "not a type by name or number, with or without a code")
    if kinds[0] != kinds[1]:
        raise draft.bad(text, "the kernel has no ranges of types")
    return kinds[0], codes


def _read_span(text: str) -> tuple[int, int] | None:
    """Return the ends of ``number[:number]``."""
    first, colon, last = text.partition(":")
    low = read_number(first, 0, U8)
    high = read_number(last, 0, U8) if colon else low
    return None if low is None or high is None else (low, high)


def _write(value: tuple[int, Codes]) -> str:
    """Return the type, with its code or the first one of a range of codes, which no option can say."""
    type_, codes = value
    return str(type_) if codes == EVERY_CODE else f"{type_}/{codes[0]}"


def icmp_type(types: Types, any_type: int | None = None) -> Kind:
    """Return the kind of a type, perhaps with a code, for ``type`` and ``code``; ``any_type`` is written as "any"."""
    return Kind(
        lambda text, draft: _read(text, draft, types),
        lambda value, _: "any" if value[0] == any_type else _write(value),
        "TYPE[/CODE]",
    )


def shower(protocol: str, types: Types) -> Callable[[Values, View], str]:
    """Return what makes the text of ``-L``."""

    def show(values: Values, view: View) -> str:
        type_, codes = values["type"], values["code"]
        sign = "!" if values["invflags"] & INV else ""
        if not view.numeric:
            for name, meaning in types.items():
                if meaning == (type_, codes):
                    return f" {protocol} {sign}{name}"
        # Without an inversion there is no space between the two words.
        text = f" {protocol}{' !' if sign else ''}type {type_}"
        if codes == EVERY_CODE:
            return text
        return f"{text} code {codes[0]}" if codes[0] == codes[1] else f"{text} codes {codes[0]}-{codes[1]}"

    return show
