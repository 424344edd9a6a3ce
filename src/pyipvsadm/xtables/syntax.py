"""The words of a command line, or of a line of a dump, to commands: what iptables decides before it reads the table.

Words are cut into options as getopt_long(3) does, in the order they stand: what an option means can depend on the
extensions that were named before it. The options of all named extensions are known at once, the newest first; those
of a protocol's own match come by themselves when they are needed.
"""

from __future__ import annotations

from _socket import AF_INET6, inet_pton

from pyipvsadm.errors import MisplacedOptionError, UnknownOptionError, UsageError
from pyipvsadm.xtables import command, entry, registry
from pyipvsadm.xtables.kinds import odd_interface, read_counter, read_number
from pyipvsadm.xtables.model import (
    F_FRAG,
    F_PROTO,
    INV_DSTIP,
    INV_FRAG,
    INV_PROTO,
    INV_SRCIP,
    INV_VIA_IN,
    INV_VIA_OUT,
    NO_EXTENSION,
    VERDICTS,
    Header,
    Rule,
)
from pyipvsadm.xtables.options import BETWEEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final

    from pyipvsadm.xtables.backend.base import Backend
    from pyipvsadm.xtables.model import Kind
    from pyipvsadm.xtables.names import Resolver
    from pyipvsadm.xtables.options import Draft, Extension, Family, Option

    Command = (
        command.Append | command.Insert | command.Replace | command.Check | command.Delete | command.DeleteNumber
        | command.Flush | command.Zero | command.NewChain | command.DeleteChain | command.RenameChain
        | command.SetPolicy | command.List | command.ListRules | command.Help | command.Version | command.Nothing
    )  # fmt: skip

FORMS: Final = ("classic", "table", "json")
LONGEST_CHAIN: Final = 28  # XT_EXTENSION_MAXNAMELEN without its NUL
LONGEST_INTERFACE: Final = 15
LAST_NUMBER: Final = 0x7FFFFFFF  # of a rule
EXTENSION_HEADERS: Final = (43, 44, 51, 60)  # of IPv6, which are no protocol to the kernel

# The options of iptables itself: letter, word, whether it takes an argument ("?": if the next word does not begin with
# "-" or "!").
WORDS: Final = (
    ("A", "append", "1"),
    ("D", "delete", "1"),
    ("C", "check", "1"),
    ("I", "insert", "1"),
    ("R", "replace", "1"),
    ("L", "list", "?"),
    ("S", "list-rules", "?"),
    ("F", "flush", "?"),
    ("Z", "zero", "?"),
    ("N", "new-chain", "1"),
    ("X", "delete-chain", "?"),
    ("E", "rename-chain", "1"),
    ("P", "policy", "1"),
    ("s", "source", "1"),
    ("d", "destination", "1"),
    ("s", "src", "1"),
    ("d", "dst", "1"),
    ("p", "protocol", "1"),
    ("i", "in-interface", "1"),
    ("j", "jump", "1"),
    ("t", "table", "1"),
    ("m", "match", "1"),
    ("n", "numeric", ""),
    ("o", "out-interface", "1"),
    ("v", "verbose", ""),
    ("w", "wait", "?"),
    ("W", "wait-interval", "?"),
    ("x", "exact", ""),
    ("f", "fragments", ""),
    ("V", "version", ""),
    ("h", "help", "?"),
    ("0", "line-numbers", ""),
    ("M", "modprobe", "1"),
    ("c", "set-counters", "1"),
    ("g", "goto", "1"),
    ("4", "ipv4", ""),
    ("6", "ipv6", ""),
)
ONLY_IPV4: Final = ("f",)
COMMANDS: Final = "ADCIRLSFZNXEP"
WHOLE_WORD: Final = "sdpioj"  # what they take is the last word that was read, be it another option with it in front
NEGATABLE: Final = "psdiof"

# Which of the options n s d p j v x i o 0 c f each command does not take.
ILLEGAL: Final = {
    "A": "nx0",
    "I": "nx0",
    "D": "nx0c",
    "C": "nx0c",
    "R": "nx0",
    "D#": "nsdpjxio0cf",
    "L": "sdpjiocf",
    "S": "nsdpjxio0cf",
    "F": "nsdpjxio0cf",
    "Z": "nsdpjxio0cf",
    "Z#": "nsdpjxio0cf",
    "N": "nsdpjxio0cf",
    "X": "nsdpjxio0cf",
    "E": "nsdpjxio0cf",
    "P": "nsdpjxio0f",
}


