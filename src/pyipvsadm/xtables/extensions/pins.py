"""eBPF programs that are pinned to a path of the bpf file system: bpf(2), which no library calls."""

from __future__ import annotations

import struct

from pyipvsadm.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_OBJ_GET: Final = 7  # BPF_OBJ_GET, linux/bpf.h
_RDONLY: Final = 8  # BPF_F_RDONLY
_CALLS: Final = {"x86_64": 321, "i686": 357, "ppc64le": 361, "s390x": 351, "armv7l": 386}  # SYS_bpf
_OTHER_CALL: Final = 280  # where calls have the numbers that all new machines share


def open_pin(path: bytes) -> int:
    """Return the descriptor that the program at a path gets. Raises UsageError for none.

    It is closed again: the kernel opens the path by itself, and only the number is part of the rule.
    """
    import os

    from pyipvsadm import clib

    call = clib.function(clib.open_library(None), "syscall", clib.Int, clib.Int, clib.Int, clib.Pointer, clib.UInt32)
    name = bytearray(path + b"\0")
    attributes = bytearray(struct.pack("=QII", clib.buffer(name).value, 0, _RDONLY))
    found = call(_CALLS.get(os.uname().machine, _OTHER_CALL), _OBJ_GET, clib.buffer(attributes), len(attributes))
    if found < 0:
        raise UsageError("bpf: failed to get bpf object")
    os.close(found)
    return int(found)
