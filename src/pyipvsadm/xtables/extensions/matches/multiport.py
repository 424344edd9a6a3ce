"""Up to fifteen ports; a range counts as two.

Struct: ``struct xt_multiport_v1``, linux/netfilter/xt_multiport.h. Syntax: iptables-extensions(8), "multiport".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.kinds import read_port, show_port
from pyipvsadm.xtables.layout import Layout, u8, u16
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_PORTS: Final = 15  # XT_MULTI_PORTS
LAYOUT: Final = Layout(
    "struct xt_multiport_v1",
    u8("flags"),
    u8("count"),
    u16.array("ports", _PORTS),
    u8.array("pflags", _PORTS),
    u8("invert"),
)
_WORDS: Final = ("sports", "dports", "ports")  # by XT_MULTIPORT_*
_PROTOCOLS: Final = {6: "tcp", 17: "udp", 136: "udplite", 132: "sctp", 33: "dccp"}


def _read(text: str, draft: Draft) -> tuple[int, int, Sequence[int], Sequence[int]]:
    """Return ``flags``, ``count``, ``ports`` and ``pflags``; one of these is 1 where a range begins."""
    protocol = _PROTOCOLS.get(draft.protocol)
    if protocol is None:
        raise UsageError("multiport: the rule needs -p tcp, udp, udplite, sctp or dccp before its ports")
    ports: list[int] = []
    begins: list[int] = []
    for word in text.split(","):
        first, colon, last = word.partition(":")
        ports.append(read_port(first, draft, protocol))
        begins.append(1 if colon else 0)
        if colon:
            ports.append(read_port(last, draft, protocol))
            begins.append(0)
            if ports[-2] >= ports[-1]:
                raise draft.bad(text, "a range is upside down or empty")
    if len(ports) > _PORTS:
        raise draft.bad(text, f"more than {_PORTS} ports")
    spare = [0] * (_PORTS - len(ports))
    return _WORDS.index(draft.option), len(ports), tuple(ports + spare), tuple(begins + spare)


def _list(values: Values, view: View) -> str:
    protocol = _PROTOCOLS.get(view.protocol)
    text = ""
    for place in range(min(values["count"], _PORTS)):
        # A range's last port comes after its first.
        separator = "" if not place else ":" if values["pflags"][place - 1] else ","
        text += separator + show_port(values["ports"][place], view, protocol)
    return text


def _write(value: Any, view: View) -> str:
    return _list(dict(zip(_MEMBERS, value, strict=True)), view)


def _check(draft: Draft) -> None:
    if not draft.seen:
        raise UsageError("multiport: ports must be specified")


def _show(values: Values, view: View) -> str:
    word = dict(enumerate(_WORDS)).get(values["flags"], "ERROR")
    return f" multiport {word} {' !' if values['invert'] else ''}{_list(values, view)}"


_MEMBERS: Final = ("flags", "count", "ports", "pflags")
_KIND: Final = Kind(_read, _write, "PORT[:PORT][,PORT...]")


def _option(flags: int, *aliases: str) -> Option:
    word = _WORDS[flags]
    return Option(
        word,
        *aliases,
        kind=_KIND,
        to=_MEMBERS,
        inverts=("invert", 1),
        excludes=tuple([other for other in _WORDS if other != word]),
        when=lambda values: values["flags"] == flags,
    )


EXTENSIONS: Final = (
    Extension(
        "match",
        "multiport",
        1,
        BOTH,
        LAYOUT,
        (_option(0, "source-ports"), _option(1, "destination-ports"), _option(2)),
        summary="a list of ports",
        protocols=tuple(_PROTOCOLS),
        check=_check,
        show=_show,
    ),
)
