"""Settings of all tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

# Shared and emulated machines are slow: a deadline would test them, not the code.
hypothesis.settings.register_profile(
    "pyipvsadm", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("pyipvsadm")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note skips in the file that SKIPPED names, for script/test; make them failures in CI."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        if (path := os.environ.get("SKIPPED")) and isinstance(report.longrepr, tuple):
            with open(path, "a") as notes:
                notes.write(f"{report.nodeid.partition('::')[0]}: {report.longrepr[2].removeprefix('Skipped: ')}\n")
        if os.environ.get("CI") == "true":  # what is not run there is not run anywhere
            report.outcome = "failed"
    return report
