"""Every kind of finding by its own examples; comments and options that switch findings off; where findings are."""

from __future__ import annotations

import re

import pytest

from pyipvsadm import check, documents
from pyipvsadm.app.state import form_of
from pyipvsadm.errors import UsageError

KINDS = list(check.FINDINGS.values())


def codes(text: str, beside: str = "") -> list[str]:
    form = form_of(text)
    first = check.Source(text) if form == "dump" else documents.source(text, form)
    sources = [first, *([check.Source(beside, "iptables")] if beside else [])]
    return [finding.code for finding in check.run_together(sources)[0]]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_the_examples(kind: check.FindingKind) -> None:
    assert codes(kind.bad, kind.beside) == [kind.code]
    assert codes(kind.good, kind.beside) == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_the_declarations(kind: check.FindingKind) -> None:
    assert re.fullmatch(r"[STV]\d{3}", kind.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.slug)
    assert check.kind_of(kind.code.lower()) is check.kind_of(kind.slug) is kind
    assert kind.summary.endswith(".")
    assert kind.explanation.endswith(".")
    assert not kind.hint.endswith(".")
    assert check.kinds_of(kind.code[0]) >= {kind.code}


def test_no_two_have_the_same_name() -> None:
    assert len({kind.slug for kind in KINDS}) == len(KINDS) == len({kind.summary for kind in KINDS})


# -- where -------------------------------------------------------------------------------------------------------------

# What is meant stands in «».
PLACES = [
    ("S002", "-A INPUT -p tcp «--dprot» 80 -j ACCEPT"),
    ("S002", "[7:9] -A INPUT «--dport» 22"),
    ("S003", "-A INPUT -i lo «-o» eth0"),
    ("S004", "-A INPUT -s «192.0.2.256» -j DROP"),
    ("S004", '-A INPUT -m comment --comment "a b" -p «nosuch»'),
    ("S004", "-A INPUT -p tcp --dport «80:x/y» -j ACCEPT"),
    ("S004", "-A INPUT -s 10.0.0.1 -m «nosuch» -j ACCEPT"),
    ("T102", "-A «WEB» -j ACCEPT"),
    ("T103", "-A INPUT -j «WEB»"),
    ("T103", "-A INPUT -g «WEB»"),
    ("T104", "-A INPUT -j «OUTPUT»"),
    ("T107", ":INPUT «REJECT» [0:0]"),
    ("T108", "-A INPUT -p tcp -j «DNAT» --to-destination 10.0.0.1"),
    ("S001", "«INPUT» -j ACCEPT"),
    ("S001", '-A INPUT -m comment --comment «"open»'),
    ("S006", "«-L INPUT»"),
    ("S003", "-A INPUT «-t» nat -j ACCEPT"),
]


def _unmarked(marked: str) -> tuple[str, int, int]:
    return marked.replace("«", "").replace("»", ""), marked.index("«") + 1, marked.index("»")


@pytest.mark.parametrize(("code", "marked"), PLACES)
def test_where_in_a_table(code: str, marked: str) -> None:
    line, begin, end = _unmarked(marked)
    text = f"*filter\n:INPUT ACCEPT [0:0]\n{line}\nCOMMIT\n"
    found = check.run(text, kind="iptables")
    assert [(finding.code, finding.line, finding.column, finding.end_column) for finding in found] == [
        (code, 3, begin, end)
    ]


