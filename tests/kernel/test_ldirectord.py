"""Debian's ldirectord, which runs ipvsadm and reads its listings, ends up with the same tables by our command."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from support.netns import PATH
from support.startup import SOURCE
from support.traffic import DIRECTOR, SERVERS, VIP, VIP6, Network, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLOW = 180  # seconds: it runs dozens of commands, one after the other
S1, S2 = SERVERS["s1"], SERVERS["s2"]
CONFIGURATION = f"""\
checktimeout=10
negotiatetimeout=10
checkinterval=1
autoreload=no
logfile="{{folder}}/log"
virtual={VIP}:80
	real={S1[0]}:80 masq 3
	real={S2[0]}:80 masq 2
	fallback={DIRECTOR}:80 gate
	scheduler=wrr
	persistent=60
	netmask=255.255.255.0
	protocol=tcp
	checktype=connect
	quiescent=no
virtual6=[{VIP6}]:80
	real6=[{S1[1]}]:80 gate 1
	real6=[{S2[1]}]:80 gate 5
	scheduler=wlc
	protocol=tcp
	service=simpletcp
	request="who"
	receive="s[12]"
	checktype=negotiate
	quiescent=yes
"""
# ldirectord looks for ipvsadm in fixed places and writes below /run: both are its own here, in a mount namespace.
START = """\
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
if [ "$1" ]; then mount --bind "$1" /usr/sbin/ipvsadm; fi
exec ldirectord -d "$2" start
"""
OURS = """\
#!/bin/sh
echo "$@" >>{folder}/calls
exec {python} -S -m pyipvsadm.cli.ipvsadm "$@"
"""


@contextlib.contextmanager
def running(network: Network, folder: Path, command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run ldirectord on the director with ``command`` for its ipvsadm ("": the peer)."""
    configuration = folder / "ldirectord.cf"
    configuration.write_text(CONFIGURATION.format(folder=folder))
    environment = {"PATH": PATH, "PYTHONPATH": str(SOURCE)}
    with network.director.entered(), (folder / "output").open("wb") as output:
        daemon = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", START, "sh", command, str(configuration)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield daemon
    finally:
        daemon.kill()
        daemon.wait()
        print((folder / "output").read_text())  # noqa: T201 - for who reads of a failure


def story(network: Network, folder: Path, command: str) -> list[str]:
    """Return the tables after each turn: started, a server died, it came back, stopped."""
    dead = network.servers["s2"]

    def table() -> str:
        assert daemon.poll() is None, "ldirectord is gone"
        return network.director.peer("-S", "-n").stdout

    def settled(*lines: str) -> str:
        return until(table, lambda text: all((line[1:] in text) == (line[0] == "+") for line in lines), SLOW)

    with running(network, folder, command) as daemon:
        first, second = f"-r {S2[0]}:80 -m -w 2", f"-r [{S2[1]}]:80 -g -w "
        servers = (first, f"{second}5", f"-r {S1[0]}:80 -m -w 3", f"-r [{S1[1]}]:80 -g -w 1")
        alive = [*(f"+{line}" for line in servers), f"-{DIRECTOR}"]
        tables = [settled(*alive)]
        dead.stop()
        tables.append(settled(f"-{first}", f"+{second}0"))
        dead.start()
        tables.append(settled(*alive))
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(SLOW)
        tables.append(network.director.peer("-S", "-n").stdout)
    return tables


def test_ldirectord_ends_where_it_ends_with_the_peer(tmp_path: Path) -> None:
    with Network() as network:
        command = tmp_path / "ipvsadm"
        command.write_text(OURS.format(python=sys.executable, folder=tmp_path))
        command.chmod(0o755)
        ours = story(network, tmp_path, str(command))
        calls = (tmp_path / "calls").read_text()
        assert network.director.peer("-C").status == 0
        theirs = story(network, tmp_path, "")
    assert ours == theirs
    assert len(set(theirs)) == 3  # started, one dead, none
    assert calls == (tmp_path / "calls").read_text()  # the second time it was the peer
    for option in ("-A", "-a", "-e", "-d", "-D", "-L"):
        assert f"{option} " in calls
