"""Real traffic: a client, a director and real servers, each in a namespace of its own, on one bridge of the director's.

The client has "far" addresses, which the servers reach through the director (for NAT), and "near" ones in the servers'
own network (for direct routing and tunnels). The servers answer whatever they are sent with their names.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import socket
import subprocess
import time
import traceback
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, Self

from support.netns import PATH, Namespace, fresh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

VIP, VIP6 = "192.0.2.1", "2001:db8::1"
FAR = [f"198.51.100.{number}" for number in range(1, 13)]
FAR6 = [f"2001:db8:1::{number}" for number in range(1, 5)]
NEAR, NEAR6 = "10.0.0.101", "fd00::101"
DIRECTOR, DIRECTOR6 = "10.0.0.254", "fd00::254"  # to the servers, their gateway
SERVERS = {name: (f"10.0.0.{number}", f"fd00::{number}") for number, name in enumerate(("s1", "s2", "s3"), 1)}
TCP_PORTS = (80, 8080)
UDP_PORTS = (53, 5060)
PATIENCE = 60  # seconds for what happens within one on a machine that is not emulated

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Held(NamedTuple):
    """An open connection, and who answered."""

    socket: socket.socket
    server: str

    def ask(self) -> str:
        """Ask who is there."""
        self.socket.sendall(b"?")
        return self.socket.recv(64).decode()


class Server:
    """A real server: answers TCP and UDP with its name, in a child process that can be stopped and started."""

    def __init__(self, name: str, namespace: Namespace) -> None:
        self.name = name
        self.namespace = namespace
        self._process = 0

    def start(self) -> None:
        """Serve; returns when it does."""
        ready, report = os.pipe()
        with self.namespace.entered():
            self._process = os.fork()
            if not self._process:
                try:
                    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                    _serve(self.name.encode(), (VIP, VIP6, *SERVERS[self.name]), report)
                except BaseException:  # noqa: BLE001 - a child must never return into pytest
                    traceback.print_exc()
                finally:
                    os._exit(1)
        os.close(report)
        served = os.read(ready, 1)
        os.close(ready)
        assert served, f"{self.name} does not serve"

    def stop(self) -> None:
        """Die: connections are reset, new ones refused."""
        if self._process:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
            self._process = 0


class Network:
    """The namespaces, joined and up; use it in a ``with`` block."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        try:
            self.director = self._stack.enter_context(fresh())
            self.client = self._stack.enter_context(fresh())
            self.servers = {name: Server(name, self._stack.enter_context(fresh())) for name in SERVERS}
            self._join()
            for server in self.servers.values():
                self._stack.callback(server.stop)
                server.start()
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def connect(self, source: str = FAR[0], port: int = 80) -> Held:
        """Connect to the virtual service and ask once."""
        with self.client.entered():
            opened = socket.create_connection((VIP6 if ":" in source else VIP, port), PATIENCE, (source, 0))
        opened.sendall(b"?")
        return Held(opened, opened.recv(64).decode())

    @contextlib.contextmanager
    def held(self, count: int, source: str = FAR[0], port: int = 80) -> Iterator[list[Held]]:
        """Keep connections open for a while."""
        with contextlib.ExitStack() as stack:
            connections = []
            for _ in range(count):
                connections.append(self.connect(source, port))
                stack.enter_context(connections[-1].socket)
            yield connections

    def request(self, source: str = FAR[0], port: int = 80) -> str:
        """Make one short connection; return who answered."""
        connection = self.connect(source, port)
        connection.socket.close()
        return connection.server

    def requests(self, count: int, source: str = FAR[0], port: int = 80) -> Counter[str]:
        """Make short connections one after the other; return how many each server answered."""
        return Counter(self.request(source, port) for _ in range(count))

    def datagrams(self, payloads: Iterable[bytes], source: str = FAR[0], port: int = 53) -> Counter[str]:
        """Send datagrams from one socket, awaiting each answer; return how many each server answered."""
        with self.client.entered():
            sender = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, socket.SOCK_DGRAM)
        answers: Counter[str] = Counter()
        with sender:
            sender.settimeout(PATIENCE)
            sender.bind((source, 0))
            sender.connect((VIP6 if ":" in source else VIP, port))
            for payload in payloads:
                sender.send(payload)
                answers[sender.recv(64).decode()] += 1
        return answers

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """Have the director's counters and rates stand still for a while: else they move every two seconds."""
        with self.director.entered():
            _set("ipv4/vs/run_estimation=0")
        try:
            yield
        finally:
            with self.director.entered():
                _set("ipv4/vs/run_estimation=1")

    def _join(self) -> None:
        """Connect all to the bridge, give addresses and routes."""
        for module in ("ipip", "ip6_tunnel", "sit"):  # their devices tunl0, ip6tnl0 and sit0 are in every namespace
            subprocess.run(["modprobe", "-q", module], env={"PATH": PATH}, check=True)
        director = ["link add br0 type bridge mcast_snooping 0", "link set br0 up"]
        for number, namespace in enumerate((self.client, *(server.namespace for server in self.servers.values()))):
            director += [
                f"link add port{number} type veth peer name eth0 netns {namespace.name}",
                f"link set port{number} master br0 up",
            ]
        director += [f"address add {address}/24 dev br0" for address in (DIRECTOR, "198.51.100.254")]
        director += [f"address add {address}/64 dev br0 nodad" for address in (DIRECTOR6, "2001:db8:1::254")]
        _configure(self.director, [*director, *VIPS])
        _tune(self.director, ["br0"], ["ipv4/ip_forward=1", "ipv6/conf/all/forwarding=1"])

        client = ["link set eth0 up"]
        client += [f"address add {address}/24 dev eth0" for address in (*FAR, NEAR)]
        client += [f"address add {address}/64 dev eth0 nodad" for address in (*FAR6, NEAR6)]
        client += [f"route add {VIP} via {DIRECTOR}", f"route add {VIP6} via {DIRECTOR6}"]
        _configure(self.client, client)
        _tune(self.client, ["eth0"])

        for name, (address, address6) in SERVERS.items():
            server = [
                "link set eth0 up",
                f"address add {address}/24 dev eth0",
                f"address add {address6}/64 dev eth0 nodad",
            ]
            server += [f"route add default via {DIRECTOR}", f"route add ::/0 via {DIRECTOR6}"]
            server += [f"link set {tunnel} up" for tunnel in TUNNELS]
            _tune(self.servers[name].namespace, [], ["ipv4/conf/all/arp_ignore=1", "ipv4/conf/all/arp_announce=2"])
            _configure(self.servers[name].namespace, [*server, *VIPS])
            _tune(self.servers[name].namespace, ["eth0", *TUNNELS])


