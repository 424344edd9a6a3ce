"""Lights an LED, or blinks it, when a packet comes by.

Struct: ``struct xt_led_info``, linux/netfilter/xt_LED.h. Syntax: iptables-extensions(8), "LED".
"""

from __future__ import annotations

from pyipvsadm.xtables.kinds import U32, read_number
from pyipvsadm.xtables.layout import Layout, chars, private, u8, u32
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout(
    "struct xt_led_info", chars("id", 27), u8("always_blink"), u32("delay"), private("internal_data")
)
_PREFIX: Final = "netfilter-"  # of the triggers that are of rules
_LONGEST: Final = 16
_FOREVER: Final = U32


def _read_trigger(text: str, draft: Draft) -> str:
    if len(text.encode("utf-8", "surrogateescape")) > _LONGEST:
        raise draft.bad(text, f"longer than {_LONGEST} bytes")
    return _PREFIX + text


def _write_trigger(value: str, _: View) -> str:
    name = value[len(_PREFIX) :].replace("\\", "\\\\").replace('"', '\\"')
    return f'"{name}"'


def _read_delay(text: str, draft: Draft) -> int:
    if text[:3].lower() == "inf":  # what follows does not count
        return _FOREVER
    value = read_number(text, 0, U32)
    if value is None:
        raise draft.bad(text, f'neither a number from 0 to {U32} nor "inf"')
    return value


def _write_delay(value: int, _: View) -> str:
    """Return the number as one with a sign, as the peer does: -1 is for ever, and not what --led-delay takes."""
    return str(value - (1 << 32) if value >> 31 else value)


def _show(values: Values, view: View) -> str:
    delay = "inf" if values["delay"] == _FOREVER else f"{_write_delay(values['delay'], view)}ms"
    blink = " led-always-blink" if values["always_blink"] else ""
    return f" led-trigger-id:{_write_trigger(values['id'], view)} led-delay:{delay}{blink}"


EXTENSIONS: Final = (
    Extension(
        "target",
        "LED",
        0,
        BOTH,
        LAYOUT,
        (
            Option(
                "led-trigger-id",
                kind=Kind(_read_trigger, _write_trigger, "NAME"),
                to="id",
                needed=True,
                when=lambda _: True,
            ),
            Option("led-delay", kind=Kind(_read_delay, _write_delay, "MILLISECONDS|inf"), to="delay"),
            Option("led-always-blink", to="always_blink", bit=1, when=lambda values: bool(values["always_blink"])),
        ),
        summary="light an LED",
        show=_show,
    ),
)
