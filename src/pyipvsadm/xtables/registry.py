"""Which extensions there are: a module each, imported when it is first named; else what libxtables has a plugin for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal

    from pyipvsadm.xtables.options import Extension, Family

    Kind = Literal["match", "target"]

_PACKAGES: Final = {"match": "matches", "target": "targets"}
_LONGEST_NAME: Final = 28  # XT_EXTENSION_MAXNAMELEN without its NUL

# Other names of protocols' matches: -p loads a match by the protocol's name, as it was typed.
_MATCHES: Final = {"icmpv6": "icmp6", "ipv6-icmp": "icmp6"}

_found: dict[tuple[str, str], tuple[Extension, ...]] = {}
_revisions: dict[tuple[str, str, int], list[Extension]] = {}


def revisions(kind: Kind, name: str, family: Family) -> list[Extension]:
    """Return the revisions of an extension for a family, the highest first; [] for one that is not known here.

    ``name`` is what is typed after -m or -j, or what the kernel has in a rule.
    """
    known = _revisions.get((kind, name, family))
    if known is None:
        known = _revisions[kind, name, family] = _find(kind, name, family)
    return known


def missing(kind: Kind, name: str, family: Family) -> str:
    """Return why there are no revisions of an extension."""
    from pyipvsadm.xtables import plugins

    return plugins.problem(kind, name, family) or "No such file or directory"


def _find(kind: Kind, name: str, family: Family) -> list[Extension]:
    if kind == "match":
        name = _MATCHES.get(name, name)
    found = [extension for extension in _load(kind, name) if family in extension.families]
    if not found:
        from pyipvsadm.xtables import plugins

        return plugins.find(kind, name, family)
    return sorted(found, key=lambda extension: -extension.revision)


def _load(kind: Kind, name: str) -> tuple[Extension, ...]:
    key = (kind, name)
    known = _found.get(key)
    if known is None:
        known = _found[key] = _import(kind, name)
    return known


def _import(kind: Kind, name: str) -> tuple[Extension, ...]:
    if not (name.isascii() and name.isidentifier()) or len(name) > _LONGEST_NAME or name.startswith("_"):
        return ()
    module = f"pyipvsadm.xtables.extensions.{_PACKAGES[kind]}.{name.lower()}"
    try:
        __import__(module)
    except ModuleNotFoundError as problem:
        if problem.name != module:
            raise
        return ()
    import sys

    extensions: tuple[Extension, ...] = sys.modules[module].EXTENSIONS
    return tuple([extension for extension in extensions if name in (extension.name, extension.alias)])
