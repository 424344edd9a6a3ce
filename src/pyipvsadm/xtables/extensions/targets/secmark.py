"""Sets the packet's security mark.

Structs: ``struct xt_secmark_target_info`` and ``xt_secmark_target_info_v1``, linux/netfilter/xt_SECMARK.h.
Syntax: iptables-extensions(8), "SECMARK".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.texts import cut_text
from pyipvsadm.xtables.layout import Layout, chars, u8, u32
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

_MODE: Final = u8("mode", 1)  # SECMARK_MODE_SEL, the only one there is
_CONTEXT: Final = chars("secctx", 256)
LAYOUT0: Final = Layout("struct xt_secmark_target_info", _MODE, u32("secid"), _CONTEXT)
LAYOUT1: Final = Layout("struct xt_secmark_target_info_v1", _MODE, _CONTEXT, u32("secid"))

_OPTIONS: Final = (
    Option("selctx", kind=cut_text(255, placeholder="CONTEXT"), to="secctx", needed=True, when=lambda _: True),
)


def _show(values: Values, _: View) -> str:
    return f" SECMARK selctx {values['secctx']}"


def _revision(number: int, layout: Layout) -> Extension:
    summary = "set the packet's security mark"
    tables = ("mangle", "security")
    return Extension("target", "SECMARK", number, BOTH, layout, _OPTIONS, summary=summary, tables=tables, show=_show)


EXTENSIONS: Final = (_revision(0, LAYOUT0), _revision(1, LAYOUT1))
