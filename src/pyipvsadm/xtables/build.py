"""Rules made of their parts: the way back from ``parts``."""

from __future__ import annotations

from _operator import is_

from pyipvsadm.errors import UsageError, WireError
from pyipvsadm.xtables import command, entry, registry
from pyipvsadm.xtables.parts import Match, Rule, Target
from pyipvsadm.xtables.render import find
from pyipvsadm.xtables.syntax import RuleParser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeVar

    from pyipvsadm.xtables.backend.base import Backend
    from pyipvsadm.xtables.model import Kind
    from pyipvsadm.xtables.model import Rule as Entry
    from pyipvsadm.xtables.names import Resolver
    from pyipvsadm.xtables.options import Extension, Family

    Part = TypeVar("Part", Match, Target)
    Revisions = frozenset[tuple[tuple[Kind, str], int]]

_CHAIN: Final = "X"  # a command needs one; the rule is none of it
_ALIGNED: Final = 8  # XT_ALIGN
_LONG_ADDRESS: Final = 16  # bytes of a union nf_inet_addr


class _RevisionParser(RuleParser):
    """Takes the revisions of some extensions that are told, not those that a backend prefers."""

    def __init__(self, family: Family, names: Resolver, backend: Backend, told: Revisions) -> None:
        super().__init__(family, names, backend)
        self._told = dict(told)

    def extension(self, kind: Kind, name: str) -> Extension | None:
        told = self._told.get((kind, name))
        if told is not None:
            for extension in registry.revisions(kind, name, self.family):
                if extension.revision == told:
                    return extension
        return super().extension(kind, name)


