"""Hands packets to a local socket without changing them.

Structs: ``struct xt_tproxy_target_info_v1``; in the first revision, for IPv4 alone, ``struct xt_tproxy_target_info``;
linux/netfilter/xt_TPROXY.h. Syntax: iptables-extensions(8), "TPROXY".
"""

from __future__ import annotations

from _socket import getaddrinfo

from pyipvsadm.xtables.kinds import U32, address, from_inet, masked, show_address
from pyipvsadm.xtables.layout import Layout, be16, raw, u32
from pyipvsadm.xtables.options import BOTH, IPV4, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, Family, View

LAYOUT_1: Final = Layout(
    "struct xt_tproxy_target_info_v1", u32("mark_mask"), u32("mark_value"), raw("laddr", 16), be16("lport")
)
LAYOUT_0: Final = Layout(
    "struct xt_tproxy_target_info", u32("mark_mask"), u32("mark_value"), raw("laddr", 4), be16("lport")
)


def _read_port(word: str, draft: Draft) -> int:
    # As getaddrinfo(3) takes a service: a number is a decimal one, its upper bits are lost, and nothing is 0.
    service: Any = word.encode("utf-8", "surrogateescape")
    try:
        found = getaddrinfo(None, service)
    except (OSError, ValueError):
        raise draft.bad(word, "not a port or service") from None
    return int(found[0][4][1])


def _show_mark(value: tuple[int, int], _: View) -> str:
    return f"0x{value[0]:x}/0x{value[1]:x}"


def _show(values: Values, view: View) -> str:
    host = show_address(from_inet(values["laddr"], view))
    mark = _show_mark((values["mark_value"], values["mark_mask"]), view)
    return f" TPROXY redirect {host}:{values['lport']} mark {mark}"


def _revision(number: int, families: Iterable[Family], layout: Layout) -> Extension:
    size = len(layout.defaults["laddr"])
    mark = Kind(masked(U32).read, _show_mark, "VALUE[/MASK]")
    return Extension(
        "target",
        "TPROXY",
        number,
        families,
        layout,
        (
            Option(
                "on-port",
                kind=Kind(_read_port, lambda port, _: str(port), "PORT"),
                to="lport",
                needed=True,
                when=_always,
            ),
            Option("on-ip", kind=address(size), to="laddr", when=_always),
            Option("tproxy-mark", kind=mark, to=("mark_value", "mark_mask"), when=_always),
        ),
        summary="hand packets to a local socket",
        protocols=(6, 17),
        tables=("mangle",),
        hooks=("PREROUTING",),
        show=_show,
    )


def _always(_: Values) -> bool:
    return True


EXTENSIONS: Final = (_revision(1, BOTH, LAYOUT_1), _revision(0, IPV4, LAYOUT_0))
