"""What a drop-in command must not import on its way, and what it does import."""

from __future__ import annotations

from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src"

# Each costs milliseconds, and a command may take 10 more than Python itself.
HEAVY = {
    *("dataclasses", "inspect", "typing", "enum", "re", "socket", "argparse", "ctypes", "collections", "functools"),
    *("click", "rich", "pyroute2", "pathlib", "json", "subprocess", "contextlib", "asyncio"),
}


def loaded_by(command: str, *argvs: tuple[str, ...]) -> str:
    """Return a program for ``python -S -c`` that runs a command with each argv, then prints a line of all it imported.

    Without site, which imports for other people's .pth files what it likes.
    """
    return f"""
import sys
sys.path.insert(0, {str(SOURCE)!r})
before = set(sys.modules)
from pyipvsadm.cli.{command} import main
for argv in {argvs!r}:
    assert main(list(argv)) == 0, argv
print()
print(*set(sys.modules) - before)
"""
