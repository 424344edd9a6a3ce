"""The targets that translate prefixes of IPv6.

Struct: ``struct ip6t_npt_tginfo``, linux/netfilter_ipv6/ip6t_NPT.h. Syntax: iptables-extensions(8), "SNPT" and "DNPT".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.networks import read_network
from pyipvsadm.xtables.kinds import show_address
from pyipvsadm.xtables.layout import Layout, private, raw, u8
from pyipvsadm.xtables.options import IPV6, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import View

LAYOUT: Final = Layout(
    "struct ip6t_npt_tginfo",
    raw("src_pfx", 16),
    raw("dst_pfx", 16),
    u8("src_pfx_len"),
    u8("dst_pfx_len"),
    private("adjustment", 2, 2),
)


def _write(value: tuple[bytes, int], _: View) -> str:
    packed, length = value
    return f"{show_address(packed)}/{length}"


def _option(name: str, member: str) -> Option:
    length = f"{member}_len"
    return Option(
        name,
        kind=Kind(read_network, _write, "PREFIX/LENGTH"),
        to=(member, length),
        needed=True,
        when=lambda values: values[length] != 0,
    )


_OPTIONS: Final = (_option("src-pfx", "src_pfx"), _option("dst-pfx", "dst_pfx"))


def npt(name: str, hooks: tuple[str, ...], summary: str) -> Extension:
    """Return the target of a name."""

    def show(values: Values, view: View) -> str:
        source = _write((values["src_pfx"], values["src_pfx_len"]), view)
        destination = _write((values["dst_pfx"], values["dst_pfx_len"]), view)
        return f" {name} src-pfx {source} dst-pfx {destination}"

    return Extension(
        "target", name, 0, IPV6, LAYOUT, _OPTIONS, summary=summary, tables=("mangle",), hooks=hooks, show=show
    )
