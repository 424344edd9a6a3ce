"""Documents, as Debian's iptables-xml 1.8.9 printed them; and any text is a document, or an error with its line."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.xml import Converter, Malformed

if TYPE_CHECKING:
    from pathlib import Path

DUMP = """\
# a -- comment
*nat
:PREROUTING ACCEPT [1:2]
:OUTPUT ACCEPT [0:0]
:web - [0:0]
[3:4] -A PREROUTING ! -i lo -p tcp -m tcp --dport 80 -m comment --comment "<a> & \\"b\\"" -j web
-A web -s 192.0.2.1/32 -j LOG --log-prefix "in: "
-A web -s 192.0.2.1/32 -j DNAT --to-destination 10.0.0.1
COMMIT
"""
DOCUMENT = """\
<iptables-rules version="1.0">
<!-- # a *- *- comment -->
  <table name="nat" >
    <chain name="PREROUTING" policy="ACCEPT" packet-count="1" byte-count="2" >
      <rule packet-count="3" byte-count="4" >
       <conditions>
        <match >
          <i  invert="1">lo</i>
          <p >tcp</p>
        </match>
        <tcp >
          <dport >80</dport>
        </tcp>
        <comment >
          <comment >&quot;&lt;a&gt; &amp; &quot;b&quot;&quot;</comment>
        </comment>
       </conditions>
       <actions>
        <call >
          <web />
        </call>
       </actions>

      </rule>

    </chain>
    <chain name="web" packet-count="0" byte-count="0" >
      <rule >
       <conditions>
        <match >
          <s >192.0.2.1/32</s>
        </match>
       </conditions>
       <actions>
        <LOG >
          <log-prefix >&quot;in: &quot;</log-prefix>
        </LOG>
%s        <DNAT >
          <to-destination >10.0.0.1</to-destination>
        </DNAT>
       </actions>

      </rule>

    </chain>
    <chain name="OUTPUT" policy="ACCEPT" packet-count="0" byte-count="0" />
  </table>
</iptables-rules>
"""
COMBINED = "<!-- Combine action from next rule -->\n"
APART = """\
       </actions>

      </rule>

      <rule >
       <conditions>
        <match >
          <s >192.0.2.1/32</s>
        </match>
       </conditions>
       <actions>
"""


def convert(dump: str, *, combine: bool = False, verbose: bool = False) -> str:
    converter = Converter("iptables-xml", combine=combine, verbose=verbose)
    return "".join(converter.convert(dump.split("\n")))


@pytest.mark.parametrize(("combine", "between"), [(False, APART), (True, COMBINED)])
def test_document(combine: bool, between: str) -> None:
    assert convert(DUMP, combine=combine) == DOCUMENT % between


def test_lines_become_comments() -> None:
    assert [line for line in convert("*f\n:A - [0:0]\nCOMMIT\n", verbose=True).splitlines() if line[:2] == "<!"] == [
        "<!-- line 1 *f -->", "<!-- line 2 :A *- [0:0] -->", "<!-- line 3 COMMIT -->"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("dump", "kind", "told"),
    [
        ("-A INPUT\n", Malformed, "line 1 failed"),
        ("*f\n-I INPUT\n", Malformed, "line 2 failed - no chain found"),
        ("*f\n", Malformed, "COMMIT expected at line 2"),
        ("*f\nCOMMIT", Malformed, "line 2 failed - no chain found"),
        ("*\n", UsageError, "iptables-xml: line 1 table name invalid"),
        ("*f\n:\n", UsageError, "iptables-xml: line 2 chain name invalid"),
        ("*f\n:A\n", UsageError, "iptables-xml: line 2 policy invalid"),
        ("*f\n[1:2 -A A\n", UsageError, "Bad line 2: need ]"),
        (f"*f\n-A A -s {'x' * 1024}\n", UsageError, "Parameter too long!"),
        (f"*f\n-A A{' -s' * 253}\n", UsageError, "Parser cannot handle more arguments"),
    ],
)
def test_what_is_no_dump(dump: str, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind) as caught:
        convert(dump)
    assert str(caught.value) == told


@given(
    st.lists(st.text('-AjmgX!:[]"\\ <&\t\0\né*#COMIT') | st.sampled_from(DUMP.splitlines())).map("\n".join),
    st.booleans(),
    st.booleans(),
)
def test_any_text(dump: str, combine: bool, verbose: bool) -> None:
    try:
        document = convert(dump, combine=combine, verbose=verbose)
    except (UsageError, Malformed):
        return
    assert document.endswith("</iptables-rules>\n")


# -- the command -------------------------------------------------------------------------------------------------------


def run(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pyipvsadm.cli.iptables_xml", *words],
        input=stdin, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_files_and_standard_input(tmp_path: Path) -> None:
    (tmp_path / "rules").write_text(DUMP)
    for done in (run(str(tmp_path / "rules")), run(stdin=DUMP)):
        assert (done.returncode, done.stdout, done.stderr) == (0, DOCUMENT % APART, "")


def test_what_comes_before_a_mistake_is_printed() -> None:
    done = run(stdin="*f\n:A - [0:0]\n-A A -j DROP\n:\nCOMMIT\n")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (2, "        <DROP  />")
    assert done.stderr.splitlines() == [
        "iptables-xml v1.8.9: iptables-xml: line 4 chain name invalid",
        "Error occurred at line: 4",
        "Try `iptables-xml -h' or 'iptables-xml --help' for more information.",
    ]


def test_unknown_options_are_left_out() -> None:
    done = run("--nosuch", "-xcq", "--combine=3", stdin=DUMP)
    assert (done.returncode, done.stdout) == (0, DOCUMENT % COMBINED)
    assert done.stderr.splitlines() == [
        "iptables-xml: unrecognized option '--nosuch'", "iptables-xml: invalid option -- 'x'",
        "iptables-xml: invalid option -- 'q'", "iptables-xml: option '--combine' doesn't allow an argument",
    ]  # fmt: skip


@pytest.mark.parametrize("words", [("-h",), ("a", "b"), ("/nonexistent",), ("-",), ("/",)])
def test_refusals(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert done.returncode == 1
    assert done.stderr
    assert "Traceback" not in done.stderr
