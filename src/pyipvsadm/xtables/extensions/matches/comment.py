"""A note on a rule.

Struct: ``struct xt_comment_info``, linux/netfilter/xt_comment.h. Syntax: iptables-extensions(8), "comment".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.texts import cut_text
from pyipvsadm.xtables.kinds import quote
from pyipvsadm.xtables.layout import Layout, chars
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Family, View

LAYOUT: Final = Layout("struct xt_comment_info", chars("comment", 256))


_QUOTED: Final = '--comment "'
_BARE: Final = "--comment "


def _quick(options: str, _: Family, __: int) -> bytes | None:
    if options.startswith(_QUOTED) and options.endswith('"'):
        comment = options[len(_QUOTED) : -1]
        odd = '"' in comment or len(options) == len(_QUOTED)
    else:
        comment = options[len(_BARE) :]
        odd = not options.startswith(_BARE) or " " in comment or '"' in comment or not comment
    if odd or "\\" in comment:
        return None
    data = comment.encode("utf-8", "surrogateescape")
    return data.ljust(256, b"\0") if len(data) < 256 else None


def _quick_save(data: bytes, _: Family) -> str | None:
    if len(data) < LAYOUT.size:
        return None
    comment = data.partition(b"\0")[0].decode("utf-8", "surrogateescape")
    return f" --comment {quote(comment)}"


def _show(values: Values, _: View) -> str:
    return f" /* {values['comment']} */"


EXTENSIONS: Final = (
    Extension(
        "match",
        "comment",
        0,
        BOTH,
        LAYOUT,
        (Option("comment", kind=cut_text(255, quoted=True), to="comment", needed=True, when=lambda _: True),),
        summary="a note, for people",
        show=_show,
        quick=_quick,
        quick_save=_quick_save,
    ),
)
