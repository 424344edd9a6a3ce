"""Random sequences of ipvsadm commands: most are valid and meet each other, the rest is wrong in every way we know.

A command is drawn as options with values, some of which are then bent, and spelt in one of the ways that popt(3) takes.
The same seed gives the same sequence.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

# The names that sequences use, for /etc/hosts.
HOSTS = """\
127.0.0.1 localhost
::1 localhost ip6-localhost
10.0.0.1 vip.example vip
10.0.0.3 a.virtual.server.with.a.name.far.too.long.for.its.column.example
10.0.1.1 web1.example
10.0.1.3 abcdefghijklmnopqrstuvwxyz
2001:db8::1 six.example
2001:db8:1::1 another.name.that.is.too.long.for.the.column.of.addresses.example
"""

# The interface that sequences find in their namespace beside lo.
INTERFACE = "dummy0"


class Command(NamedTuple):
    """One invocation of ipvsadm, or of its ``tool`` ipvsadm-save or ipvsadm-restore."""

    args: tuple[str, ...]
    stdin: str = ""
    tool: str = "ipvsadm"

    def __str__(self) -> str:
        words = [word if word.isprintable() and word.strip() == word != "" else repr(word) for word in self.args]
        return " ".join([self.tool, *words]) + (f" <<< {self.stdin!r}" if self.stdin else "")


# An option by its long name, and its value if it has one; what stands for a virtual service on a command line.
Option = tuple[str, str | None]
Service = tuple[Option, ...]

# -- words -------------------------------------------------------------------------------------------------------------

SHORT = {
    "add-service": "A",
    "edit-service": "E",
    "delete-service": "D",
    "clear": "C",
    "restore": "R",
    "save": "S",
    "add-server": "a",
    "edit-server": "e",
    "delete-server": "d",
    "list": "L",
    "zero": "Z",
    "tcp-service": "t",
    "udp-service": "u",
    "fwmark-service": "f",
    "ipv6": "6",
    "scheduler": "s",
    "persistent": "p",
    "netmask": "M",
    "real-server": "r",
    "gatewaying": "g",
    "ipip": "i",
    "masquerading": "m",
    "weight": "w",
    "u-threshold": "x",
    "l-threshold": "y",
    "numeric": "n",
    "connection": "c",
    "ops": "o",
    "sched-flags": "b",
}
VERBS = (
    *("add-service", "edit-service", "delete-service", "clear", "restore", "save", "add-server", "edit-server"),
    *("delete-server", "list", "zero", "set", "start-daemon", "stop-daemon", "help", "version"),
)
LISTING = (
    *("numeric", "connection", "timeout", "daemon", "stats", "rate", "exact", "thresholds", "persistent-conn"),
    *("nosort", "sort", "tun-info"),
)
FLAGS = (*LISTING, "ipv6", "gatewaying", "ipip", "masquerading", "ops", "tun-nocsum", "tun-csum", "tun-remcsum")

NUMBERS = (
    *("0", "1", "2", "255", "256", "65507", "65508", "65535", "65536", "2147483647", "2147483648", "4294967295"),
    *("4294967296", "9223372036854775807", "18446744073709551616", "9" * 30, "0" * 30 + "7", "-1", "-0", "+5", " 5"),
    *("5 ", "", "\t7", "0x10", "010", "1e3", "1.5", "5x", "x", "٣", "--5", "2678400", "2678401"),
)
JUNK = (
    *("", "-", "--", "junk", "-q", "--nosuch", "--num", "--numeric=1", "-n=", "-=", "=", "--=x", "- n", "-tt", "-nn"),
    *(
        "a" * 300,
        "--" + "b" * 300,
        "\udcff",
        "a\udcc3",
        "-\udcc3\udca9",
        "é",
        "%s%n",
        "ipvsadm",
        "-Ln",
        "--add-service",
    ),
    *("-?", "--usage", "-V", "-h", "-v", "--help", "-6", "10.0.0.1", "0", "\x01", "a b", "\n"),
)
ADDRESSES = (
    *("10.0.0.1:65535", "10.0.0.1:65536", "10.0.0.1:-1", "10.0.0.1:", "10.0.0.1: 80", "10.0.0.1:+80", "10.0.0.1:080"),
    *(":80", ":", "", "80", "10.0.0.256:80", "10.0.1:80", "0x0a000001:80", "010.0.0.1:80", "10.0.0.1.:80", "0:80"),
    *("10.0.0.1:http", "10.0.0.1:domain", "10.0.0.1:nosuch", "10.0.0.1:80:80", "10.0.0.1:80 ", " 10.0.0.1:80"),
    *("10.0.0.1 x:80", "nosuch.example:80", "vip:http", "vip.example", "localhost:http", "ip6-localhost:80", "six:80"),
    *("[2001:db8::1]", "[2001:db8::1]:", "[2001:db8::1]:http", "[2001:db8::1]80", "2001:db8::1", "2001:db8::1:80"),
    *(
        "[2001:db8::1",
        "[10.0.0.1]:80",
        "[vip]:80",
        "[]:80",
        "[[2001:db8::1]]:80",
        "::1",
        "::",
        "[::]:80",
        "[fe80::1]:80",
    ),
    *("[fe80::1%lo]:80", "::ffff:10.0.0.1", "[::ffff:10.0.0.1]:80", "2001:DB8::1", "255.255.255.255:80", "0.0.0.0:80"),
    *("224.0.0.1:80", "127.0.0.1:80", "[ff02::1]:80", "1" * 300, "a" * 300 + ":80", "\udcff:80", "10.0.0.1:\udcff"),
    *(
        "10.0.0.1:" + "9" * 40,
        "10.0.0.1:http-alt",
        "10.0.0.1:HTTP",
        "VIP.EXAMPLE:80",
        "10.0.0.1\t:80",
        "[2001:db8::1]:80]",
    ),
)
VALUES = {
    **dict.fromkeys(("tcp-service", "udp-service", "sctp-service", "real-server"), ADDRESSES),
    **dict.fromkeys(("fwmark-service", "persistent", "weight", "u-threshold", "l-threshold", "syncid"), NUMBERS),
    **dict.fromkeys(("mcast-port", "mcast-ttl", "sync-maxlen", "tun-port"), NUMBERS),
    "scheduler": ("", "nosuch", "RR", "rr ", "a" * 15, "b" * 16, "c" * 300, "rr,wrr", "\udcff", "../rr", "none", "-"),
    "netmask": (
        *("255.255.255.0", "255.255.255.255", "0.0.0.0", "255.0.255.0", "24", "64", "0", "128", "129", "1", "-1", ""),
        *("+9", " 9", "9x", "x", "ffff::", "nosuch", "localhost", "255.255.255", "0xffffff00", "65536", "9" * 30),
    ),
    "pe": ("", "sip", "nosuch", "s" * 15, "s" * 16, "s" * 17, "s" * 300, "\udcff"),
    "sched-flags": (
        *("", ",", ",,", "sh-port,", ",sh-port", "flag-1,flag-1", "flag-4", "flag-1,flag-2,flag-3", "mh-port,sh-port"),
        *("SH-PORT", " flag-1", "flag-1 flag-2", "sh-port,,sh-fallback", "x" * 300, "0", "flag-", "\udcff"),
    ),
    "mcast-interface": ("", "nosuch0", "eth0", "lo", "i" * 15, "i" * 16, "i" * 300, "\udcff", "dummy0 "),
    "mcast-group": (
        *("224.0.0.1", "239.255.255.255", "223.255.255.255", "240.0.0.1", "10.0.0.1", "", "x", "224.1", "0xe0.0.0.1"),
        *(
            "ff02::1",
            "ff05:0:0::51",
            "FF02::2",
            "2001:db8::1",
            "::",
            ":",
            "[ff02::1]",
            "ff02::1%lo",
            "localhost",
            "9" * 30,
        ),
    ),
    "tun-type": ("", "ipip", "gue", "gre", "GUE", "gu", "geneve", "0"),
    **dict.fromkeys(("start-daemon", "stop-daemon"), ("", "master", "backup", "Master", "both", "m", "-")),
}
SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos")
SERVICES: tuple[Service, ...] = (
    (("tcp-service", "10.0.0.1:80"),),
    (("tcp-service", "10.0.0.1:443"),),
    (("tcp-service", "vip.example:http"),),
    (("tcp-service", "10.0.0.3:ssh"),),
    (("tcp-service", "10.0.0.2:0"),),
    (("udp-service", "10.0.0.1:53"),),
    (("udp-service", "10.0.0.1:domain"),),
    (("sctp-service", "10.0.0.2:5060"),),
    (("tcp-service", "[2001:db8::1]:80"),),
    (("udp-service", "[2001:db8::1]:0"),),
    (("sctp-service", "[2001:db8::2]:38412"),),
    (("fwmark-service", "1"),),
    (("fwmark-service", "2147483647"),),  # the peer saves higher ones as negative numbers
    (("fwmark-service", "1"), ("ipv6", None)),
)
SERVERS = {
    4: ("10.0.1.1", "10.0.1.1:80", "web1.example:http", "10.0.1.2:8080", "10.0.1.3", "127.0.0.1:80", "localhost"),
    6: ("2001:db8:1::1", "[2001:db8:1::1]:80", "[2001:db8:1::2]:8080", "::1"),
}


class Generator:
    """Draws commands, and remembers what they should have made so that later ones meet it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.services: dict[Service, list[str]] = {}

    def sequence(self, length: int) -> list[Command]:
        """Return commands, of which the first make something to work on."""
        start = [self._add_service() for _ in range(3)] + [self._add_server() for _ in range(3)]
        return [Command(tuple(self._spell(options))) for options in start] + [
            self._command() for _ in range(length - len(start))
        ]

    def _command(self) -> Command:
        kind = self.random.random()
        if kind < 0.06:
            return self._restore()
        if kind < 0.08:
            return Command(self.random.choice((("-n",), (), ("-n", "x"))), tool="ipvsadm-save")
        return Command(tuple(self._words()))

    def _words(self) -> list[str]:
        """Return the words of one command: valid, bent before it is spelt, or broken afterwards."""
        valid = self._one_of({
            self._add_service: 5, self._edit_service: 4, self._delete_service: 1, self._add_server: 8,
            self._edit_server: 5, self._delete_server: 2, self._list: 10, self._clear: 0.4, self._zero: 1,
            self._set: 1.5, self._start_daemon: 2, self._stop_daemon: 1, self._save: 1.5, self._unrelated: 0.5,
        })()  # fmt: skip
        kind = self.random.random()
        if kind < 0.70:
            return self._spell(valid)
        if kind < 0.93:
            return self._spell(self._bent(valid))
        return self._broken(self._spell(valid))

    def _one_of(self, weights: dict[Callable[[], list[Option]], float]) -> Callable[[], list[Option]]:
        return self.random.choices(list(weights), list(weights.values()))[0]

    # -- valid commands ------------------------------------------------------------------------------------------------

    def _service(self, known: float) -> Service:
        """Draw a virtual service, one that is there with a probability of ``known``."""
        if self.services and self.random.random() < known:
            return self.random.choice(list(self.services))
        return self.random.choice(SERVICES)

    def _add_service(self) -> list[Option]:
        service = self._service(0.1)
        self.services.setdefault(service, [])
        return [("add-service", None), *service, *self._service_settings(service)]

    def _edit_service(self) -> list[Option]:
        service = self._service(0.9)
        return [("edit-service", None), *service, *self._service_settings(service)]

    def _service_settings(self, service: Service) -> list[Option]:
        options: list[Option] = []
        scheduler = self.random.choice(SCHEDULERS)
        if self._likely(0.8):
            options.append(("scheduler", scheduler))
            flags = ["flag-1", "flag-2", "flag-3"]
            if scheduler in ("sh", "mh"):
                flags += [f"{scheduler}-port", f"{scheduler}-fallback"] * 2
            if self._likely(0.5 if scheduler in ("sh", "mh") else 0.1):
                options.append(("sched-flags", ",".join(self.random.sample(flags, self.random.randint(1, 3)))))
        if (service[0][1] or "").endswith(":0") or self._likely(0.4):
            options.append(("persistent", self.random.choice((None, "60", "1", "2678400", "300"))))
            if self._likely(0.4):
                six = "[" in (service[0][1] or "") or len(service) > 1
                options.append(("netmask", self.random.choice(("64", "128", "1") if six else VALUES["netmask"][:4])))
            if self._likely(0.2):
                options.append(("pe", "sip"))
        if service[0][0] in ("udp-service", "fwmark-service") and self._likely(0.2):
            options.append(("ops", None))
        return options

    def _delete_service(self) -> list[Option]:
        service = self._service(0.8)
        self.services.pop(service, None)
        return [("delete-service", None), *service]

    def _add_server(self) -> list[Option]:
        service = self._service(0.9)
        family = 6 if "[" in (service[0][1] or "") or len(service) > 1 else 4
        across = self._likely(0.15)
        server = self.random.choice(SERVERS[10 - family if across else family])
        self.services.setdefault(service, []).append(server)
        settings = self._server_settings(across=across)
        return [("add-server", None), *service, ("real-server", server), *settings]

    def _server(self) -> tuple[Service, str]:
        """Draw a real server, most often one that is there."""
        service = self._service(0.9)
        there = self.services.get(service)
        if there and self._likely(0.85):
            return service, self.random.choice(there)
        return service, self.random.choice(SERVERS[self.random.choice((4, 6))])

    def _edit_server(self) -> list[Option]:
        service, server = self._server()
        across = ("." in server or server == "localhost") == ("[" in (service[0][1] or "") or len(service) > 1)
        return [("edit-server", None), *service, ("real-server", server), *self._server_settings(across=across)]

    def _server_settings(self, *, across: bool) -> list[Option]:
        options: list[Option] = []
        forward = "ipip" if across else self.random.choice(("masquerading", "ipip", "gatewaying", ""))
        if forward:
            options.append((forward, None))
        if self._likely(0.5):
            options.append(("weight", self.random.choice(("0", "1", "2", "100", "65535", "65536", "2147483647"))))
        limits = ("0", "1", "100", "99999999", "2147483647")
        options += [(name, self.random.choice(limits)) for name in ("u-threshold", "l-threshold") if self._likely(0.2)]
        if forward == "ipip" and self._likely(0.6):
            kind = self.random.choice(("ipip", "gue", "gre"))
            options.append(("tun-type", kind))
            if kind == "gue":
                options.append(("tun-port", self.random.choice(("1", "6080", "65535"))))
            if kind != "ipip" and self._likely(0.5):
                checksums = ("tun-csum", "tun-nocsum", "tun-remcsum")
                options.append((self.random.choice(checksums[: 3 if kind == "gue" else 2]), None))
        return options

    def _delete_server(self) -> list[Option]:
        service, server = self._server()
        return [("delete-server", None), *service, ("real-server", server)]

    def _list(self) -> list[Option]:
        options: list[Option] = [("list", None)]
        if self._likely(0.6):
            options.append(("numeric", None))
        if self._likely(0.3):
            options += self._service(0.85)
            return options + [(self.random.choice(LISTING[4:]), None) for _ in range(self.random.choice((0, 0, 1, 2)))]
        if self._likely(0.3):
            return [*options, (self.random.choice(("connection", "timeout", "daemon")), None)]
        return options + [(name, None) for name in self.random.sample(LISTING[4:], self.random.choice((0, 1, 1, 2, 3)))]

    def _clear(self) -> list[Option]:
        self.services.clear()
        return [("clear", None)]

    def _zero(self) -> list[Option]:
        return [("zero", None), *(self._service(0.8) if self._likely(0.7) else ())]

    def _set(self) -> list[Option]:
        return [("set", None), *[("", self.random.choice(("0", "1", "900", "2678400", "120"))) for _ in range(3)]]

    def _start_daemon(self) -> list[Option]:
        options: list[Option] = [("start-daemon", self.random.choice(("master", "backup")))]
        options.append(("mcast-interface", self.random.choice(("lo", INTERFACE, INTERFACE))))
        settings = (
            ("syncid", ("0", "1", "255")),
            ("sync-maxlen", ("1", "500", "1460", "65507")),
            ("mcast-group", ("224.0.0.18", "239.1.2.3", "ff02::51", "ff05::1")),
            ("mcast-port", ("1", "8848", "65535")),
            ("mcast-ttl", ("1", "32", "255")),
        )
        return options + [(name, self.random.choice(values)) for name, values in settings if self._likely(0.3)]

    def _stop_daemon(self) -> list[Option]:
        options: list[Option] = [("stop-daemon", self.random.choice(("master", "backup")))]
        return options + ([("syncid", self.random.choice(("0", "1", "255")))] if self._likely(0.3) else [])

    def _save(self) -> list[Option]:
        return [("save", None), *([("numeric", None)] if self._likely(0.6) else [])]

    def _unrelated(self) -> list[Option]:
        options: tuple[list[Option], ...] = ([], [("version", None)], [("", "junk")])
        return self.random.choice(options)

    def _likely(self, probability: float) -> bool:
        return self.random.random() < probability

    # -- mistakes ------------------------------------------------------------------------------------------------------

    def _bent(self, options: list[Option]) -> list[Option]:
        """Change one thing of a command, or two; it may stay valid."""
        options = list(options)
        for _ in range(self.random.choice((1, 1, 1, 2))):
            place = self.random.randrange(len(options)) if options else 0
            other: Option = (name := self.random.choice((*FLAGS, *VALUES)), self._value(name))
            change = self.random.random()
            if not options or change < 0.3:
                options.insert(self.random.randint(0 if self._likely(0.05) else 1, len(options) or 1), other)
            elif change < 0.4:
                del options[place]
            elif change < 0.5:
                options.append(options[place])
            elif change < 0.6:
                swap = self.random.randrange(len(options))
                options[place], options[swap] = options[swap], options[place]
            elif change < 0.65:
                options[0] = (name := self.random.choice(VERBS), self._value(name))
            else:
                edged = [at for at, (name, _) in enumerate(options) if name in VALUES] or [place]
                place = self.random.choice(edged)
                options[place] = (options[place][0], self._value(options[place][0]))
        return options

    def _value(self, name: str) -> str | None:
        if not name:
            return self.random.choice(NUMBERS)
        if name == "scheduler" and self._likely(0.5):
            return self.random.choice(SCHEDULERS)
        if name in ("pe", "scheduler") and self._likely(0.7):  # the kernel runs modprobe for each of them
            return VALUES[name][1]
        return self.random.choice(VALUES[name]) if name in VALUES else None

    def _broken(self, words: list[str]) -> list[str]:
        """Change words without knowing what they mean."""
        words = list(words)
        place = self.random.randint(0, len(words))
        change = self.random.random()
        if change < 0.6 or not words[place:]:
            words.insert(place, self.random.choice(JUNK))
        elif change < 0.75:
            words[place] = self.random.choice(JUNK)
        elif change < 0.9:
            del words[place]
        else:
            words[place] = words[place][: self.random.randint(0, len(words[place]))]
        return words

    # -- spelling ------------------------------------------------------------------------------------------------------

    def _spell(self, options: list[Option]) -> list[str]:
        """Write options as words, in one of the ways that popt(3) reads."""
        if len(options) > 3 and self._likely(0.1):
            head, *rest = options
            self.random.shuffle(rest)
            options = [head, *rest]
        words: list[str] = []
        for name, value in options:
            letter = SHORT.get(name)
            if not name:
                words.append(value or "")
            elif letter and self._likely(0.75):
                if words and words[-1] in _ALONE and self._likely(0.3):
                    words[-1] += letter
                else:
                    words.append(f"-{letter}")
                if value is not None:
                    if self._likely(0.15) or name == "persistent":
                        words[-1] += self.random.choice(("=", "")) + value
                    else:
                        words.append(value)
            elif value is not None and (self._likely(0.3) or name == "persistent"):
                words.append(f"--{name}={value}")
            else:
                words += [f"--{name}"] if value is None else [f"--{name}", value]
        return words

    # -- dumps ---------------------------------------------------------------------------------------------------------

    def _restore(self) -> Command:
        """Draw a dump: new things only, or any commands; with looks among them, and now and then a broken line."""
        makers = [self._add_service, self._add_server]
        if self._likely(0.5):
            makers += [self._edit_service, self._edit_server, self._delete_server, self._delete_service, self._set]
            # Not both in one dump: the kernel does not answer who stops a daemon that is only starting, and the C tool
            # waits for ever.
            makers += [self._list, self._save, self._zero, self._clear]
            makers.append(self.random.choice((self._start_daemon, self._stop_daemon)))
        lines = [" ".join(self._line(self.random.choice(makers)())) for _ in range(self.random.randint(0, 8))]
        if self._likely(0.3):
            blank = self.random.choice(("", "  ", "# comment", "#", "\t-L\t-n\r", "ipvsadm -L -n", "-C ipvsadm", "-R"))
            lines.insert(self.random.randint(0, len(lines)), blank)
        if self._likely(0.2):
            lines.append(" ".join(self._words()))
        text = "\n".join(lines) + self.random.choice(("\n", "\n", ""))
        if self._likely(0.3):
            return Command((), text, "ipvsadm-restore")
        return Command(("-R",), text)

    def _line(self, options: list[Option]) -> list[str]:
        return [word for word in self._spell(options) if word and not set(word) & set(" \t\n")]


_ALONE = {f"-{SHORT[name]}" for name in (*FLAGS, *VERBS) if name in SHORT}