SERVICE_PLACES = [
    ("S004", "-a -t 192.0.2.1:80 -r «10.0.0.1.2» -m -w 1"),
    ("S004", "-a -t 192.0.2.1:80 -r 10.0.0.1 -m -w «x»"),
    ("S004", "ipvsadm -a -t «192.0.2.1:x/y» -r 10.0.0.1 -m"),
    ("S003", "-a -t 192.0.2.1:80 -r 10.0.0.1 -m «-g»"),
    ("S002", "-a -t 192.0.2.1:80 -r 10.0.0.1 -m «--wieght» 3"),
    ("S003", "«-a» -t 192.0.2.1:80 -m"),
    ("S004", "-a -t 192.0.2.1:80 -r «2001:db8::1» -m"),
    ("V103", "-a -u «192.0.2.1:80» -r 10.0.0.1 -m"),
    ("V104", "-e -t 192.0.2.1:80 -r «10.0.0.9» -m"),
    ("V106", "-a -t 192.0.2.1:80 -r «224.0.0.1» -m"),
    ("V105", "-A -t 192.0.2.1:81 -s «wcl»"),
    ("V101", "-A -t «192.0.2.1:80» -s rr"),
    ("V203", "-a -t 192.0.2.1:80 -r «10.0.0.1:8080» -w 1"),
]


@pytest.mark.parametrize(("code", "marked"), SERVICE_PLACES)
def test_where_among_services(code: str, marked: str) -> None:
    line, begin, end = _unmarked(marked)
    text = f"-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.100 -m\n{line}\n"
    found = check.run(text, kind="ipvs", ignore=["V201"])
    assert [(finding.code, finding.line, finding.column, finding.end_column) for finding in found] == [
        (code, 3, begin, end)
    ]


def test_all_mistakes_of_a_dump_are_told() -> None:
    lines = ("-A INPUT --x", "-A INPUT -p y", "z", "-A NO -p tcp -j ACCEPT", "-A NO -p udp -j ACCEPT", "-A INPUT -j W")
    text = "\n".join(["*filter", ":INPUT ACCEPT [0:0]", *lines])
    found = [(finding.code, finding.line) for finding in check.run(text)]
    assert found == [("S001", 1), ("S002", 3), ("S004", 4), ("S001", 5), ("T102", 6), ("T103", 8)]


def test_families_do_not_mix_beside_a_daemon() -> None:
    mixed = "-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r [2001:db8::1]:80 -i -w 1\n"
    daemon = "--start-daemon master --mcast-interface eth0\n"
    assert codes(mixed) == []
    for text, line in ((daemon + mixed, 3), (mixed + daemon, 3)):
        [finding] = check.run(text, ignore=["V201"])
        assert (finding.code, finding.line) == ("V108", line)
        assert "famil" in finding.message


def test_one_finding_for_many_servers_of_no_service() -> None:
    text = "".join([f"-a -t 192.0.2.1:80 -r 10.0.0.{number} -m\n" for number in range(9)])
    [finding] = check.run(text)
    assert (finding.code, finding.line, finding.message) == (
        "V103", 1, "no line before adds this service (9 lines are about it)",
    )  # fmt: skip


def test_a_service_whose_server_is_wrong_is_not_empty() -> None:
    assert codes("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w x\n") == ["S004"]


def test_a_service_with_an_unknown_scheduler_can_have_servers() -> None:
    assert codes("-A -t 192.0.2.1:80 -s foo --pe bar -p 5\n-a -t 192.0.2.1:80 -r 10.0.0.1 -m\n") == ["V105", "V105"]


def test_the_rest_behind_a_rule_that_decides_is_one_finding() -> None:
    rules = "".join([f"-A INPUT -s 10.0.0.{number} -j DROP\n" for number in range(9)])
    [finding] = check.run(f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\n{rules}COMMIT\n")
    assert (finding.code, finding.line) == ("T203", 4)
    assert finding.message == "no packet comes to this rule, nor to the 8 after it: line 3 decides about all"


def test_jumps_are_followed_for_hooks() -> None:
    text = "*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n:X - [0:0]\n{}\n-A X -j MASQUERADE\nCOMMIT\n"
    assert codes(text.format("-A POSTROUTING -j X")) == []
    assert codes(text.format("-A POSTROUTING -j X\n-A PREROUTING -j X")) == ["T108"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("-P NO DROP", "T102"),
        ("-X NO", "T102"),
        ("-D NO 1", "T102"),
        ("-N NEW\n-N NEW", "T106"),
        ("-D INPUT 1", "T109"),
    ],
)
def test_commands_that_cannot_be_carried_out(line: str, code: str) -> None:
    text = f"*filter\n:INPUT ACCEPT [0:0]\n{line}\nCOMMIT\n"
    assert [finding.code for finding in check.run(text, select=["T1"])] == [code]


