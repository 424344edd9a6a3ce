"""The text of ``iptables -h``, laid out from the parser's options and the declarations of extensions."""

from __future__ import annotations

from pyipvsadm.xtables import VERSION, registry
from pyipvsadm.xtables.syntax import COMMANDS, NEGATABLE, ONLY_IPV4, WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.model import Kind
    from pyipvsadm.xtables.options import Extension, Family, Option

# By its first word, what stands for an option's argument, and what it does.
ABOUT: Final = {
    "append": ("CHAIN", "add the rule at the end of a chain"),
    "delete": ("CHAIN [NUMBER]", "delete the first such rule, or the one with this number"),
    "check": ("CHAIN", "tell by the exit status whether there is such a rule"),
    "insert": ("CHAIN [NUMBER]", "add the rule before the one with this number (default 1)"),
    "replace": ("CHAIN NUMBER", "put the rule in the place of another"),
    "list": ("[CHAIN [NUMBER]]", "list the rules of a chain, or of all"),
    "list-rules": ("[CHAIN [NUMBER]]", "print the rules of a chain, or of all, as commands"),
    "flush": ("[CHAIN]", "delete all rules of a chain, or of all"),
    "zero": ("[CHAIN [NUMBER]]", "set counters to zero"),
    "new-chain": ("CHAIN", "make a chain"),
    "delete-chain": ("[CHAIN]", "delete an empty chain, or all that are not built in"),
    "rename-chain": ("OLD NEW", "give a chain another name"),
    "policy": ("CHAIN VERDICT", "what becomes of packets at the end of a built-in chain: ACCEPT or DROP"),
    "source": ("HOST[/MASK][,...]", "where packets come from"),
    "destination": ("HOST[/MASK][,...]", "where they go to"),
    "protocol": ("PROTOCOL", "tcp, udp, icmp or another, by name or number"),
    "in-interface": ("NAME[+]", "where they came in; with +, all interfaces that begin so"),
    "out-interface": ("NAME[+]", "where they go out"),
    "fragments": ("", "fragments but the first"),
    "match": ("NAME", "use a match; its options may follow"),
    "jump": ("TARGET", "what to do: ACCEPT, DROP, RETURN, a chain, or a target; its options may follow"),
    "goto": ("CHAIN", "go on in a chain, and do not come back"),
    "set-counters": ("PACKETS BYTES", "the counters to begin with"),
    "table": ("TABLE", "filter (default), nat, mangle, raw or security"),
    "numeric": ("", "list addresses and ports as numbers"),
    "exact": ("", "list counters in full"),
    "line-numbers": ("", "list rules with their numbers"),
    "verbose": ("", "list counters and interfaces; say what is done"),
    "wait": ("[SECONDS]", "wait for other programs that change tables (default: for ever)"),
    "wait-interval": ("[MICROSECONDS]", "taken for the sake of old scripts"),
    "modprobe": ("COMMAND", "taken for the sake of old scripts"),
    "ipv4": ("", "in a dump: a line for iptables-restore alone"),
    "ipv6": ("", "in a dump: a line for ip6tables-restore alone"),
    "help": ("", "print this text, and that of what -p, -m and -j named before"),
    "version": ("", "print the version"),
    "format": ("FORM", "list as classic text, table or json"),
    "netns": ("NAME", "work on the tables of this network namespace"),
    "sandbox": ("FILE", "work on tables kept in this file, not the kernel's"),
}
OWN: Final = ("format", "netns", "sandbox")  # which the C tool does not have; they cannot be cut short
_RULE: Final = "psdiofmjgc"
GROUPS: Final = ("Commands", "Rule", "Options")


class Entry:
    """An option of iptables itself as texts show it: all its spellings, its argument, what it does."""

    __slots__ = ("argument", "group", "help", "letter", "metavar", "negatable", "spellings")

    def __init__(self, letter: str, words: list[str], argument: str) -> None:
        self.letter = letter
        self.spellings = ([f"-{letter}"] if letter.isalpha() or letter in "46" else []) + [
            f"--{word}" for word in words
        ]
        self.argument = argument  # "1", "" or "?", as in the parser's table
        self.metavar, self.help = ABOUT[words[0]]
        self.negatable = letter in NEGATABLE
        self.group = "Commands" if letter in COMMANDS else "Rule" if letter in _RULE else "Options"


def entries(family: Family) -> list[Entry]:
    """Return the options of a family, in the order in which texts show them."""
    words: dict[str, list[str]] = {}
    arguments = {}
    for letter, word, argument in WORDS:
        if family == 4 or letter not in ONLY_IPV4:
            words.setdefault(letter, []).append(word)
            arguments[letter] = argument
    order = list(ABOUT)
    shown = sorted(words, key=lambda letter: order.index(words[letter][0]))
    found = [Entry(letter, words[letter], arguments[letter]) for letter in shown]
    return found + [Entry("-", [word], "1") for word in OWN]


def usage(name: str, family: Family, extensions: tuple[tuple[Kind, str], ...] = ()) -> str:
    """Return the help text of a command, and that of the extensions named."""
    lines = [f"{name} {VERSION}", "", f"Usage: {name} [-t TABLE] COMMAND [RULE] [OPTIONS]"]
    known = entries(family)
    for group in GROUPS:
        lines += ["", f"{group}:"]
        lines += [
            _line(", ".join(entry.spellings), entry.metavar, entry.help, negatable=entry.negatable)
            for entry in known
            if entry.group == group
        ]
    lines += [
        "",
        'After "!" what is marked [!] means the opposite. Long options may be cut short, but not the last three.',
    ]
    for kind, wanted in dict.fromkeys(extensions):
        found = registry.revisions(kind, wanted, family)
        if found:
            lines += _described(wanted, found[0])
    return "\n".join(lines) + "\n"


def _described(name: str, extension: Extension) -> list[str]:
    lines = ["", f"{name} {extension.kind} options ({extension.summary}):"]
    own = extension.help()
    if own:
        return lines + own.strip("\n").split("\n")
    return lines + [_option(option) for option in extension.options] + ([] if extension.options else ["    none"])


def _option(option: Option) -> str:
    spellings = ", ".join([f"--{name}" for name in (option.name, *option.aliases)])
    return _line(spellings, placeholder(option), conditions(option), negatable=option.inverts is not None).rstrip()


def placeholder(option: Option) -> str:
    """Return what stands for the argument of an extension's option, "" where it takes none."""
    return option.kind.placeholder if option.kind else ""


def conditions(option: Option) -> str:
    """Return what an extension's option asks of others, "" for nothing."""
    parts = ["must be given"] if option.needed else []
    if option.needs:
        parts.append(f"with {', '.join([f'--{name}' for name in option.needs])}")
    if option.excludes:
        parts.append(f"not with {', '.join([f'--{name}' for name in sorted(option.excludes)])}")
    return "; ".join(parts)


def _line(spellings: str, metavar: str, about: str, *, negatable: bool) -> str:
    shown = f"{'[!] ' if negatable else '    '}{spellings}{' ' if metavar else ''}{metavar}"
    return f"{shown:<48} {about}"
