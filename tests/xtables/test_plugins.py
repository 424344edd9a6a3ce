"""Plugins of libxtables, beside the C tool, which has them too: Debian's xtables-addons-common, and all of its own."""

from __future__ import annotations

import faulthandler
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import xtables

if TYPE_CHECKING:
    from support.netns import Result
    from xtables.conftest import Pair

# Not to be imported here: it keeps what the environment was then, for the commands that are forks of this process too.
pytestmark = pytest.mark.skipif(not importlib.util.find_spec("iptc"), reason="python-iptables is not installed")
DIRECTORY = Path("/usr/lib/x86_64-linux-gnu/xtables")


@pytest.fixture
def addons() -> str:
    """Give XTABLES_LIBDIR with the plugins of xtables-addons-common in it, whose modules the kernel has not."""
    root = os.environ.get("XTABLES_ADDONS")
    if not root:
        pytest.skip("XTABLES_ADDONS names no unpacked package xtables-addons-common")
    [first] = Path(root).glob("usr/lib/*/xtables")
    return f"{first}:{DIRECTORY}"


class Both:
    """Runs command lines by both tools, with plugins from a directory."""

    def __init__(self, pair: Pair, directory: str) -> None:
        self.pair = pair
        self.environment = {"XTABLES_LIBDIR": directory}

    def theirs(self, tool: str, *words: str, stdin: str = "") -> Result:
        name, dash, rest = tool.partition("-")
        environment = {**self.environment, **self.pair.environment("theirs")}
        return self.pair.theirs.run([f"{name}-legacy{dash}{rest}", *words], stdin, environment)

    def mine(self, tool: str, *words: str, stdin: str = "") -> Result:
        environment = {**self.environment, **self.pair.environment("mine")}
        return self.pair.mine.ours(*words, tool=tool, stdin=stdin, env=environment)


# -- what the kernel does not have -------------------------------------------------------------------------------------

COMMANDS = (
    ("-A", "INPUT", "-m", "geoip", "--src-cc", "DE"),
    ("-A", "INPUT", "-m", "condition", "--condition", "foo"),
    ("-A", "INPUT", "-m", "quota2", "!", "--name", "x"),
    ("-A", "INPUT", "-m", "lscan", "--stealth"),
    ("-A", "INPUT", "-m", "lscan", "--stealth", "--synscan", "-j", "DROP"),
    ("-A", "INPUT", "-m", "lscan", "--no-such-option"),
    ("-A", "INPUT", "-m", "length2", "--length", "3"),  # a library without a match in it
    ("-A", "INPUT", "-p", "tcp", "-j", "TARPIT", "--honeypot"),
    ("-A", "INPUT", "-p", "tcp", "-j", "TARPIT", "--honeypot", "--reset"),
    ("-v", "-A", "INPUT", "-j", "ECHO"),
    ("-C", "INPUT", "-j", "ECHO"),
    ("-D", "INPUT", "-j", "ECHO"),
    ("-I", "INPUT", "-j", "ECHO"),
    ("-A", "INPUT", "-j", "CHAOS", "--tarpit", "--delude"),
    ("-v", "-A", "INPUT", "-j", "LOGMARK", "--log-level", "3", "--log-prefix", "a b"),
    ("-A", "INPUT", "-j", "LOGMARK", "--log-level", "nine"),
    ("-A", "INPUT", "-j", "LOGMARK", "!", "--log-level", "3"),
    ("-A", "INPUT", "-j", "LOGMARK", "--log-prefix"),
    ("-t", "mangle", "-A", "INPUT", "-j", "IPMARK", "--addr", "src"),
    ("-N", "ECHO"),  # is a target's name
    ("-N", "IPMARK"),  # is not, as its revision is not there
    ("-A", "INPUT", "-j", "IPMARK"),
    ("-A", "INPUT", "-j", "NAT"),  # a library without a target of its name
    ("-A", "INPUT", "-j", "standard"),
    ("-S",),
)


@pytest.mark.parametrize("tool", ["iptables", "ip6tables"])
def test_refusals_are_the_peer_s(pair: Pair, addons: str, tool: str) -> None:
    both = Both(pair, addons)
    for words in COMMANDS:
        theirs, mine = both.theirs(tool, *words), both.mine(tool, *words)
        if words[-1] == "standard":  # libxtables knows without asking that the kernel has it, under no name
            mine = mine._replace(stderr="".join(mine.stderr.splitlines(keepends=True)[1:]))
        assert mine == theirs, words


