"""The state of the packet's connection: another way to type some of "conntrack".

Struct: ``struct xt_conntrack_mtinfo3``, linux/netfilter/xt_conntrack.h. Syntax: iptables-extensions(8), "state".

The kernel's match of this name (``struct xt_state_info``) is neither made nor shown by the peer.
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.matches.conntrack import (
    LAYOUT,
    STATE,
    STATE_ALIAS,
    STATES,
    name_in_rule,
    save,
    show,
    words_for_bits,
)
from pyipvsadm.xtables.options import BOTH, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.options import Draft

_STATES: Final = {name: bit for name, bit in STATES.items() if name not in ("SNAT", "DNAT")}


def _check(draft: Draft) -> None:
    draft.values["match_flags"] |= STATE | STATE_ALIAS


EXTENSIONS: Final = (
    Extension(
        "match",
        "conntrack",
        3,
        BOTH,
        LAYOUT,
        (
            Option(
                "state",
                kind=words_for_bits(_STATES),
                to="state_mask",
                inverts=("invert_flags", STATE),
                needed=True,
                when=lambda _: True,
            ),
        ),
        alias="state",
        summary="state of the connection",
        check=_check,
        save=save,
        show=show,
        typed=name_in_rule,
    ),
)
