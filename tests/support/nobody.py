"""Commands run by somebody who has no rights, wherever the tree lies: its own place may be closed to others."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from support.netns import PATH

TREE = Path(__file__).resolve().parents[2]
NOBODY = "65534"

_RUN = """
mount --bind "$1" "$2"
cd "$2"
shift 2
exec setpriv --reuid "$NOBODY" --regid "$NOBODY" --clear-groups "$@"
"""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the tree, whose words name what is in it relative to it, in a mount namespace of its own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        return subprocess.run(
            ["unshare", "-m", "sh", "-e", "-c", _RUN, "sh", str(TREE), folder, *words],
            env={"PATH": PATH, "NOBODY": NOBODY, "PYTHONPATH": f"{folder}/src"},
            capture_output=True,
            text=True,
            check=False,
        )
