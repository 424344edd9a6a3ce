"""The completions of pyipvsadm in the shells themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pyipvsadm import check
from pyipvsadm.app.main import COMMANDS
from support.shells import ROOT, SHELLS, Shell, Zsh

if TYPE_CHECKING:
    from pathlib import Path

DUMP = """-A -t 192.0.2.1:80 -s rr
-a -t 192.0.2.1:80 -r 10.0.0.11:80 -m
-a -t 192.0.2.1:80 -r 10.0.0.12:80 -m
-a -t 192.0.2.1:80 -r 10.0.0.13:80 -m
-a -t 192.0.2.1:80 -r 10.0.0.14:80 -m
-A -u [2001:db8::1]:53 -s rr
-a -u [2001:db8::1]:53 -r [2001:db8::11]:53 -m
-A -f 7 -s rr
-a -f 7 -r 10.0.1.1:0 -g
"""


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Give each shell, with this tree's commands and a sandbox that holds DUMP; script/test installs them."""
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}/src",
        "PYIPVSADM_SANDBOX": str(tmp_path / "table.json"),
        "HOME": str(tmp_path),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
    }
    for name, module in (
        ("pyipvsadm", "app.main"),
        ("ipvsadm-restore", "cli.restore"),
        ("iptables-restore", "cli.iptables_restore"),
    ):
        (tmp_path / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pyipvsadm.{module} "$@"\n')
        (tmp_path / name).chmod(0o755)
    subprocess.run(["ipvsadm-restore"], env=environment, input=DUMP.encode(), check=True)
    subprocess.run(["iptables-restore"], env=environment, input=RULES.encode(), check=True)
    for words in (["10.0.0.13"], ["10.0.0.14", "--no-remove"]):
        subprocess.run(["pyipvsadm", "drain", *words], env=environment, stdout=subprocess.PIPE, check=True)
    (tmp_path / "rules.v4").write_text(RULES)
    monkeypatch.chdir(tmp_path)
    return SHELLS[request.param]("pyipvsadm", environment, tmp_path)


RULES = """*filter
:INPUT ACCEPT [0:0]
:WEB - [0:0]
-A INPUT -p tcp -m tcp --dport 80 -j WEB
-A WEB -m conntrack --ctstate NEW -j REJECT
COMMIT
"""


def test_offers(shell: Shell) -> None:
    lines = {
        "pyipvsadm ": {*COMMANDS},
        "pyipvsadm und": {"undrain"},
        "pyipvsadm show --never": {"--never-hit"},
        "pyipvsadm show --kind ip": {"ipvs", "iptables", "ip6tables"},
        "pyipvsadm drain --on-timeout re": {"remove", "restore"},
        "pyipvsadm drain 10.0.": {"10.0.0.11", "10.0.0.12", "10.0.0.14", "10.0.1.1"},
        "pyipvsadm drain 10.0.0.12:": {"10.0.0.12:80"},
        "pyipvsadm drain 2001:": {"2001:db8::11"},
        "pyipvsadm drain [2001:": {"[2001:db8::11]:53"},
        "pyipvsadm undrain 10.0.0.1": {"10.0.0.13", "10.0.0.14"},
        "pyipvsadm undrain 10.0.0.13:": {"10.0.0.13:80"},
        "pyipvsadm drain 10.0.0.11 --service fw": {"fwmark:7"},
        "pyipvsadm drain 10.0.0.11 --service tcp:": {"tcp:192.0.2.1:80"},
        "pyipvsadm drain 10.0.0.11 --service udp:[2001": {"udp:[2001:db8::1]:53"},
        "pyipvsadm drain 10.0.0.11 --service 192": {"192.0.2.1:80"},
        "pyipvsadm convert --to ": {"dump", "json", "yaml"},
        "pyipvsadm sandbox --mem": {"--memory"},
        "pyipvsadm sandbox ip6": {"ip6tables", "ip6tables-save", "ip6tables-restore"},
        "pyipvsadm doctor --only lo": {"lock"},
        "pyipvsadm check --select T20": {code for code in check.FINDINGS if code.startswith("T20")},
        "pyipvsadm show --kind iptables --chain W": {"WEB"},
        "pyipvsadm show rules.v4 --table ": {"filter"},
        "pyipvsadm show rules.v4 --match ": {"tcp", "conntrack"},
        "pyipvsadm show rules.v4 --target R": {"REJECT"},
        "pyipvsadm show no-such-file --chain ": set(),
    }
    typed = [line.replace("[", "\\[") if isinstance(shell, Zsh) else line for line in lines]  # else a pattern to zsh
    for line, offered, wanted in zip(lines, shell.offers(*typed), lines.values(), strict=True):
        assert offered == wanted, line
