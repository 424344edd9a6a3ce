"""The IPsec policy that a packet came or goes by.

Struct: ``struct xt_policy_info``, linux/netfilter/xt_policy.h. Syntax: iptables-extensions(8), "policy".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.extensions.hostmasks import host_mask, read_protocol
from pyipvsadm.xtables.kinds import number
from pyipvsadm.xtables.layout import Layout, raw, u8, u16, u32
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, Place, View

_MOST: Final = 4  # XT_POLICY_MAX_ELEM

ELEMENT: Final = Layout(
    "struct xt_policy_elem",
    raw("saddr", 16),
    raw("smask", 16),
    raw("daddr", 16),
    raw("dmask", 16),
    u32("spi"),
    u32("reqid"),
    u8("proto"),
    u8("mode"),
    u8("match"),
    u8("invert"),
)
LAYOUT: Final = Layout("struct xt_policy_info", raw("pol", _MOST * ELEMENT.size), u16("flags"), u16("len"))

_IN, _OUT, _NONE, _STRICT = 1, 2, 4, 8  # XT_POLICY_MATCH_*
_SADDR, _DADDR, _PROTO, _MODE, _SPI, _REQID = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20  # struct xt_policy_spec
_MODES: Final = {"transport": 0, "tunnel": 1}
_PROTOCOLS: Final = (50, 51, 108)  # ESP, AH, IPCOMP


def _word(words: dict[str, int]) -> Kind:
    """One of some words, in lower case."""
    names = {value: name for name, value in words.items()}

    def read(text: str, draft: Draft) -> int:
        if text not in words:
            raise draft.bad(text, f"none of {', '.join(words)}")
        return words[text]

    return Kind(read, lambda value, _: names.get(value, "???"), "|".join(words))


def _flag(words: dict[str, int]) -> Kind:
    """One of some words, for a bit beside those that are set already."""
    word = _word(words)
    return Kind(lambda text, draft: draft.values["flags"] | word.read(text, draft), word.write, word.placeholder)


def _read_protocol(text: str, draft: Draft) -> int:
    value = read_protocol(text, draft)
    if value not in _PROTOCOLS:
        raise UsageError("policy match: protocol must be ah/esp/ipcomp")
    return value


def _protocol_name(value: int, view: View) -> str:
    return view.names.protocol(value) or str(value)


class _Part(Option):
    """An option of the element of the policy that is being described; ``bit`` tells that the element has it."""

    __slots__ = ()

    def read(self, text: str | None, draft: Draft) -> None:
        """Take the option into the last element of a draft. Raises UsageError."""
        draft.option = self.name
        draft.seen.add(self.name)
        element = draft.values["elements"][-1]
        if element["match"] & self.bit:
            raise UsageError(f"policy match: double --{self.name} option")
        element["match"] |= self.bit
        if draft.inverted:
            element["invert"] |= self.bit
        if self.kind is not None:
            value = self.kind.read(text or "", draft)
            if isinstance(self.to, str):
                element[self.to] = value
            else:
                element.update(zip(self.to, value, strict=True))


class _Next(Option):
    """The option that ends an element and begins another."""

    __slots__ = ()

    def read(self, text: str | None, draft: Draft) -> None:
        """Begin an element. Raises UsageError."""
        super().read(text, draft)
        elements = draft.values["elements"]
        if len(elements) == _MOST:
            raise UsageError("policy match: maximum policy depth reached")
        elements.append(dict(ELEMENT.defaults))


# In the order in which they are printed.
_parts: Final = (
    _Part("reqid", kind=number(), to="reqid", bit=_REQID, repeats=True),
    _Part("spi", kind=number(base=16), to="spi", bit=_SPI, repeats=True),
    _Part("proto", kind=Kind(_read_protocol, _protocol_name, "ah|esp|ipcomp"), to="proto", bit=_PROTO, repeats=True),
    _Part("mode", kind=_word(_MODES), to="mode", bit=_MODE, repeats=True),
    _Part("tunnel-dst", kind=host_mask(), to=("daddr", "dmask"), bit=_DADDR, repeats=True),
    _Part("tunnel-src", kind=host_mask(), to=("saddr", "smask"), bit=_SADDR, repeats=True),
)


def _start(draft: Draft) -> None:
    draft.values["elements"] = [dict(ELEMENT.defaults)]


def _check(draft: Draft) -> None:
    values = draft.values
    flags, elements = values["flags"], values["elements"]
    if not flags & (_IN | _OUT):
        raise UsageError("policy match: neither --dir in nor --dir out specified")
    if flags & _NONE:
        if flags & _STRICT:
            raise UsageError("policy match: policy none but --strict given")
        if len(elements) > 1:
            raise UsageError("policy match: policy none but policy given")
    else:
        values["len"] = len(elements)
        for place, element in enumerate(elements):
            _check_element(place, element, strict=bool(flags & _STRICT))
    # What was said of an element is sent even where no policy is to be matched.
    values["pol"] = b"".join([ELEMENT.pack(element) for element in elements]).ljust(_MOST * ELEMENT.size, b"\0")


def _check_element(place: int, element: Values, *, strict: bool) -> None:
    if strict and not element["match"]:
        raise UsageError(
            f"policy match: empty policy element {place}. --strict is in effect, but at least one of reqid, spi,"
            " tunnel-src, tunnel-dst, proto or mode is required."
        )
    tunnel = element["match"] & _MODE and (element["mode"] == _MODES["tunnel"]) != bool(element["invert"] & _MODE)
    if element["match"] & (_SADDR | _DADDR) and not tunnel:
        raise UsageError("policy match: --tunnel-src/--tunnel-dst is only valid in tunnel mode")


def _write(values: Values, view: View, dash: str) -> str:
    flags, count = values["flags"], values["len"]
    text = f" {dash}dir {'in' if flags & _IN else 'out'} {dash}pol {'none' if flags & _NONE else 'ipsec'}"
    if flags & _STRICT:
        text += f" {dash}strict"
    for place in range(min(count, _MOST)):
        element = ELEMENT.unpack(values["pol"][place * ELEMENT.size :])
        if not dash and count > 1:
            text += f" [{place}]"
        text += _write_element(element, view, dash)
        if dash and place + 1 < count:
            text += f" {dash}next"
    return text


def _write_element(element: Values, view: View, dash: str) -> str:
    text = ""
    for part in _parts:
        if element["match"] & part.bit and part.kind is not None:
            value = element[part.to] if isinstance(part.to, str) else tuple([element[member] for member in part.to])
            # Only what people read for themselves has the protocol by its number.
            plain = part.to == "proto" and not dash and view.numeric
            sign = " !" if element["invert"] & part.bit else ""
            text += f"{sign} {dash}{part.name} {value if plain else part.kind.write(value, view)}"
    return text


def _accepts(values: Values, place: Place) -> bool:
    if values["flags"] & _OUT:
        return place.only("FORWARD", "OUTPUT", "POSTROUTING")
    return place.only("PREROUTING", "INPUT", "FORWARD")


EXTENSIONS: Final = (
    Extension(
        "match",
        "policy",
        0,
        BOTH,
        LAYOUT,
        (
            Option("dir", kind=_flag({"in": _IN, "out": _OUT}), to="flags"),
            Option("pol", kind=_flag({"ipsec": 0, "none": _NONE}), to="flags"),
            Option("strict", to="flags", bit=_STRICT),
            *_parts,
            _Next("next", needs=("strict",), repeats=True),
        ),
        summary="the IPsec policy of a packet",
        accepts=_accepts,
        start=_start,
        check=_check,
        save=lambda values, view: _write(values, view, "--"),
        show=lambda values, view: f" policy match{_write(values, view, '')}",
    ),
)
