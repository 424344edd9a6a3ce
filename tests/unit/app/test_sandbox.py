"""sandbox, in memory: what is in it, how it ends, and that nothing is left of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pyipvsadm import ipvs
from support.boxes import alive, parent, until
from support.schema import validated
from support.tmux import PROMPT, Terminal

PYIPVSADM = Path(sys.executable).with_name("pyipvsadm")
DUMP = """-A -t 192.0.2.1:80 -s wlc
-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1
"""
RULES = """*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
[5:6] -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Give an environment whose folder for temporary files is empty."""
    (tmp_path / "tmp").mkdir()
    (tmp_path / "web.rules").write_text(DUMP)
    (tmp_path / "rules.v4").write_text(RULES)
    return {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path / "tmp"), "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}


def run(environment: dict[str, str], *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a sandbox; nothing may be left of it."""
    done = subprocess.run(
        [PYIPVSADM, "sandbox", *words],
        env=environment, cwd=environment["HOME"], input=stdin, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert os.listdir(environment["TMPDIR"]) == []
    return done


def test_our_commands_are_first_and_work_in_memory(environment: dict[str, str]) -> None:
    script = """
        ipvsadm -A -t 192.0.2.1:80 && ipvsadm -Sn && iptables -A INPUT -j DROP && iptables -S INPUT &&
        ip6tables -N WEB && ip6tables-save && pyipvsadm show --json | grep -c 192.0.2.1; command -v ipvsadm
    """
    done = run(environment, "--memory", "--", "sh", "-c", script)
    assert done.stderr == "pyipvsadm: sandbox in memory\n"
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[:3] == ["-A -t 192.0.2.1:80 -s wlc", "-P INPUT ACCEPT", "-A INPUT -j DROP"]
    assert lines[-2:] == ["1", str(PYIPVSADM.with_name("ipvsadm"))]


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -9 $$"], 137),
        (["ipvsadm", "-D", "-t", "192.0.2.9:80"], 255),
        (["no-such-command"], 127),
        (["./web.rules"], 127),  # not executable: not found, as by env(1)
        (["./broken"], 126),
    ],
)
def test_the_exit_status_is_the_commands(
    environment: dict[str, str], tmp_path: Path, command: list[str], status: int
) -> None:
    (tmp_path / "broken").write_text("#!/no/such/interpreter\n")
    (tmp_path / "broken").chmod(0o755)
    done = run(environment, "--memory", *command)
    assert done.returncode == status
    assert "Traceback" not in done.stderr


def test_what_it_begins_with_and_what_has_changed(environment: dict[str, str], tmp_path: Path) -> None:
    done = run(
        environment, "--memory", "--from", "web.rules", "--diff", "--",
        "sh", "-c", "ipvsadm --set 60 0 0; iptables -P INPUT DROP; ip6tables -L >&2",
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout == (
        "--- ipvs at the beginning\n+++ ipvs at the end\n"
        "~ timeouts: tcp 900 -> 60\n"
        "--- iptables at the beginning\n+++ iptables at the end\n"
        "~ filter INPUT: policy ACCEPT -> DROP\n"
    )
    assert (tmp_path / "web.rules").read_text() == DUMP


def test_what_has_changed_is_what_diff_says(environment: dict[str, str]) -> None:
    """The state before and after, kept outside, differ as the sandbox says that they do."""
    script = """
        pyipvsadm convert live --to yaml >before
        ipvsadm -e -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 5 -x 9; ipvsadm -A -f 7 -s rr
        pyipvsadm convert live --to yaml >after
    """
    done = run(environment, "--memory", "--from", "web.rules", "--diff", "--", "sh", "-c", script)
    lines = done.stdout.splitlines()
    assert lines[2:] == [
        "+ fwmark:7 rr",
        "  tcp:192.0.2.1:80",
        "~   10.0.0.1:80: weight 1 -> 5, upper threshold 0 -> 9",
    ]
    told = subprocess.run(
        [PYIPVSADM, "diff", "before", "after"], cwd=environment["HOME"], capture_output=True, text=True, check=False
    )
    assert told.stdout.splitlines()[2:] == lines[2:]


def test_the_document_alone_is_on_standard_output(environment: dict[str, str]) -> None:
    script = "ipvsadm -Sn; iptables -A INPUT -j DROP; ipvsadm -D -t 192.0.2.1:80; exit 3"
    for more in ([], ["--diff"]):
        done = run(environment, "--memory", "--from", "web.rules", "--json", *more, "--", "sh", "-c", script)
        assert (done.returncode, done.stderr) == (3, f"pyipvsadm: sandbox in memory\n{DUMP}")
        document = validated(done.stdout, "diff")
        assert (document["kind"], document["place"], document["status"]) == ("sandbox", "memory", 3)
        services, rules, rules6 = document["differences"]
        assert [part["of"] for part in document["differences"]] == ["ipvs", "iptables", "ip6tables"]
        [service] = services["services"]
        assert (service["outcome"], service["before"]["scheduler"]) == ("removed", "wlc")
        [chain] = rules["chains"]
        assert [rule["rule"]["text"] for rule in chain["rules"]] == ["-j DROP"]
        assert (rules6["same"], rules6["chains"]) == (True, [])


def test_a_command_that_cannot_be_started_changes_nothing(environment: dict[str, str]) -> None:
    done = run(environment, "--memory", "--json", "no-such-command")
    document = validated(done.stdout, "diff")
    assert (done.returncode, document["status"]) == (127, 127)
    assert all(part["same"] for part in document["differences"])


def test_what_the_command_has_spoiled_is_not_the_same(environment: dict[str, str]) -> None:
    words = ["--memory", "--from", "web.rules", "--diff", "--", "sh", "-c", "echo spoiled >$PYIPVSADM_SANDBOX"]
    done = run(environment, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "not a sandbox file" in done.stderr


def test_timeouts_are_there_and_daemons_are_not(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "more").write_text(f"{DUMP}--set 0 60 0\n--start-daemon master --mcast-interface eth0\n")
    done = run(
        environment, "--memory", "--from", "more", "--diff", "--",
        "sh", "-c", "ipvsadm -L --timeout; ipvsadm -L --daemon; ipvsadm --set 0 120 0",
    )  # fmt: skip
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            "Timeout (tcp tcpfin udp): 900 60 300",
            "--- ipvs at the beginning",
            "+++ ipvs at the end",
            "~ timeouts: tcp_fin 60 -> 120",
        ],
    )


