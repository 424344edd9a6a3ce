"""Has the kernel log every rule that packets match from here on.

No struct. Syntax: iptables-extensions(8), "TRACE".
"""

from __future__ import annotations

from pyipvsadm.xtables.layout import Layout
from pyipvsadm.xtables.options import BOTH, Extension

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

EXTENSIONS: Final = (
    Extension(
        "target", "TRACE", 0, BOTH, Layout("no struct"), summary="log every rule the packet matches", tables=("raw",)
    ),
)