ANSWERS = ":INPUT DROP [0:0]\n:NEW - [0:0]\n-A INPUT -i lo -m comment --comment x -j DROP"


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ("-p tcp -m state --state NEW -j ACCEPT", True),
        ("-p tcp -m conntrack ! --ctstate RELATED,ESTABLISHED -j ACCEPT", False),  # UNTRACKED and others, not only new
        ("-p tcp -m state --state NEW,INVALID -j ACCEPT", True),
        ("-p udp -m state --state NEW -j ACCEPT", False),  # there need not be answers
        ("-p tcp -m state --state NEW -j ACCEPT\n-A INPUT -p tcp --sport 1 -j ACCEPT", False),
        (
            "-p tcp -m state --state NEW -j ACCEPT\n-A INPUT -j DROP\n-A INPUT -m state --state ESTABLISHED -j ACCEPT",
            True,
        ),
        ("-j DROP\n-A INPUT -p tcp -m state --state NEW -j ACCEPT", False),
        ("-p tcp -m state --state NEW -j NEW\n-A NEW -j ACCEPT", False),
        ("-p tcp -m state --state NEW -j ACCEPT\n-A INPUT -j NFQUEUE", False),
    ],
)
def test_answers_that_are_dropped(rules: str, found: bool) -> None:
    text = f"*filter\n{ANSWERS}\n-A INPUT {rules}\nCOMMIT\n"
    assert bool(check.run(text, select=["T206"])) is found


def test_every_loop_is_told() -> None:
    chains = ":INPUT ACCEPT [0:0]\n:A - [0:0]\n:B - [0:0]"
    text = f"*filter\n{chains}\n-A INPUT -j A\n-A INPUT -j B\n-A A -j A\n-A B -j B\nCOMMIT\n"
    assert [(finding.code, finding.line) for finding in check.run(text, select=["loop"])] == [("T105", 7), ("T105", 8)]


def test_commands_move_rules() -> None:
    """Findings are about the line that a rule comes from, wherever it is in the end."""
    lines = ("-A INPUT -p tcp -j ACCEPT", "-I INPUT -p tcp -m tcp --dport 1 -j DROP", "-I INPUT -j DROP")
    text = "\n".join(["*filter", ":INPUT ACCEPT [0:0]", *lines, "COMMIT"])
    assert [(finding.code, finding.line) for finding in check.run(text)] == [("T203", 4)]
    renamed = "*filter\n:INPUT ACCEPT [0:0]\n-N A\n-E A B\n-A B -j ACCEPT\nCOMMIT\n"
    assert [(finding.code, finding.line) for finding in check.run(renamed)] == [("T201", 3)]


# -- marks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "mark", "is_set"),
    [
        ("-j MARK --set-xmark 0x7/0xffffffff", 7, True),
        ("-j MARK --set-xmark 0x7/0xffffffff", 6, False),
        ("-j MARK --or-mark 4", 7, True),
        ("-j MARK --or-mark 8", 7, False),
        ("-j MARK --xor-mark 1", 7, True),
        ("-j CONNMARK --restore-mark", 7, True),
        ("-p tcp -j TPROXY --on-port 1 --tproxy-mark 7/7", 7, True),
        ("-p tcp -j TPROXY --on-port 1 --tproxy-mark 8/15", 7, False),
        ("-j DSCP --set-dscp 7", 7, False),
        ("-m socket --restore-skmark", 7, True),
    ],
)
def test_marks(rule: str, mark: int, is_set: bool) -> None:
    services = f"-A -f {mark} -s rr\n-a -f {mark} -r 10.0.0.1 -m\n"
    rules = f"*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING {rule}\nCOMMIT\n"
    assert codes(services, rules) == ([] if is_set else ["V204"])


