"""Counts packets in an object of nfacct(8).

Structs: ``struct xt_nfacct_match_info`` and ``_v1``, linux/netfilter/xt_nfacct.h.
Syntax: iptables-extensions(8), "nfacct".
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import quote
from pyipvsadm.xtables.layout import Layout, chars, private
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_LONGEST: Final = 31  # NFACCT_NAME_MAX without its NUL


def _read(text: str, draft: Draft) -> str:
    if not text:
        raise draft.bad(text, "empty")
    return text.encode("utf-8", "surrogateescape")[:_LONGEST].decode("utf-8", "surrogateescape")


def _write(value: str, _: View) -> str:
    return f" {quote(value)}"  # after two spaces, then


def _show(values: Values, view: View) -> str:
    return f" nfacct-name {_write(values['name'], view)}"


EXTENSIONS: Final = tuple(
    [
        Extension(
            "match",
            "nfacct",
            revision,
            BOTH,
            Layout(f"struct xt_nfacct_match_info{suffix}", chars("name", _LONGEST + 1), private("nfacct")),
            (Option("nfacct-name", kind=Kind(_read, _write, "NAME"), to="name", needed=True, when=lambda _: True),),
            summary="count packets in an object of nfacct",
            show=_show,
        )
        for revision, suffix in enumerate(("", "_v1"))
    ]
)
