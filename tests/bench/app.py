"""Time the start of pyipvsadm against Python's own, and diff against a restore; script/bench runs this.

Both read dumps of 50,003 rules: diff two, that differ a little, iptables-restore --test one, into a sandbox's memory.

Exits with 1 where a ratio is over its budget.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.timing import Figure, alternate, over, running, seconds
from bench.xtables import SERVICES, dump

BIN = Path(sys.executable).parent
PYIPVSADM = BIN / "pyipvsadm"


def compare_diff(rounds: int) -> Figure:
    """Measure a diff of large dumps."""
    before = dump(SERVICES)
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "first"), Path(folder, "second")
        first.write_text(before)
        second.write_text(before.replace("ns7/svc7:http", "ns7/svc7:https"))
        return alternate(
            "pyipvsadm diff, 50003 rules (other: restore --test)",
            rounds,
            lambda: seconds([PYIPVSADM, "diff", first, second], status=1),
            running(BIN / "iptables-restore", "--test", "--sandbox", f"{folder}/none", first),
            7.0,
        )


def main() -> int:
    """Measure; return the exit status."""
    rounds = 5 if "--quick" in sys.argv[1:] else 25
    bare = running(sys.executable, "-c", "pass")
    print(f"{'median of whole processes, ms':<52}{'ours':>9}{'other':>9}{'ratio':>8}")
    figures = [alternate("pyipvsadm --help (other: python -c pass)", rounds, running(PYIPVSADM, "--help"), bare, 12.5)]
    figures.append(compare_diff(3 if rounds == 5 else 7))
    return int(over(figures))


if __name__ == "__main__":
    sys.exit(main())
