"""The TCP header: ports, flags, options.

Struct: ``struct xt_tcp``, linux/netfilter/xt_tcpudp.h. Syntax: iptables-extensions(8), "tcp".
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import U16, number, port_range, show_bits, show_port
from pyipvsadm.xtables.layout import Layout, u8, u16
from pyipvsadm.xtables.options import BETWEEN, BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout(
    "struct xt_tcp",
    u16.array("spts", 2, (0, U16)),
    u16.array("dpts", 2, (0, U16)),
    u8("option"),
    u8("flg_mask"),
    u8("flg_cmp"),
    u8("invflags"),
)
_SRCPT, _DSTPT, _FLAGS, _OPTION = 1, 2, 4, 8  # XT_TCP_INV_*

_BITS: Final = {"FIN": 0x01, "SYN": 0x02, "RST": 0x04, "PSH": 0x08, "ACK": 0x10, "URG": 0x20}
_WORDS: Final = {**_BITS, "ALL": 0x3F, "NONE": 0}
_SYN: Final = (0x17, 0x02)  # of FIN, SYN, RST and ACK, SYN alone


def _read_flag_words(text: str, draft: Draft) -> int:
    value = 0
    for word in filter(None, text.upper().split(",")):
        if word not in _WORDS:
            raise draft.bad(text, f"no TCP flag {word!r}")
        value |= _WORDS[word]
    return value


def _read_flags(text: str, draft: Draft) -> tuple[int, int]:
    mask, _, compare = text.partition(BETWEEN)
    return _read_flag_words(mask, draft), _read_flag_words(compare, draft)


def _write_flags(value: tuple[int, int], _: View) -> str:
    return " ".join([show_bits(bits, _BITS) for bits in value])


_flags: Final = Option(
    "tcp-flags",
    kind=Kind(_read_flags, _write_flags, "MASK COMPARED"),
    words=2,
    to=("flg_mask", "flg_cmp"),
    inverts=("invflags", _FLAGS),
    when=lambda values: bool(values["flg_mask"] or values["invflags"] & _FLAGS),
)


def ports(protocol: str, source: int, destination: int) -> tuple[Option, Option]:
    """Return the options for source and destination ports; ranges of all ports are not printed."""
    return (
        Option(
            "sport",
            "source-port",
            kind=port_range(protocol),
            to="spts",
            inverts=("invflags", source),
            when=lambda values: values["spts"] != (0, U16),
        ),
        Option(
            "dport",
            "destination-port",
            kind=port_range(protocol),
            to="dpts",
            inverts=("invflags", destination),
            when=lambda values: values["dpts"] != (0, U16),
        ),
    )


def show_ports(values: Values, view: View, protocol: str) -> str:
    """Return source and destination ports as ``-L`` prints those of tcp, udp and their like."""
    text = ""
    for word, member, bit in (("spt", "spts", _SRCPT), ("dpt", "dpts", _DSTPT)):
        first, last = values[member]
        sign = "!" if values["invflags"] & bit else ""
        if (first, last) == (0, U16) and not sign:
            continue
        begin = show_port(first, view, protocol)
        text += (
            f" {word}:{sign}{begin}" if first == last else f" {word}s:{sign}{begin}:{show_port(last, view, protocol)}"
        )
    return text


def _show(values: Values, view: View) -> str:
    text = f" tcp{show_ports(values, view, 'tcp')}"
    if values["option"] or values["invflags"] & _OPTION:
        text += f" option={'!' if values['invflags'] & _OPTION else ''}{values['option']}"
    if values["flg_mask"] or values["invflags"] & _FLAGS:
        sign = "!" if values["invflags"] & _FLAGS else ""
        if view.numeric:
            text += f" flags:{sign}0x{values['flg_mask']:02X}/0x{values['flg_cmp']:02X}"
        else:
            text += f" flags:{sign}{show_bits(values['flg_mask'], _BITS)}/{show_bits(values['flg_cmp'], _BITS)}"
    return text


def asks_for_syn(data: bytes) -> bool:
    """Whether the struct asks for packets that have SYN."""
    values = LAYOUT.unpack(data)
    return bool(values["flg_cmp"] & _BITS["SYN"]) and not values["invflags"] & _FLAGS


EXTENSIONS: Final = (
    Extension(
        "match",
        "tcp",
        0,
        BOTH,
        LAYOUT,
        (
            *ports("tcp", _SRCPT, _DSTPT),
            Option("tcp-option", kind=number(1, 255), to="option", inverts=("invflags", _OPTION)),
            _flags,
            Option("syn", to=("flg_mask", "flg_cmp"), sets=_SYN, same_as="tcp-flags", inverts=("invflags", _FLAGS)),
        ),
        summary="ports, flags and options of TCP",
        protocols=(6,),
        show=_show,
    ),
)
