"""Rules taken apart: what their bytes say, as values with names; what JSON and the Python interface show of a rule.

The options of matches and targets are those that ``-S`` prints, cut into words: their declarations say how many
words each of them takes, so nothing here knows an extension.
"""

from __future__ import annotations

from _functools import partial  # type: ignore[import-not-found]  # the package takes as long as a small module

from pyipvsadm.errors import WireError
from pyipvsadm.late import LateRecord, late_maker
from pyipvsadm.memo import Answers
from pyipvsadm.record import Record
from pyipvsadm.xtables import entry
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
from pyipvsadm.xtables.words import split_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final, Self

    from pyipvsadm.xtables.model import Kind
    from pyipvsadm.xtables.options import Extension
    from pyipvsadm.xtables.render import Renderer

_HEAD_END: Final = entry.PAYLOAD_AT
_KINDS: Final[tuple[Kind, ...]] = ("match", "target")
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


class Rule(LateRecord):
    """A rule of iptables(8). "" and None stand for what it does not ask for.

    ``source`` and ``destination`` are "192.0.2.0/24" ("2001:db8::/32"; a mask with holes is written as an address);
    interfaces are names, where a "+" at the end stands for anything; ``protocol`` is a name or a number. In these five,
    a "! " before the rest means all but this. ``fragment`` is True for second and further fragments alone (-f), False
    for all others ("! -f"); always None for IPv6. ``goto``: jump to a chain without coming back (-g). ``counters`` are
    what a rule has counted, or begins with where it is added. ``entry`` is what a rule was read from, and ``printed``
    how ``-S`` prints that; ``replace`` drops them.
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
    entry: Entry | None = None
    printed: str | None = None

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, to be made anew from its words; TypeError for a name that is none."""
        return super().replace(**{"entry": None, "printed": None, **changes})

    def counted(self, counters: Counters) -> Self:
        """Return the same rule with other counters."""
        return super().replace(counters=counters)

    @property
    def text(self) -> str:
        """The rule in iptables syntax, without "-A CHAIN" and counters: what ``-S`` prints of a rule that was read."""
        if self.printed is not None:
            return self.printed
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


class _Beginning(Record):
    """What a header without its addresses says; ``matches`` and ``targets`` are those of such rules, by their bytes."""

    in_interface: str
    out_interface: str
    protocol: str
    fragment: bool | None
    goto: bool
    inverted: int
    matches: Answers
    targets: Answers


