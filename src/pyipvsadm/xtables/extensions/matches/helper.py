"""The helper that follows the packet's connection.

Struct: ``struct xt_helper_info``, linux/netfilter/xt_helper.h. Syntax: iptables-extensions(8), "helper".
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import quote
from pyipvsadm.xtables.layout import Layout, Type, chars
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

# Others may put any number in for "yes".
_flag: Final = Type("i", load=lambda value: int(value != 0))

LAYOUT: Final = Layout("struct xt_helper_info", _flag("invert"), chars("name", 30))
_LONGEST: Final = 29  # bytes, before a NUL


def _read(text: str, _: Draft) -> str:
    """Return the name; a longer one is cut."""
    return text.encode("utf-8", "surrogateescape")[:_LONGEST].decode("utf-8", "surrogateescape")


def _show(values: Values, _: View) -> str:
    return f' helper match{" !" if values["invert"] else ""} "{values["name"]}"'


EXTENSIONS: Final = (
    Extension(
        "match",
        "helper",
        0,
        BOTH,
        LAYOUT,
        (
            Option(
                "helper",
                kind=Kind(_read, lambda value, _: quote(value), "NAME"),
                to="name",
                inverts=("invert", 1),
                needed=True,
                when=lambda _: True,
            ),
        ),
        summary="helper of the connection",
        show=_show,
    ),
)
