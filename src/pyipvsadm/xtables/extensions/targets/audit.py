"""Makes audit records of packets.

Struct: ``struct xt_audit_info``, linux/netfilter/xt_AUDIT.h. Syntax: iptables-extensions(8), "AUDIT".
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import choice
from pyipvsadm.xtables.layout import Layout, u8
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct xt_audit_info", u8("type"))
_TYPES: Final = {"accept": 0, "drop": 1, "reject": 2}  # XT_AUDIT_TYPE_*
_KIND: Final = choice(_TYPES)


def _is_known(values: Values) -> bool:
    return values["type"] in _TYPES.values()


def _show(values: Values, view: View) -> str:
    return f" AUDIT {_KIND.write(values['type'], view) if _is_known(values) else ''}"


EXTENSIONS: Final = (
    Extension(
        "target",
        "AUDIT",
        0,
        BOTH,
        LAYOUT,
        (Option("type", kind=_KIND, to="type", needed=True, when=_is_known),),
        summary="make an audit record",
        show=_show,
    ),
)
