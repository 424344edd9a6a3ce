"""Writes packets to the kernel's log.

Struct: ``struct xt_log_info``, linux/netfilter/xt_LOG.h. Syntax: iptables-extensions(8), "LOG".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.texts import prefix
from pyipvsadm.xtables.kinds import read_number
from pyipvsadm.xtables.layout import Layout, chars, u8
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_DEFAULT: Final = 4  # LOG_WARNING, syslog.h
LAYOUT: Final = Layout("struct xt_log_info", u8("level", _DEFAULT), u8("logflags"), chars("prefix", 30))

_LEVELS: Final = {
    "emerg": 0, "panic": 0, "alert": 1, "crit": 2, "error": 3, "warning": 4, "notice": 5, "info": 6, "debug": 7,
}  # fmt: skip
_SHOWN: Final = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
_FLAGS: Final = (  # XT_LOG_*
    ("tcp-sequence", 0x01),
    ("tcp-options", 0x02),
    ("ip-options", 0x04),
    ("uid", 0x08),
    ("macdecode", 0x20),
)
_KNOWN: Final = 0x2F  # XT_LOG_MASK


def _read_level(text: str, draft: Draft) -> int:
    level = read_number(text, 0, 7)
    if level is None:
        level = _LEVELS.get(text)
    if level is None:
        raise draft.bad(text, "no such log level")
    return level


def _show(values: Values, view: View) -> str:
    level, flags = values["level"], values["logflags"]
    if view.numeric:
        text = f" LOG flags {flags} level {level}"
    else:
        text = f" LOG level {_SHOWN[level]}" if level < len(_SHOWN) else f" LOG UNKNOWN level {level}"
        text += "".join([f" {name}" for name, bit in _FLAGS if flags & bit])
        if flags & ~_KNOWN:
            text += " unknown-flags"
    return f'{text} prefix "{values["prefix"]}"' if values["prefix"] else text


EXTENSIONS: Final = (
    Extension(
        "target",
        "LOG",
        0,
        BOTH,
        LAYOUT,
        (
            Option("log-prefix", kind=prefix(29), to="prefix"),
            Option("log-level", kind=Kind(_read_level, lambda level, _: str(level), "LEVEL"), to="level"),
            *[Option(f"log-{name}", to="logflags", bit=bit) for name, bit in _FLAGS],
        ),
        summary="write the packet to the kernel's log",
        show=_show,
    ),
)
