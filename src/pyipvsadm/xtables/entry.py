"""Rules as the kernel's entries and back: struct ipt_entry and ip6t_entry, struct xt_entry_match and xt_entry_target.

Pure functions on bytes; headers linux/netfilter_ipv4/ip_tables.h, linux/netfilter_ipv6/ip6_tables.h and
linux/netfilter/x_tables.h.
"""

from __future__ import annotations

import struct

from pyipvsadm.errors import WireError
from pyipvsadm.memo import remembered
from pyipvsadm.record import maker
from pyipvsadm.xtables.model import F_FRAG, INV_FRAG, INV_PROTO, Header, Rule, goto_flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.options import Extension, Family

_IPV4: Final = struct.Struct("@4s4s4s4s16s16s16s16sHBB")
_IPV6: Final = struct.Struct("@16s16s16s16s16s16s16s16sHBBB3x")
_MIDDLE: Final = {4: struct.Struct("=IHHIQQ"), 6: struct.Struct("=IHHI4xQQ")}  # nfcache … comefrom, counters
COUNTERS: Final = struct.Struct("@QQ")  # struct xt_counters
_BLOCK: Final = struct.Struct("@H29sB")  # struct xt_entry_match, xt_entry_target without the payload
_STANDARD: Final = struct.Struct("@H29sBi4x")  # struct xt_standard_target
PAYLOAD_AT: Final = _BLOCK.size  # in a struct xt_entry_match or xt_entry_target
NAME_END: Final = 31  # of a match's or target's name, XT_EXTENSION_MAXNAMELEN bytes

HEADER_SIZE: Final = {4: _IPV4.size, 6: _IPV6.size}
STANDARD_SIZE: Final = _STANDARD.size
MATCHES_AT: Final = {4: 112, 6: 168}  # sizeof struct ipt_entry, ip6t_entry


def is_shorter(name: str, size: int) -> bool:
    """Whether a name fits an array of bytes with a NUL at its end."""
    return len(name if name.isascii() else name.encode("utf-8", "surrogateescape")) < size


# -- the header --------------------------------------------------------------------------------------------------------


def _interface(name: str) -> tuple[bytes, bytes]:
    """Return the name as it is compared, and which of its bytes are: a "+" at its end stands for anything."""
    data = name.encode("utf-8", "surrogateescape")
    if data.endswith(b"+"):
        return data, b"\xff" * (len(data) - 1)
    return data, b"\xff" * (len(data) + 1) if data else b""


def pack_header(header: Header, family: Family) -> bytes:
    """Return struct ipt_ip or ip6t_ip6."""
    iniface, iniface_mask = _interface(header.iniface)
    outiface, outiface_mask = _interface(header.outiface)
    parts = (
        header.src, header.dst, header.smsk, header.dmsk, iniface, outiface, iniface_mask, outiface_mask, header.proto,
    )  # fmt: skip
    if family == 4:
        return _IPV4.pack(*parts, header.flags, header.invflags)
    return _IPV6.pack(*parts, 0, header.flags, header.invflags)


def _interface_text(name: bytes, mask: bytes) -> str:
    text = name.partition(b"\0")[0].decode("utf-8", "surrogateescape")
    length = len(mask.rstrip(b"\0"))
    if text and length <= len(text.encode("utf-8", "surrogateescape")) and not text.endswith("+"):
        return text[:length] + "+"
    return text


def unpack_header(data: bytes, family: Family) -> Header:
    """Return what is in a struct ipt_ip or ip6t_ip6."""
    if family == 4:
        src, dst, smsk, dmsk, iniface, outiface, in_mask, out_mask, proto, flags, invflags = _IPV4.unpack_from(data)
    else:
        src, dst, smsk, dmsk, iniface, outiface, in_mask, out_mask, proto, _, flags, invflags = _IPV6.unpack_from(data)
    return Header(
        src,
        dst,
        smsk,
        dmsk,
        _interface_text(iniface, in_mask),
        _interface_text(outiface, out_mask),
        proto,
        flags,
        invflags,
    )


# -- matches and targets -----------------------------------------------------------------------------------------------


def pack_extension(extension: Extension, payload: bytes) -> bytes:
    """Return struct xt_entry_match or xt_entry_target with its payload."""
    head = _heads.get(extension)
    if head is None:
        head = _BLOCK.pack(_BLOCK.size + len(payload), extension.name.encode(), extension.revision)
        _heads[extension] = head
    return head + payload