def test_dumps_with_plugins_are_refused_alike(pair: Pair, addons: str) -> None:
    both = Both(pair, addons)
    for line in ("-A INPUT -m condition --condition x", "-A INPUT -j CHAOS --tarpit --delude", "-A INPUT -j ECHO"):
        dump = f"*filter\n{line}\nCOMMIT\n"
        theirs = both.theirs("iptables-restore", stdin=dump)
        mine = both.mine("iptables-restore", stdin=dump)
        assert mine.status == theirs.status, line
        assert set(theirs.stderr.splitlines()) <= set(mine.stderr.splitlines()), line


# -- what a sandbox takes ----------------------------------------------------------------------------------------------

RULES = (  # as plugins print them, with the spaces that they put there
    '-A INPUT -m condition ! --condition "foo"  -j LOGMARK --log-level 3  --log-prefix "a b" ',
    "-A INPUT -m quota2 --grow  --name x  --quota 100  -j DROP",
    "-A INPUT -p tcp -m lscan --stealth  --synscan  -j TARPIT --honeypot ",
    "-A FORWARD -m ipp2p --edk  --bit  -j CHAOS --tarpit ",
    "-A FORWARD -m psd --psd-weight-threshold 21 --psd-delay-threshold 300 --psd-lo-ports-weight 3 "
    "--psd-hi-ports-weight 1  -j ECHO",
)


@pytest.fixture
def boxed(pair: Pair, addons: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Both:
    """Give commands that work in a sandbox."""
    both = Both(pair, addons)
    both.environment["PYIPVSADM_SANDBOX"] = str(tmp_path / "sandbox.json")
    monkeypatch.setenv("PYIPVSADM_SANDBOX", both.environment["PYIPVSADM_SANDBOX"])
    return both


def test_rules_are_typed_saved_and_restored(boxed: Both) -> None:
    dump = "\n".join(["*filter", *RULES, "COMMIT", ""])
    assert boxed.mine("iptables-restore", stdin=dump) == (0, "", "")
    assert [line for line in boxed.mine("iptables", "-S").stdout.split("\n") if line[:2] == "-A"] == list(RULES)
    saved = boxed.mine("iptables-save").stdout
    assert [line for line in saved.split("\n") if line[:2] == "-A"] == list(RULES)
    assert boxed.mine("iptables-restore", stdin=saved) == (0, "", "")
    assert boxed.mine("iptables-save").stdout.split("\n")[1:-2] == saved.split("\n")[1:-2]


def test_rules_are_found_and_deleted(boxed: Both) -> None:
    add = ("-m", "condition", "!", "--condition", "foo", "-j", "ECHO")
    other = ("-m", "condition", "--condition", "foo", "-j", "ECHO")
    assert boxed.mine("iptables", "-A", "INPUT", *add).status == 0
    assert boxed.mine("iptables", "-C", "INPUT", *add).status == 0
    assert boxed.mine("iptables", "-C", "INPUT", *other).status == 1
    assert boxed.mine("iptables", "-D", "INPUT", *add).status == 0
    assert boxed.mine("iptables", "-C", "INPUT", *add).status == 1


def test_rules_are_listed(boxed: Both) -> None:
    boxed.mine("iptables", "-A", "INPUT", "-m", "lscan", "--stealth", "-j", "TARPIT", "-p", "tcp")
    assert boxed.mine("iptables", "-nL", "INPUT").stdout.split("\n")[2] == (
        "TARPIT     6    --  0.0.0.0/0            0.0.0.0/0            -m lscan --stealth  -j TARPIT --tarpit "
    )
    document = json.loads(boxed.mine("iptables", "-S", "INPUT", "--format", "json").stdout)
    [rule] = document["chains"][0]["rules"]
    assert [(match["name"], match["revision"], match["data"]) for match in rule["matches"]] == [("lscan", 0, None)]
    assert rule["matches"][0]["options"] == [{"name": "stealth", "inverted": False, "values": []}]
    assert rule["target"] == {
        "name": "TARPIT",
        "revision": 0,
        "options": [{"name": "tarpit", "inverted": False, "values": []}],
        "data": None,
    }
    assert "TARPIT" in boxed.mine("iptables", "--format", "table", "-nL", "INPUT").stdout


def test_help_is_the_plugin_s(boxed: Both) -> None:
    shown = boxed.mine("iptables", "-m", "condition", "-h").stdout
    assert "Match on boolean value stored in procfs file" in shown


def test_errors_are_the_plugin_s(boxed: Both) -> None:
    for words, message in (
        (("-m", "condition"), "Condition match: must specify --condition\n"),
        (("-m", "geoip", "--src-cc", "ZZ"), "geoip"),
        (("-j", "LOGMARK", "--log-level", "nine"), "nine"),
        (("-m", "condition", "--condition", "x", "--condition", "y"), "condition"),
    ):
        refused = boxed.mine("iptables", "-A", "INPUT", *words)
        assert refused.status in (1, 2), words
        assert message in refused.stderr, words
        assert "\x1f" not in refused.stderr


# -- what is not as it should be ---------------------------------------------------------------------------------------


def test_without_python_iptables_the_error_names_it(pair: Pair, addons: str) -> None:
    def block() -> None:
        sys.modules["iptc"] = None  # type: ignore[assignment]  # which is how to have no such module

    environment = {"XTABLES_LIBDIR": addons, **pair.environment("mine")}
    for words in (("-m", "condition", "--condition", "x"), ("-j", "ECHO")):
        refused = pair.mine.ours("-A", "INPUT", *words, tool="iptables", env=environment, prepare=block)
        assert refused.status == 2
        assert f"libxt_{words[1]}.so: needs python-iptables: pip install 'pyipvsadm[libxtables]'" in refused.stderr
    made = pair.mine.ours("-N", "ECHO", tool="iptables", env=environment, prepare=block)
    assert made.status == 0
    assert pair.mine.ours("-A", "INPUT", "-j", "ECHO", tool="iptables", env=environment, prepare=block).status == 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("*(volatile int *)0 = 0;", "it crashed with signal 11"),
        ("exit(1);", "it ended with 1"),
        ('fprintf(stderr, "not for you\\n"); exit(3);', "not for you"),
    ],
)
def test_a_plugin_that_crashes_is_an_error(pair: Pair, tmp_path: Path, body: str, message: str) -> None:
    code = (
        f"#include <stdio.h>\n#include <stdlib.h>\n__attribute__((constructor)) static void load(void) {{ {body} }}\n"
    )
    library = tmp_path / "libxt_bad.so"
    subprocess.run(["gcc", "-xc", "-", "-shared", "-fPIC", "-o", library], input=code, text=True, check=True)
    environment = {"XTABLES_LIBDIR": str(tmp_path), **pair.environment("mine")}
    words = ("-A", "INPUT", "-m", "bad")
    refused = pair.mine.ours(*words, tool="iptables", env=environment, prepare=faulthandler.disable)
    assert refused.status == 2
    assert f"Couldn't load match `bad':{library}: {message}" in refused.stderr


