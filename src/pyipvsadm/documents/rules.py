"""Documents of tables of rules; the members are those of a listing (ui/rules_json.py)."""

from __future__ import annotations

from _socket import AF_INET, AF_INET6, inet_pton
from binascii import Error as Base64Error
from binascii import a2b_base64

from pyipvsadm import iptables
from pyipvsadm.check.meant import NamedChain, NamedRule, NamedTable
from pyipvsadm.documents import members
from pyipvsadm.documents.members import U64, DocumentError, Object
from pyipvsadm.errors import UsageError
from pyipvsadm.iptables import ChainState, Counters, Match, Option, Rule, Ruleset, TableState, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final, Literal

    from pyipvsadm.check.meant import Part

    Family = Literal[4, 6]
    _Texts = tuple[tuple[str | None, ...], ...]  # beside the parts of rules, by chain

_COUNTER: Final = members.number(0, U64)
_CONDITIONS: Final = ("source", "destination", "in_interface", "out_interface", "protocol")
_PARTS: Final = (*_CONDITIONS, "fragment", "matches", "target", "goto")
_NETWORKS: Final = ("source", "destination")
_MOST: Final = (1 << 32) - 1

# What follows from the rest of a document: documents are written without it, and it is not looked at.
_DERIVED: Final = ("number", "references", "text")
_EMPTY: Final[tuple[object, ...]] = (None, False, 0, [])


# -- to documents ------------------------------------------------------------------------------------------------------


def document(ruleset: Ruleset) -> dict[str, Any]:
    """Return the document of tables."""
    tables = [
        {"table": table.name, "chains": [_chain(chain) for chain in table.chains]}
        for table in iptables.data_of(ruleset).tables
    ]
    return {"version": members.VERSION, "kind": "iptables", "family": ruleset.family, "tables": tables}