def test_counters_are_there_and_are_no_difference(environment: dict[str, str]) -> None:
    done = run(
        environment, "--memory", "--from", "rules.v4", "--diff", "--", "sh", "-c", "iptables-save -c; iptables -Z"
    )
    assert [line for line in done.stdout.splitlines() if not line.startswith("#")] == RULES.splitlines()


def test_a_document_and_a_sandbox_to_begin_with(environment: dict[str, str], tmp_path: Path) -> None:
    with ipvs.sandbox(tmp_path / "box") as table:
        table.apply(*ipvs.parse([*DUMP.splitlines(), "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1 -x 9"]))
    document = subprocess.check_output([PYIPVSADM, "convert", "box", "--to", "yaml"], cwd=tmp_path)
    (tmp_path / "web.yaml").write_bytes(document)
    for words in (["--from", "web.yaml"], ["--from", "box"], ["--sandbox", "box", "--from", "live"]):
        done = run(environment, "--memory", *words, "--", "pyipvsadm", "convert", "live", "--to", "yaml")
        assert (done.returncode, done.stdout) == (0, document.decode()), done.stderr
    assert run(environment, "--memory", "--from", "box", "--", "ipvsadm", "-C").returncode == 0
    with ipvs.sandbox(tmp_path / "box") as table:
        assert len(table.services()) == 1


def test_a_sandbox_of_the_caller_is_not_the_one_that_is_worked_on(environment: dict[str, str], tmp_path: Path) -> None:
    with ipvs.sandbox(tmp_path / "box") as table:
        table.apply(*ipvs.parse(DUMP.splitlines()))
    done = run({**environment, "PYIPVSADM_SANDBOX": str(tmp_path / "box")}, "--memory", "--", "ipvsadm", "-Sn")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--from", "nothing", "true"], "nothing: no such file"),
        (["--from", "-"], "--from -: standard input is the shell's"),
        (["--from", "bad", "true"], "bad:1: "),
        (["--netns", "blue", "true"], "--netns says where what is live lives: it goes with --from live"),
        (["--from", "foreign", "true"], "foreign: [0:0] -A INPUT -m nobody [unknown"),
    ],
)
def test_trouble_before_it_begins(environment: dict[str, str], tmp_path: Path, words: list[str], message: str) -> None:
    (tmp_path / "bad").write_text("-A -t\n")
    (tmp_path / "foreign").write_text(
        "version: 1\nkind: iptables\nfamily: 4\ntable: filter\nchains: [{name: INPUT, policy: DROP, rules: [\n"
        "{matches: [{name: nobody, revision: 0, data: AAAAAAAAAAA=}]}]}]\n"
    )
    done = run(environment, "--memory", *words)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"pyipvsadm: {message}")
    assert done.stdout == ""


