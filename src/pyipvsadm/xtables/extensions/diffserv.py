"""Names of what the DS field (once: type of service) of a packet holds, and the arguments that give it.

Names of types of service: iptables-extensions(8), "tos"; of classes: RFC 2474, RFC 2597, RFC 3246.
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import U8, read_number
from pyipvsadm.xtables.options import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.options import Draft, View

NAMED_MASK: Final = 0x3F  # of a type of service that is given by its name: not ECN's two bits
SERVICES: Final = {
    "Minimize-Delay": 0x10,
    "Maximize-Throughput": 0x08,
    "Maximize-Reliability": 0x04,
    "Minimize-Cost": 0x02,
    "Normal-Service": 0x00,
}
_BY_NAME: Final = {name.lower(): value for name, value in SERVICES.items()}
_BY_VALUE: Final = {value: name for name, value in SERVICES.items()}

CLASSES: Final = {
    "be": 0x00,
    **{f"cs{precedence}": precedence << 3 for precedence in range(8)},
    **{f"af{queue}{drop}": queue << 3 | drop << 1 for queue in (1, 2, 3, 4) for drop in (1, 2, 3)},
    "ef": 0x2E,
}  # fmt: skip


def _read_service(text: str, draft: Draft) -> tuple[int, int]:
    first, slash, last = text.partition("/")
    value = read_number(first, 0, U8)
    if value is None:
        value = _BY_NAME.get(text.lower())
        mask: int | None = NAMED_MASK
    else:
        mask = read_number(last, 0, U8) if slash else U8
    if value is None or mask is None:
        raise draft.bad(text)
    return value, mask


def service() -> Kind:
    """Return the kind of a type of service: ``value[/mask]`` or a name, for two members; written in base 16."""
    return Kind(_read_service, lambda pair, _: f"0x{pair[0]:02x}/0x{pair[1]:02x}", "VALUE[/MASK]")


def service_name(value: int, mask: int) -> str | None:
    """Return the name of a type of service; None where it has none or the mask is not that of names."""
    return _BY_VALUE.get(value) if mask == NAMED_MASK else None


def _read_codepoint(text: str, draft: Draft) -> int:
    value = read_number(text, 0, 0x3F)
    if value is None:
        raise draft.bad(text, "not a number from 0 to 63")
    return value


def _write_codepoint(value: int, _: View) -> str:
    return f"0x{value:02x}"


def codepoint() -> Kind:
    """Return the kind of the upper six bits of the field by number; written in base 16."""
    return Kind(_read_codepoint, _write_codepoint, "NUMBER")


def _read_class(text: str, draft: Draft) -> int:
    for name, value in CLASSES.items():
        if text.lower().startswith(name):  # the C tool does not look at what follows
            return value
    raise draft.bad(text, f"none of {', '.join(CLASSES)}")


def codepoint_class() -> Kind:
    """Return the kind of the upper six bits by the name of a class, in any case of letters."""
    return Kind(_read_class, _write_codepoint, "CLASS")
