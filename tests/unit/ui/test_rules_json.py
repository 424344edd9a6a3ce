"""Documents of rules: complete, in the form that the module and docs/json.md describe."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pyipvsadm.ui import rules_json
from pyipvsadm.xtables import entry, registry
from pyipvsadm.xtables.command import List
from pyipvsadm.xtables.model import Chain, Header, Rule
from pyipvsadm.xtables.names import Resolver
from pyipvsadm.xtables.options import BETWEEN
from pyipvsadm.xtables.render import Renderer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[3]
ANY = bytes(4)


class Place:
    """Says which table it is."""

    family = 4
    name = "filter"


def document(chains: Sequence[tuple[Chain, list[tuple[int, Rule]]]]) -> dict[str, Any]:
    pieces = rules_json.listing(Place(), chains, List(), Renderer(4, Resolver()))  # type: ignore[arg-type]
    text = "".join(pieces)
    assert text == json.dumps(json.loads(text), indent=2) + "\n"
    found: dict[str, Any] = json.loads(text)
    assert {name: found.pop(name) for name in ("version", "kind", "family", "table")} == {
        "version": 1,
        "kind": "iptables",
        "family": 4,
        "table": "filter",
    }
    return found


def tcp(words: dict[str, str]) -> bytes:
    [extension] = registry.revisions("match", "tcp", 4)
    draft = extension.draft(4, Resolver(), 6)
    draft.inverted = True
    for name, value in words.items():
        extension.by_name[name].read(value, draft)
    return entry.pack_extension(extension, extension.finish(draft))


def rule(*matches: bytes, target: bytes = b"", jump: str = "", **header: Any) -> Rule:
    packed = entry.pack_header(Header(**{"src": ANY, "dst": ANY, "smsk": ANY, "dmsk": ANY, **header}), 4)
    return Rule(packed, matches, target, jump, (2**64 - 1, 7))


def test_no_chains() -> None:
    assert document([]) == {"chains": []}


def test_everything_of_a_rule_and_its_chain() -> None:
    made = rule(
        tcp({"dport": "80", "tcp-flags": f"SYN,ACK{BETWEEN}SYN"}),
        jump="WEB",
        src=bytes((10, 0, 0, 0)),
        smsk=bytes((255, 0, 0, 0)),
        iniface="eth+",
        proto=6,
        flags=0x03,
        invflags=0x08 | 0x20,
    )
    chains = [(Chain("INPUT", "DROP", (3, 4)), [(5, made)]), (Chain("WEB", None, (0, 0), 1), [])]
    assert document(chains) == {
        "chains": [
            {
                "name": "INPUT",
                "policy": "DROP",
                "packets": 3,
                "bytes": 4,
                "references": 0,
                "rules": [
                    {
                        "number": 5,
                        "packets": 2**64 - 1,
                        "bytes": 7,
                        "source": {"value": "10.0.0.0/8", "inverted": True},
                        "destination": None,
                        "in_interface": {"value": "eth+", "inverted": False},
                        "out_interface": None,
                        "protocol": {"value": "tcp", "inverted": False},
                        "fragment": False,
                        "matches": [
                            {
                                "name": "tcp",
                                "revision": 0,
                                "options": [
                                    {"name": "dport", "inverted": True, "values": ["80"]},
                                    {"name": "tcp-flags", "inverted": True, "values": ["SYN,ACK", "SYN"]},
                                ],
                                "data": None,
                            }
                        ],
                        "target": {"name": "WEB", "revision": None, "options": [], "data": None},
                        "goto": True,
                        "text": "! -s 10.0.0.0/8 -i eth+ -p tcp ! -f "
                        "-m tcp ! --dport 80 ! --tcp-flags SYN,ACK SYN -g WEB",
                    }
                ],
            },
            {"name": "WEB", "policy": None, "packets": 0, "bytes": 0, "references": 1, "rules": []},
        ]
    }


def test_what_is_not_known_is_base64() -> None:
    block = tcp({"dport": "80"})
    payload = bytes(range(16))
    unknown = block[:2] + b"nobody".ljust(29, b"\0") + b"\x03" + payload
    [chain] = document([(Chain("INPUT", "ACCEPT"), [(1, rule(unknown, target=unknown))])])["chains"]
    [found] = chain["rules"]
    for extension in (*found["matches"], found["target"]):
        assert {key: extension[key] for key in ("name", "revision", "options")} == {
            "name": "nobody",
            "revision": 3,
            "options": [],
        }
        assert base64.b64decode(extension["data"]) == payload


def test_names_that_are_no_text() -> None:
    [chain] = document([(Chain("caf\udce9", None), [(1, rule(iniface="\udce9"))])])["chains"]
    assert chain["name"] == "caf\udce9"
    assert chain["rules"][0]["in_interface"]["value"] == "\udce9"


@pytest.mark.parametrize(
    "text", [rules_json.__doc__ or "", (ROOT / "docs/json.md").read_text()], ids=["module", "docs"]
)
def test_every_member_is_documented(text: str) -> None:
    chains = [(Chain("INPUT", "ACCEPT"), [(1, rule(tcp({"dport": "80"}), iniface="lo", jump="DROP"))])]
    members = set(re.findall(r'"(\w+)":', json.dumps(document(chains))))
    assert members <= set(re.findall(r"`(\w+)`", text))
