"""Programs that call iptables, run as if they were installed, with the C tools or with ours.

A machine is a network, a mount and a pid namespace. In it, unpacked packages lie over this machine's own folders, and
the commands are whose they are wanted to be, by name and by absolute path. What it writes goes away with it, and so do
its processes.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from support import netns
from vm import guest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BIN = Path(__file__).resolve().parents[2] / "bin"
FAMILIES = ("iptables", "ip6tables")

# Layers over folders of this machine: what the packages hold, and on top, in memory, what is written. The rest of /var
# is as it is, but for the log: the packages themselves are in /var/cache.
START = """\
set -e
layers=$1 commands=$2 hidden=$3
shift 3
# What is mounted stays here. In a chroot / may be no mount: entering this namespace anew, nsenter has the one that is.
mount --make-rprivate / 2>/dev/null || nsenter --mount=/proc/self/ns/mnt mount --make-rprivate /
mount -t tmpfs tmpfs "$layers"
for folder in etc usr var/lib; do
    mkdir -p "$layers/$folder/upper" "$layers/$folder/work"
    lower=/$folder
    for package in "$@"; do
        [ ! -d "$package/$folder" ] || lower=$package/$folder:$lower
    done
    mount -t overlay -o "lowerdir=$lower,upperdir=$layers/$folder/upper,workdir=$layers/$folder/work" overlay "/$folder"
done
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
mount -t sysfs -o ro sysfs /sys
[ ! -d /lib/modules ] || mount -t tmpfs -o ro tmpfs /lib/modules # the kernel stays as it is
for path in $hidden; do rm -f "/usr/sbin/$path"; done
mkdir /run/commands
mount --bind "$commands" /run/commands
ln -sf /run/commands/* /usr/sbin
echo ready
exec sleep infinity
"""
OURS_HIDES = "xtables-legacy-multi xtables-nft-multi"  # so that nothing but ours can have done it
THEIRS_HIDES = "xtables-nft-multi"
CHANGING = (
    (r"\[\d+:\d+\]", "[0:0]"),
    (r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d(?: UTC)? \d{4}", "DATE"),
    (r"\b(sha-[lr]h)-[0-9a-f]{20}\b", r"\1"),  # Shorewall's of what it has compiled
)


class UnavailableError(Exception):
    """The programs cannot be had or run on this machine; the text is one line."""


class Machine(NamedTuple):
    """Where programs run."""

    namespace: netns.Namespace
    init: int  # the process that keeps its mounts and processes

    def run(self, line: str, files: Path) -> netns.Result:
        """Run a line of shell; ``files`` is what $FILES stands for in it."""
        environment = {
            "PATH": f"/run/commands:{netns.PATH}",
            "FILES": str(files),
            "HOME": "/run",
            "TMPDIR": "/run",
            "LC_ALL": "C.UTF-8",
            "PYTHONWARNINGS": "ignore",
        }
        enter = ["nsenter", "--target", str(self.init), "--mount", "--pid", "--root"]
        return self.namespace.run([*enter, "sh", "-c", f"cd /\n{line}"], env=environment)  # the old folder is elsewhere

    def tables(self) -> dict[str, list[str]]:
        """Return the tables of each family as the C tool saves them, without counters."""
        return {tool: without_changing(self.namespace.run([f"{tool}-legacy-save"]).stdout) for tool in FAMILIES}


def without_changing(text: str) -> list[str]:
    """Return the lines of a text without what is another each time: counters, dates, sums that a date went into."""
    for changing, shown in CHANGING:
        text = re.sub(changing, shown, text)
    return text.splitlines()


def packages(names: Sequence[str]) -> list[Path]:
    """Return where packages are unpacked; downloads what is not there yet. Raises UnavailableError."""
    return [_package(name) for name in names]


def _package(name: str) -> Path:
    place = guest.cache() / f"package-{name}"
    if place.exists():
        return place
    if not shutil.which("apt-get"):
        raise UnavailableError(f"no apt-get to download {name} with")
    guest.cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=guest.cache()) as folder:
        fresh = Path(folder)
        command = ["apt-get", "download", "-qq", name]
        if not guest.apt(command, fresh) and not (
            guest.apt(["apt-get", "update", "-qq"]) and guest.apt(command, fresh)
        ):
            raise UnavailableError(f"apt-get cannot download {name}")
        root = fresh / "root"
        subprocess.run(["dpkg", "-x", *fresh.glob("*.deb"), root], check=True)
        for old in ("bin", "sbin", "lib"):  # links on this machine, and no folders
            if (root / old).is_dir():
                subprocess.run(["cp", "-a", root / old, root / "usr"], check=True)
        if (root / "usr/lib/python3").exists():  # as the package does, or each machine would compile it anew
            subprocess.run(["/usr/bin/python3", "-m", "compileall", "-qq", root / "usr/lib/python3"], check=False)
        root.rename(place)
    return place


def commands(folder: Path, *, ours: bool) -> Path:
    """Fill a folder with our commands, or with the C tools by their plain names."""
    folder.mkdir()
    for tool in FAMILIES:
        for rest in ("", "-save", "-restore"):
            if not ours:
                (folder / f"{tool}{rest}").symlink_to("/usr/sbin/xtables-legacy-multi")
                continue
            for name in (f"{tool}{rest}", f"{tool}-legacy{rest}"):  # with the interpreter that an installation writes
                (folder / name).write_text((BIN / name).read_text().replace("#!python", f"#!{sys.executable}", 1))
                (folder / name).chmod(0o755)
    return folder


@contextlib.contextmanager
def machine(folder: Path, needed: Sequence[Path], *, ours: bool) -> Iterator[Machine]:
    """Make a machine on which packages are installed, and the commands ours or the C tools. Raises UnavailableError."""
    layers = folder / "layers"
    layers.mkdir(parents=True)
    tools = commands(folder / "commands", ours=ours)
    hidden = OURS_HIDES if ours else THEIRS_HIDES
    with netns.fresh() as namespace:
        with namespace.entered():
            init = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "unchanged", "--pid", "--fork", "--kill-child",
                 "sh", "-c", START, "sh", layers, tools, hidden, *needed],
                env={"PATH": netns.PATH}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True,
            )  # fmt: skip
        try:
            assert init.stdout
            assert init.stderr
            if init.stdout.readline() != "ready\n":
                raise UnavailableError(f"no mounts of its own: {init.stderr.read().strip()}")
            child = Path(f"/proc/{init.pid}/task/{init.pid}/children").read_text()
            yield Machine(namespace, int(child))
        finally:
            init.kill()
            init.communicate()
