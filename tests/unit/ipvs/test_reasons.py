"""The texts of refusals are the peer's, for every errno and operation (tests/golden/ipvs/refusals.txt)."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyipvsadm.errors import KernelError
from pyipvsadm.ipvs import command
from pyipvsadm.ipvs.reasons import refusal

GOLDEN = Path(__file__).parents[2] / "golden" / "ipvs" / "refusals.txt"
CASES = [line.split("\t") for line in GOLDEN.read_text().splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("operation", sorted({operation for operation, _, _ in CASES}))
def test_every_errno_has_the_text_of_the_peer(operation: str) -> None:
    expected = {int(number): text for of, number, text in CASES if of == operation}
    assert {number: refusal(operation, number).reason for number in expected} == expected


def test_the_golden_file_has_every_operation_that_changes_a_table() -> None:
    operations = {change.operation for change in command.Change.__subclasses__()}
    assert {operation for operation, _, _ in CASES} == operations


def test_a_refusal_carries_the_facts() -> None:
    error = refusal("add server", 3, "no such thing")
    assert isinstance(error, KernelError)
    assert (error.operation, error.errno, error.reason, error.extack) == (
        "add server",
        3,
        "Service not defined",
        "no such thing",
    )
    assert str(error) == "Service not defined (no such thing)"


def test_a_lookup_has_the_common_texts() -> None:
    assert str(refusal("list service", 3)) == "No such service"
