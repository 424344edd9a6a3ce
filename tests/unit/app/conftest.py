"""What the tests of pyipvsadm run it with."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pyipvsadm.app.main import application

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from support.app import Run


# Before version 8.2, click put both streams into one unless it was told not to.
_APART: Any = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a way to run pyipvsadm in an empty folder: ``run("show", "x.rules", input="")``.

    An exception that gets out of it is a failure, as it would be a traceback.
    """
    monkeypatch.chdir(tmp_path)
    for name in ("PYIPVSADM_SANDBOX", "PYIPVSADM_FORMAT", "COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def run_it(*words: str, stdin: str | bytes = "", env: dict[str, str] | None = None) -> Result:
        done = CliRunner(**_APART).invoke(application, words, input=stdin, env=env)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    return run_it
