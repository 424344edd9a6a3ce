"""Documents: nothing of a state is lost on the way; what is no document is refused by its path, as the schema does."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyipvsadm import documents, iptables, ipvs
from pyipvsadm.documents import DocumentError, VirtualServers
from pyipvsadm.iptables import ChainState, Counters, Match, Rule, Ruleset, TableState, Target
from pyipvsadm.ipvs.order import sort_servers, sort_services
from pyipvsadm.snapshot import dumped, save, take
from support.changes import sequences
from support.documents import RULES, SERVICES, places, rules, rulesets, saved, tables

if TYPE_CHECKING:
    from pyipvsadm.documents.text import Form
    from pyipvsadm.xtables.options import Family

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = {
    kind: jsonschema.Draft202012Validator(json.loads((ROOT / f"docs/schema/{kind}.json").read_text()))
    for kind in ("ipvs", "iptables")
}


def there_and_back(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document that went through JSON and YAML; it is one by its schema."""
    SCHEMAS[document["kind"]].validate(document)
    found: Any = document
    for form in FORMS:
        found = documents.load(documents.dump(found, form), form)
    assert found == document
    return document


FORMS: tuple[Form, ...] = ("json", "yaml", "json")


# -- virtual servers ---------------------------------------------------------------------------------------------------


def in_order(found: list[ipvs.ServiceState]) -> tuple[ipvs.ServiceState, ...]:
    """Return services and servers in the order of a listing."""
    return tuple([service.replace(servers=tuple(sort_servers(service.servers))) for service in sort_services(found)])


@given(tables(), st.none() | st.builds(ipvs.Info, st.integers(0, 0xFFFFFF), st.integers(0, 2**32 - 1)))
def test_virtual_servers_are_kept(found: list[ipvs.ServiceState], info: ipvs.Info | None) -> None:
    document = there_and_back(documents.document(VirtualServers(tuple(found), info)))
    assert documents.state(document) == VirtualServers(in_order(found), info)


@given(sequences)
def test_all_of_a_table_is_kept(changes: list[ipvs.Change]) -> None:
    """Services, timeouts and daemons that a sandbox has, through JSON and YAML and, but for limits, through a dump."""
    with ipvs.sandbox() as table:
        try:
            table.apply(*changes, rollback=False)
        except ipvs.Refused:
            pass
        found = take(table)
    state = VirtualServers(in_order(list(found.services)), None, found.timeouts, found.daemons)
    assert documents.state(there_and_back(documents.document(state))) == state
    dump = save(found)
    losses = " ".join(documents.losses(state, dump))
    if "cannot be read again" not in losses:
        told = dumped(ipvs.parse(dump.splitlines()))
        assert (told.timeouts == found.timeouts) == ("timeouts" not in losses)
        assert ({*(told.daemons or ())} == {*(found.daemons or ())}) == ("daemons" not in losses)


def test_what_ipvsadm_save_leaves_out() -> None:
    master = ipvs.SyncDaemon("master", "eth0", 1)
    for state, lost in (
        (VirtualServers(timeouts=ipvs.Timeouts(900, 0, 0)), ["all timeouts"]),
        (VirtualServers(timeouts=ipvs.Timeouts(0, 0, 0), daemons=()), []),
        (VirtualServers(daemons=(master,)), ["all settings of synchronisation daemons"]),
    ):
        assert list(documents.losses(state, ipvs.save(state.services))) == lost


@given(tables())
def test_a_listing_is_a_document(found: list[ipvs.ServiceState]) -> None:
    from pyipvsadm.ui.json import document

    listing = json.loads(document(found, ipvs.Info(0x010201, 4096)))
    SCHEMAS["ipvs"].validate(listing)
    assert documents.state(listing) == VirtualServers(in_order(found), ipvs.Info(0x010201, 4096))


@given(tables())
def test_what_a_dump_of_services_cannot_hold(found: list[ipvs.ServiceState]) -> None:
    state = VirtualServers(tuple(found))
    dump = ipvs.save(found)
    lines = list(documents.losses(state, dump))
    limits = any(one.config.u_threshold or one.config.l_threshold for service in found for one in service.servers)
    assert any("limits of connections" in line for line in lines) == limits
    if not lines:
        with ipvs.sandbox() as table:
            table.apply(*ipvs.parse(dump.splitlines()))
            assert in_order(table.services()) == in_order(found)


