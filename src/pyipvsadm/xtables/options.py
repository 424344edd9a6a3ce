"""The language that extensions are declared in: options, the kinds of their arguments, and what they make together.

    _flags = Option("flags", kinds.number(0, 255), to="flags", inverts=("invflags", 1))
    EXTENSIONS = (Extension("match", "foo", 0, BOTH, LAYOUT, (_flags,), show=_show),)

From one declaration come the reading of the options, the text of ``-S`` and ``-L``, ``--help``, JSON and completion.
Kinds of arguments are in ``kinds``. Sources: iptables-extensions(8), and the headers in linux/netfilter*.
"""

from __future__ import annotations

from pyipvsadm.errors import MisplacedOptionError, UsageError
from pyipvsadm.xtables.layout import ALIGNMENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, Final, Literal

    from pyipvsadm.xtables.layout import Layout, Values
    from pyipvsadm.xtables.names import Resolver

    Family = Literal[4, 6]

BOTH: Final[tuple[Family, ...]] = (4, 6)
IPV4: Final[tuple[Family, ...]] = (4,)
IPV6: Final[tuple[Family, ...]] = (6,)
BETWEEN: Final = "\0"  # what is in no word, between those of an option that takes several


class View:
    """What the text of a rule depends on beside the rule: its family and protocol, and whether numbers get names."""

    __slots__ = ("family", "names", "numeric", "protocol")

    def __init__(self, family: Family, names: Resolver, *, numeric: bool = True, protocol: int = 0) -> None:
        self.family = family
        self.names = names
        self.numeric = numeric
        self.protocol = protocol  # of the rule; 0 where it has none or an inverted one


class Draft:
    """The options of one match or target while they are read.

    ``values`` become the struct; ``seen`` has the names of the options that were given, as they are declared;
    ``inverted`` is whether "!" stands before the option that is being read. ``stated`` is the protocol that was read so
    far, be there a "!" before it or not, and whether it came before the extension's name or after it.
    ``warnings`` are lines about what is taken all the same. An ``open_ended`` option finds in ``rest`` the words behind
    its argument, and says in ``taken`` how many of them are its own.
    """

    __slots__ = (
        "extension", "family", "inverted", "names", "option", "protocol", "rest", "seen", "stated", "taken", "values",
        "warnings",
    )  # fmt: skip

    def __init__(self, extension: Extension, family: Family, names: Resolver, protocol: int = 0) -> None:
        self.extension = extension
        self.family = family
        self.names = names
        self.protocol = protocol  # of the rule, 0 for none or an inverted one
        self.stated = protocol
        self.values: Values = dict(extension.layout.defaults)
        self.seen: set[str] = set()
        self.inverted = False
        self.option = ""
        self.warnings: list[str] = []
        self.rest: Sequence[str] = ()
        self.taken = 0

    def bad(self, text: str, why: str = "") -> UsageError:
        """Return the error for an argument that its option does not take."""
        reason = f" ({why})" if why else ""
        return UsageError(f'{self.extension.name}: Bad value for "--{self.option}" option: "{text}"{reason}')


class Place:
    """Where a match or target is: its table, the hooks whose packets come to it, what else its rule asks.

    ``protocol`` is the rule's, 0 where it has none or an inverted one; ``matches`` are the names and payloads of all
    matches of the rule.
    """

    __slots__ = ("hooks", "matches", "protocol", "table")

    def __init__(
        self, table: str, hooks: frozenset[str], protocol: int, matches: tuple[tuple[str, bytes], ...]
    ) -> None:
        self.table = table
        self.hooks = hooks
        self.protocol = protocol
        self.matches = matches

    def only(self, *hooks: str) -> bool:
        """Whether no packets of other hooks come here."""
        return self.hooks <= frozenset(hooks)


class Kind:
    """What an option's argument is: how it is read, and how what was read is written.

    ``read(text, draft)`` returns a value, or a tuple of values where the option goes ``to`` several members; it raises
    UsageError. ``write(value, view)`` returns the text that ``-S`` prints, which ``read`` turns into the same value.
    """

    __slots__ = ("placeholder", "read", "write")

    def __init__(
        self,
        read: Callable[[str, Draft], Any],
        write: Callable[[Any, View], str],
        placeholder: str,
    ) -> None:
        self.read = read
        self.write = write
        self.placeholder = placeholder  # what --help calls it