def test_no_word_reaches_a_shell(environment: dict[str, str], tmp_path: Path) -> None:
    done = run(environment, "--memory", "--", "printf", "%s\\n", "$(touch x)", "; touch y", "--diff")
    assert done.stdout == "$(touch x)\n; touch y\n--diff\n"
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "y").exists()


# -- ends --------------------------------------------------------------------------------------------------------------


def begin(environment: dict[str, str], tmp_path: Path, *words: str) -> tuple[subprocess.Popen[str], dict[str, int]]:
    """Start a sandbox in which a command and a daemon run; return it and the numbers of the processes."""
    script = "setsid sh -c 'echo $$ >daemon; exec sleep 1000' & echo $$ >command; wait; sleep 1000"
    process = subprocess.Popen(
        [PYIPVSADM, "sandbox", *words, "--", "sh", "-c", script],
        env=environment, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    numbers = {"guard": process.pid}
    for name in ("command", "daemon"):
        file = tmp_path / name
        until(lambda file=file: file.exists() and file.read_text().strip(), name)  # type: ignore[misc]
        numbers[name] = int(file.read_text())
    numbers["worker"] = parent(numbers["command"])
    assert parent(numbers["worker"]) == process.pid
    return process, numbers


@pytest.mark.parametrize(
    ("whom", "number", "status"),
    [
        ("guard", signal.SIGTERM, 143),
        ("guard", signal.SIGHUP, 129),
        ("guard", signal.SIGKILL, -9),
        ("worker", signal.SIGTERM, 143),
        ("worker", signal.SIGKILL, 137),
        ("command", signal.SIGTERM, 143),
        ("command", signal.SIGKILL, 137),
    ],
)
def test_nothing_is_left_behind(
    environment: dict[str, str], tmp_path: Path, whom: str, number: signal.Signals, status: int
) -> None:
    process, numbers = begin(environment, tmp_path, "--memory", "--diff")
    with process:
        os.kill(numbers[whom], number)
        assert process.wait(60) == status
        for name, one in numbers.items():
            until(lambda one=one: not alive(one), name)  # type: ignore[misc]
        until(lambda: not os.listdir(environment["TMPDIR"]), "the folder")
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_an_interruption_is_for_the_command(environment: dict[str, str], tmp_path: Path) -> None:
    process, numbers = begin(environment, tmp_path, "--memory")
    with process:
        os.killpg(process.pid, signal.SIGINT)  # as the terminal does
        assert process.wait(60) == 130
        until(lambda: not alive(numbers["daemon"]), "the daemon")
        assert os.listdir(environment["TMPDIR"]) == []


# -- shells ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "dash"])
def test_shells_on_a_terminal(environment: dict[str, str], tmp_path: Path, shell: str) -> None:
    found = shutil.which(shell)
    if not found:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / ".zshrc").write_text("PS1='zsh> '\n")  # without one, zsh asks questions
    (tmp_path / ".bashrc").write_text("PS1='bash> '; PATH=/usr/bin:/bin\n")
    own = {"SHELL": found, "XDG_RUNTIME_DIR": str(tmp_path)}  # where fish keeps what else would be beside the sandbox
    with Terminal(env={**environment, **own}) as terminal:
        terminal.type(f"{PYIPVSADM} sandbox --memory")
        terminal.wait(lambda screen: "(sandbox)" in screen.splitlines()[-1] or "\n(sandbox)" in screen)
        terminal.type("ipvsadm -A -t 192.0.2.1:80 -s rr; ipvsadm -Sn; command -v iptables")
        terminal.wait(lambda screen: "\n-A -t 192.0.2.1:80 -s rr" in screen)
        terminal.wait(lambda screen: f"\n{PYIPVSADM.with_name('iptables')}" in screen)
        terminal.type("sh -c 'echo be\"\"gun; exec sleep 1000'")
        terminal.wait(lambda screen: "\nbegun" in screen)
        terminal.press("C-c")
        terminal.wait(lambda screen: screen.rstrip().splitlines()[-1].startswith("(sandbox)"))
        terminal.type("exit 5")
        terminal.wait(lambda screen: screen.rstrip().endswith(PROMPT.rstrip()))
        terminal.type("echo status $?")
        terminal.wait(lambda screen: "\nstatus 5" in screen)
        assert os.listdir(environment["TMPDIR"]) == []
