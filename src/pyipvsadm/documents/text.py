"""Documents as JSON and as YAML.

YAML is read as version 1.2 has it: of plain words, only null, true, false and decimal integers are anything but text,
so "on", "1:2" and "010" are what they look like. It is written in such a way that readers of version 1.1, in which they
are not, see the same.
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, Literal

    import yaml

    Form = Literal["json", "yaml"]

_DEEPEST: Final = 100  # documents of ours have ten levels
_WIDTH: Final = 120
_TAG: Final = "tag:yaml.org,2002:"


def dump(document: object, form: Form) -> str:
    """Return a document as text."""
    if form == "json":
        import json

        return json.dumps(document, indent=2) + "\n"
    return _dump_yaml(document)


def load(text: str, form: Form) -> object:
    """Return the value that a text is. Raises UsageError, with its ``line`` where that is known."""
    return _load_json(text) if form == "json" else _load_yaml(text)


# -- JSON --------------------------------------------------------------------------------------------------------------


def _load_json(text: str) -> object:
    import json

    try:
        found: object = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise UsageError(f"not JSON: {error.msg} at column {error.colno}", line=error.lineno) from None
    except RecursionError:
        raise UsageError("not a document: it is nested too deeply") from None
    except ValueError as error:
        raise UsageError(f"not JSON: {error}") from None
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


def _load_yaml(text: str) -> object:
    import yaml

    try:
        return _composed(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:  # libyaml does not read bytes that are no UTF-8; and Python's reasons are the better ones
        pass
    try:
        return _composed(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" at column {mark.column + 1}" if mark else ""
        raise UsageError(f"not YAML: {error.problem}{where}", line=mark.line + 1 if mark else None) from None
    except yaml.YAMLError as error:
        raise UsageError(f"not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise UsageError("not a document: it is nested too deeply") from None


def _composed(text: str, base: type[Any]) -> object:
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
    loader = type("Loader", (base,), {"yaml_implicit_resolvers": resolvers})(text)
    try:
        node = loader.get_single_node()
        return None if node is None else _Values().of(node, 0)
    finally:
        loader.dispose()


class _Values:
    """Makes values of YAML's nodes, of which each has one place: aliases could make a small text a large value."""

    def __init__(self) -> None:
        self._met: set[int] = set()

    def of(self, node: yaml.Node, depth: int) -> object:
        import yaml

        if id(node) in self._met:
            raise _wrong(node, "aliases are not read")
        self._met.add(id(node))
        if depth > _DEEPEST:
            raise _wrong(node, "it is nested too deeply")
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.of(one, depth + 1) for one in node.value]
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            found: dict[str, object] = {}
            for name, value in node.value:
                key = self.of(name, depth + 1)
                if not isinstance(key, str):
                    raise _wrong(name, "names of members are text")
                if key in found:
                    raise _wrong(name, f'a member "{key}" is there twice')
                found[key] = self.of(value, depth + 1)
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
