"""Whether an answer to a packet would go back the way it came.

Struct: ``struct xt_rpfilter_info``, linux/netfilter/xt_rpfilter.h. Syntax: iptables-extensions(8), "rpfilter".
"""

from __future__ import annotations

from pyipvsadm.xtables.layout import Layout, u8
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct xt_rpfilter_info", u8("flags"))
_FLAGS: Final = {"loose": 1, "validmark": 2, "accept-local": 4, "invert": 8}  # XT_RPFILTER_*


def _show(values: Values, _: View) -> str:
    return " rpfilter" + "".join([f" {word}" for word, bit in _FLAGS.items() if values["flags"] & bit])


EXTENSIONS: Final = (
    Extension(
        "match",
        "rpfilter",
        0,
        BOTH,
        LAYOUT,
        tuple([Option(word, to="flags", bit=bit) for word, bit in _FLAGS.items()]),
        summary="whether an answer would go back the way the packet came",
        tables=("mangle", "raw"),
        hooks=("PREROUTING",),
        show=_show,
    ),
)
