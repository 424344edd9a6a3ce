#!/usr/bin/env python3
"""Run a command as root in a virtual machine whose kernel has IPVS: Debian's own kernel, under QEMU.

usage: guest.py [--share DIRECTORY] [--timeout SECONDS] COMMAND...

The guest sees this machine's files, the repository among them; what it writes is lost, except in /share, which is
DIRECTORY. It has no network. Boots in 20 s, or 3 s where KVM works. Exits with the command's status, or with 125 and
one line that says why there is no guest. What it needs it installs (as root, with apt-get) or downloads to a cache.
"""

import argparse
import io
import os
import pathlib
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from typing import BinaryIO, NamedTuple

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
INSIDE = pathlib.Path(__file__).resolve().parent / "inside.sh"
PATH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"  # a user's lacks sbin
PACKAGES = {  # program: the package that has it
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "depmod": "kmod",
    "file": "file",
    "ip": "iproute2",
    "ipvsadm": "ipvsadm",
}
META_PACKAGE = "linux-image-amd64"  # depends on the newest kernel; not the cloud flavour, which has no 9p
EXPORT = "local,security_model=none,multidevs=remap"
UNAVAILABLE = 125
DAY = 86400


class UnavailableError(Exception):
    """There can be no guest on this machine; the text is one line."""


class Kernel(NamedTuple):
    """An unpacked kernel package."""

    image: pathlib.Path
    modules: pathlib.Path


def cache() -> pathlib.Path:
    """Return the directory that keeps the kernel between runs."""
    if os.geteuid() == 0:
        return pathlib.Path("/var/cache/pyipvsadm")
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "pyipvsadm"


def prepare() -> Kernel:
    """Install and download what a guest takes; raises UnavailableError."""
    if platform.machine() != "x86_64":
        raise UnavailableError(f"the guest is x86_64, this machine is {platform.machine()}")
    if not pathlib.Path("/proc/self/fd").exists():
        raise UnavailableError("/proc is not mounted")
    install()
    vng()
    return find_kernel() or fetch_kernel()


def install() -> None:
    """Install the programs that are missing."""
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program, path=PATH)]
    if not missing:
        return
    names = " ".join(missing)
    if not shutil.which("apt-get"):
        raise UnavailableError(f"missing, and no apt-get to install them: {names}")
    if os.geteuid():
        raise UnavailableError(f"missing, and not root to install them: {names}")
    command = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *missing]
    if not (apt(command) or (apt(["apt-get", "update", "-qq"]) and apt(command))):
        raise UnavailableError(f"apt-get cannot install {names}")


def apt(command: list[str], cwd: pathlib.Path | None = None) -> bool:
    """Run apt-get; return whether it succeeded, having shown its output if it did not."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "PATH": PATH}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout + done.stderr, end="", file=sys.stderr)
    return not done.returncode


def vng() -> str:
    """Return the path of virtme-ng's command, which boots a kernel on this machine's own files."""
    places = f"{REPOSITORY / '.venv/bin'}:{pathlib.Path(sys.executable).parent}:{PATH}"
    found = shutil.which("vng", path=places)
    if not found:
        raise UnavailableError("virtme-ng is not installed; script/test installs it into .venv")
    return found


def find_kernel() -> Kernel | None:
    """Return the newest kernel in the cache."""
    for modules in sorted(cache().glob("kernel-*/lib/modules/*"), reverse=True):
        image = modules.parents[2] / f"boot/vmlinuz-{modules.name}"
        if image.exists():
            return Kernel(image, modules)
    return None


def fetch_kernel() -> Kernel:
    """Download Debian's newest kernel and unpack it into the cache, without installing it."""
    if not shutil.which("apt-get"):
        raise UnavailableError("no apt-get to download a kernel with")
    package = newest_kernel_package()
    if not package and os.geteuid() == 0:
        apt(["apt-get", "update", "-qq"])
        package = newest_kernel_package()
    if not package:
        raise UnavailableError(f"apt knows no {META_PACKAGE}")
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache()) as folder:
        fresh = pathlib.Path(folder)
        command = ["apt-get", "download", "-qq", package]
        if not apt(command, fresh) and (
            os.geteuid() or not apt(["apt-get", "update", "-qq"]) or not apt(command, fresh)
        ):
            raise UnavailableError(f"apt-get cannot download {package}")
        root = fresh / "root"
        subprocess.run(["dpkg", "-x", *fresh.glob("*.deb"), root], check=True)
        if not (root / "lib").exists():  # from Debian 13 on modules are packed below /usr
            (root / "lib").symlink_to("usr/lib")
        version = package.removeprefix("linux-image-")
        subprocess.run(["depmod", "-b", root, version], env={"PATH": PATH}, check=True)
        (fresh / "root").rename(cache() / f"kernel-{version}")
    found = find_kernel()
    if not found:
        raise UnavailableError(f"{package} has no kernel and modules where they are looked for")
    return found