def _chain(chain: ChainState) -> dict[str, Any]:
    counters = {"packets": chain.counters.packets, "bytes": chain.counters.bytes}
    return {
        "name": chain.name,
        **_brief({"policy": chain.policy, **counters}),
        "rules": [_rule(rule) for rule in chain.rules],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    from pyipvsadm.ui import rules_json

    full = _brief(rules_json.rule(rule, 0))
    for name in ("matches", "target"):
        if name in full:
            full[name] = [_extension(one) for one in full[name]] if name == "matches" else _extension(full[name])
    for name in _CONDITIONS:
        if name in full:
            full[name] = _brief(full[name])
    if rule.fragment is not None:
        full["fragment"] = rule.fragment  # false says something
    return full


def _extension(full: dict[str, Any]) -> dict[str, Any]:
    options = [
        {name: value for name, value in option.items() if name == "name" or value not in _EMPTY}
        for option in full["options"]
    ]
    brief = _brief({**full, "options": options})
    return brief if full["revision"] is None else {"name": full["name"], "revision": full["revision"], **brief}


def _brief(full: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in full.items() if name not in _DERIVED and value not in _EMPTY}


# -- from documents ----------------------------------------------------------------------------------------------------


def state(found: Object) -> Ruleset:
    """Return the tables of a document whose head was read. Raises DocumentError, also for what is refused."""
    of = family(found)

    def read_table(value: object, path: str) -> tuple[TableState, _Texts]:
        table = Object(value, path)
        read = _read_table(table, of)
        table.end()
        return read

    several = found.has("tables")
    read = found.take("tables", members.array(read_table)) if several else (_read_table(found, of),)
    found.end()
    try:
        made = iptables.build(Ruleset(of, tuple([table for table, _ in read])))
    except iptables.BuildError as error:
        raise DocumentError(_place(error.table, error.chain, error.rule, several=several), str(error)) from None
    for place, (table, texts) in enumerate(read):
        if not any(map(any, texts)):
            continue
        built = {chain.name: chain.rules for chain in made.tables[place].chains}
        for index, chain in enumerate(table.chains):
            for number, (text, rule) in enumerate(zip(texts[index], built[chain.name], strict=True)):
                if text is not None and not _says(text, rule, of, table.name):
                    path = _place(place, index, number, several=several)
                    raise DocumentError(f"{path}.text", "it does not say what the other members do: leave it out")
    return made


def family(found: Object) -> Family:
    """Return the family of a document whose head was read."""
    read: Family = found.take("family", members.word(4, 6))
    return read


def parts(found: Object, family: Family) -> Iterator[tuple[str, Part | DocumentError]]:
    """Yield the tables, chains and rules of a document whose family was read, each with its path.

    In the place of a table, chain or rule that cannot be read comes the error. Nothing is looked up.
    """
    if not found.has("tables"):
        yield from members.with_error(_parts_of_table(found, family))
        return
    names = set()
    for path, table in members.each(found, "tables", Object):
        if isinstance(table, DocumentError):
            yield path, table
            continue
        for place, part in members.with_error(_parts_of_table(table, family)):
            yield place, part
            if isinstance(part, NamedTable):
                if part.name in names:
                    yield place, DocumentError(path, f"table {members.shown(part.name)} is there twice")
                names.add(part.name)
    yield from members.with_error(_nothing_left(found))


def _nothing_left(found: Object) -> Iterator[tuple[str, Part]]:
    found.end()
    yield from ()


def _parts_of_table(found: Object, family: Family) -> Iterator[tuple[str, Part | DocumentError]]:
    yield found.path, NamedTable(found.take("table", members.text))
    chains: list[tuple[Object, str]] = []
    for path, chain in members.each(found, "chains", Object):
        if isinstance(chain, DocumentError):
            yield path, chain
            continue
        for place, part in members.with_error(_part_of_chain(chain)):
            yield place, part
            if isinstance(part, NamedChain):
                chains.append((chain, part.name))
    for chain, name in chains:
        yield from members.with_error(_parts_of_rules(chain, name, family))
    found.end()


def _part_of_chain(found: Object) -> Iterator[tuple[str, Part]]:
    name, policy, _ = _read_head(found)
    yield found.path, NamedChain(name, policy)


def _parts_of_rules(chain: Object, name: str, family: Family) -> Iterator[tuple[str, Part | DocumentError]]:
    def read(value: object, path: str) -> Part:
        rule, text = _read_parts(Object(value, path), family)
        return NamedRule(name, text or "" if rule is None else rule)

    yield from members.each(chain, "rules", read, ())
    chain.end()


def _place(table: int, chain: int | None, rule: int | None, *, several: bool) -> str:
    parts = [f"tables[{table}]"] if several else []
    parts += [] if chain is None else [f"chains[{chain}]"]
    parts += [] if rule is None else [f"rules[{rule}]"]
    return ".".join(parts) or "table"


def _says(text: str, rule: Rule, family: Family, table: str) -> bool:
    """Whether a text means a rule."""
    try:
        return text == rule.text or iptables.rule(text, family=family, table=table).text == rule.text
    except UsageError:
        return False


def _read_table(found: Object, family: Family) -> tuple[TableState, _Texts]:
    name = found.take("table", members.text)

    def read_rule(value: object, path: str) -> tuple[Rule, str | None]:
        return _read_rule(Object(value, path), family, name)

    def read_chain(value: object, path: str) -> tuple[ChainState, tuple[str | None, ...]]:
        chain = Object(value, path)
        title, policy, counters = _read_head(chain)
        rules = chain.take("rules", members.array(read_rule), ())
        chain.end()
        state = ChainState(title, policy, counters, tuple([rule for rule, _ in rules]))
        return state, tuple([text for _, text in rules])

    chains = found.take("chains", members.array(read_chain))
    return TableState(name, tuple([chain for chain, _ in chains])), tuple([texts for _, texts in chains])


def _read_head(chain: Object) -> tuple[str, str | None, Counters]:
    """Return the name, policy and counters of a chain."""
    name = chain.take("name", members.text)
    policy = chain.take("policy", members.nullable(members.word("ACCEPT", "DROP")), None)
    counters = _read_counters(chain)
    chain.take("references", members.number(0, _MOST), 0)
    return name, policy, counters


def _read_counters(found: Object) -> Counters:
    return Counters(found.take("packets", _COUNTER, 0), found.take("bytes", _COUNTER, 0))


def _read_rule(found: Object, family: Family, table: str) -> tuple[Rule, str | None]:
    """Return a rule, and its text where that stands beside its parts."""
    counters = _read_counters(found)
    rule, text = _read_parts(found, family)
    if rule is None:
        try:
            rule = iptables.rule(text or "", family=family, table=table)
        except UsageError as error:
            raise DocumentError(found.at("text"), " ".join(error.message.split())) from None
        text = None
    return rule.counted(counters), text


def _read_parts(found: Object, family: Family) -> tuple[Rule | None, str | None]:
    """Return a rule by its parts, and its text; None where the text alone says it."""
    found.take("number", members.number(1, _MOST), 0)
    _read_counters(found)
    text = found.take("text", members.nullable(members.text), None)
    if text is not None and not any(map(found.has, _PARTS)):
        found.end()
        return None, text
    conditions: dict[str, Any] = {
        name: found.take(name, members.nullable(_read_condition), None) or "" for name in _CONDITIONS
    }
    for name in _NETWORKS:
        _check_network(conditions[name].removeprefix("! "), family, f"{found.at(name)}.value")
    rule = Rule(
        **conditions,
        fragment=found.take("fragment", members.nullable(members.flag), None),
        matches=found.take("matches", members.array(_read_match), ()),
        target=found.take("target", members.nullable(_read_target), None),
        goto=found.take("goto", members.flag, False),  # a default
    )
    found.end()
    if rule.goto and rule.target is None:
        raise DocumentError(found.at("goto"), '"target" is missing')
    if rule.fragment is not None and family == 6:
        raise DocumentError(found.at("fragment"), "rules of IPv6 have none: use the match frag")
    return rule, text


def _read_condition(value: object, path: str) -> str:
    found = Object(value, path)
    inverted = found.take("inverted", members.flag, False)  # a default
    text = found.take("value", members.text)
    found.end()
    if not text or text[0] in "!-" or any(letter in " \t\n\v\f\r," for letter in text):
        raise DocumentError(found.at("value"), f"{members.shown(text)} is no single value")
    return f"! {text}" if inverted else text


def _check_network(text: str, family: Family, path: str) -> None:
    """See that a value is an address, with a length or a mask; names of hosts are none."""
    try:
        for part in text.split("/") if text else ():
            if part.isascii() and part.isdigit() and part is not text:
                continue
            inet_pton(AF_INET if family == 4 else AF_INET6, part)
    except OSError:
        raise DocumentError(path, f"{members.shown(text)} is no network of IPv{family}") from None


def _read_match(value: object, path: str) -> Match:
    return Match(**_read_extension(value, path))


def _read_target(value: object, path: str) -> Target:
    return Target(**_read_extension(value, path))


def _read_extension(value: object, path: str) -> dict[str, Any]:
    found = Object(value, path)
    fields = {
        "name": found.take("name", members.text),
        "revision": found.take("revision", members.nullable(members.number(0, 255)), None),
        "options": found.take("options", members.array(_read_option), ()),
        "data": found.take("data", members.nullable(_read_data), None) or b"",
    }
    found.end()
    if fields["data"] and (fields["options"] or fields["revision"] is None):
        raise DocumentError(found.at("data"), 'beside it stand "name" and "revision", and no "options"')
    return fields


def _read_data(value: object, path: str) -> bytes:
    text = members.text(value, path)
    try:
        data = a2b_base64(text.encode("ascii"), strict_mode=True)
    except (Base64Error, UnicodeEncodeError):
        raise DocumentError(path, "it is not base64") from None
    if not data or len(data) > 0xFFFF:
        raise DocumentError(path, f"{len(data)} bytes are not from 1 to 65535")
    return data


def _read_option(value: object, path: str) -> Option:
    found = Object(value, path)
    name = found.take("name", members.text)
    option = Option(
        name,
        found.take("values", members.array(members.text), ()),
        found.take("inverted", members.flag, False),  # a default
    )
    found.end()
    if not name or not all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in name):
        raise DocumentError(found.at("name"), f"{members.shown(name)} is no name of an option")
    return option
