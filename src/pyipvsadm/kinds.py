"""The kinds of tables that commands are about."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal

    Kind = Literal["ipvs", "iptables", "ip6tables"]

KINDS: Final[tuple[Kind, ...]] = ("ipvs", "iptables", "ip6tables")