VIPS = [f"address add {VIP}/32 dev lo", f"address add {VIP6}/128 dev lo nodad"]
TUNNELS = ["tunl0", "ip6tnl0", "sit0"]


def until(look: Callable[[], str], wanted: Callable[[str], bool], patience: float = PATIENCE) -> str:
    """Look until what is seen is wanted, at most ``patience`` seconds; return it."""
    end = time.monotonic() + patience
    while not wanted(seen := look()):
        assert time.monotonic() < end, seen
        time.sleep(0.1)
    return seen


def _configure(namespace: Namespace, commands: list[str]) -> None:
    done = namespace.run(["ip", "-batch", "-"], "\n".join(commands))
    assert done.status == 0, done.stderr


def _tune(namespace: Namespace, devices: list[str], settings: Iterable[str] = ()) -> None:
    """Set sysctls: no reverse path filter and no redirects, as the same device serves both directions."""
    with namespace.entered():
        for device in ("all", *devices):
            for setting in ("rp_filter=0", "send_redirects=0", "accept_redirects=0"):
                _set(f"ipv4/conf/{device}/{setting}")
            _set(f"ipv6/conf/{device}/accept_redirects=0")
        for setting in settings:
            _set(setting)


def _set(setting: str) -> None:
    path, _, value = setting.partition("=")
    with open(f"/proc/sys/net/{path}", "w") as file:
        file.write(value)


def _serve(name: bytes, addresses: Iterable[str], report: int) -> None:
    """Answer for ever; a byte to ``report`` when ready."""
    ready = selectors.DefaultSelector()

    def accept(listener: socket.socket) -> None:
        ready.register(listener.accept()[0], selectors.EVENT_READ, answer)

    def answer(connection: socket.socket) -> None:
        try:
            if connection.recv(64):
                connection.sendall(name)
                return
        except ConnectionError:
            pass
        ready.unregister(connection)
        connection.close()

    def answer_datagram(receiver: socket.socket) -> None:
        with contextlib.suppress(ConnectionError):
            receiver.sendto(name, receiver.recvfrom(2048)[1])

    for port in TCP_PORTS:
        listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
        ready.register(listener, selectors.EVENT_READ, accept)
    for address in addresses:  # each its own, so that an answer comes from where the question went
        for port in UDP_PORTS:
            receiver = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
            receiver.bind((address, port))
            ready.register(receiver, selectors.EVENT_READ, answer_datagram)
    os.write(report, b"!")
    while True:
        for key, _ in ready.select():
            key.data(key.fileobj)