def extension_head(extension: Extension) -> bytes:
    """Return what stands before the payloads of an extension, whose sizes are rounded up to ``_ALIGNMENT``."""
    return pack_extension(extension, bytes(-(-extension.layout.size // _ALIGNMENT) * _ALIGNMENT))[:PAYLOAD_AT]


_ALIGNMENT: Final = 8  # XT_ALIGN
_heads: Final[dict[Extension, bytes]] = {}  # an extension's payloads have one size


def pack_block(name: str, revision: int, payload: bytes) -> bytes:
    """Return the same for an extension that is not known here; the payload is aligned."""
    return _BLOCK.pack(_BLOCK.size + len(payload), name.encode("utf-8", "surrogateescape"), revision) + payload


def unpack_extension(block: bytes) -> tuple[str, int, bytes]:
    """Return name, revision and payload of a match or target. Raises WireError."""
    if len(block) < _BLOCK.size:
        raise WireError("struct xt_entry_match", 0, f"{_BLOCK.size} bytes", str(len(block)))
    _, name, revision = _BLOCK.unpack_from(block)
    return _decoded_name(name), revision, block[_BLOCK.size :]


def _decode_name(name: bytes) -> str:
    return name.partition(b"\0")[0].decode("utf-8", "surrogateescape")


_decoded_name: Final = remembered(_decode_name)


def extension_name(block: bytes) -> str:
    """Return the name of a match or target."""
    return _decoded_name(block[2:NAME_END])


def identity(block: bytes) -> bytes:
    """Return what tells one match or target from another: the kernel leaves rubbish behind names."""
    return block[2:NAME_END].partition(b"\0")[0] + block[NAME_END:]


# -- entries -----------------------------------------------------------------------------------------------------------


def pack(rule: Rule, family: Family) -> bytes:
    """Return the entry of a rule, as libiptc takes it: a jump has the name of its chain or verdict."""
    _, header, blocks, target, jump, counters = rule[:]
    if not target:
        target = named_target(jump)
    matches = b"".join(blocks)
    at = MATCHES_AT[family] + len(matches)
    return b"".join((header, pack_middle(family, at, at + len(target), counters), matches, target))


def pack_plain(rule: Rule, family: Family) -> tuple[bytes, str | None, tuple[int, int]]:
    """Return entry, jump and counters of a rule, as base.Table.append_plain takes them."""
    data = pack(rule.replace(counters=(0, 0)), family)
    return (data, None, rule.counters) if rule.target else (data[:-STANDARD_SIZE], rule.jump, rule.counters)


def count(data: bytes, family: Family, counters: tuple[int, int]) -> bytes:
    """Return an entry with counters."""
    at = MATCHES_AT[family]
    return data[: at - COUNTERS.size] + COUNTERS.pack(*counters) + data[at:]


def pack_middle(family: Family, target: int, end: int, counters: tuple[int, int]) -> bytes:
    """Return the part of an entry between its header and its matches.

    Where its target begins, and where it ends, are offsets from the entry's beginning.
    """
    return _MIDDLE[family].pack(0, target, end, 0, *counters)


def pack_standard(name: bytes, verdict: int) -> bytes:
    """Return struct xt_standard_target; it has a name only where libiptc is to work out the verdict."""
    return _STANDARD.pack(_STANDARD.size, name, 0, verdict)


def _pack_named(jump: str) -> bytes:
    return pack_standard(jump.encode("utf-8", "surrogateescape"), 0)


named_target: Final = remembered(_pack_named)  # for libiptc, by what it is to lead to
VERDICT_NUMBERS: Final = {"DROP": -1, "ACCEPT": -2, "QUEUE": -4, "RETURN": -5}  # - NF_* - 1; XT_RETURN
verdict_targets: Final = {name: pack_standard(b"", number) for name, number in VERDICT_NUMBERS.items()}
NO_TARGET: Final = pack_standard(b"", 0)  # of a rule that leads to a chain, or to the next rule, until it is placed


unpack_sizes: Final = struct.Struct("@HH").unpack_from  # where the target of an entry begins, and where the entry ends


def unpack(data: bytes, family: Family, jump: str) -> Rule:
    """Return the rule of an entry; ``jump`` is what libiptc calls its target. Raises WireError."""
    header = HEADER_SIZE[family]
    _, target, end, _, packets, octets = _MIDDLE[family].unpack_from(data, header)
    block = data[target:end] if data[target + 2] else b""  # the kernel's target for jumps has no name
    matches = _unpack_matches(data, MATCHES_AT[family], target)
    return _make_rule((Rule, data[:header], matches, block, "" if block else jump, (packets, octets)))


def unpack_plain(data: bytes, family: Family, jump: str | None, counters: tuple[int, int] = (0, 0)) -> Rule:
    """Return the rule of an entry and a jump as base.Table.append_plain takes them. Raises WireError."""
    header = HEADER_SIZE[family]
    target, _ = unpack_sizes(data, header + 4)
    matches = _unpack_matches(data, MATCHES_AT[family], target)
    return _make_rule((Rule, data[:header], matches, data[target:], jump or "", counters))


def _unpack_matches(data: bytes, at: int, end: int) -> tuple[bytes, ...]:
    matches = []
    while at < end:
        (size,) = unpack_size(data, at)
        if size < _BLOCK.size or at + size > end:
            raise WireError("struct xt_entry_match", at, f"{_BLOCK.size} to {end - at} bytes", str(size))
        matches.append(data[at : at + size])
        at += size
    return tuple(matches)


unpack_size: Final = struct.Struct("@H").unpack_from
_make_rule: Final = maker(Rule)


def protocol(header: Header) -> int:
    """Return the one protocol that a rule is for, 0 where it is for any or all but one."""
    return 0 if header.invflags & INV_PROTO else header.proto


def fragment(header: Header, family: Family) -> bool | None:
    """Return whether a rule is for second and further fragments, or for all others; None where it does not ask."""
    return not header.invflags & INV_FRAG if family == 4 and header.flags & F_FRAG else None


def _flags_at(family: Family) -> int:
    return HEADER_SIZE[family] - (2 if family == 4 else 5)


def is_goto(header: bytes, family: Family) -> bool:
    """Whether a rule's jump does not come back."""
    return bool(header[_flags_at(family)] & goto_flag(family))


def with_goto(header: bytes, family: Family) -> bytes:
    """Return a header whose rule's jump does not come back."""
    at = _flags_at(family)
    return header[:at] + bytes((header[at] | goto_flag(family),)) + header[at + 1 :]