def newest_kernel_package() -> str:
    """Return the kernel package that Debian's meta package depends on, "" where apt does not know."""
    asked = subprocess.run(["apt-cache", "depends", META_PACKAGE], capture_output=True, text=True, check=False)
    found = re.search(r"Depends: (linux-image-\d\S*-amd64)\b", asked.stdout)
    return found[1] if found else ""


def boot(kernel: Kernel, command: str, share: pathlib.Path, *, kvm: bool, timeout: float, output: BinaryIO) -> int:
    """Boot, run a shell command, copy what it prints to ``output`` as it comes; return its exit status.

    Output and status come through the share: the serial ports that virtme-ng has for them take a udev in the guest.
    Raises UnavailableError when the guest ends without a status.
    """
    printed, status = share / "output", share / "status"
    printed.write_bytes(b"")
    status.unlink(missing_ok=True)
    # Written under another name first, so that a status is there whole or not at all.
    (share / "command").write_text(
        f"({command}) </dev/null >/share/output 2>&1; echo $? >/share/status.new; mv /share/status.new /share/status\n"
    )
    deadline = time.monotonic() + timeout
    with tempfile.TemporaryFile() as console, printed.open("rb") as news:
        guest = start(kernel, share, console, kvm=kvm)
        try:
            while guest.poll() is None and time.monotonic() < deadline:
                time.sleep(0.2)
                shutil.copyfileobj(news, output)
                output.flush()
        finally:
            if guest.poll() is None:
                os.killpg(guest.pid, signal.SIGKILL)
                guest.wait()
        shutil.copyfileobj(news, output)
        output.flush()
        if status.exists():
            return int(status.read_text())
        if time.monotonic() >= deadline:
            raise UnavailableError(f"killed after {timeout:g} s")
        console.seek(0)
        lines = console.read().decode(errors="replace").split("\n")
        raise UnavailableError(f"it did not boot: {' / '.join(line.strip() for line in lines[-5:] if line.strip())}")


def start(kernel: Kernel, share: pathlib.Path, console: BinaryIO, *, kvm: bool) -> subprocess.Popen[bytes]:
    """Start the virtual machine in a process group of its own."""
    options = [
        f"-fsdev {EXPORT},id=hostroot,path=/,readonly=on -device virtio-9p-pci,fsdev=hostroot,mount_tag=hostroot",
        f"-fsdev {EXPORT},id=share,path={share} -device virtio-9p-pci,fsdev=share,mount_tag=share",
    ]
    if not kvm:
        options.append("-cpu qemu64")  # the default asks for features that emulation lacks, and says so
    program = vng()
    command = [
        *(program, "--verbose", "-r", str(kernel.image), "-m", "3G", "--cpus", "2", "--append", "mitigations=off"),
        *([] if kvm else ["--disable-kvm"]),
        *[f"--qemu-opts={option}" for option in options],
        *("--exec", shlex.join(["sh", str(INSIDE), str(kernel.modules), "sh", "/share/command"])),
    ]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=console,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PATH": f"{pathlib.Path(program).parent}:{PATH}"},
        start_new_session=True,
    )


def kvm_works(kernel: Kernel) -> bool:
    """Boot once with KVM to see: there are machines that have /dev/kvm and cannot use it."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    with tempfile.TemporaryDirectory() as folder:
        try:
            return boot(kernel, "true", pathlib.Path(folder), kvm=True, timeout=30, output=io.BytesIO()) == 0
        except UnavailableError:
            return False


def run(command: list[str], share: pathlib.Path, timeout: float, output: BinaryIO) -> int:
    """Run ``command`` in a guest, in the repository; return its exit status.

    ``share`` is a directory that the guest can write to, as /share. Raises UnavailableError.
    """
    kernel = prepare()
    line = f"cd {shlex.quote(str(REPOSITORY))} && exec {shlex.join(command)}"
    return boot(kernel, line, share.resolve(), kvm=kvm_works(kernel), timeout=timeout, output=output)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=pathlib.Path, help="directory that the guest can write to, as /share")
    parser.add_argument("--timeout", type=float, default=DAY, help="seconds until the guest is killed")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the guest goes too
    with tempfile.TemporaryDirectory() as folder:
        try:
            share = arguments.share or pathlib.Path(folder)
            return run(arguments.command or ["true"], share, arguments.timeout, sys.stdout.buffer)
        except UnavailableError as error:
            print(f"no guest: {error}", file=sys.stderr)
            return UNAVAILABLE
        except BrokenPipeError:  # whoever read our output has gone; so has the guest
            return 128 + signal.SIGPIPE


if __name__ == "__main__":
    sys.exit(main())
