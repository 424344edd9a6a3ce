"""The SCTP header: ports, and which chunks are there with which flags.

Struct: ``struct xt_sctp_info``, linux/netfilter/xt_sctp.h. Syntax: iptables-extensions(8), "sctp". Numbers: RFC 4960.
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.spans import (
    DEST_PORTS,
    SRC_PORTS,
    flag_given,
    flagged_ports,
    show_flagged_ports,
)
from pyipvsadm.xtables.kinds import U32, port_range
from pyipvsadm.xtables.layout import Layout, i32, u8, u16, u32
from pyipvsadm.xtables.options import BETWEEN, BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_WORDS: Final = 64  # of the bit map: 256 / sizeof (__u32), of which 8 are used
_FLAGS: Final = 4  # XT_NUM_SCTP_FLAGS
_NO_FLAG_INFO: Final = (0xFF, 0, 0)
LAYOUT: Final = Layout(
    "struct xt_sctp_info",
    u16.array("dpts", 2),
    u16.array("spts", 2),
    u32.array("chunkmap", _WORDS),
    u32("chunk_match_type"),
    u8.array("flag_info", 3 * _FLAGS, _NO_FLAG_INFO * _FLAGS),  # struct xt_sctp_flag_info, one after the other
    i32("flag_count"),
    u32("flags"),
    u32("invflags"),
)
_CHUNK_TYPES: Final = 4  # XT_SCTP_CHUNK_TYPES
_MATCHES: Final = {"any": 1, "all": 2, "only": 4}  # SCTP_CHUNK_MATCH_*
_EVERY_CHUNK: Final = (U32,) * _WORDS
_NO_CHUNK: Final = (0,) * _WORDS

_CHUNKS: Final = {
    "DATA": 0,
    "INIT": 1,
    "INIT_ACK": 2,
    "SACK": 3,
    "HEARTBEAT": 4,
    "HEARTBEAT_ACK": 5,
    "ABORT": 6,
    "SHUTDOWN": 7,
    "SHUTDOWN_ACK": 8,
    "ERROR": 9,
    "COOKIE_ECHO": 10,
    "COOKIE_ACK": 11,
    "ECN_ECNE": 12,
    "ECN_CWR": 13,
    "SHUTDOWN_COMPLETE": 14,
    "I_DATA": 64,
    "RE_CONFIG": 130,
    "PAD": 132,
    "ASCONF": 193,
    "ASCONF_ACK": 128,
    "FORWARD_TSN": 192,
    "I_FORWARD_TSN": 194,
}
_CHUNK_NAMES: Final = {chunk: name for name, chunk in _CHUNKS.items()}
# The letters of a chunk's flags, from bit 7 down to bit 0; "-" stands for the first bit that has none. What the struct
# has as the chunk that flags are for is its place in this list, not its number. So the kernel never sees those of
# I_DATA and what follows it, and they are not printed.
_PLACES: Final = {name: place for place, name in enumerate(_CHUNKS)}
_NO_LETTERS: Final = "--------"
_LETTERS: Final = {
    _PLACES["DATA"]: "----IUBE",
    _PLACES["ABORT"]: "-------T",
    _PLACES["SHUTDOWN_COMPLETE"]: "-------T",
    _PLACES["I_DATA"]: "----IUBE",
}


def _read_flags(text: str, place: int, draft: Draft) -> tuple[int, int]:
    """Return the flags that are set, and all that are named: a capital letter is for one that is set."""
    flag = mask = 0
    for letter in text:
        index = _LETTERS.get(place, _NO_LETTERS).find(letter.upper())
        if index < 0:
            raise draft.bad(text, f"the chunk has no flag {letter!r}")
        bit = 0x80 >> index
        mask |= bit
        if letter.isupper():
            flag |= bit
    return flag, mask


def _read_chunks(text: str, draft: Draft) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Return ``chunkmap``, ``flag_info`` and ``flag_count``."""
    chunkmap = list(_NO_CHUNK)
    flags: dict[int, tuple[int, int]] = {}
    for word in text.split(","):
        if not word:
            continue
        name, _, letters = word.partition(":")
        chunk = _CHUNKS.get(name.upper())
        if chunk is None:
            raise draft.bad(text, f"no chunk {name!r}")
        chunkmap[chunk // 32] |= 1 << chunk % 32
        if letters:
            place = _PLACES[name.upper()]
            flag, mask = _read_flags(letters, place, draft)
            before = flags.get(place, (0, 0))
            flags[place] = before[0] | flag, before[1] | mask
    if len(flags) > _FLAGS:
        raise draft.bad(text, f"more than {_FLAGS} chunks with flags")
    info = [number for place, pair in flags.items() for number in (place, *pair)]
    return tuple(chunkmap), tuple(info) + _NO_FLAG_INFO * (_FLAGS - len(flags)), len(flags)


def _read(text: str, draft: Draft) -> tuple[Any, ...]:
    kind, _, chunks = text.partition(BETWEEN)
    match = _MATCHES.get(kind.lower())
    if match is None:
        raise draft.bad(kind, "none of all, any, only")
    if chunks.upper() == "ALL":
        return _EVERY_CHUNK, match, _NO_FLAG_INFO * _FLAGS, 0
    if chunks.upper() == "NONE":
        return _NO_CHUNK, match, _NO_FLAG_INFO * _FLAGS, 0
    chunkmap, info, count = _read_chunks(chunks, draft)
    return chunkmap, match, info, count


def _write_flags(chunk: int, info: tuple[int, ...], count: int) -> str:
    """Return a chunk's flags after a colon; nothing for none."""
    text = ""
    letters = _LETTERS.get(chunk, _NO_LETTERS)
    for place in range(0, 3 * min(count, _FLAGS), 3):
        of, flag, mask = info[place : place + 3]
        if of == chunk and mask:
            text += ":"
            for letter, bit in zip(letters, (128, 64, 32, 16, 8, 4, 2, 1), strict=True):
                if mask & bit:
                    text += letter if flag & bit else letter.lower()
    return text


def _write_chunks(chunkmap: tuple[int, ...], info: tuple[int, ...], count: int, *, numeric: bool) -> str:
    if chunkmap == _EVERY_CHUNK:
        return "ALL"
    if chunkmap == _NO_CHUNK:
        return "NONE"
    words = []
    for chunk in range(256):
        if chunkmap[chunk // 32] >> chunk % 32 & 1:
            word = f"0x{chunk:04X}" if numeric else _CHUNK_NAMES.get(chunk, "")
            words.append(word + _write_flags(chunk, info, count))
    return ",".join(words)


def _write_match(match: int) -> str:
    return next((f"{word} " for word, value in _MATCHES.items() if value == match), "")


def _write(value: Any, _: View) -> str:
    chunkmap, match, info, count = value
    return _write_match(match) + _write_chunks(chunkmap, info, count, numeric=False)


def _check(draft: Draft) -> None:
    flag_given(draft, {"sport": SRC_PORTS, "dport": DEST_PORTS, "chunk-types": _CHUNK_TYPES})


def _show(values: Values, view: View) -> str:
    text = f" sctp{show_flagged_ports(values, view, 'sctp')}"
    if values["flags"] & _CHUNK_TYPES:
        sign = " !" if values["invflags"] & _CHUNK_TYPES else ""
        chunks = _write_chunks(values["chunkmap"], values["flag_info"], values["flag_count"], numeric=view.numeric)
        text += f"{sign} {_write_match(values['chunk_match_type'])}{chunks}"
    return text


EXTENSIONS: Final = (
    Extension(
        "match",
        "sctp",
        0,
        BOTH,
        LAYOUT,
        (
            *flagged_ports(port_range("sctp")),
            Option(
                "chunk-types",
                kind=Kind(_read, _write, "all|any|only CHUNK[:FLAGS][,CHUNK...]"),
                words=2,
                to=("chunkmap", "chunk_match_type", "flag_info", "flag_count"),
                inverts=("invflags", _CHUNK_TYPES),
                when=lambda values: bool(values["flags"] & _CHUNK_TYPES),
            ),
        ),
        summary="ports and chunks of SCTP",
        protocols=(132,),
        check=_check,
        show=_show,
    ),
)