def test_a_file_that_is_no_library_is_no_plugin(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "libxt_bad.so").write_text("not a library\n")
    both = Both(pair, str(tmp_path))
    refused = both.mine("iptables", "-A", "INPUT", "-m", "bad")
    assert refused.status == both.theirs("iptables", "-A", "INPUT", "-m", "bad").status == 2
    assert "Couldn't load match `bad'" in refused.stderr


# -- what we declare ourselves, by the C tool's plugins ----------------------------------------------------------------

DECLARED = (
    *("matches/" + name for name in ["comment", "eui64", "limit", "rateest", "set", "tcp"]),
    *("targets/" + name for name in ["dnat", "log", "tcpmss"]),
)


@pytest.mark.parametrize("family", ["4", "6"])
def test_plugins_make_the_bytes_and_texts_of_the_peer(family: str) -> None:
    files = [str(xtables.CASES / f"{name}.txt") for name in DECLARED]
    compared = subprocess.run(
        [sys.executable, xtables.__file__, "--plugins", family, *files], capture_output=True, text=True, check=False
    )
    assert compared.stdout.endswith(" cases, 0 differ\n"), compared.stdout
    assert compared.returncode == 0


def test_python_iptables_has_the_layouts_of_the_header(tmp_path: Path) -> None:
    program = """
import ctypes
from pyipvsadm.xtables.libxtables import Library
for kind, struct in Library().structs.items():
    print(kind, ctypes.sizeof(struct), *[
        f"{name}={getattr(struct, name).offset}"
        for name in [field[0] for field in struct._fields_] if name != "xt_xlate"
    ])
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    source = "#include <stdio.h>\n#include <xtables.h>\nint main(void) {\n"
    for line in found.splitlines():
        kind, _, *fields = line.split()
        struct = f"struct xtables_{kind}"
        source += f'printf("{kind} %zu", sizeof({struct}));\n'
        for field in fields:
            name = field.partition("=")[0]
            source += f'printf(" {name}=%zu", __builtin_offsetof({struct}, {name}));\n'
        source += 'puts("");\n'
    program_file = tmp_path / "layouts"
    subprocess.run(["gcc", "-xc", "-", "-o", program_file], input=f"{source}}}\n", text=True, check=True)
    assert subprocess.check_output([program_file], text=True) == found