class Option:
    """An option of a match or target, by the name without dashes that ``-S`` prints; ``aliases`` are read too.

    ``kind`` None is for an option without an argument, which sets ``bit`` in the member ``to``, or gives it the value
    ``sets``. Several members in ``to`` take a tuple. With ``inverts`` (member, bit) the option can follow a "!", which
    sets that bit. A kind of an option that takes several ``words`` is given them with BETWEEN between.

    It is printed where ``when(values)`` holds; by default where its members differ from their defaults or it is
    inverted. ``needed`` ones must be given; ``needs`` and ``excludes`` name others that must, or must not, be given
    too; one that is not ``repeats`` is given once. One that is another way to say something (``same_as`` names the
    option that is printed) counts as that option. The argument of an ``optional`` one is the next word where that is
    neither "!" nor begins with "-", never one after "="; ``read`` of None for no argument leaves the members alone. A
    ``warning`` is told whenever the option is given.
    """

    __slots__ = (
        "aliases", "bit", "excludes", "inverts", "kind", "name", "needed", "needs", "open_ended", "optional", "repeats",
        "same_as", "sets", "to", "warning", "when", "words",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        *aliases: str,
        kind: Kind | None = None,
        to: str | tuple[str, ...] = (),
        bit: int = 0,
        sets: Any = None,
        words: int = 1,
        same_as: str = "",
        inverts: tuple[str, int] | None = None,
        when: Callable[[Values], bool] | None = None,
        needed: bool = False,
        needs: tuple[str, ...] = (),
        excludes: tuple[str, ...] = (),
        repeats: bool = False,
        optional: bool = False,
        warning: str = "",
    ) -> None:
        self.name = name
        self.aliases = aliases
        self.kind = kind
        self.to = to
        self.bit = bit
        self.sets = sets
        self.words = 0 if kind is None else words
        self.same_as = same_as
        self.inverts = inverts
        self.when = when
        self.needed = needed
        self.needs = needs
        self.excludes = excludes
        self.repeats = repeats
        self.optional = optional
        self.warning = warning
        self.open_ended = False  # only plugins have options that decide themselves how many words they take

    def read(self, text: str | None, draft: Draft) -> None:
        """Take the option, with its argument if it has one, into a draft. Raises UsageError."""
        values = draft.values
        draft.option = self.name
        counted = self.same_as or self.name
        if self.warning:
            draft.warnings.append(self.warning)
        if not self.repeats and counted in draft.seen:
            raise MisplacedOptionError(
                f'{draft.extension.name}: option "--{self.name}" can be used only once{self.instead(draft)}.'
            )
        draft.seen.add(counted)
        if draft.inverted and self.inverts is None:
            raise MisplacedOptionError(f'{draft.extension.name}: option "--{self.name}" cannot be inverted.')
        if self.optional and text is None:
            return
        if self.kind is None and self.sets is None:
            if isinstance(self.to, str):
                values[self.to] |= self.bit
        else:
            value = self.sets if self.kind is None else self.kind.read(text or "", draft)
            if isinstance(self.to, str):
                values[self.to] = value
            else:
                values.update(zip(self.to, value, strict=True))
        if draft.inverted and self.inverts is not None:
            member, bit = self.inverts
            values[member] |= bit

    def instead(self, draft: Draft) -> str:
        """Return what stands for the same as the option, with which it counts as one."""
        counted = self.same_as or self.name
        others = [
            f'"--{option.name}"'
            for option in draft.extension.options
            if option is not self and counted in (option.name, option.same_as)
        ]
        return f", or else {', '.join(others)}" if others else ""

    def inverted(self, values: Values) -> bool:
        """Whether the option is inverted in these values."""
        return self.inverts is not None and bool(values[self.inverts[0]] & self.inverts[1])

    def is_set(self, values: Values, defaults: Values) -> bool:
        """Whether ``-S`` prints the option."""
        if self.same_as:
            return False
        if self.when is not None:
            return self.when(values)
        if self.kind is None:
            if not isinstance(self.to, str):
                return False
            return values[self.to] == self.sets if self.sets is not None else bool(values[self.to] & self.bit)
        if self.inverted(values):
            return True
        members = (self.to,) if isinstance(self.to, str) else self.to
        return any(values[member] != defaults[member] for member in members)

    def save(self, values: Values, view: View) -> str:
        """Return the option as ``-S`` prints it, after a space."""
        sign = " !" if self.inverted(values) else ""
        if self.kind is None:
            return f"{sign} --{self.name}"
        value = values[self.to] if isinstance(self.to, str) else tuple([values[member] for member in self.to])
        return f"{sign} --{self.name} {self.kind.write(value, view)}"


