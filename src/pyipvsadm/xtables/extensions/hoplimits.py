"""What matches on IPv4's time to live and IPv6's hop limit have in common: one comparison with a number."""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.kinds import U8, number
from pyipvsadm.xtables.layout import Layout, u8
from pyipvsadm.xtables.options import Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, Family, View

_EQ, _NE, _LT, _GT = 0, 1, 2, 3  # IPT_TTL_*, IP6T_HL_*
_SIGNS: Final = {_EQ: "==", _NE: "!=", _LT: "<", _GT: ">"}
_NUMBER: Final = number(0, U8)


def _comparison(name: str, member: str, mode: int, excludes: tuple[str, ...]) -> Option:
    return Option(
        name,
        kind=Kind(lambda text, draft: (mode, _NUMBER.read(text, draft)), lambda pair, _: str(pair[1]), "NUMBER"),
        to=("mode", member),
        when=lambda values: values["mode"] == mode,
        excludes=excludes,
    )


def hop_limit(name: str, families: Iterable[Family], struct: str, member: str, summary: str) -> Extension:
    """Return the match ``name``, whose number is in a struct's ``member``."""
    equal, less, greater = f"{name}-eq", f"{name}-lt", f"{name}-gt"

    def check(draft: Draft) -> None:
        if not draft.seen:
            raise UsageError(f'{name}: one of "--{equal}", "--{less}" and "--{greater}" must be specified')

    def show(values: Values, _: View) -> str:
        word = name.upper()
        return f" {word} match {word} {_SIGNS.get(values['mode'], '')} {values[member]}"

    return Extension(
        "match",
        name,
        0,
        families,
        Layout(struct, u8("mode"), u8(member)),
        (
            Option(
                equal,
                name,
                kind=_NUMBER,
                to=member,
                inverts=("mode", _NE),
                when=lambda values: values["mode"] in (_EQ, _NE),
                excludes=(less, greater),
            ),
            _comparison(less, member, _LT, (equal, greater)),
            _comparison(greater, member, _GT, (equal, less)),
        ),
        summary=summary,
        check=check,
        show=show,
    )
