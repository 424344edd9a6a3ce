"""What commands that scripts run by the hundred import when they really do their work."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from support.startup import HEAVY, loaded_by

if TYPE_CHECKING:
    from support.netns import Namespace

CHANGES = (
    ("-A", "-t", "192.0.2.1:80", "-s", "rr"),
    ("-a", "-t", "192.0.2.1:80", "-r", "192.0.2.2:80", "-m"),
    ("-e", "-t", "192.0.2.1:80", "-r", "192.0.2.2:80", "-m", "-w", "0"),
    ("-L", "-n"),
    ("-S", "-n"),
)


@pytest.mark.parametrize(("command", "argvs"), [("ipvsadm", CHANGES), ("save", (("-n",),)), ("restore", ((),))])
def test_commands_import_nothing_heavy(netns: Namespace, command: str, argvs: tuple[tuple[str, ...], ...]) -> None:
    result = netns.run([sys.executable, "-S", "-c", loaded_by(command, *argvs)], stdin="-A -f 1\n")
    assert (result.status, result.stderr) == (0, "")
    loaded = result.stdout.splitlines()[-1].split()
    assert "pyipvsadm.ipvs.backend.kernel" in loaded
    assert HEAVY.intersection(loaded) == set()
