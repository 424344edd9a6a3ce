"""A note on a rule.

Struct: ``struct xt_comment_info``, linux/netfilter/xt_comment.h. Syntax: iptables-extensions(8), "comment".
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import text
from pyipvsadm.xtables.layout import Layout, chars
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout("struct xt_comment_info", chars("comment", 256))


def _show(values: Values, _: View) -> str:
    return f" /* {values['comment']} */"


EXTENSIONS: Final = (
    Extension(
        "match",
        "comment",
        0,
        BOTH,
        LAYOUT,
        (Option("comment", kind=text(255), to="comment", needed=True, when=lambda _: True),),
        summary="a note, for people",
        show=_show,
    ),
)