class Parts:
    """Takes rules of one family apart; ``renderer`` knows names and texts.

    A large table has few shapes of rules: what was made of a part of one is remembered by its bytes.
    """

    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer
        self._size = 4 if renderer.family == 4 else 16  # of an address
        self._rest_at = 4 * self._size
        self._beginnings: dict[bytes, _Beginning] = {}  # by headers without their addresses and masks
        self._networks = Answers(self._two_networks)  # by these
        self._jumps = Answers(Target)
        self._late_rule = late_maker(Rule, "entry", self._work_out)
        # By what stands between the size and the payload of a match or target.
        self._declared = {kind: Answers(partial(self._find, kind)) for kind in _KINDS}
        self._match_asks, self._target_asks = [Answers(partial(self._asks, kind)) for kind in _KINDS]
        self._blocks: dict[int, tuple[Answers, Answers]] = {}  # matches and targets, by their rules' protocol

    def of(self, rule: Entry) -> Rule:
        """Return a rule by its parts; what they say is worked out when it is asked for.

        What the kernel alone knows is worked out at once: it may say something else by then, or be another kernel's.
        """
        made = self._late_rule(rule)
        asks, block = self._match_asks, rule.target
        asked = bool(block) and self._target_asks[block[2:_HEAD_END]]
        for block in rule.matches:
            if asks[block[2:_HEAD_END]]:
                asked = True
        if asked:
            made.matches, made.printed  # noqa: B018
        return made

    def _work_out(self, rule: Rule, name: str) -> dict[str, Any]:
        """Return a field of a rule of which only ``entry`` is known, and what others come with it."""
        assert rule.entry
        _, header, blocks, target, jump, counts = rule.entry[:]
        if name == "printed":
            return {"printed": self.renderer.save(rule.entry)[1:]}
        if name == "counters":
            return {"counters": Counters(*counts)}
        rest = header[self._rest_at :]
        begun = self._beginnings.get(rest) or self._begin(header, rest)
        _, in_interface, out_interface, protocol, fragment, goto, inverted, matches, targets = begun[:]
        source, destination = self._networks[header[: self._rest_at]]
        if inverted:
            source, destination = self._signed_networks(source, destination, inverted)
        return {
            "source": source,
            "destination": destination,
            "in_interface": in_interface,
            "out_interface": out_interface,
            "protocol": protocol,
            "fragment": fragment,
            "matches": tuple([matches[block] for block in blocks]),
            "target": targets[target] if target else self._jumps[jump] if jump else None,
            "goto": goto,
        }

    def _begin(self, header: bytes, rest: bytes) -> _Beginning:
        family = self.renderer.family
        found = entry.unpack_header(header, family)
        inverted = found.invflags
        protocol = str(self.renderer.names.protocol(found.proto) or found.proto) if found.proto else ""
        begun = self._beginnings[rest] = _Beginning(
            _interface(found.iniface, inverted & INV_VIA_IN),
            _interface(found.outiface, inverted & INV_VIA_OUT),
            _signed(protocol, inverted & INV_PROTO) if protocol else "",
            entry.fragment(found, family),
            entry.is_goto(header, family),
            inverted & (INV_SRCIP | INV_DSTIP),
            *self._extensions(entry.protocol(found)),
        )
        return begun

    def _extensions(self, protocol: int) -> tuple[Answers, Answers]:
        known = self._blocks.get(protocol)
        if known is None:
            view = View(self.renderer.family, self.renderer.names, protocol=protocol)
            matches, targets = [Answers(partial(self._extension, kind, view)) for kind in _KINDS]
            known = self._blocks[protocol] = matches, targets
        return known

    def _two_networks(self, data: bytes) -> tuple[str, str]:
        src, dst, smsk, dmsk = [data[at : at + self._size] for at in range(0, self._rest_at, self._size)]
        return _network(src, smsk), _network(dst, dmsk)

    def _signed_networks(self, source: str, destination: str, inverted: int) -> tuple[str, str]:
        nothing = bytes(self._size)
        every = network_text(nothing, nothing)
        if inverted & INV_SRCIP:
            source = _signed(source or every, inverted)
        if inverted & INV_DSTIP:
            destination = _signed(destination or every, inverted)
        return source, destination

    def _find(self, kind: Kind, head: bytes) -> tuple[str, int, Extension | None]:
        """Return name, revision and declaration of a match or target."""
        name, revision, _ = entry.unpack_extension(b"\0\0" + head)
        return name, revision, find(kind, name, revision, self.renderer.family)

    def _asks(self, kind: Kind, head: bytes) -> bool:
        extension = self._declared[kind][head][2]
        return extension is not None and extension.asks

    def _extension(self, kind: Kind, view: View, block: bytes) -> Match | Target:
        made = Match if kind == "match" else Target
        name, revision, extension = self._declared[kind][block[2:_HEAD_END]]
        payload = block[_HEAD_END:]
        try:
            if extension:
                quick = extension.quick_save
                text = (quick and quick(payload, view.family)) or extension.save(payload, view)
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


def _network(address: bytes, mask: bytes) -> str:
    return network_text(address, mask) if any(address) or any(mask) else ""


def _interface(name: str, inverted: int) -> str:
    return _signed(name, inverted) if name not in ("", "+") else ""


def _signed(text: str, inverted: int) -> str:
    return f"! {text}" if inverted else text
