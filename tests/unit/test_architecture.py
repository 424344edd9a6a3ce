"""Who may import whom, and who may touch the process: read from the syntax tree of every file."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.startup import HEAVY, SOURCE, loaded_by

if TYPE_CHECKING:
    from pathlib import Path

FILES = sorted(SOURCE.rglob("*.py"))

# Layer: its modules (packages with all that is in them, "=" for the package's own file), and the layers it may import.
LAYERS: dict[str, tuple[str, str]] = {
    "base": ("errors record late memo edits abi sandbox kinds", "base"),
    "netlink": ("netlink netns clib", "base netlink"),
    "model": ("ipvs.model ipvs.command", "base model"),
    "wire": ("ipvs.wire ipvs.connections", "base model netlink wire"),
    "rules": ("ipvs.table ipvs.plan ipvs.reasons", "base model rules"),
    "text": (
        "ipvs.syntax ipvs.dump ipvs.options ipvs.values ipvs.usage ipvs.names ipvs.words ipvs.order ipvs.render",
        "base model text",
    ),
    "backend": ("ipvs.backend=", "base model"),
    "backend.base": ("ipvs.backend.base", "base model"),
    "backend.kernel": (
        "ipvs.backend.kernel ipvs.backend.sockopt ipvs.backend.listing",
        "base model rules wire netlink backend.base backend.kernel",
    ),
    "backend.sandbox": ("ipvs.backend.sandbox", "base model rules backend.base"),
    "engine": ("ipvs.engine", "base model rules backend.base"),
    "x.package": ("xtables=", ""),
    "x.model": (
        "xtables.layout xtables.options xtables.kinds xtables.names xtables.model xtables.words",
        "base x.model",
    ),
    "x.command": ("xtables.command", "base x.model"),
    "x.entry": ("xtables.entry xtables.blob", "base x.model x.entry"),
    "x.table": ("xtables.table xtables.reasons", "base x.model x.entry"),
    "x.plugins": ("xtables.plugins xtables.libxtables", "base netlink x.model x.entry x.plugins"),
    "x.registry": ("xtables.registry", "base x.model x.plugins"),
    "x.asking": ("xtables.ipset xtables.extensions.pins", "base netlink x.model"),
    "x.extensions": ("xtables.extensions", "base x.model x.asking x.extensions"),
    "x.text": (
        "xtables.syntax xtables.dump xtables.usage xtables.render xtables.parts xtables.build xtables.ruleset "
        "xtables.plan xtables.xml",
        "base x.package x.model x.command x.entry x.registry x.text x.backend.base",
    ),
    "x.lock": ("xtables.lock", "base"),
    "x.backend": ("xtables.backend=", "base x.model"),
    "x.backend.base": ("xtables.backend.base", "base x.model"),
    "x.backend.legacy": (
        "xtables.backend.legacy xtables.backend.sockopt xtables.backend.rewrite",
        "base netlink x.model x.entry x.table x.backend.base x.backend.legacy",
    ),
    "x.checks": ("xtables.checks", "base x.model x.entry x.registry x.table"),
    "x.backend.sandbox": ("xtables.backend.sandbox", "base x.model x.entry x.table x.checks x.backend.base"),
    "x.engine": (
        "xtables.engine xtables.listing xtables.restore xtables.update",
        "base x.package x.model x.command x.entry x.registry x.text x.backend.base x.engine",
    ),
    "check": (
        "check",
        "base model rules text check "
        "x.package x.model x.command x.entry x.registry x.text x.checks x.engine x.backend.sandbox",
    ),
    "ui": ("ui", "base model text api x.api library doctor check ui x.model x.command x.text x.backend.base"),
    "api": (
        "= ipvs= ipvs.api",
        "api x.api check base model rules text engine backend.base backend.kernel backend.sandbox",
    ),
    "x.api": (
        "iptables",
        "base netlink x.model x.command x.entry x.text x.lock x.engine x.backend.base x.backend.legacy "
        "x.backend.sandbox",
    ),
    "doctor": ("doctor", "api base netlink text x.model x.entry x.lock x.backend.legacy doctor"),
    "cli": (
        "cli",
        "api x.api base model text engine backend.base backend.kernel backend.sandbox ui cli "
        "x.package x.model x.command x.entry x.text x.lock x.engine x.backend.base x.backend.legacy "
        "x.backend.sandbox",
    ),
    "documents": ("documents", "api x.api base model rules text library check ui documents"),
    "isolation": ("isolation", "base netlink"),
    "library": ("filters rates drain snapshot diff apply", "api x.api base library"),
    "app": ("app", "api x.api base library documents doctor check isolation ui app"),
}

# What the application may import of this package, besides itself and ui: the Python API, of which nothing is inside of
# something else.
PUBLIC = {
    "=", "errors", "record", "kinds", "ipvs=", "iptables", "doctor=", "check=", "documents=", "isolation",
    *LAYERS["library"][0].split(),
}  # fmt: skip

MEMBERS = {member: layer for layer, (members, _) in LAYERS.items() for member in members.split()}

# Third parties, and the only layer that may name them.
THIRD_PARTY = {"rich": "ui", "click": "app", "pyroute2": "doctor", "iptc": "x.plugins", "yaml": "documents"}
PROCESS = {
    "sys": {"argv", "stdin", "stdout", "stderr", "exit"},
    "os": {"environ", "environb", "getenv", "_exit", "isatty"},
}
# The lock keeps out nobody unless its file is the one that the commands take, which a variable names.
# So it is with plugins, and a child that read options for one must not return to what its parent was doing.
MAY_TOUCH = {"iptables": {("os", "environ")}, "xtables.plugins": {("os", "environ"), ("os", "_exit")}}


def module_name(file: Path) -> str:
    """Return a file's module below pyipvsadm, with "=" at the end of a package's own."""
    parts = file.relative_to(SOURCE / "pyipvsadm").with_suffix("").parts
    return ".".join(parts[:-1]) + "=" if parts[-1] == "__init__" else ".".join(parts)


def layer_of(name: str) -> str:
    """Return the layer of a module, by the longest member that it is or is in; "" for none."""
    places = [name, *(name.rstrip("=").rsplit(".", dots)[0] for dots in range(name.count(".") + 1))]
    return next((MEMBERS[place] for place in places if place in MEMBERS), "")


def imports(file: Path) -> list[tuple[int, str]]:
    """Return line and full name of all that is imported anywhere in a file."""
    found = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the layer"
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def imported_module(name: str) -> str | None:
    """Return the module of ours that an imported name is or is in; None for what is not ours."""
    package, _, rest = name.partition(".")
    if package != "pyipvsadm":
        return None
    while rest:
        file = SOURCE / "pyipvsadm" / rest.replace(".", "/")
        if file.with_suffix(".py").exists():
            return rest
        if file.is_dir():
            return f"{rest}="
        rest = rest.rpartition(".")[0]
    return "="


@pytest.mark.parametrize("file", FILES, ids=module_name)
def test_imports_point_down(file: Path) -> None:
    layer = layer_of(module_name(file))
    assert layer, "no layer: add it to LAYERS"
    allowed = LAYERS[layer][1].split()
    wrong = [
        f"line {line}: {layer} may not import {target} ({layer_of(target)})"
        for line, name in imports(file)
        if (target := imported_module(name)) and layer_of(target) not in allowed
    ]
    assert not wrong


def private_doors(file: Path) -> list[str]:
    """Return what a file of the application imports that is not public."""
    return [
        f"line {line}: {name} is not public"
        for line, name in imports(file)
        if (target := imported_module(name)) and target not in PUBLIC and layer_of(target) not in {"ui", "app"}
    ]


@pytest.mark.parametrize("file", [file for file in FILES if layer_of(module_name(file)) == "app"], ids=module_name)
def test_the_application_uses_the_public_interface(file: Path) -> None:
    assert private_doors(file) == []


@pytest.mark.parametrize(
    "line",
    [
        "from pyipvsadm.ipvs.model import ServiceKey",
        "from pyipvsadm.ipvs import model",
        "import pyipvsadm.xtables.render",
        "from pyipvsadm.iptables import Rule; from pyipvsadm.xtables.parts import Parts",
        "from pyipvsadm import netns",
        "def late():\n    from pyipvsadm.cli import console",
    ],
)
def test_a_private_door_is_found(line: str, tmp_path: Path) -> None:
    (tmp_path / "file.py").write_text(line)
    assert len(private_doors(tmp_path / "file.py")) == 1


@pytest.mark.parametrize("file", FILES, ids=module_name)
def test_third_parties_have_one_home(file: Path) -> None:
    layer = layer_of(module_name(file))
    packages = {name.partition(".")[0] for _, name in imports(file)} - {"pyipvsadm", *sys.stdlib_module_names}
    assert {package for package in packages if THIRD_PARTY.get(package) != layer} == set()


@pytest.mark.parametrize(
    "file", [file for file in FILES if layer_of(module_name(file)) not in {"cli", "app"}], ids=module_name
)
def test_only_the_commands_touch_the_process(file: Path) -> None:
    nodes = list(ast.walk(ast.parse(file.read_text())))
    touched = [
        f"line {node.lineno}: {node.value.id}.{node.attr}"
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if node.attr in PROCESS.get(node.value.id, ())
        if (node.value.id, node.attr) not in MAY_TOUCH.get(module_name(file), ())
    ]
    touched += [
        f"line {node.lineno}: {node.func.id}()"
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"print", "input", "exit"}
    ]
    assert not touched


@pytest.mark.parametrize(
    "command", ["ipvsadm", "save", "restore", "iptables", "iptables_save", "iptables_restore", "iptables_xml", "multi"]
)
def test_commands_import_nothing_heavy(command: str) -> None:
    argvs: dict[str, list[tuple[str, ...]]] = {
        "ipvsadm": [("--help",)],
        "iptables": [("-p", "tcp", "-m", "conntrack", "-j", "REJECT", "--help")],
        "iptables_save": [("--version",)],
        "iptables_restore": [("--version",)],
        "iptables_xml": [("/dev/null",)],
        "multi": [("iptables-restore", "--version"), ("save6", "--version"), ("xml", "/dev/null")],
    }
    program = loaded_by(command, *argvs.get(command, []))
    loaded = subprocess.check_output([sys.executable, "-S", "-c", program], text=True).splitlines()[-1].split()
    assert f"pyipvsadm.cli.{command}" in loaded
    assert HEAVY.intersection(loaded) == set()
