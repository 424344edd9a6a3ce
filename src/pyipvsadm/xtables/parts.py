"""Rules taken apart: what their bytes say, as values with names; what JSON and the Python interface show of a rule.

The options of matches and targets are those that ``-S`` prints, cut into words: their declarations say how many
words each of them takes, so nothing here knows an extension.
"""

from __future__ import annotations

from pyipvsadm.errors import WireError
from pyipvsadm.record import Record
from pyipvsadm.xtables import entry
from pyipvsadm.xtables.dump import split_text
from pyipvsadm.xtables.kinds import quote
from pyipvsadm.xtables.model import (
    INV_DSTIP,
    INV_PROTO,
    INV_SRCIP,
    INV_VIA_IN,
    INV_VIA_OUT,
)
from pyipvsadm.xtables.model import Rule as Entry
from pyipvsadm.xtables.options import View
from pyipvsadm.xtables.render import find, network_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final, Self

    from pyipvsadm.xtables.model import Header, Kind
    from pyipvsadm.xtables.options import Extension
    from pyipvsadm.xtables.render import Renderer

_MOST_BLOCKS: Final = 1 << 16
_SAFE: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:,+=@%!")


class Option(Record):
    """An option of a match or target: its name without dashes, the words after it, whether a "!" stands before it."""

    name: str
    values: tuple[str, ...] = ()
    inverted: bool = False

    def words(self) -> Iterator[str]:
        """Yield the words of a command line that give the option."""
        if self.inverted:
            yield "!"
        yield f"--{self.name}"
        yield from self.values


class _Extension(Record):
    name: str
    options: tuple[Option, ...] = ()
    revision: int | None = None
    data: bytes = b""

    def option(self, name: str) -> Option | None:
        """Return the first option of this name (without dashes, as ``-S`` prints it), None where there is none."""
        return next((option for option in self.options if option.name == name), None)

    def value(self, name: str) -> str | None:
        """Return the words after an option with spaces between, "" for none; None where there is no such option."""
        found = self.option(name)
        return None if found is None else " ".join(found.values)


class Match(_Extension):
    """A match: ``name`` as typed after -m, ``options`` in the order of ``-S``.

    ``revision`` is that of a rule that was read, None for the highest the kernel has. ``data`` is the payload, in the
    kernel's byte order, of one that is not known here and has no options therefore; b"" for all others.
    """


class Target(_Extension):
    """What becomes of a packet: a verdict (ACCEPT, DROP, QUEUE, RETURN), a chain, or a target as a ``Match`` is.

    Verdicts and chains have no options and no revision.
    """


class Counters(Record):
    """How many packets a rule matched, or a chain's policy was for, and their bytes, headers of layer 3 included.

    From 0 to 2^64 - 1; they wrap.
    """

    packets: int = 0
    bytes: int = 0


class Kept(Record):
    """What a rule was read from, and its text as ``-S`` prints it."""

    entry: Entry
    text: str