class Extension:
    """A revision of a match or target.

    ``start(draft)`` sets what depends on the family or on names before any option is read; ``check(draft)`` looks at
    all of them together at the end, and raises UsageError or completes the values. ``save`` and ``show`` return the
    options as ``-S`` and as ``-L`` print them, each part after a space; without them, all options that are set, in the
    order of their declaration. ``protocols`` are the numbers of those a rule must be for (-p), none for any. An
    ``alias`` is another name that is typed for it; rules keep ``name``. ``typed(values)`` returns which of the two
    ``-S`` prints, ``name`` without it.

    The kernel takes it in ``tables`` alone and where packets of other hooks than ``hooks`` do not come, () for any;
    ``accepts(values, place)`` is whether it takes these values there, where that depends on them.

    ``quick(options, family, protocol)`` is a short cut for what large dumps are full of: it returns the payload of
    options whose text is written in the commonest way, None for all others; ``quick_save(payload, family)`` is its way
    back. One that ``asks`` has texts of which the kernel, or a plugin, is asked when they are made.
    """

    __slots__ = (
        "_save", "_show", "accepts", "alias", "asks", "by_name", "check", "families", "hooks", "kind", "layout", "name",
        "options", "protocols", "quick", "quick_save",
        "revision", "start", "summary", "tables", "typed",
    )  # fmt: skip

    def __init__(
        self,
        kind: Literal["match", "target"],
        name: str,
        revision: int,
        families: Iterable[Family],
        layout: Layout,
        options: tuple[Option, ...] = (),
        *,
        alias: str = "",
        summary: str = "",
        protocols: tuple[int, ...] = (),
        tables: tuple[str, ...] = (),
        hooks: tuple[str, ...] = (),
        accepts: Callable[[Values, Place], bool] | None = None,
        start: Callable[[Draft], None] | None = None,
        check: Callable[[Draft], None] | None = None,
        save: Callable[[Values, View], str] | None = None,
        show: Callable[[Values, View], str] | None = None,
        quick: Callable[[str, Family, int], bytes | None] | None = None,
        quick_save: Callable[[bytes, Family], str | None] | None = None,
        typed: Callable[[Values], str] | None = None,
        asks: bool = False,
    ) -> None:
        self.kind = kind
        self.name = name
        self.revision = revision
        self.families = tuple(families)
        self.layout = layout
        self.options = options
        self.alias = alias
        self.summary = summary
        self.protocols = protocols
        self.tables = tables
        self.hooks = hooks
        self.accepts = accepts
        self.start = start
        self.check = check
        self._save = save
        self._show = show
        self.quick = quick
        self.quick_save = quick_save
        self.typed = typed
        self.asks = asks
        # A name without an option of its own stands for the same one under another name.
        self.by_name: dict[str, Option] = {
            name: option for option in options for name in (option.name, *option.aliases)
        }

    @property
    def size(self) -> int:
        """The size of the payload in a rule, in bytes: the struct's, up to the next multiple of 8."""
        return (self.layout.size + ALIGNMENT - 1) & -ALIGNMENT

    def draft(self, family: Family, names: Resolver, protocol: int = 0) -> Draft:
        """Begin to read the options of one."""
        draft = Draft(self, family, names, protocol)
        if self.start:
            self.start(draft)
        return draft

    def finish(self, draft: Draft) -> bytes:
        """Return the payload, having checked the options together. Raises UsageError."""
        seen = draft.seen
        for option in self.options:
            if option.name in seen:
                for other in option.needs:
                    if other not in seen:
                        raise MisplacedOptionError(
                            f'{self.name}: option "--{option.name}" also requires "--{other}".', option=option.name
                        )
                for other in option.excludes:
                    if other in seen:
                        raise MisplacedOptionError(
                            f'{self.name}: option "--{option.name}" cannot be used together with "--{other}".',
                            option=option.name,
                        )
            elif option.needed:
                raise MisplacedOptionError(f'{self.name}: option "--{option.name}" must be specified')
        if self.check:
            self.check(draft)
        return self.layout.pack(draft.values).ljust(self.size, b"\0")

    def allowed(self, data: bytes, place: Place) -> bool:
        """Whether the kernel takes it at a place."""
        return (
            (not self.tables or place.table in self.tables)
            and (not self.hooks or place.only(*self.hooks))
            and (not self.protocols or place.protocol in self.protocols)
            and (self.accepts is None or self.accepts(self.layout.unpack(data), place))
        )

    def typed_name(self, data: bytes) -> str:
        """Return the name that ``-S`` prints after -m or -j, which may be an alias of the rule's. Raises WireError."""
        return self.typed(self.layout.unpack(data)) if self.typed else self.name

    def save(self, data: bytes, view: View) -> str:
        """Return the options as ``-S`` prints them, each after a space. Raises WireError."""
        values = self.layout.unpack(data)
        return self._save(values, view) if self._save else self.save_options(values, view)

    def show(self, data: bytes, view: View) -> str:
        """Return the options as ``-L`` prints them, each part after a space. Raises WireError."""
        values = self.layout.unpack(data)
        if self._show:
            return self._show(values, view)
        return self._save(values, view) if self._save else self.save_options(values, view)

    def help(self) -> str:
        """Return a text about the options, "" for the one that their declarations make."""
        return ""

    def save_options(self, values: Values, view: View) -> str:
        """Return all options that are set, in the order of their declaration."""
        defaults = self.layout.defaults
        return "".join([option.save(values, view) for option in self.options if option.is_set(values, defaults)])
