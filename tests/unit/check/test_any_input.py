"""Whatever the bytes are: findings within the text, or a clean error."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from pyipvsadm import check, documents

if TYPE_CHECKING:
    import random

    from pyipvsadm.check import DumpKind
    from pyipvsadm.documents.text import Form

FORMS: st.SearchStrategy[Form] = st.sampled_from(("json", "yaml"))
KINDS: st.SearchStrategy[DumpKind] = st.sampled_from(check.KINDS)
EXAMPLES = [text for kind in check.FINDINGS.values() for text in (kind.bad, kind.good) if text]
WORDS = [
    *sorted({word for text in EXAMPLES for word in text.split()}),
    '"', "\\", "!", "\0", "\t", "-m", "limit", "set", "--match-set", "foo", "src", "[1:2]", "*", ":", "COMMIT", "#",
    "-R", "-E", "# pyipvsadm: ignore", "\u00e9", "\udcff", "\x85", "-g", "-6", "-f", "2001:db8::1", "-X", "-F", "-P",
    "-D", "--set", "-Z", "-C", "-m bpf --object-pinned /x", "--bytecode", "x" * 40,
]  # fmt: skip


def _sound(text: str, kind: DumpKind | None, form: Form | None = None) -> None:
    lines = text.split("\n")
    source = documents.source(text, form) if form else check.Source(text, kind)
    for finding in check.run_together([source])[0]:
        assert 1 <= finding.line <= len(lines)
        assert 1 <= finding.column <= finding.end_column <= len(lines[finding.line - 1]) + 1
        assert finding.message.isprintable()
        assert finding.message
        assert finding.hint


@given(st.binary(max_size=300), KINDS)
def test_any_bytes(data: bytes, kind: DumpKind) -> None:
    _sound(data.decode("utf-8", "surrogateescape"), kind)


@settings(max_examples=300)
@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=8), max_size=12), KINDS)
def test_any_words(lines: list[list[str]], kind: DumpKind) -> None:
    text = "\n".join([" ".join(words) for words in lines])
    _sound(text, kind)
    _sound(f"*filter\n{text}\nCOMMIT\n", kind)


@settings(max_examples=200)
@given(st.sampled_from(EXAMPLES), st.randoms(use_true_random=False), KINDS)
def test_damaged_dumps(text: str, chance: random.Random, kind: DumpKind) -> None:
    letters = list(text)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(letters) + 1)
        if chance.random() < 0.5:
            letters[place:place] = chance.choice(WORDS)
        else:
            del letters[place : place + chance.randint(1, 9)]
    _sound("".join(letters), kind)


def test_a_long_way_of_chains() -> None:
    names = [f"c{number}" for number in range(3000)]
    text = "\n".join(
        ["*filter", ":INPUT ACCEPT [0:0]", *[f":{name} - [0:0]" for name in names], "-A INPUT -j c0"]
        + [f"-A {name} -j {to}" for name, to in pairwise(names)]
        + ["COMMIT"]
    )
    assert check.run(text) == []


@given(st.binary(max_size=300), FORMS)
def test_any_bytes_for_a_document(data: bytes, form: Form) -> None:
    _sound(data.decode("utf-8", "surrogateescape"), None, form)


DOCUMENTS = [
    check.FINDINGS["S008"].good,
    """\
# pyipvsadm: ignore V2
{version: 1, kind: iptables, family: 6, table: nat, chains: [
  {name: PREROUTING, policy: DROP, rules: [
    {source: {value: "::1"}, protocol: {value: tcp}, goto: true, target: {name: "a b"},
     matches: [{name: tcp, revision: 0, options: [{name: dport, values: ['1']}]}]},
    {text: -j ACCEPT}]},
  {name: a b}]}
""",
]


@settings(max_examples=200)
@given(st.sampled_from(DOCUMENTS), st.randoms(use_true_random=False), FORMS)
def test_damaged_documents(text: str, chance: random.Random, form: Form) -> None:
    if form == "json":
        text = documents.dump(documents.load(text, "yaml"), form)
    letters = list(text)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(letters) + 1)
        if chance.random() < 0.5:
            letters[place:place] = chance.choice((*WORDS, *'{}[],:"\n', "\u2028", "null", "7", "\n# pyipvsadm: ignore"))
        else:
            del letters[place : place + chance.randint(1, 5)]
    _sound("".join(letters), None, form)
