"""Sets the largest segment (MSS) that the SYN packets of TCP ask for.

Struct: ``struct xt_tcpmss_info``, linux/netfilter/xt_TCPMSS.h. Syntax: iptables-extensions(8), "TCPMSS".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.kinds import U16, number
from pyipvsadm.xtables.layout import Layout, u16
from pyipvsadm.xtables.options import IPV4, IPV6, Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, Family, Place, View

LAYOUT: Final = Layout("struct xt_tcpmss_info", u16("mss"))
_CLAMP: Final = 0xFFFF  # XT_TCPMSS_CLAMP_PMTU


def _check(draft: Draft) -> None:
    if not draft.seen:
        raise UsageError("TCPMSS: --set-mss or --clamp-mss-to-pmtu must be specified")


def _show(values: Values, _: View) -> str:
    mss = values["mss"]
    return " TCPMSS clamp to PMTU" if mss == _CLAMP else f" TCPMSS set {mss}"


def _accepts(values: Values, place: Place) -> bool:
    if values["mss"] == _CLAMP and not place.only("FORWARD", "OUTPUT", "POSTROUTING"):
        return False
    from pyipvsadm.xtables.extensions.matches.tcp import asks_for_syn

    return any(name == "tcp" and asks_for_syn(data) for name, data in place.matches)


def _extension(families: tuple[Family, ...], headers: int) -> Extension:
    """Return the target for a family whose smallest header, with that of TCP, has so many bytes."""
    return Extension(
        "target",
        "TCPMSS",
        0,
        families,
        LAYOUT,
        (
            Option("clamp-mss-to-pmtu", to="mss", sets=_CLAMP),
            Option("set-mss", kind=number(0, U16 - headers), to="mss", when=lambda values: values["mss"] != _CLAMP),
        ),
        summary="change the MSS of TCP",
        protocols=(6,),
        accepts=_accepts,
        check=_check,
        show=_show,
    )


EXTENSIONS: Final = (_extension(IPV4, 20), _extension(IPV6, 40))