def test_marks_of_the_other_family_do_not_count() -> None:
    services = check.Source("-A -f 7 -6 -s rr\n-a -f 7 -6 -r [2001:db8::1]:0 -m\n")
    rules = "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j MARK --set-mark 6\nCOMMIT\n"
    assert check.run_together([services, check.Source(rules, "iptables")])[0] == []
    assert [found.code for found in check.run_together([services, check.Source(rules, "ip6tables")])[0]] == ["V204"]


# -- switches ----------------------------------------------------------------------------------------------------------

EMPTY = "-A -t 192.0.2.1:80 -s rr\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"# pyipvsadm: ignore V201\n{EMPTY}", []),
        (f"#pyipvsadm:ignore v201 , T101\n{EMPTY}", []),
        (f"# pyipvsadm: ignore service-without-servers\n\n# more\n{EMPTY}", []),
        (f"# pyipvsadm: ignore V2\n{EMPTY}", []),
        (f"# pyipvsadm: ignore V202\n{EMPTY}", ["V201"]),
        (f"# pyipvsadm: ignore V201\n-A -f 1 -s rr\n{EMPTY}", ["V201"]),
        (f"-A -f 1 -s rr\n{EMPTY}# pyipvsadm: ignore-file V201\n", []),
        (f"# pyipvsadm: ignore V201,X1\n{EMPTY}", ["S005"]),
        (f"# pyipvsadm: ignore\n{EMPTY}", ["S005", "V201"]),
        (f"# pyipvsadm: ignroe V201\n{EMPTY}", ["S005", "V201"]),
        (f"# pyipvsadm: ignore-file S005\n# pyipvsadm: ignore X1\n{EMPTY}", ["V201"]),
    ],
)
def test_comments(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


def test_options() -> None:
    text = "-A -t www.example.org:80 -s rr\n-A -t www.example.org:80 -s rr\n"
    assert [found.code for found in check.run(text)] == ["S007", "V201", "V101"]
    assert [found.code for found in check.run(text, severity="warning")] == ["V201", "V101"]
    assert [found.code for found in check.run(text, severity="error")] == ["V101"]
    assert [found.code for found in check.run(text, select=["V"], ignore=["V101"])] == ["V201"]
    with pytest.raises(UsageError, match="no such finding: Q"):
        check.run(text, select=["Q"])


# -- kinds -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("# Generated by iptables-save v1.8.9 on Mon\n*filter\n", "iptables"),
        ("# Generated by ip6tables-save v1.8.9 (nf_tables)\n*filter\n", "ip6tables"),
        ("\n# hello\n*nat\n", "iptables"),
        ("*filter\n-A INPUT -s fe80::/10 -j ACCEPT\n", "ip6tables"),
        ("*filter\n-A INPUT -p ipv6-icmp -j ACCEPT\n", "ip6tables"),
        ('*filter\n-A INPUT -m comment --comment "a::b" -j ACCEPT\n', "iptables"),
        ("-A -t 192.0.2.1:80\n", "ipvs"),
        ("# x\nipvsadm -A -t 192.0.2.1:80\n", "ipvs"),
    ],
)
def test_detect(text: str, kind: str) -> None:
    assert check.detect(text) == kind


@pytest.mark.parametrize("text", ["", "# only this\n", "hello\n", "{}"])
def test_detect_nothing(text: str) -> None:
    with pytest.raises(UsageError, match="cannot tell"):
        check.detect(text)


def test_hosts_are_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import _socket

    def asked(*words: object) -> None:
        raise AssertionError(words)

    for name in ("getaddrinfo", "gethostbyname_ex"):
        monkeypatch.setattr(_socket, name, asked)
    assert codes("-A -t a.example:80 -s rr\n-a -t a.example:80 -r b.example -m\n") == ["S007", "S007"]
    text = (
        "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s a.example -j DROP\n-A INPUT -d a.example,b.example -j DROP\nCOMMIT\n"
    )
    assert codes(text) == ["S007", "S007"]
