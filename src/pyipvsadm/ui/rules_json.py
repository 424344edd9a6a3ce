"""Tables of rules as JSON, for programs: everything that the kernel gives, whatever options a listing has.

A document is an object with ``"version": 1`` (of this form), ``"kind": "iptables"`` and

``family``   4 (iptables) or 6 (ip6tables)
``table``    "filter", "nat", …
``chains``   ``name``, ``policy`` ("ACCEPT", "DROP"; null for a chain that is not built in), ``packets`` and ``bytes``
             that came to the policy, ``references`` (rules that jump to it), ``rules``
``rules``    ``number`` (in its chain, from 1), ``packets``, ``bytes``, ``source``, ``destination``, ``in_interface``,
             ``out_interface``, ``protocol`` (each null, or ``value`` and ``inverted``), ``fragment`` (null; true for
             second and further fragments, false for all others), ``matches``, ``target`` (null where it only counts),
             ``goto``, ``text`` (as ``-S`` prints it, without "-A CHAIN")
``matches``, ``target``
             ``name``, ``revision`` (null for verdicts and chains), ``options``, ``data``: null, or the payload in
             base64 of an extension that is not known here, whose options are [] therefore
``options``  ``name`` (without dashes, as ``-S`` prints it), ``inverted``, ``values``: the words after it

``pyipvsadm show`` prints several tables: ``tables`` are objects with ``table`` and ``chains`` there.

Addresses, networks and ports are never turned into names. Fields may be added within a version; none is renamed,
removed or given another meaning.
"""

from __future__ import annotations

from pyipvsadm.xtables.model import Chain
from pyipvsadm.xtables.parts import Parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Final

    from pyipvsadm.filters import ChosenChain
    from pyipvsadm.xtables.backend.base import Listing
    from pyipvsadm.xtables.command import List, ListRules
    from pyipvsadm.xtables.model import Rule as Entry
    from pyipvsadm.xtables.parts import Match, Rule, Target
    from pyipvsadm.xtables.render import Renderer

VERSION: Final = 1
_INDENT: Final = 4


def listing(
    table: Listing,
    chains: Iterable[tuple[Chain, list[tuple[int, Entry]]]],
    asked: List | ListRules,  # noqa: ARG001  # a document has everything
    renderer: Renderer,
) -> Iterator[str]:
    """Yield a document of some chains of a table, a piece for each."""
    import json

    parts = Parts(renderer)
    head = {"version": VERSION, "kind": "iptables", "family": table.family, "table": table.name, "chains": []}
    begin, end = json.dumps(head, indent=2).rsplit("[]", 1)
    separator = f"{begin}["
    for state, rules in chains:
        text = json.dumps(chain(state, [rule(parts.of(entry), number) for number, entry in rules]), indent=2)
        yield separator + "\n" + "\n".join([f"{' ' * _INDENT}{line}" for line in text.split("\n")])
        separator = ","
    yield f"{begin}[]{end}\n" if separator != "," else f"\n  ]{end}\n"


def document(family: int, chains: Iterable[ChosenChain]) -> str:
    """Return chains of several tables as a document, in which "tables" stands for "table" and "chains"."""
    import json

    tables: dict[str, list[dict[str, Any]]] = {}
    for found in chains:
        counters = (found.counters.packets, found.counters.bytes)
        state = Chain(found.name, found.policy, counters, found.references)
        shown = chain(state, [rule(parts, number) for number, parts in found.rules])
        tables.setdefault(found.table, []).append(shown)
    listed = [{"table": name, "chains": content} for name, content in tables.items()]
    return json.dumps({"version": VERSION, "kind": "iptables", "family": family, "tables": listed}, indent=2) + "\n"


def chain(state: Chain, rules: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a chain with its rules."""
    packets, octets = state.counters
    return {
        "name": state.name,
        "policy": state.policy,
        "packets": packets,
        "bytes": octets,
        "references": state.references,
        "rules": rules,
    }


def rule(parts: Rule, number: int) -> dict[str, Any]:
    """Return a rule, ``number`` in its chain."""
    return {
        "number": number,
        "packets": parts.counters.packets,
        "bytes": parts.counters.bytes,
        "source": _condition(parts.source),
        "destination": _condition(parts.destination),
        "in_interface": _condition(parts.in_interface),
        "out_interface": _condition(parts.out_interface),
        "protocol": _condition(parts.protocol),
        "fragment": parts.fragment,
        "matches": [_extension(match) for match in parts.matches],
        "target": _extension(parts.target) if parts.target else None,
        "goto": parts.goto,
        "text": parts.text,
    }


def _condition(text: str) -> dict[str, Any] | None:
    if not text:
        return None
    return {"value": text.removeprefix("! "), "inverted": text.startswith("! ")}


def _extension(found: Match | Target) -> dict[str, Any]:
    data = None
    if found.data:
        from binascii import b2a_base64

        data = b2a_base64(found.data, newline=False).decode("ascii")
    return {
        "name": found.name,
        "revision": found.revision,
        "options": [
            {"name": option.name, "inverted": option.inverted, "values": list(option.values)}
            for option in found.options
        ],
        "data": data,
    }
