"""Shares an address among the nodes of a cluster. Kernels since 6.7 do not have it any more.

Struct: ``struct ipt_clusterip_tgt_info``, linux/netfilter_ipv4/ipt_CLUSTERIP.h.
Syntax: iptables-extensions(8), "CLUSTERIP".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.kinds import U8, number
from pyipvsadm.xtables.layout import Layout, private, raw, u16, u32
from pyipvsadm.xtables.options import IPV4, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_MAX_NODES: Final = 16  # CLUSTERIP_MAX_NODES
_NEW: Final = 1  # CLUSTERIP_FLAG_NEW
_HASH_MODES: Final = ("sourceip", "sourceip-sourceport", "sourceip-sourceport-destport")  # CLUSTERIP_HASHMODE_*

LAYOUT: Final = Layout(
    "struct ipt_clusterip_tgt_info",
    u32("flags"),
    raw("clustermac", 6),
    u16("num_total_nodes"),
    u16("num_local_nodes"),
    u16.array("local_nodes", _MAX_NODES),
    u32("hash_mode"),
    u32("hash_initval"),
    private("config"),
)


def _read_hash_mode(text: str, draft: Draft) -> int:
    if text not in _HASH_MODES:
        raise draft.bad(text, f"none of {', '.join(_HASH_MODES)}")
    return _HASH_MODES.index(text)


def _show_hash_mode(mode: int, _: View) -> str:
    return _HASH_MODES[mode] if mode < len(_HASH_MODES) else "unknown-error"


def _read_octet(text: str) -> int:
    """Return what strtoul(3) makes of two characters at most, the lower bits of it; nothing is 0."""
    digits = text.lstrip(" \t\n\v\f\r")
    sign = digits[:1]
    digits = digits[1:] if sign in ("+", "-") else digits
    if len(text) > 2 or (text and not digits.isalnum()):
        raise ValueError
    value = int(digits or "0", 16)
    return -value & U8 if sign == "-" else value


def _read_mac(text: str, draft: Draft) -> bytes:
    try:
        mac = bytes([_read_octet(part) for part in text.split(":")])
    except ValueError:
        mac = b""
    if len(mac) != 6:
        raise draft.bad(text, "not a link-layer address")
    if not mac[0] & 1:
        raise draft.bad(text, "not an address of a group")
    return mac


_NODES: Final = number(0, _MAX_NODES)


def _read_node(text: str, draft: Draft) -> tuple[int, tuple[int, ...]]:
    return 1, (_NODES.read(text, draft), *[0] * (_MAX_NODES - 1))


def _write_node(value: tuple[int, tuple[int, ...]], _: View) -> str:
    return str(value[1][0])


def _is_new(values: Values) -> bool:
    return bool(values["flags"] & _NEW)


_PARTS: Final = (
    Option(
        "hashmode", kind=Kind(_read_hash_mode, _show_hash_mode, "|".join(_HASH_MODES)), to="hash_mode", when=_is_new
    ),
    Option(
        "clustermac", kind=Kind(_read_mac, lambda mac, _: mac.hex(":").upper(), "MAC"), to="clustermac", when=_is_new
    ),
    Option("total-nodes", kind=_NODES, to="num_total_nodes", when=_is_new),
    Option(
        "local-node",
        kind=Kind(_read_node, _write_node, "NUMBER"),
        to=("num_local_nodes", "local_nodes"),
        when=_is_new,
    ),
)
_OPTIONS: Final = (
    Option("new", to="flags", bit=_NEW),
    *_PARTS,
    Option("hash-init", kind=number(), to="hash_initval", when=_is_new),
)


def _check(draft: Draft) -> None:
    together = {"new", *[option.name for option in _PARTS]}
    if draft.seen and not together <= draft.seen:
        raise UsageError("CLUSTERIP: --new takes all the others, and none of them goes without --new")


def _show(values: Values, view: View) -> str:
    if not _is_new(values):
        return " CLUSTERIP"
    # The same as in -S, in other words: "hash_init=0" for "--hash-init 0".
    words = "".join([option.save(values, view) for option in _OPTIONS[1:]]).split()
    pairs = [f" {name[2:].replace('-', '_')}={value}" for name, value in zip(words[::2], words[1::2], strict=True)]
    return f" CLUSTERIP{''.join(pairs)}"


EXTENSIONS: Final = (
    Extension(
        "target",
        "CLUSTERIP",
        0,
        IPV4,
        LAYOUT,
        _OPTIONS,
        summary="share an address in a cluster",
        check=_check,
        show=_show,
    ),
)