# -- rules -------------------------------------------------------------------------------------------------------------


@given(rulesets())
def test_rules_are_kept(ruleset: Ruleset) -> None:
    found = documents.state(there_and_back(documents.document(ruleset)))
    assert isinstance(found, Ruleset)
    assert saved(found) == saved(ruleset)
    assert documents.state(documents.document(found)) == found  # all of it, to the last byte


@given(rulesets())
def test_dumps_are_kept(ruleset: Ruleset) -> None:
    """From a dump to JSON to YAML to a dump is the same as reading and saving it."""
    try:
        before = iptables.parse(saved(ruleset), family=ruleset.family)
    except (iptables.UsageError, iptables.LineFailed):
        return  # what iptables-save itself prints so that nobody can read it
    after = documents.state(there_and_back(documents.document(before)))
    assert isinstance(after, Ruleset)
    assert saved(after) == saved(before)


@pytest.mark.parametrize("family", [4, 6])
def test_every_case_is_kept(family: Family) -> None:
    by_table: dict[str, list[Rule]] = {}
    for table, rule in rules(family):
        by_table.setdefault(table, []).append(rule)
    assert sum(map(len, by_table.values())) > 1000
    ruleset = iptables.build(
        Ruleset(
            family,
            tuple(
                [
                    TableState(name, (ChainState("OUTPUT", "DROP", Counters(1, 2), tuple(found)),))
                    for name, found in by_table.items()
                ]
            ),
        )
    )
    found = documents.state(there_and_back(documents.document(ruleset)))
    assert isinstance(found, Ruleset)
    assert saved(found) == saved(ruleset)


def ruleset(*rules: Rule, family: Family = 4) -> Ruleset:
    """Return the filter table with rules in FORWARD."""
    return Ruleset(family, (TableState("filter", (ChainState("FORWARD", "ACCEPT", Counters(), rules),)),))


@pytest.mark.parametrize("family", [4, 6])
def test_unknown_extensions_are_kept_byte_for_byte(family: Family) -> None:
    data = bytes(range(256)) * 2
    rule = Rule(
        matches=(Match("nobody", (), 3, data), Match("tcp", (), 9, b"12345678")),
        protocol="tcp",
        target=Target("NOBODY", (), 1, bytes(8)),
    )
    made = iptables.build(ruleset(rule, family=family))
    document = there_and_back(documents.document(made))
    assert documents.state(document) == made
    [chain] = [chain for chain in made.tables[0].chains if chain.rules]
    assert chain.rules[0].matches == rule.matches
    assert chain.rules[0].target == rule.target
    lines = list(documents.losses(made, saved(made)))
    assert lines[:3] == [f"all of {name} in rule 1 of filter FORWARD" for name in ("nobody", "tcp", "NOBODY")]
    assert lines[3].startswith("line ")
    assert len(lines) == 4


def test_bytes_that_a_dump_does_not_show_are_kept() -> None:
    """A zone for each direction: iptables-save prints one of the two."""
    made = iptables.build(
        Ruleset(
            4,
            (
                TableState(
                    "raw",
                    (
                        ChainState(
                            "OUTPUT",
                            "ACCEPT",
                            Counters(),
                            (iptables.rule("-j CT --zone-orig 1 --zone-reply 2", table="raw"),),
                        ),
                    ),
                ),
            ),
        )
    )
    assert documents.state(documents.document(made)) == made


def test_an_older_revision_stays_one() -> None:
    new, old = (iptables.rule(f"-m addrtype --src-type LOCAL -m comment --comment {name}") for name in "ab")
    old = old.replace(matches=(old.matches[0].replace(revision=0), old.matches[1]))
    made = iptables.build(ruleset(new, old))
    document = documents.document(made)
    [chain] = [chain for chain in document["tables"][0]["chains"] if chain["rules"]]
    revisions = [rule["matches"][0]["revision"] for rule in chain["rules"]]
    assert revisions[0] > revisions[1] == 0
    assert documents.state(document) == made


