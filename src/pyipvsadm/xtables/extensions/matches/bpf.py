"""What a program of the Berkeley Packet Filter says, or an eBPF program that is pinned to a path.

Structs: ``struct xt_bpf_info`` and ``xt_bpf_info_v1``, linux/netfilter/xt_bpf.h. Syntax: iptables-extensions(8), "bpf".
"""

from __future__ import annotations

import struct

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.extensions.scan import split_number
from pyipvsadm.xtables.kinds import U32
from pyipvsadm.xtables.layout import Layout, align, i32, private, raw, u16
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_MOST: Final = 64  # XT_BPF_MAX_NUM_INSTR
_INSTRUCTION: Final = struct.Struct("=HBBI")  # struct sock_filter
_SIZE: Final = _MOST * _INSTRUCTION.size  # XT_BPF_PATH_MAX too
_BYTECODE, _PINNED = 0, 1  # XT_BPF_MODE_*

LAYOUT_0: Final = Layout(
    "struct xt_bpf_info", u16("bpf_program_num_elem"), align(4), raw("bpf_program", _SIZE), private("filter")
)
LAYOUT: Final = Layout(
    "struct xt_bpf_info_v1",
    u16("mode"),
    u16("bpf_program_num_elem"),
    i32("fd"),
    raw("bpf_program", _SIZE),  # of a union, whose other member is the path
    private("filter"),
)


def _read_bytecode(text: str, draft: Draft) -> tuple[int, bytes]:
    """Read ``count,code jt jf k,code jt jf k...``; numbers lose high bits, and what follows four is passed over."""
    count, rest = split_number(text)
    count &= 0xFFFF
    if rest == text or rest[:1] != ",":
        raise draft.bad(text, "no length of the program")
    if not 0 < count <= _MOST:
        raise draft.bad(text, f"not from 1 to {_MOST} instructions")
    lines = rest[1:].split(",")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    if len(lines) != count:
        raise draft.bad(text, f"{len(lines)} instructions")
    return count, b"".join([_read_instruction(line, text, draft) for line in lines])


def _read_instruction(line: str, text: str, draft: Draft) -> bytes:
    numbers = []
    rest = line
    for mask in (0xFFFF, 0xFF, 0xFF, U32):
        value, after = split_number(rest)
        if after == rest:
            raise draft.bad(text, f"no instruction: {line!r}")
        numbers.append(value & mask)
        rest = after
    return _INSTRUCTION.pack(*numbers)


def _read_path(text: str, draft: Draft) -> tuple[int, int, bytes]:
    """Return the mode, the descriptor of the program that is open from here on, and the path."""
    path = text.encode("utf-8", "surrogateescape")
    if len(path) >= _SIZE:
        raise draft.bad(text, f"longer than {_SIZE - 1} bytes")
    known = draft.names.number_in_kernel("program", text)
    if known is None:
        from pyipvsadm.xtables.extensions.pins import open_pin

        known = open_pin(path)
    return _PINNED, known, path


def _program(values: Values) -> str:
    size = values["bpf_program_num_elem"] * _INSTRUCTION.size
    instructions = _INSTRUCTION.iter_unpack(values["bpf_program"][:size])
    return ",".join([" ".join([str(number) for number in instruction]) for instruction in instructions])


def _path(values: Values) -> str:
    path: bytes = values["bpf_program"].partition(b"\0")[0]
    return path.decode("utf-8", "surrogateescape")


def _check(draft: Draft) -> None:
    if not draft.seen:
        raise UsageError("bpf: one of --bytecode or --pinned is required")


def _save(values: Values, _: View) -> str:
    if values.get("mode", _BYTECODE) == _PINNED:
        return f" --object-pinned {_path(values)}"
    return f' --bytecode "{values["bpf_program_num_elem"]},{_program(values)}"'


def _show(values: Values, _: View) -> str:
    """Return what ``-L`` prints, which has no space before it, and a NUL after a program."""
    if values.get("mode", _BYTECODE) == _PINNED:
        return f"match bpf pinned {_path(values)}"
    return f"match bpf {_program(values)}\0"


_bytecode: Final = Option(
    "bytecode",
    kind=Kind(_read_bytecode, lambda _, __: "", "COUNT,CODE JT JF K[,...]"),
    to=("bpf_program_num_elem", "bpf_program"),
)
_pinned: Final = Option(
    "object-pinned",
    kind=Kind(_read_path, lambda _, __: "", "PATH"),
    to=("mode", "fd", "bpf_program"),
    excludes=("bytecode",),
)

EXTENSIONS: Final = tuple(
    [
        Extension(
            "match",
            "bpf",
            revision,
            BOTH,
            layout,
            options,
            summary="what a BPF program says",
            check=_check,
            save=_save,
            show=_show,
        )
        for revision, layout, options in ((0, LAYOUT_0, (_bytecode,)), (1, LAYOUT, (_bytecode, _pinned)))
    ]
)
