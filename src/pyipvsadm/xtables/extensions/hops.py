"""The targets that change how many hops a packet may still take: TTL of IPv4, hop limit of IPv6."""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.kinds import U8, number
from pyipvsadm.xtables.options import Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Layout, Values
    from pyipvsadm.xtables.options import Draft, Family, View

_SET, _INC, _DEC = 0, 1, 2  # IPT_TTL_*, IP6T_HL_*
_SHOWN: Final = {_SET: "set to", _INC: "increment by", _DEC: "decrement by"}


def target(name: str, families: tuple[Family, ...], layout: Layout, member: str, summary: str) -> Extension:
    """Return a target whose struct has a ``mode`` and, in ``member``, a number of hops."""
    modes = {_SET: f"{name.lower()}-set", _DEC: f"{name.lower()}-dec", _INC: f"{name.lower()}-inc"}

    def option(mode: int) -> Option:
        hops = number(0 if mode == _SET else 1, U8)
        return Option(
            modes[mode],
            kind=Kind(lambda text, draft: (mode, hops.read(text, draft)), lambda value, _: str(value[1]), "NUMBER"),
            to=("mode", member),
            when=lambda values: values["mode"] == mode,
            excludes=tuple([other for number, other in modes.items() if number != mode]),
        )

    def check(draft: Draft) -> None:
        if not draft.seen:
            raise UsageError(f"{name}: one of --{', --'.join(modes.values())} must be specified")

    def show(values: Values, _: View) -> str:
        return f" {name} {_SHOWN.get(values['mode'], '')} {values[member]}"

    return Extension(
        "target",
        name,
        0,
        families,
        layout,
        tuple([option(mode) for mode in modes]),
        summary=summary,
        tables=("mangle",),
        check=check,
        show=show,
    )