def test_a_listing_of_rules_is_a_document() -> None:
    from pyipvsadm.ui import rules_json
    from pyipvsadm.xtables.model import Chain

    made = iptables.build(
        ruleset(iptables.rule("! -s 10.0.0.0/8 -p tcp -m tcp --dport 1:2 -j ACCEPT"), iptables.rule("-f"))
    )
    table = made.tables[0]
    chains = [
        rules_json.chain(
            Chain(chain.name, chain.policy),
            [rules_json.rule(rule, number) for number, rule in enumerate(chain.rules, 1)],
        )
        for chain in table.chains
    ]
    listing = {"version": 1, "kind": "iptables", "family": 4, "table": "filter", "chains": chains}
    SCHEMAS["iptables"].validate(listing)
    assert documents.state(listing) == made


def test_a_rule_by_its_text() -> None:
    rule = {"text": "-s 192.0.2.0/24 -p tcp --dport 22 -j ACCEPT", "packets": 7}
    document = {"version": 1, "kind": "iptables", "family": 4, "table": "filter", "chains": [
        {"name": "INPUT", "policy": "DROP", "rules": [rule]}
    ]}  # fmt: skip
    SCHEMAS["iptables"].validate(document)
    found = documents.state(document)
    assert isinstance(found, Ruleset)
    assert "[7:0] -A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT\n" in saved(found)


# -- what is no document -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [SERVICES, RULES], ids=["ipvs", "iptables"])
@pytest.mark.parametrize("wrong", [True, 1.5, "?", -1, 2**64, [], {}, None, [[]]], ids=repr)
def test_each_value_is_looked_at(whole: dict[str, Any], wrong: object) -> None:
    """In the place of each value stands something else: what the schema refuses is refused, by the path."""
    documents.state(whole)
    for path in [path for path, _, _ in places(whole)]:
        document = copy.deepcopy(whole)
        holder, key = next((holder, key) for found, holder, key in places(document) if found == path)
        if holder[key] == wrong and type(holder[key]) is type(wrong):
            continue
        holder[key] = wrong
        if SCHEMAS[whole["kind"]].is_valid(document):
            continue
        with pytest.raises(DocumentError) as caught:
            documents.state(document)
        parent = path.rpartition("[" if path.endswith("]") else ".")[0]
        assert caught.value.path.startswith(path) or caught.value.path in (parent, parent.partition(".servers")[0]), (
            path
        )


@pytest.mark.parametrize("whole", [SERVICES, RULES], ids=["ipvs", "iptables"])
def test_no_member_that_is_not_known(whole: dict[str, Any]) -> None:
    for path, holder, key in [*places(whole), ("", {"": whole}, "")]:
        if not isinstance(holder[key], dict):
            continue
        document = copy.deepcopy(whole)
        target = document if not path else next(h[k] for found, h, k in places(document) if found == path)
        target["wieght"] = 1
        assert not SCHEMAS[whole["kind"]].is_valid(document)
        with pytest.raises(DocumentError, match='there is no member "wieght" here') as caught:
            documents.state(document)
        assert caught.value.path == path


