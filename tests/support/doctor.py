"""What tests of doctor do: look at a namespace, and run the very commands that a finding prints."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyipvsadm import doctor
from support import nobody

if TYPE_CHECKING:
    from pyipvsadm.doctor import Finding
    from support.netns import Namespace

ROOT = Path(__file__).resolve().parents[2]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def look(namespace: Namespace, code: str, **others: Any) -> list[Finding]:
    """Return the findings of a check in a namespace."""
    return doctor.examine(namespace.name, only=[code], **others)


def fault(namespace: Namespace, code: str, **others: Any) -> Finding:
    """Return the one thing that a check finds wrong in a namespace."""
    [finding] = look(namespace, code, **others)
    assert finding.status not in ("ok", "could-not-tell"), finding
    assert finding.reason
    return finding


def is_well(namespace: Namespace, code: str, **others: Any) -> bool:
    """Whether a check finds nothing wrong in a namespace."""
    return [finding.status for finding in look(namespace, code, **others)] == ["ok"]


def run(finding: Finding, lock: Path | None = None) -> None:
    """Type the commands of a finding into a shell, whose /root is its own, until one fails, which it may not."""
    script = "\n".join(["set -e", "mount -t tmpfs none /root", *finding.mend])
    environment = {"PATH": PATH, **({"XTABLES_LOCKFILE": str(lock)} if lock else {})}
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (finding.mend, done.stderr)


def sysctl(namespace: Namespace, **settings: int) -> None:
    """Set sysctls of a namespace, "__" for a dot."""
    for name, value in settings.items():
        done = namespace.run(["sysctl", "-qw", f"{name.replace('__', '.')}={value}"])
        assert done == (0, "", ""), done


def as_nobody(program: str) -> str:
    """Return what a Python program prints that is run without rights."""
    done = nobody.run(".venv/bin/python", "-c", program)
    assert not done.returncode, done.stderr
    return done.stdout
