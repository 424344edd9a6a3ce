"""Refuses packets, and says so to their sender.

Structs: ``struct ipt_reject_info``, linux/netfilter_ipv4/ipt_REJECT.h, and ``struct ip6t_reject_info``,
linux/netfilter_ipv6/ip6t_REJECT.h. Syntax: iptables-extensions(8), "REJECT".
"""

from __future__ import annotations

from pyipvsadm.xtables.layout import Layout, u32
from pyipvsadm.xtables.options import IPV4, IPV6, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, Family, Place, View

    Answers = dict[int, tuple[str, str]]

# By IPT_* and IP6T_*: the name, and another one. They are looked through in this order.
_TCP: Final = 6  # IPPROTO_TCP
_IPV4: Final[Answers] = {
    0: ("icmp-net-unreachable", "net-unreach"),
    1: ("icmp-host-unreachable", "host-unreach"),
    2: ("icmp-proto-unreachable", "proto-unreach"),
    3: ("icmp-port-unreachable", "port-unreach"),
    5: ("icmp-net-prohibited", "net-prohib"),
    6: ("icmp-host-prohibited", "host-prohib"),
    7: ("tcp-reset", "tcp-rst"),
    8: ("icmp-admin-prohibited", "admin-prohib"),
}
_IPV6: Final[Answers] = {
    0: ("icmp6-no-route", "no-route"),
    1: ("icmp6-adm-prohibited", "adm-prohibited"),
    3: ("icmp6-addr-unreachable", "addr-unreach"),
    4: ("icmp6-port-unreachable", "port-unreach"),
    6: ("tcp-reset", "tcp-reset"),
    7: ("icmp6-policy-fail", "policy-fail"),
    8: ("icmp6-reject-route", "reject-route"),
}


def _answer(answers: Answers) -> Kind:
    """Return the kind of an answer's name in any case, or of its beginning: the first that has it is meant."""

    def read(text: str, draft: Draft) -> int:
        wanted = text.lower()
        for value, names in answers.items():
            if names[0].startswith(wanted) or names[1].startswith(wanted):
                return value
        if ("echo-reply".startswith(wanted) or "echoreply".startswith(wanted)) and draft.family == 4:
            draft.warnings.append(f"--reject-with {text} is not supported any more")
        raise draft.bad(text, f"none of {', '.join([names[0] for names in answers.values()])}")

    return Kind(read, lambda value, _: answers[value][0] if value in answers else "(null)", "ANSWER")


def _of(families: Iterable[Family], layout: Layout, answers: Answers) -> Extension:
    kind = _answer(answers)

    def show(values: Values, view: View) -> str:
        return f" reject-with {kind.write(values['with'], view)}"

    option = Option("reject-with", kind=kind, to="with", when=lambda _: True)

    def accepts(values: Values, place: Place) -> bool:
        return not answers.get(values["with"], ("",))[0].startswith("tcp-") or place.protocol == _TCP

    return Extension(
        "target",
        "REJECT",
        0,
        families,
        layout,
        (option,),
        summary="refuse, and say so",
        tables=("filter",),
        accepts=accepts,
        show=show,
    )


EXTENSIONS: Final = (
    _of(IPV4, Layout("struct ipt_reject_info", u32("with", 3)), _IPV4),
    _of(IPV6, Layout("struct ip6t_reject_info", u32("with", 4)), _IPV6),
)
