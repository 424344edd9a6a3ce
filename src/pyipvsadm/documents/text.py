"""Documents as JSON and as YAML.

YAML is read as version 1.2 has it: of plain words, only null, true, false and decimal integers are anything but text,
so "on", "1:2" and "010" are what they look like. It is written in such a way that readers of version 1.1, in which they
are not, see the same.
"""

from __future__ import annotations

from bisect import bisect_right

from pyipvsadm.documents.members import member
from pyipvsadm.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final, Literal

    import yaml

    Form = Literal["json", "yaml"]
    Place = tuple[int, int]

_DEEPEST: Final = 100  # documents of ours have ten levels
_WIDTH: Final = 120
_TAG: Final = "tag:yaml.org,2002:"


def dump(document: object, form: Form) -> str:
    """Return a document as text."""
    if form == "json":
        import json

        return json.dumps(document, indent=2) + "\n"
    return _dump_yaml(document)


def load(text: str, form: Form, places: dict[str, Place] | None = None) -> object:
    """Return the value that a text is. Raises UsageError, with its ``line`` where that is known.

    ``places``, if given, gets line and column, from 1, of every value by its path ("services[2].port", "" for all).
    """
    offsets: dict[str, int] | None = None if places is None else {}
    found = _load_json(text, offsets) if form == "json" else _load_yaml(text, offsets)
    if offsets and places is not None:
        places.update(_places(text, offsets))
    return found


def _places(text: str, offsets: dict[str, int]) -> Iterator[tuple[str, Place]]:
    begins = [0, *[place for place, letter in enumerate(text, 1) if letter == "\n"]]
    for path, offset in offsets.items():
        line = bisect_right(begins, offset)
        yield path, (line, offset - begins[line - 1] + 1)


# -- JSON --------------------------------------------------------------------------------------------------------------


def _load_json(text: str, offsets: dict[str, int] | None) -> object:
    import json

    try:
        found: object = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise UsageError(f"not JSON: {error.msg} at column {error.colno}", line=error.lineno) from None
    except RecursionError:
        raise UsageError("not a document: it is nested too deeply") from None
    except ValueError as error:
        raise UsageError(f"not JSON: {error}") from None
    if offsets is not None:
        offsets.update(_json_offsets(text))
    return found


def _object(members: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(members)
    if len(found) != len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'a member "{twice}" is there twice')
    return found


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is no number")


def _json_offsets(text: str) -> Iterator[tuple[str, int]]:
    """Yield path and offset of every value in a text that is JSON."""
    import json
    import re

    path = ""
    holders: list[tuple[str, int | None]] = []  # paths of open objects and arrays, and the item of an array
    named = False
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[{}\[\],]|[^\s{}\[\],:"]+', text):
        word = token[0]
        if word in ("}", "]"):
            holders.pop()
        elif word == ",":
            holder, item = holders[-1]
            named = False
            if item is not None:
                holders[-1] = holder, item + 1
                path = f"{holder}[{item + 1}]"
        elif holders and holders[-1][1] is None and not named:
            path = member(holders[-1][0], json.loads(word))
            named = True
        else:
            yield path, token.start()
            if word in ("{", "["):
                holders.append((path, None if word == "{" else 0))
                path = f"{path}[0]"
                named = False


# -- YAML --------------------------------------------------------------------------------------------------------------


def _dump_yaml(document: object) -> str:
    import yaml

    def dumped(dumper: Any) -> str:
        text: str = yaml.dump(document, Dumper=dumper, sort_keys=False, width=_WIDTH, default_flow_style=False)
        return text

    try:
        return dumped(_dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)))
    except UnicodeEncodeError:  # bytes that are no UTF-8: libyaml cannot, Python can
        return dumped(_dumper(yaml.SafeDumper))


def _dumper(base: type[Any]) -> type[Any]:
    """Return a dumper without anchors, which repeats what is there several times."""
    return type("Dumper", (base,), {"ignore_aliases": lambda *_: True})


def _load_yaml(text: str, offsets: dict[str, int] | None) -> object:
    import yaml

    try:
        return _composed(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader), offsets)
    except (yaml.YAMLError, UnicodeEncodeError):
        pass  # libyaml does not take bytes that are no UTF-8, and Python's reasons are the better ones
    try:
        return _composed(text, yaml.SafeLoader, offsets)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" at column {mark.column + 1}" if mark else ""
        raise UsageError(f"not YAML: {error.problem}{where}", line=mark.line + 1 if mark else None) from None
    except yaml.YAMLError as error:
        raise UsageError(f"not YAML: {' '.join(str(error).split())}") from None


def _composed(text: str, base: type[Any], offsets: dict[str, int] | None) -> object:
    import re

    resolvers = {
        letter: [(f"{_TAG}{tag}", re.compile(rf"(?:{pattern})\Z"))]
        for letters, tag, pattern in (
            ("tf", "bool", "true|false"),
            ("-0123456789", "int", "-?(?:0|[1-9][0-9]*)"),
            ("~n", "null", "~|null"),
        )
        for letter in letters
    }
    resolvers[""] = [(f"{_TAG}null", re.compile(r"\Z"))]
    depth = 0

    def descend(_: Any, parent: yaml.Node | None, __: object) -> None:
        """Be told that a node begins. PyYAML 6.0 and libyaml would end the process with one that is too deep."""
        nonlocal depth
        depth += 1
        if depth > _DEEPEST and parent is not None:
            raise _wrong(parent, "it is nested too deeply")

    def ascend(_: Any) -> None:
        nonlocal depth
        depth -= 1

    members = {"yaml_implicit_resolvers": resolvers, "descend_resolver": descend, "ascend_resolver": ascend}
    loader = type("Loader", (base,), members)(text)
    try:
        node = loader.get_single_node()
        return None if node is None else _Values(offsets).of(node, "")
    finally:
        loader.dispose()


class _Values:
    """Makes values of YAML's nodes, of which each has one place: aliases could make a small text a large value."""

    def __init__(self, offsets: dict[str, int] | None) -> None:
        self._met: set[int] = set()
        self._offsets = offsets

    def of(self, node: yaml.Node, path: str | None) -> object:
        """Return a node's value; ``path`` is None for the name of a member."""
        import yaml

        if self._offsets is not None and path is not None:
            self._offsets[path] = node.start_mark.index

        if id(node) in self._met:
            raise _wrong(node, "aliases are not read")
        self._met.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.of(one, f"{path}[{place}]") for place, one in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            found: dict[str, object] = {}
            for name, value in node.value:
                key = self.of(name, None)
                if not isinstance(key, str):
                    raise _wrong(name, "names of members are text")
                if key in found:
                    raise _wrong(name, f'a member "{key}" is there twice')
                found[key] = self.of(value, member(path or "", key))
            return found
        raise _wrong(node, f"the tag {node.tag} is not read")


def _scalar(node: yaml.ScalarNode) -> object:
    text: str = node.value
    kind = node.tag.removeprefix(_TAG)
    if kind == "str":
        return text
    if kind == "null" and text in ("", "~", "null"):
        return None
    if kind == "bool" and text in ("true", "false"):
        return text == "true"
    if kind == "int" and text.removeprefix("-").isdigit() and len(text) <= _DEEPEST:
        return int(text)
    raise _wrong(node, f"the tag {node.tag} is not read here")


def _wrong(node: yaml.Node, reason: str) -> UsageError:
    mark = node.start_mark
    return UsageError(f"{reason} (column {mark.column + 1})", line=mark.line + 1)