class Builder:
    """Makes entries of rules of one family; ``backend`` is asked for revisions where a rule does not tell them."""

    def __init__(self, family: Family, names: Resolver, backend: Backend) -> None:
        self._family = family
        self._names = names
        self._backend = backend
        self._parsers: dict[Revisions, RuleParser] = {}
        self._whole: dict[tuple[Kind, bytes, str], bool] = {}

    def build(self, rule: Rule, table: str) -> Entry:
        """Return the entry of a rule for a table; where it was read from one, that. Raises UsageError.

        What a jump leads to is not looked for.
        """
        if rule.entry is not None and len(rule.entry.header) == entry.HEADER_SIZE[self._family]:
            return rule.entry.replace(counters=(rule.counters.packets, rule.counters.bytes))
        target = rule.target
        raw_target = b""
        if target is not None and target.data:
            if rule.goto:
                raise UsageError("goto leads to a chain, and this target is none")
            raw_target, target = _block(target), None
        known = tuple([match for match in rule.matches if not match.data])
        told = self._told(known, target)
        words = list(rule.replace(matches=known, target=target).words())
        made = self._parsed(told, words, table)
        blocks = iter(made.matches)
        matches = tuple([_block(match) if match.data else next(blocks) for match in rule.matches])
        counters = (rule.counters.packets, rule.counters.bytes)
        return made.replace(matches=matches, target=raw_target or made.target, counters=counters)

    def _parsed(self, told: Revisions, words: list[str], table: str) -> Entry:
        parser = self._parsers.get(told)
        if parser is None:
            parser = self._parsers[told] = _RevisionParser(self._family, self._names, self._backend, told)
        asked, _ = parser.parse(["-A", _CHAIN, *words], table=table)
        if not isinstance(asked, command.Append):
            raise UsageError("this is not a rule alone")
        if len(asked.rules) != 1:
            raise UsageError("this stands for several rules")
        return asked.rules[0]

    def _told(self, matches: tuple[Match, ...], target: Target | None) -> Revisions:
        found: dict[tuple[Kind, str], int] = {}
        named: list[tuple[Kind, Match | Target]] = [("match", match) for match in matches]
        if target is not None:
            named.append(("target", target))
        for kind, part in named:
            known = registry.revisions(kind, part.name, self._family)
            _check_options(part, known)
            if part.revision is None:
                continue
            if part.revision not in [extension.revision for extension in known]:
                raise UsageError(f"{kind} {part.name}: revision {part.revision} is not known here, and has no data")
            if found.setdefault((kind, part.name), part.revision) != part.revision:
                raise UsageError(f"{kind} {part.name}: two revisions of it in one rule")
        return frozenset(found.items())

    def with_data(self, rule: Rule, table: str) -> Rule:
        """Return a rule that was read, with the data of each match and target whose options do not say all of it."""
        if rule.entry is None:
            return rule
        kept = rule.entry
        pairs = zip(rule.matches, kept.matches, strict=True)
        matches = tuple([self._part("match", match, block, rule, table) for match, block in pairs])
        target = rule.target
        if kept.target and target is not None:
            target = self._part("target", target, kept.target, rule, table)
        if target is rule.target and all(map(is_, matches, rule.matches)):
            return rule
        return rule.replace(entry=rule.entry, printed=rule.printed, matches=matches, target=target)

    def _part(self, kind: Kind, part: Part, block: bytes, rule: Rule, table: str) -> Part:
        if part.data:
            return part
        key = (kind, block, rule.protocol)
        known = self._whole.get(key)
        if known is None:
            known = self._whole[key] = self._says_all(kind, block, part, rule, table)
        if known:
            return part
        name, revision, payload = entry.unpack_extension(block)
        return type(part)(name, (), revision, payload)

    def _says_all(self, kind: Kind, block: bytes, part: Match | Target, of: Rule, table: str) -> bool:
        """Whether options make a block that means the same: bytes that nothing reads may differ."""
        name, revision, payload = entry.unpack_extension(block)
        extension = find(kind, name, revision, self._family)
        if extension is None:
            return False
        if extension.quick and extension.quick_save and of.entry is not None:
            text = extension.quick_save(payload, self._family)
            protocol = entry.protocol(entry.unpack_header(of.entry.header, self._family))
            if text and extension.quick(text.lstrip(), self._family, protocol) == payload:
                return True
        rule = Rule(protocol=of.protocol)
        rule = rule.replace(target=part) if isinstance(part, Target) else rule.replace(matches=(part,))
        try:
            made = self.build(rule, table)
            again = entry.unpack_extension(made.target if kind == "target" else made.matches[-1])
            if again[:2] != (name, revision):
                return False
            return self._seen(extension, again[2]) == self._seen(extension, payload)
        except (UsageError, WireError, IndexError):
            return False

    def _seen(self, extension: Extension, payload: bytes) -> dict[str, object]:
        """Return the values of a payload; of a union nf_inet_addr that holds IPv4, those four bytes."""
        values = extension.layout.unpack(payload)
        if self._family == 6:
            return values
        return {
            name: value[:4] if isinstance(value, bytes) and len(value) == _LONG_ADDRESS else value
            for name, value in values.items()
        }


def _check_options(part: Match | Target, known: list[Extension]) -> None:
    """See that options are those of an extension, with as many words as they take: others could mean something else."""
    for option in part.options:
        found = [extension.by_name[option.name] for extension in known if option.name in extension.by_name]
        if not found:
            raise UsageError(f"{part.name}: there is no option {option.name}")
        words = found[0].words
        if len(option.values) < words and not found[0].optional:
            raise UsageError(f"{part.name}: option {option.name} takes {words or 'no'} value{'s' * (words != 1)}")
        if any(value[:1] in ("-", "!") for value in option.values[words:]):
            raise UsageError(f"{part.name}: option {option.name} takes {words or 'no'} value{'s' * (words != 1)}")


def _block(part: Match | Target) -> bytes:
    """Return struct xt_entry_match or xt_entry_target of one that has data."""
    if len(part.data) % _ALIGNED:
        raise UsageError(f"{part.name}: the data have {len(part.data)} bytes, no multiple of {_ALIGNED}")
    if not part.name or not entry.is_shorter(part.name, entry.NAME_END - 2):
        raise UsageError(f"{part.name!r} is no name of an extension")
    return entry.pack_block(part.name, part.revision or 0, part.data)