class Rule(Record):
    """A rule of iptables(8). "" and None stand for what it does not ask for.

    ``source`` and ``destination`` are "192.0.2.0/24" ("2001:db8::/32"; a mask with holes is written as an address);
    interfaces are names, where a "+" at the end stands for anything; ``protocol`` is a name or a number. In these five,
    a "! " before the rest means all but this. ``fragment`` is True for second and further fragments alone (-f), False
    for all others ("! -f"); always None for IPv6. ``goto``: jump to a chain without coming back (-g). ``counters`` are
    what a rule has counted, or begins with where it is added. ``kept`` is what a rule was read from; ``replace`` drops
    it.
    """

    source: str = ""
    destination: str = ""
    in_interface: str = ""
    out_interface: str = ""
    protocol: str = ""
    fragment: bool | None = None
    matches: tuple[Match, ...] = ()
    target: Target | None = None
    goto: bool = False
    counters: Counters = Counters()
    kept: Kept | None = None

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, to be made anew from its words; TypeError for a name that is none."""
        return super().replace(**{"kept": None, **changes})

    @property
    def text(self) -> str:
        """The rule in iptables syntax, without "-A CHAIN" and counters: what ``-S`` prints of a rule that was read."""
        if self.kept is not None:
            return self.kept.text
        return " ".join([word if word and _SAFE.issuperset(word) else quote(word) for word in self.words()])

    def match(self, name: str) -> Match | None:
        """Return the first match of this name, None where there is none."""
        return next((match for match in self.matches if match.name == name), None)

    def words(self) -> Iterator[str]:
        """Yield the words of a command line that make the rule, without its chain and counters."""
        places = (
            ("-s", self.source),
            ("-d", self.destination),
            ("-i", self.in_interface),
            ("-o", self.out_interface),
            ("-p", self.protocol),
        )
        for letter, value in places:
            if value:
                yield from ("!", letter, value[2:]) if value[:2] == "! " else (letter, value)
        if self.fragment is not None:
            yield from ("-f",) if self.fragment else ("!", "-f")
        for match in self.matches:
            yield from ("-m", match.name)
            for option in match.options:
                yield from option.words()
        if self.target is not None:
            yield from ("-g" if self.goto else "-j", self.target.name)
            for option in self.target.options:
                yield from option.words()


# -- from entries ------------------------------------------------------------------------------------------------------


class Parts:
    """Takes rules of one family apart; ``renderer`` knows names and texts."""

    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer
        self._known: dict[tuple[Kind, bytes, int], Match | Target] = {}

    def of(self, rule: Entry) -> Rule:
        """Return a rule by its parts."""
        header = entry.unpack_header(rule.header, self.renderer.family)
        protocol = entry.protocol(header)
        fields = self._header(header)
        matches = tuple([self._block("match", block, protocol) for block in rule.matches])
        target: Any = self._block("target", rule.target, protocol) if rule.target else None
        return Rule(
            **fields,
            matches=matches,  # type: ignore[arg-type]  # of this kind
            target=target or (Target(rule.jump) if rule.jump else None),
            goto=entry.is_goto(rule.header, self.renderer.family),
            counters=Counters(*rule.counters),
            kept=Kept(rule, self.renderer.save(rule).removeprefix(" ")),
        )

    def _header(self, header: Header) -> dict[str, Any]:
        renderer, inverted = self.renderer, header.invflags
        protocol = str(renderer.names.protocol(header.proto) or header.proto) if header.proto else ""
        return {
            "source": _network(header.src, header.smsk, inverted & INV_SRCIP),
            "destination": _network(header.dst, header.dmsk, inverted & INV_DSTIP),
            "in_interface": _interface(header.iniface, inverted & INV_VIA_IN),
            "out_interface": _interface(header.outiface, inverted & INV_VIA_OUT),
            "protocol": _signed(protocol, inverted & INV_PROTO) if protocol else "",
            "fragment": entry.fragment(header, renderer.family),
        }

    def _block(self, kind: Kind, block: bytes, protocol: int) -> Match | Target:
        key = (kind, block, protocol)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MOST_BLOCKS:
                self._known.clear()
            known = self._known[key] = self._extension(kind, block, protocol)
        return known

    def _extension(self, kind: Kind, block: bytes, protocol: int) -> Match | Target:
        made = Match if kind == "match" else Target
        name, revision, payload = entry.unpack_extension(block)
        family = self.renderer.family
        extension = find(kind, name, revision, family)
        try:
            if extension:
                text = extension.save(payload, View(family, self.renderer.names, protocol=protocol))
                return made(extension.typed_name(payload), tuple(options_of(text, extension)), revision)
        except WireError:
            pass
        return made(name, (), revision, payload)


def options_of(text: str, extension: Extension) -> Iterator[Option]:
    """Yield the options in what an extension prints for ``-S``.

    After an option come as many words as it is declared with, whatever they look like, and others up to the next
    option. Words before any option, which nothing that was typed makes, are values of one without a name.
    """
    words = split_text(f"{text} --")
    if words.pop() != "--":  # some texts are printed without the quotes that they need: one is left open
        words = text.split()
    place = 0
    while place < len(words):
        inverted = _is_option(words, place + 1) and words[place] == "!"
        place += inverted
        name = words[place][2:] if _is_option(words, place) else ""
        first = place + bool(name)
        declared = extension.by_name.get(name)
        place = max(first + (declared.words if declared and not declared.optional else 0), place + 1)
        while place < len(words) and not _begins_option(words, place):
            place += 1
        yield Option(name, tuple(words[first:place]), inverted)


def _is_option(words: list[str], place: int) -> bool:
    return place < len(words) and len(words[place]) > 2 and words[place][:2] == "--"


def _begins_option(words: list[str], place: int) -> bool:
    return _is_option(words, place) or (words[place] == "!" and _is_option(words, place + 1))


def _network(address: bytes, mask: bytes, inverted: int) -> str:
    return _signed(network_text(address, mask), inverted) if inverted or any(address) or any(mask) else ""


def _interface(name: str, inverted: int) -> str:
    return _signed(name, inverted) if name not in ("", "+") else ""


def _signed(text: str, inverted: int) -> str:
    return f"! {text}" if inverted else text
