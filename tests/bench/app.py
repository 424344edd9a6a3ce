"""Time the start of pyipvsadm against Python's own; script/bench runs this.

Exits with 1 where a ratio is over its budget.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.timing import alternate, over, running

PYIPVSADM = Path(sys.executable).parent / "pyipvsadm"


def main() -> int:
    """Measure; return the exit status."""
    rounds = 5 if "--quick" in sys.argv[1:] else 25
    bare = running(sys.executable, "-c", "pass")
    print(f"{'median of whole processes, ms':<52}{'ours':>9}{'other':>9}{'ratio':>8}")
    figures = [alternate("pyipvsadm --help (other: python -c pass)", rounds, running(PYIPVSADM, "--help"), bare, 12.5)]
    return int(over(figures))


if __name__ == "__main__":
    sys.exit(main())
