"""Labels of the packet's connection.

Struct: ``struct xt_connlabel_mtinfo``, linux/netfilter/xt_connlabel.h. Syntax: iptables-extensions(8), "connlabel".
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import U16, U64, read_number
from pyipvsadm.xtables.layout import Layout, u16
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.names import Resolver
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout("struct xt_connlabel_mtinfo", u16("bit"), u16("options"))
_INVERT, _SET = 1, 2  # XT_CONNLABEL_OP_*

_FILE: Final = "/etc/xtables/connlabel.conf"
_HIGHEST: Final = 1023  # that a name can have
_LETTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789- ")


def _read_labels(lines: Iterable[str]) -> dict[str, int]:
    """Return the names of labels; of a name or a label that comes twice the first line counts."""
    found: dict[str, int] = {}
    for line in lines:
        words = line.split(None, 1)
        bit = read_number(words[0], 0, _HIGHEST) if words else None
        name = words[1].strip() if len(words) > 1 else ""
        if bit is None or not name or not _LETTERS.issuperset(name) or bit in found.values():
            continue
        found.setdefault(name, bit)
    return found


def _name(bit: int, names: Resolver) -> str | None:
    labels = names.file(_FILE, _read_labels)
    return next((name for name, other in labels.items() if other == bit), None)


def _read(text: str, draft: Draft) -> int:
    sign, digits = text[:1] == "-", text.removeprefix("-")
    number = None if sign and not digits[:1].isdigit() else read_number(digits, 0, U64)
    if sign and number is not None:
        number = -number & U64  # as strtoul(3) reads it
    if number is None or number & 1 << 31:  # the C tool keeps an int, of which the kernel keeps 16 bits
        number = draft.names.file(_FILE, _read_labels).get(text)
    if number is None:
        raise draft.bad(text, "neither a number nor the name of a label")
    return number & U16


def _write(bit: int, view: View) -> str:
    return f'"{_name(bit, view.names) or bit}"'


def _show(values: Values, view: View) -> str:
    bit, options = values["bit"], values["options"]
    name = _name(bit, view.names)
    sign = " !" if options & _INVERT else ""
    return f" connlabel{sign} {bit if name is None or view.numeric else repr(name)}{' set' if options & _SET else ''}"


EXTENSIONS: Final = (
    Extension(
        "match",
        "connlabel",
        0,
        BOTH,
        LAYOUT,
        (
            Option(
                "label",
                kind=Kind(_read, _write, "LABEL"),
                to="bit",
                inverts=("options", _INVERT),
                needed=True,
                when=lambda _: True,
            ),
            Option("set", to="options", bit=_SET),
        ),
        summary="labels of the connection",
        show=_show,
    ),
)
