"""The operating system that a connection is begun by, as its fingerprint tells.

Struct: ``struct nf_osf_info``, linux/netfilter/nfnetlink_osf.h. Syntax: iptables-extensions(8), "osf".
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import number
from pyipvsadm.xtables.layout import Layout, chars, u32
from pyipvsadm.xtables.options import IPV4, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout("struct nf_osf_info", chars("genre", 32), u32("len"), u32("flags"), u32("loglevel"), u32("ttl"))
_LONGEST: Final = 31  # MAXGENRELEN without its NUL
_TTL, _LOG, _INVERT = 2, 4, 8  # NF_OSF_*


def _read_genre(text: str, _: Draft) -> tuple[str, int]:
    genre = text.encode("utf-8", "surrogateescape")[:_LONGEST]
    return genre.decode("utf-8", "surrogateescape"), len(genre)


def _check(draft: Draft) -> None:
    for option, bit in (("ttl", _TTL), ("log", _LOG)):
        if option in draft.seen:
            draft.values["flags"] |= bit


def _show(values: Values, _: View) -> str:
    return f" OS fingerprint match{' !' if values['flags'] & _INVERT else ''} {values['genre']}"


EXTENSIONS: Final = (
    Extension(
        "match",
        "osf",
        0,
        IPV4,
        LAYOUT,
        (
            Option(
                "genre",
                kind=Kind(_read_genre, lambda value, _: str(value[0]), "NAME"),
                to=("genre", "len"),
                inverts=("flags", _INVERT),
                needed=True,
                when=lambda _: True,
            ),
            Option("ttl", kind=number(0, 2), to="ttl", when=lambda values: bool(values["flags"] & _TTL)),
            Option("log", kind=number(0, 2), to="loglevel", when=lambda values: bool(values["flags"] & _LOG)),
        ),
        summary="the operating system a connection is begun by",
        protocols=(6,),
        hooks=("PREROUTING", "INPUT", "FORWARD"),
        check=_check,
        show=_show,
    ),
)