class Own:
    """An option of iptables itself."""

    __slots__ = ("argument", "letter", "word")

    def __init__(self, letter: str, word: str, argument: str) -> None:
        self.letter = letter
        self.word = word
        self.argument = argument


def _own_options(family: Family) -> tuple[dict[str, Own], dict[str, Own]]:
    rows = [Own(*row) for row in WORDS if family == 4 or row[0] not in ONLY_IPV4]
    letters = {row.letter: row for row in reversed(rows) if row.letter != "0"}
    return letters, {row.word: row for row in rows}


_OWN: Final[dict[Family, tuple[dict[str, Own], dict[str, Own]]]] = {4: _own_options(4), 6: _own_options(6)}


class Wanted:
    """What a command line asks for beside its command: the table, the lock."""

    __slots__ = ("form", "modprobe", "table", "wait")

    def __init__(self) -> None:
        self.table = "filter"
        self.wait: int | None = None  # seconds to wait for the lock at most, -1 for ever, None: not said
        self.modprobe: str | None = None
        self.form: str | None = None  # how to list: one of FORMS


class RuleParser:
    """Reads command lines of one family; ``backend`` is asked which revisions of extensions it has.

    ``warn`` takes lines about what is carried out all the same.
    """

    def __init__(
        self,
        family: Family,
        names: Resolver,
        backend: Backend,
        *,
        program: str = "iptables",
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.family = family
        self.names = names
        self.backend = backend
        self.program = program
        self.warn = warn
        self.own_words = _OWN[family][1]
        self._revisions: dict[tuple[Kind, str], Extension | None] = {}

    def parse(self, words: Sequence[str], *, table: str | None = None) -> tuple[Command, Wanted]:
        """Return the command of a line's words. Raises UsageError, of status 2, for what is wrong with them.

        ``table`` is the one that a dump is about: its lines cannot name another, nor ask for the lock.
        """
        return _Line(self, words, table).parse()

    def try_parse(self, words: Sequence[str]) -> tuple[Command, list[str]]:
        """Return the command that words make, and what it warns of. Raises UsageError."""
        warn, warnings = self.warn, list[str]()
        self.warn = warnings.append
        try:
            return self.parse(words, table="")[0], warnings
        finally:
            self.warn = warn

    def read_part(self, extension: Extension, words: Sequence[str], protocol: int) -> bytes | None:
        """Return the packed match or target that words after its name make, for a rule of a protocol.

        None where they have to be read as part of a command line: what is not written plainly, or is wrong, or is
        something to warn of.
        """
        draft = extension.draft(self.family, self.names, protocol)
        place = 0
        try:
            while place < len(words):
                draft.inverted = words[place] == "!"
                place += draft.inverted
                word = words[place] if place < len(words) else ""
                option = extension.by_name.get(word[2:]) if word[:2] == "--" else None
                if (
                    option is None
                    or option.optional
                    or option.open_ended
                    or word[2:] in self.own_words
                    or place + option.words >= len(words)
                ):
                    return None
                text = BETWEEN.join(words[place + 1 : place + 1 + option.words]) if option.words else None
                option.read(text, draft)
                place += 1 + option.words
            payload = extension.finish(draft)
            return None if draft.warnings else entry.pack_extension(extension, payload)
        except UsageError:
            return None

    def extension(self, kind: Kind, name: str) -> Extension | None:
        """Return the revision of an extension that the backend has; None for one that is not known here."""
        key = (kind, name)
        if key not in self._revisions:
            known = registry.revisions(kind, name, self.family)
            self._revisions[key] = self._choose(kind, name, known) if known else None
        return self._revisions[key]

    def _choose(self, kind: Kind, name: str, known: list[Extension]) -> Extension | None:
        best = self.backend.revision(kind, known[0].name, [extension.revision for extension in known])
        if best is not None:
            return next(one for one in known if one.revision == best)
        if known[-1].revision:
            self.warn(f"Warning: Extension {name} is not supported, missing kernel module?")
            return None
        self.warn(f"Warning: Extension {name} revision 0 not supported, missing kernel module?")
        return known[-1]


class _Line:
    """One command line while it is read."""

    def __init__(self, parser: RuleParser, words: Sequence[str], table: str | None) -> None:
        self.parser = parser
        self.family = parser.family
        self.words = list(words)
        self.at = 0  # the word to be read next
        self.option_at = 0  # that of the option that is being read
        self.ends: dict[str, int] = {}  # where the arguments of letters stand
        self.places: dict[object, int] = {}  # where letters of options, drafts, and drafts' options stand
        self.in_dump = table is not None
        self.wanted = Wanted()
        if table is not None:
            self.wanted.table = table
        self.letters, self.own_words = _OWN[self.family]
        self.long: dict[str, Own | tuple[Draft, Option]] = dict(self.own_words)
        self.commands: list[str] = []
        self.given: set[str] = set()  # letters of options that can be given once
        self.inverted = False
        self.chain: str | None = None
        self.number = 0
        self.has_number = False
        self.zero_number = 0
        self.name = ""  # of -E
        self.policy = ""
        self.verbose = 0
        self.counters: tuple[int, int] | None = None
        self.protocol_word = ""
        self.protocol = 0
        self.flags = 0
        self.invflags = 0
        self.source: str | None = None
        self.destination: str | None = None
        self.iniface = self.outiface = ""
        self.jump = ""
        self.goto = False
        self.matches: list[Draft] = []
        self.target: Draft | None = None
        self.protocol_match = False  # the protocol's own match has come by itself
        self.done: Command | None = None
        self.for_other_family = False

    # -- words to options ----------------------------------------------------------------------------------------------

    def parse(self) -> tuple[Command, Wanted]:
        try:
            return self.read(), self.wanted
        except UsageError as error:
            if error.argument is None:
                error.argument = self.place_of(error)
            raise

    def place_of(self, error: UsageError) -> int:
        """Return which word is wrong: the option that an error is about, or what was read last of it."""
        if error.option in self.places:
            return self.places[error.option]
        if isinstance(error, (UnknownOptionError, MisplacedOptionError)):
            return self.option_at
        return max(self.at - 1, self.option_at)

    def read(self) -> Command:
        while self.at < len(self.words) and not self.has_ended():
            word = self.words[self.at]
            self.option_at = self.at
            self.at += 1
            if word == "--":
                if self.at < len(self.words):
                    raise UsageError("unknown arguments found on commandline")
                break
            if word[:2] == "--":
                self.read_long(word)
            elif word[:1] == "-" and word != "-":
                self.read_letters(word)
            elif word == "!":
                if self.inverted:
                    raise MisplacedOptionError("multiple consecutive ! not allowed")
                self.inverted = True
                continue
            else:
                raise UsageError(f"Bad argument `{word}'")
            self.inverted = False
        if self.for_other_family:
            return self.finish_early()
        return self.done or self.finish()

    def has_ended(self) -> bool:
        return self.for_other_family or self.done is not None

    def read_letters(self, word: str) -> None:
        for place, letter in enumerate(word[1:], 2):
            option = self.letters.get(letter)
            if option is None and letter in ONLY_IPV4:
                raise UnknownOptionError(f"`-{letter}' is not supported in IPv6, use -m frag instead")
            if option is None:
                raise UnknownOptionError(f'unknown option "{word}"')
            rest = word[place:]
            if option.argument == "1":
                self.read_own(option, rest or self.next_word(f"-{letter}"))
                return
            if option.argument == "?":
                self.read_own(option, rest or None)
                return
            self.read_own(option, None)
            if self.has_ended():
                return

    def next_word(self, option: str) -> str:
        if self.at >= len(self.words):
            raise MisplacedOptionError(f'option "{option}" requires an argument')
        self.at += 1
        return self.words[self.at - 1]

    def read_long(self, word: str) -> None:
        name, equals, attached = word[2:].partition("=")
        if name == "format" and not self.in_dump:
            self.read_form(attached if equals else self.next_word(word))
            return
        option = self.find_long(name)
        if option is None and self.load_protocol():
            option = self.find_long(name)
        if option is None:
            raise UnknownOptionError(f'unknown option "{word}"')
        if isinstance(option, Own):
            if option.argument == "1":
                self.read_own(option, attached if equals else self.next_word(word))
            elif equals and not option.argument:
                raise UnknownOptionError(f'unknown option "{word}"')
            else:
                self.read_own(option, attached if equals else None)
            return
        draft, declared = option
        text: str | None = None
        if declared.optional and not equals:
            text = self.optional_word(None)
        elif declared.words and not declared.optional:
            text = attached if equals else self.next_word(word)
            for _ in range(declared.words - 1):
                if self.at >= len(self.words) or self.words[self.at][:1] in ("-", "!"):
                    raise MisplacedOptionError(
                        f'{draft.extension.name}: option "--{declared.name}" requires two arguments'
                    )
                text += BETWEEN + self.next_word(word)
        elif equals:
            raise UnknownOptionError(f'unknown option "{word}"')
        draft.protocol = 0 if self.invflags & INV_PROTO else self.protocol
        draft.stated = self.protocol
        draft.inverted = self.inverted
        self.places[draft, declared.name] = self.option_at
        if declared.open_ended:
            draft.rest = self.words[self.at :]
        try:
            declared.read(text, draft)
        finally:
            self.warn_of(draft)
        if declared.open_ended:
            self.at += draft.taken

    def find_long(self, name: str) -> Own | tuple[Draft, Option] | None:
        found = self.long.get(name)
        if found is not None:
            return found
        candidates = [option for word, option in self.long.items() if word.startswith(name)]
        if not candidates:
            return None
        first = candidates[0]
        for other in candidates[1:]:
            if other is not first and not (
                isinstance(first, Own) and isinstance(other, Own) and other.letter == first.letter
            ):
                raise UnknownOptionError(f'unknown option "--{name}"')
        return first

    def add_extension(self, draft: Draft) -> None:
        """Have the options of an extension known, before those of earlier ones."""
        new: dict[str, Own | tuple[Draft, Option]] = dict(self.own_words)
        for name, option in draft.extension.by_name.items():
            new.setdefault(name, (draft, option))
        for name, known in self.long.items():
            new.setdefault(name, known)
        self.long = new

    def load_protocol(self) -> bool:
        """Load the match that the rule's protocol has, as an option may be its; return whether there was one."""
        if not self.protocol_word or self.protocol_match:
            return False
        name = self.protocol_word
        number = read_number(name, 0, 255)
        if number is not None:
            name = self.names.protocol(number) or ""
        extension = self.parser.extension("match", name) if name else None
        if extension is None or any(draft.extension is extension for draft in self.matches):
            return False
        self.protocol_match = True
        self.load_match(extension)
        return True

    @property
    def names(self) -> Resolver:
        return self.parser.names

    def warn_of(self, draft: Draft) -> None:
        for warning in draft.warnings:
            self.parser.warn(warning)
        draft.warnings.clear()

    def load_match(self, extension: Extension) -> None:
        draft = extension.draft(self.family, self.names, 0 if self.invflags & INV_PROTO else self.protocol)
        self.matches.append(draft)
        self.places[draft] = self.option_at
        self.add_extension(draft)

    # -- options of iptables itself ------------------------------------------------------------------------------------

    def has_word(self) -> bool:
        """Whether the next word can be an option's argument that may be left out."""
        return self.at < len(self.words) and self.words[self.at][:1] not in ("-", "!")

    def optional_word(self, text: str | None) -> str | None:
        if text is None and self.has_word():
            return self.next_word("")
        return text

    def read_own(self, option: Own, text: str | None) -> None:
        letter = option.letter
        self.places[letter] = self.option_at
        if letter in WHOLE_WORD:
            text = self.words[self.at - 1]
        if letter in COMMANDS:
            self.read_command(letter, text)
        else:
            getattr(self, f"read_{letter}")(text)

    def note(self, letter: str) -> None:
        """Count an option that can be given once."""
        if letter in self.given:
            raise MisplacedOptionError(f"multiple -{letter} flags not allowed")
        self.given.add(letter)
        if self.inverted and letter not in NEGATABLE:
            raise MisplacedOptionError(f"cannot have ! before -{letter}")

    def read_command(self, letter: str, text: str | None) -> None:
        if self.inverted:
            raise MisplacedOptionError("unexpected '!' flag")
        others = {"L": ("Z", "Z#"), "S": ("Z", "Z#"), "Z": ("L", "S")}.get(letter, ())
        for earlier in self.commands:
            if earlier not in others:
                raise MisplacedOptionError(f"Cannot use -{letter} with -{earlier[0]}")
        self.commands.append(letter)
        if letter in "LSFZX":
            text = self.optional_word(text)
            if text is not None:
                self.chain = text
            if letter in "LSZ" and self.has_word():
                number = self.read_rule_number(self.next_word(""))
                if letter == "Z":
                    self.zero_number = number
                    self.commands = ["Z#"]  # and a listing that stands before it is not made
            return
        assert text is not None
        if letter == "N":
            self.check_new_chain(text)
        if letter == "E":
            if not self.has_word():
                raise UsageError("-E requires old-chain-name and new-chain-name")
            self.name = self.next_word("")
        if letter == "P":
            if not self.has_word():
                raise UsageError("-P requires a chain and a policy")
            self.policy = self.next_word("")
        self.chain = text
        if letter in "DI" and self.has_word():
            self.read_rule_number(self.next_word(""))
        if letter == "R":
            if not self.has_word():
                raise UsageError("-R requires a rule number")
            self.read_rule_number(self.next_word(""))

    def read_rule_number(self, text: str) -> int:
        number = read_number(text, 1, LAST_NUMBER)
        if number is None:
            raise UsageError(f"Invalid rule number `{text}'")
        self.number = number
        self.has_number = True
        return number

    def check_new_chain(self, name: str) -> None:
        if name[:1] in ("-", "!"):
            raise UsageError(f"chain name not allowed to start with `{name[0]}'")
        if not name or name in VERDICTS or name == NO_EXTENSION or self.parser.extension("target", name):
            raise UsageError("chain name may not clash with target name")
        if any(letter in " \t\n\v\f\r" for letter in name):
            raise UsageError(f"Invalid chain name `{name}'")

    def read_s(self, text: str) -> None:
        self.note("s")
        self.ends["s"] = self.at - 1
        self.invflags |= INV_SRCIP if self.inverted else 0
        self.source = text

    def read_d(self, text: str) -> None:
        self.note("d")
        self.ends["d"] = self.at - 1
        self.invflags |= INV_DSTIP if self.inverted else 0
        self.destination = text

    def read_p(self, text: str) -> None:
        self.note("p")
        word = text.lower()
        number = read_number(word, 0, 255)
        if number is None:
            number = self.names.protocol_number(word)
        if number is None:
            raise UsageError(f'unknown protocol "{word}" specified')
        self.protocol_word, self.protocol = word, number
        if self.inverted:
            self.invflags |= INV_PROTO
            if not number:
                raise UsageError("rule would never match protocol")
        if self.family == 6:
            self.flags |= F_PROTO
            if number in EXTENSION_HEADERS and not self.inverted:
                self.parser.warn(f"Warning: never matched protocol: {word}. use the match of that header instead.")

    def read_i(self, text: str) -> None:
        self.note("i")
        self.iniface = self.interface(text)
        self.invflags |= INV_VIA_IN if self.inverted else 0

    def read_o(self, text: str) -> None:
        self.note("o")
        self.outiface = self.interface(text)
        self.invflags |= INV_VIA_OUT if self.inverted else 0

    def interface(self, text: str) -> str:
        if not text:
            raise UsageError("Empty interface is likely to be undesired")
        if len(text.encode("utf-8", "surrogateescape")) > LONGEST_INTERFACE:
            raise UsageError(f"interface name `{text}' must be shorter than IFNAMSIZ ({LONGEST_INTERFACE})")
        warning = odd_interface(text)
        if warning:
            self.parser.warn(warning)
        return text

    def read_f(self, _: str | None) -> None:
        self.note("f")
        self.flags |= F_FRAG
        self.invflags |= INV_FRAG if self.inverted else 0

    def read_j(self, text: str) -> None:
        self.note("j")
        self.set_jump(text)
        extension = None if text in VERDICTS else self.parser.extension("target", text)
        if extension is not None:
            self.target = extension.draft(self.family, self.names, 0 if self.invflags & INV_PROTO else self.protocol)
            self.places[self.target] = self.at - 1
            self.add_extension(self.target)

    def read_g(self, text: str) -> None:
        self.note("j")
        self.set_jump(text)
        self.goto = True

    def set_jump(self, text: str) -> None:
        if not text:
            raise UsageError("Invalid target name (too short)")
        if len(text.encode("utf-8", "surrogateescape")) > LONGEST_CHAIN:
            raise UsageError(f"Invalid target name `{text}' ({LONGEST_CHAIN} chars max)")
        if any(letter in " \t\n\v\f\r" for letter in text):
            raise UsageError(f"Invalid target name `{text}'")
        self.jump = text

    def read_m(self, text: str) -> None:
        if self.inverted:
            raise MisplacedOptionError("unexpected ! flag before --match")
        if len(text.encode("utf-8", "surrogateescape")) > LONGEST_CHAIN:
            raise UsageError(f'Invalid match name "{text}" ({LONGEST_CHAIN} chars max)')
        extension = self.parser.extension("match", text)
        if extension is None:
            raise UsageError(f"Couldn't load match `{text}':{registry.missing('match', text, self.family)}\n")
        self.load_match(extension)

    def read_n(self, _: str | None) -> None:
        self.note("n")

    def read_v(self, _: str | None) -> None:
        if not self.verbose:
            self.note("v")
        self.verbose += 1

    def read_x(self, _: str | None) -> None:
        self.note("x")

    def read_0(self, _: str | None) -> None:
        self.note("0")

    def read_t(self, text: str) -> None:
        if self.inverted:
            raise MisplacedOptionError("unexpected ! flag before --table")
        if self.in_dump:
            raise MisplacedOptionError(f"The -t option cannot be used in {self.parser.program}.\n")
        self.wanted.table = text

    def read_w(self, text: str | None) -> None:
        if self.in_dump:
            raise MisplacedOptionError("You cannot use `-w' from iptables-restore")
        text = self.optional_word(text)
        seconds = -1 if text is None else read_number(text, 0, 0x7FFFFFFF)
        if seconds is None:
            raise UsageError("wait seconds not numeric")
        self.wanted.wait = seconds or -1  # no seconds are no limit, as at the C tool

    def read_W(self, text: str | None) -> None:  # noqa: N802
        if self.in_dump:
            raise MisplacedOptionError("You cannot use `-W' from iptables-restore")
        text = self.optional_word(text)
        if text is None:
            raise UsageError("wait interval value required")
        if read_number(text, 0, 0x7FFFFFFF) is None:
            raise UsageError("wait interval not numeric")
        self.given.add("W")
        self.parser.warn("Ignoring deprecated --wait-interval option.")

    def read_M(self, text: str) -> None:  # noqa: N802
        self.wanted.modprobe = text

    def read_form(self, text: str) -> None:
        """Take the argument of --format, which the C tool does not have and no abbreviation stands for."""
        if self.inverted:
            raise MisplacedOptionError("unexpected ! flag before --format")
        if text not in FORMS:
            raise UsageError(f"--format {text}: must be classic, table or json")
        self.wanted.form = text

    def read_c(self, text: str) -> None:
        self.note("c")
        comma = text.find(",", 1)
        if comma < 0:
            if not self.has_word():
                raise UsageError("-c requires packet and byte counter")
            second = self.next_word("")
        else:
            text, second = text[:comma], text[comma + 1 :]
        counts = []
        for word, what in ((text, "packet"), (second, "byte")):
            number = read_counter(word)
            if number is None:
                raise UsageError(f"-c {what} counter not numeric")
            counts.append(number)
        self.counters = (counts[0], counts[1])

    def read_4(self, _: str | None) -> None:
        if self.family != 4:
            self.other_family("4")

    def read_6(self, _: str | None) -> None:
        if self.family != 6:
            self.other_family("6")

    def other_family(self, letter: str) -> None:
        if not self.in_dump:
            raise UnknownOptionError(f'unknown option "-{letter}"')
        self.for_other_family = True

    def read_h(self, _: str | None) -> None:
        self.load_protocol()
        found: list[tuple[Kind, str]] = [
            ("match", draft.extension.alias or draft.extension.name) for draft in self.matches
        ]
        if self.target:
            found.append(("target", self.target.extension.alias or self.target.extension.name))
        self.done = command.Help(tuple(found))

    def read_V(self, _: str | None) -> None:  # noqa: N802
        self.done = command.Version(negated=self.inverted)

    # -- options to a command ------------------------------------------------------------------------------------------

    def finish(self) -> Command:
        if self.inverted:
            raise MisplacedOptionError("nothing appropriate following !")
        if self.wanted.table == "nat" and "DROP" in (self.jump, self.policy):
            raise UsageError(
                '\nThe "nat" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n',
                option="j",
            )
        blocks = tuple([self.pack(draft) for draft in self.matches])
        target = self.pack(self.target) if self.target else b""
        if "W" in self.given and self.wanted.wait is None:
            raise UsageError("--wait-interval only makes sense with --wait\n")
        if not self.commands:
            raise MisplacedOptionError("no command specified")
        rules = self.rules(blocks, target) if self.commands[0] in "ADCIR" and not self.is_by_number() else ()
        self.check_options()
        self.check_chain()
        self.check_interfaces()
        return self.build(rules)

    def finish_early(self) -> Command:
        """Return the command of a dump's line that turns out to be for the other family.

        To the C tool the line ends there: it makes no rule, but what is not about rules is carried out, unchecked.
        """
        letter = self.commands[0] if self.commands else ""
        if letter and letter in "ADCIR" and not self.is_by_number():
            self.source = self.destination = None
            self.goto = False
            return command.Nothing(() if self.target or not self.jump else self.rules((), b""), self.verbose)
        if letter == "N":
            self.check_chain()
        return self.build(()) if letter else command.Nothing(verbose=self.verbose)

    def pack(self, draft: Draft) -> bytes:
        """Return a match or target whose options have all been read."""
        try:
            packed = entry.pack_extension(draft.extension, draft.extension.finish(draft))
        except UsageError as error:
            error.argument = self.places.get((draft, error.option), self.places[draft])
            raise
        self.warn_of(draft)
        return packed

    def is_by_number(self) -> bool:
        return self.commands == ["D"] and self.has_number

    def check_options(self) -> None:
        kinds = ["D#" if self.is_by_number() else letter for letter in self.commands]
        for letter in "nsdpjvxio0cf":
            if letter in self.given and all(letter in ILLEGAL[kind] for kind in kinds):
                raise MisplacedOptionError(f"Illegal option `-{letter}' with this command", option=letter)

    def check_chain(self) -> None:
        if self.chain is not None and len(self.chain.encode("utf-8", "surrogateescape")) > LONGEST_CHAIN:
            raise UsageError(
                f"chain name `{self.chain}' too long (must be under {LONGEST_CHAIN + 1} chars)",
                option=self.commands[0],
            )

    def check_interfaces(self) -> None:
        if self.commands[0] not in "ADCIR":
            return
        if self.chain in ("PREROUTING", "INPUT") and self.outiface:
            raise MisplacedOptionError(f"Can't use -o with {self.chain}\n", option="o")
        if self.chain in ("POSTROUTING", "OUTPUT") and self.iniface:
            raise MisplacedOptionError(f"Can't use -i with {self.chain}\n", option="i")

    def rules(self, matches: tuple[bytes, ...], target: bytes) -> tuple[Rule, ...]:
        """Return a rule for each pair of a source and a destination."""
        sources = self.networks(self.source, "s")
        destinations = self.networks(self.destination, "d")
        if (len(sources) > 1 or len(destinations) > 1) and self.invflags & (INV_SRCIP | INV_DSTIP):
            raise MisplacedOptionError(
                "! not allowed with multiple source or destination IP addresses",
                option="s" if self.invflags & INV_SRCIP else "d",
            )
        if self.commands[0] == "R" and (len(sources) > 1 or len(destinations) > 1):
            raise UsageError("Replacement rule does not specify a unique address")
        made = []
        for src, smsk in sources:
            for dst, dmsk in destinations:
                header = Header(
                    src, dst, smsk, dmsk, self.iniface, self.outiface, self.protocol, self.flags, self.invflags
                )
                packed = entry.pack_header(header, self.family)
                if self.goto:
                    packed = entry.with_goto(packed, self.family)
                made.append(Rule(packed, matches, target, self.jump, self.counters or (0, 0)))
        return tuple(made)

    def networks(self, text: str | None, letter: str) -> list[tuple[bytes, bytes]]:
        size = 4 if self.family == 4 else 16
        if text is None:
            return [(bytes(size), bytes(size))]
        found: list[tuple[bytes, bytes]] = []
        try:
            for word in text.split(","):
                found += read_network(word.lstrip(), self.family, self.names)
        except UsageError as error:
            error.argument = self.ends[letter]
            raise
        return found

    def build(self, rules: tuple[Rule, ...]) -> Command:
        letter, chain = self.commands[0], self.chain or ""
        if letter in ("L", "S", "Z", "Z#"):
            return self.build_listing()
        simple: dict[str, Callable[[], Command]] = {
            "A": lambda: command.Append(chain, rules, self.verbose),
            "I": lambda: command.Insert(chain, self.number or 1, rules, self.verbose),
            "R": lambda: command.Replace(chain, self.number, rules, self.verbose),
            "C": lambda: command.Check(chain, rules, self.verbose),
            "D": lambda: (
                command.DeleteNumber(chain, self.number, self.verbose)
                if self.has_number
                else command.Delete(chain, rules, self.verbose)
            ),
            "F": lambda: command.Flush(self.chain, self.verbose),
            "N": lambda: command.NewChain(chain, self.verbose),
            "X": lambda: command.DeleteChain(self.chain, self.verbose),
            "E": lambda: command.RenameChain(chain, self.name, self.verbose),
            "P": lambda: command.SetPolicy(chain, self.policy, self.counters, self.verbose),
        }
        return simple[letter]()

    def build_listing(self) -> Command:
        given = self.given
        zero = None
        if "Z" in self.commands or "Z#" in self.commands:
            zero = command.Zero(self.chain, self.zero_number, self.verbose)
        if "L" in self.commands:
            listing: command.List | command.ListRules = command.List(
                self.chain, self.number, "n" in given, self.verbose, "x" in given, "0" in given, zero
            )
        elif "S" in self.commands:
            listing = command.ListRules(self.chain, self.number, self.verbose, zero)
        else:
            assert zero
            return zero
        return listing


# -- addresses ---------------------------------------------------------------------------------------------------------


def read_ipv4(text: str) -> bytes | None:
    """Return an IPv4 address of one to four numbers with dots; those that are left out are 0. None for what is none."""
    parts = text.split(".")
    if len(parts) > 4:
        return None
    numbers = [read_number(part, 0, 255) for part in parts]
    if None in numbers:
        return None
    return bytes([number or 0 for number in numbers]).ljust(4, b"\0")


def read_mask(text: str, family: Family) -> bytes:
    """Return a netmask: how many bits it has, or an address. Raises UsageError."""
    bits = read_number(text, 0, 32 if family == 4 else 128)
    if bits is not None:
        return prefix_mask(bits, family)
    mask: bytes | None = None
    if family == 4:
        mask = read_ipv4(text) if text.count(".") == 3 else None
    else:
        try:
            mask = inet_pton(AF_INET6, text)
        except (OSError, ValueError):
            pass
    if mask is None:
        raise UsageError(f"invalid mask `{text}' specified")
    return mask


def prefix_mask(bits: int, family: Family) -> bytes:
    """Return the netmask with the first so many bits."""
    size = 4 if family == 4 else 16
    return (((1 << bits) - 1) << (8 * size - bits)).to_bytes(size, "big")


def read_network(text: str, family: Family, names: Resolver) -> list[tuple[bytes, bytes]]:
    """Return the networks (address, mask) of ``host[/mask]``: several where a host has several addresses.

    Raises UsageError.
    """
    host, slash, mask_text = text.rpartition("/")
    if not slash:
        host, mask_text = text, ""
    mask = read_mask(mask_text, family) if slash else prefix_mask(32 if family == 4 else 128, family)
    if not any(mask):
        host = "0.0.0.0" if family == 4 else "::"  # noqa: S104
    packed = read_ipv4(host) if family == 4 else None
    found = [packed] if packed is not None else names.addresses(host, family) or names.network(host, family)
    if not found:
        raise UsageError(f"host/network `{host}' not found")
    whole = int.from_bytes(mask, "big")
    networks = [(int.from_bytes(address, "big") & whole).to_bytes(len(mask), "big") for address in found]
    return [(network, mask) for network in dict.fromkeys(networks)]