def changed(document: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return a copy with another value at a path; the last name may be a new one."""
    document = copy.deepcopy(document)
    parent, _, name = path.rpartition(".")
    holder = next((h[k] for found, h, k in places(document) if found == parent), document)
    holder[name] = value
    return document


SERVER = "services[1].servers[0]"
RULE = "tables[0].chains[0].rules[0]"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "an object is needed, not an array"),
        ({}, '"version" is missing'),
        ({"version": 2}, "version: it must be 1, not 2"),
        ({"version": 1, "kind": "nft"}, 'kind: it must be "ipvs" or "iptables", not "nft"'),
        ({"version": 1, "kind": "ipvs"}, '"services" is missing'),
        (changed(SERVICES, f"{SERVER}.weight", -1), f"{SERVER}.weight: -1 is not from 0 to 2147483647"),
        (changed(SERVICES, f"{SERVER}.weight", "1"), f'{SERVER}.weight: an integer is needed, not "1"'),
        (changed(SERVICES, f"{SERVER}.address", "10.0.0.01"), f'{SERVER}.address: "10.0.0.01" is no address of IPv4'),
        (changed(SERVICES, f"{SERVER}.l_threshold", 4), f"{SERVER}: "),
        (changed(SERVICES, f"{SERVER}.forward", "nat"), f'{SERVER}.forward: it must be "masq", "local"'),
        (changed(SERVICES, "services[1].persistent", False), 'services[1].persistent: "flags" say true'),
        (changed(SERVICES, "services[1].fwmark", 7), "services[1]: a service has a firewall mark, or"),
        (changed(SERVICES, "services[0].fwmark", 0), 'services[0]: a service without "fwmark" needs'),
        (changed(SERVICES, "services[0].scheduler", "a" * 16), 'services[0].scheduler: "aaaaaaaaaaaaaaaa" is no name'),
        ({**SERVICES, "services": [SERVICES["services"][0]] * 2}, "services[1]: Service already exists"),
        (changed(SERVICES, "timeouts.udp", 0), "timeouts.udp: 0 is not from 1 to 8589934"),
        ({**SERVICES, "daemons": [SERVICES["daemons"][1]] * 2}, "daemons[1]: "),
        (changed(SERVICES, "daemons[0].mcast_group", "10.0.0.1"), "daemons[0]: "),
        (changed(SERVICES, "daemons[0].mcast_group", "ff02:0::1"), "daemons[0].mcast_group: write the address as"),
        (changed(SERVICES, "daemons[0].mcast_ifn", ""), "daemons[0]: "),
        (changed(RULES, "tables[0].table", "none"), "tables[0]: "),
        (changed(RULES, "tables[0].chains[0].policy", None), "tables[0].chains[0]: chain INPUT is built in"),
        (changed(RULES, "tables[0].chains[1].policy", "DROP"), "tables[0].chains[1]: chain WEB is not built in"),
        (changed(RULES, "tables[0].chains[1].name", "WEB2"), f"{RULE}: Couldn't load target `WEB'"),
        (changed(RULES, "tables[0].chains[1].name", "INPUT 2"), "tables[0].chains[1]: Invalid chain name"),
        (changed(RULES, f"{RULE}.source.value", "www.example.com"), f'{RULE}.source.value: "www.example.com" is no n'),
        (changed(RULES, f"{RULE}.source.value", "10.0.0.1,10.0.0.2"), f"{RULE}.source.value: "),
        (changed(RULES, f"{RULE}.source.value", "-j"), f"{RULE}.source.value: "),
        (changed(RULES, f"{RULE}.matches[0].options[0].values", ["80", "-j"]), f"{RULE}: tcp: option dport takes 1 v"),
        (changed(RULES, f"{RULE}.matches[0].options[0].values", []), f"{RULE}: tcp: option dport takes 1 value"),
        (changed(RULES, f"{RULE}.matches[0].options[0].name", "jump"), f"{RULE}: tcp: there is no option jump"),
        (changed(RULES, f"{RULE}.matches[0].options[0].name", "-j"), f"{RULE}: tcp: there is no option -j"),
        (changed(RULES, f"{RULE}.matches[0].revision", 7), f"{RULE}: match tcp: revision 7 is not known here"),
        (changed(RULES, f"{RULE}.matches[0].name", "nobody"), f"{RULE}: "),
        (changed(RULES, f"{RULE}.matches[0].data", "AAAA"), f"{RULE}.matches[0].data: beside it stand"),
        (changed(RULES, f"{RULE}.matches[0].data", "*"), f"{RULE}.matches[0].data: it is not base64"),
        (changed(RULES, f"{RULE}.text", "-j ACCEPT"), f"{RULE}.text: it does not say what the other members do"),
        (changed(RULES, f"{RULE}.matches[0].name", "a\0b"), f"{RULE}.matches[0].name: a NUL"),
        (changed(RULES, f"{RULE}.matches[0].name", "\ud800"), f"{RULE}.matches[0].name: half of a surrogate pair"),
        ({**RULES, "family": 6}, f'{RULE}.source.value: "10.0.0.0/8" is no network of IPv6'),
    ],
)  # fmt: skip
def test_the_path_and_the_reason(document: object, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        documents.state(document)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["-h", "-A INPUT", "-j", "-m nobody", "-s 10.0.0.1,10.0.0.2", '"', "-L"])
def test_texts_that_are_no_rules(text: str) -> None:
    chain = {"name": "INPUT", "policy": "DROP", "rules": [{"text": text}]}
    with pytest.raises(DocumentError) as caught:
        documents.state({"version": 1, "kind": "iptables", "family": 4, "table": "filter", "chains": [chain]})
    assert caught.value.path == "chains[0].rules[0].text"


# -- texts -------------------------------------------------------------------------------------------------------------

WORDS = (
    "on", "yes", "NO", "null", "~", "1:2", "010", "0x10", "1e3", "1_000", "2001:db8::1", "::", "12:30:45", "", " a ",
    "2026-01-01", "=", "<<", "- a", "a: b", "#", "a #b", "'", '"', "\\", "\n", "\t", "\udcff", "é", "😀", "\x7f",
    "true", "3", "-1", "!x", "&x", "*x", "%x", "@x", "`x", "{}", "[]", "?", "|", ">", "\x85", "\u2028", "\ufeff",
)  # fmt: skip


@given(st.recursive(st.text(), lambda inner: st.lists(inner, max_size=3)) | st.sampled_from(WORDS))
def test_every_text_survives(value: object) -> None:
    for form in FORMS:
        assert documents.load(documents.dump({"a": value}, form), form) == {"a": value}


@pytest.mark.parametrize("word", WORDS)
def test_words_survive(word: str) -> None:
    for form in FORMS:
        assert documents.load(documents.dump({word: [word]}, form), form) == {word: [word]}


def test_readers_of_yaml_1_1_see_the_same() -> None:
    import yaml

    words = [word for word in WORDS if word != "\udcff"]
    assert yaml.safe_load(documents.dump(words, "yaml")) == words


def test_plain_words_of_yaml_are_what_they_look_like() -> None:
    text = "a: on\nb: 1:2\nc: 010\nd: 2001:db8::1\ne: 2026-01-01\nf: true\ng: -7\nh: null\ni:\nj: 0x10\nk: 1.5\n"
    assert documents.load(text, "yaml") == {
        "a": "on", "b": "1:2", "c": "010", "d": "2001:db8::1", "e": "2026-01-01", "f": True, "g": -7, "h": None,
        "i": None, "j": "0x10", "k": "1.5",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "form", "message", "line"),
    [
        ("{", "json", "not JSON: ", 1),
        ('{"a": 1, "a": 2}', "json", 'not JSON: a member "a" is there twice', None),
        ("NaN", "json", "not JSON: NaN is no number", None),
        ("[" * 100_000, "json", "not a document: it is nested too deeply", None),
        ("9" * 5000, "json", "not JSON: ", None),
        ("a: 1\na: 2\n", "yaml", 'a member "a" is there twice (column 1)', 2),
        ("a: [1\nb: 2", "yaml", "not YAML: ", 2),
        ("a: &x [1]\nb: *x\n", "yaml", "aliases are not read", 1),
        ("a: !!python/object/apply:os.system [true]\n", "yaml", "the tag ", 1),
        ("a: !!binary AAAA\n", "yaml", "the tag ", 1),
        ("a: !!int x\n", "yaml", "the tag ", 1),
        ("1: 2\n", "yaml", "names of members are text", 1),
        ("[a]: 2\n", "yaml", "names of members are text", 1),
        ("--- 1\n--- 2\n", "yaml", "not YAML: ", 2),
        ("[" * 500, "yaml", "", None),
        ("[" * 100_000, "yaml", "", None),
        ("a: \x00\n", "yaml", "not YAML: ", None),
        ("a: " + "9" * 5000, "yaml", "the tag ", 1),
    ],
)  # fmt: skip
def test_what_is_no_text_of_a_document(text: str, form: Form, message: str, line: int | None) -> None:
    with pytest.raises(iptables.UsageError) as caught:
        documents.load(text, form)
    assert caught.value.message.startswith(message)
    assert "\n" not in caught.value.message
    if line is not None:
        assert caught.value.line == line
