"""Tells when no packet has come by for some time.

Structs: ``struct idletimer_tg_info_v1``, ``struct idletimer_tg_info``, linux/netfilter/xt_IDLETIMER.h. Syntax:
iptables-extensions(8), "IDLETIMER".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.texts import cut_text
from pyipvsadm.xtables.kinds import number
from pyipvsadm.xtables.layout import Layout, chars, private, u8, u32
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

_LABEL: Final = 28  # MAX_IDLETIMER_LABEL_SIZE
LAYOUT: Final = Layout("struct idletimer_tg_info", u32("timeout"), chars("label", _LABEL), private("timer"))
LAYOUT_1: Final = Layout(
    "struct idletimer_tg_info_v1",
    u32("timeout"),
    chars("label", _LABEL),
    u8("send_nl_msg"),
    u8("timer_type"),
    private("timer"),
)
_ALARM: Final = 0x01  # XT_IDLETIMER_ALARM

_OPTIONS: Final = (
    Option("timeout", kind=number(), to="timeout", needed=True, when=lambda _: True),
    Option("label", kind=cut_text(_LABEL - 1, placeholder="NAME"), to="label", needed=True, when=lambda _: True),
)


def _show(values: Values, _: View) -> str:
    alarm = " alarm" if values.get("timer_type") == _ALARM else ""
    return f" timeout:{values['timeout']} label:{values['label']}{alarm}"


_SUMMARY: Final = "tell when nothing has come by"

EXTENSIONS: Final = (
    Extension("target", "IDLETIMER", 0, BOTH, LAYOUT, _OPTIONS, summary=_SUMMARY, show=_show),
    Extension(
        "target",
        "IDLETIMER",
        1,
        BOTH,
        LAYOUT_1,
        (*_OPTIONS, Option("alarm", to="timer_type", sets=_ALARM)),
        summary=_SUMMARY,
        show=_show,
    ),
)
