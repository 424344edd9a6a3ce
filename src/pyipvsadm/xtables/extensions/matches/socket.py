"""Whether there is a socket for a packet.

Structs: ``struct xt_socket_mtinfo1`` to ``3``, linux/netfilter/xt_socket.h; revision 0 has none.
Syntax: iptables-extensions(8), "socket".
"""

from __future__ import annotations

from pyipvsadm.xtables.layout import Layout, u8
from pyipvsadm.xtables.options import BOTH, IPV4, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

# XT_SOCKET_*; each revision adds one.
_transparent: Final = Option("transparent", to="flags", bit=1)
_nowildcard: Final = Option("nowildcard", to="flags", bit=2)
_restore_skmark: Final = Option("restore-skmark", to="flags", bit=4)


def _revision(number: int, *options: Option) -> Extension:
    def show(values: Values, view: View) -> str:
        # The C tool cannot show revision 0, and says its name where nothing knows how to be shown.
        return f" socket{extension.save_options(values, view)}" if number else "socket "

    extension = Extension(
        "match",
        "socket",
        number,
        BOTH if number else IPV4,
        Layout(f"struct xt_socket_mtinfo{number}", u8("flags")) if number else Layout("no struct"),
        options,
        summary="whether there is a socket for the packet",
        hooks=("PREROUTING", "INPUT"),
        show=show,
    )
    return extension


EXTENSIONS: Final = (
    _revision(0),
    _revision(1, _transparent),
    _revision(2, _transparent, _nowildcard),
    _revision(3, _transparent, _nowildcard, _restore_skmark),
)
