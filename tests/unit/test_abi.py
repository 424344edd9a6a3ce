"""The constants in pyipvsadm.abi are what this machine's kernel headers say."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

SCRIPT = Path(__file__).resolve().parents[2] / "script/abi"


def load_script() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("abi_script", str(SCRIPT))
    spec = importlib.util.spec_from_loader("abi_script", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # no cache file in script/
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes
    return module


MODULES: dict[str, tuple[str, str]] = load_script().MODULES


def constants(module: object) -> dict[str, object]:
    return {name: value for name, value in vars(module).items() if name.isupper() and name != "TYPE_CHECKING"}


@pytest.mark.parametrize("name", MODULES)
def test_constants_are_those_of_the_headers(name: str) -> None:
    header, wanted = MODULES[name]
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    if not Path("/usr/include", header).exists():
        pytest.skip(f"linux-libc-dev is not installed: no {header}")
    there: dict[str, object] = {}
    exec(load_script().module(header, wanted), there)  # noqa: S102 - the text is this repository's script's
    ours = constants(importlib.import_module(f"pyipvsadm.abi.{name}"))
    assert ours
    # Newer headers may have more constants, but a constant never changes.
    assert ours == {constant: there.get(constant) for constant in ours}


def test_every_module_is_made_by_the_script() -> None:
    files = {file.stem for file in (SCRIPT.parent.parent / "src/pyipvsadm/abi").glob("*.py")}
    assert files == {"__init__", *MODULES}
