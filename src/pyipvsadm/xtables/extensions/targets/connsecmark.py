"""Copies security marks from packets to connections, or back.

Struct: ``struct xt_connsecmark_target_info``, linux/netfilter/xt_CONNSECMARK.h.
Syntax: iptables-extensions(8), "CONNSECMARK".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.extensions.texts import without_dashes
from pyipvsadm.xtables.layout import Layout, u8
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout("struct xt_connsecmark_target_info", u8("mode"))
_SAVE, _RESTORE = 1, 2  # CONNSECMARK_*

_OPTIONS: Final = (
    Option("save", to="mode", sets=_SAVE, excludes=("restore",)),
    Option("restore", to="mode", sets=_RESTORE, excludes=("save",)),
)


def _check(draft: Draft) -> None:
    if not draft.seen:
        raise UsageError("CONNSECMARK target: parameter required")


def _show(values: Values, view: View) -> str:
    return f" CONNSECMARK{without_dashes(_OPTIONS, values, LAYOUT.defaults, view)}"


EXTENSIONS: Final = (
    Extension(
        "target",
        "CONNSECMARK",
        0,
        BOTH,
        LAYOUT,
        _OPTIONS,
        summary="copy security marks between packet and connection",
        tables=("mangle", "security"),
        check=_check,
        show=_show,
    ),
)
