"""The text of ``ipvsadm --help``, laid out from the tables of commands and options."""

from __future__ import annotations

from pyipvsadm.ipvs.options import OPTIONS, OWN_OPTIONS, VERBS, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyipvsadm.ipvs.options import Word


def usage() -> str:
    """Return the help text, lines of at most 120 columns."""
    sections: dict[str, list[str]] = {}
    for option in sorted(OPTIONS + OWN_OPTIONS, key=_group_order):
        sections.setdefault(option.group, []).append(_line(option))
    lines = ["ipvsadm COMMAND [SERVICE] [OPTIONS]: look at and change the virtual server table", "", "Commands:"]
    lines += [_line(verb, verb.operands) for verb in VERBS]
    for group, described in sections.items():
        lines += ["", f"{group}:", *described]
    lines += ["", "IPv6 addresses stand in brackets where a port follows: [2001:db8::1]:80. Without arguments: --list."]
    return "\n".join(lines) + "\n"


_GROUPS = list(dict.fromkeys(option.group for option in OPTIONS + OWN_OPTIONS))


def _group_order(option: Option) -> int:
    return _GROUPS.index(option.group)


def _line(word: Word, operands: str = "") -> str:
    letters = ", ".join([f"-{letter}" for letter in word.short])
    names = f"{letters + ',' if letters else '   '} --{word.long}"
    argument = word.metavar or operands
    if argument:
        names += f" [{argument}]" if word.argument == "optional" else f" {argument}"
    return f"  {names:<33} {word.help}"
