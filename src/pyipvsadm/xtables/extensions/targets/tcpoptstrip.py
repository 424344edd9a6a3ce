"""Strips options off the TCP header.

Struct: ``struct xt_tcpoptstrip_target_info``, linux/netfilter/xt_TCPOPTSTRIP.h. Syntax:
iptables-extensions(8), "TCPOPTSTRIP".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.kinds import U8, read_number
from pyipvsadm.xtables.layout import Layout, u32
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout("struct xt_tcpoptstrip_target_info", u32.array("strip_bmap", 8))
_NAMES: Final = {"wscale": 3, "mss": 2, "sack-permitted": 4, "sack": 5, "timestamp": 8, "md5": 19}
_BY_NUMBER: Final = {number: name for name, number in _NAMES.items()}


def _read(text: str, draft: Draft) -> tuple[int, ...]:
    bitmap = [0] * 8
    for word in text.split(","):
        option = _NAMES.get(word, read_number(word, 0, U8))
        if option is None:
            raise draft.bad(text, f"no TCP option {word!r}")
        if option < 2:
            raise UsageError("TCPOPTSTRIP: the options 0 and 1, end and padding, cannot be stripped")
        place, bit = option >> 5, 1 << (option & 31)
        if bitmap[place] & bit:
            raise draft.bad(text, f"{word!r} is there twice")
        bitmap[place] |= bit
    return tuple(bitmap)


def _options(bitmap: tuple[int, ...]) -> list[int]:
    return [option for option in range(256) if bitmap[option >> 5] & 1 << (option & 31)]


def _write(bitmap: tuple[int, ...], _: View) -> str:
    return ",".join([str(option) for option in _options(bitmap)])


def _show(values: Values, view: View) -> str:
    options = _options(values["strip_bmap"])
    if not options:
        return ""
    words = [str(option) if view.numeric else _BY_NUMBER.get(option, str(option)) for option in options]
    return f" TCPOPTSTRIP options {','.join(words)}"


EXTENSIONS: Final = (
    Extension(
        "target",
        "TCPOPTSTRIP",
        0,
        BOTH,
        LAYOUT,
        (Option("strip-options", kind=Kind(_read, _write, "OPTION[,OPTION...]"), to="strip_bmap"),),
        summary="strip TCP options",
        protocols=(6,),
        tables=("mangle",),
        show=_show,
    ),
)
