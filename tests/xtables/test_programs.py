"""Real programs that call iptables print the same and end with the same tables by our commands as by the C tools.

A story is a folder of tests/xtables/programs: its file "story" names the packages that it needs, and has lines of shell
that are run one after the other, in the place of ours and of the C tools. What else is in the folder they find in
$FILES. What each printed, its status and the tables after it are compared.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from support import programs

if TYPE_CHECKING:
    from collections.abc import Sequence

STORIES = Path(__file__).parent / "programs"


class Turn(NamedTuple):
    """What a line of a story left."""

    line: str
    status: int
    stdout: list[str]
    stderr: list[str]
    tables: dict[str, list[str]]


def tell(lines: Sequence[str], needed: Sequence[Path], files: Path, folder: Path, *, ours: bool) -> list[Turn]:
    """Run the lines of a story on a machine of its own."""
    turns = []
    with programs.machine(folder, needed, ours=ours) as machine:
        for line in lines:
            done = machine.run(line, files)
            stdout, stderr = (programs.without_changing(text) for text in (done.stdout, done.stderr))
            turns.append(Turn(line, done.status, stdout, stderr, machine.tables()))
    return turns


@pytest.mark.parametrize("name", sorted(folder.name for folder in STORIES.iterdir()))
def test_a_program_does_not_notice(name: str, tmp_path: Path) -> None:
    story = (STORIES / name / "story").read_text().splitlines()
    names = [word for line in story if line.startswith("packages:") for word in line.split()[1:]]
    lines = [line[2:] for line in story if line.startswith("$ ")]
    try:
        needed = programs.packages(names)
        with ThreadPoolExecutor(2) as pool:
            tellings = [
                pool.submit(tell, lines, needed, STORIES / name, tmp_path / folder, ours=folder == "ours")
                for folder in ("ours", "theirs")
            ]
        ours, theirs = (telling.result() for telling in tellings)
    except programs.UnavailableError as error:
        pytest.skip(str(error))
    for mine, expected in zip(ours, theirs, strict=True):
        assert mine == expected
    assert len({str(turn.tables) for turn in theirs}) > len(lines) / 4, "a story in which little happens proves little"
