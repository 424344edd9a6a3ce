"""ipvsadm(8)'s commands and options, declared once: how they are typed, read, allowed and explained.

From these tables come the parser and its checks, the help text, and the tables of the manual and of shells'
completions. The order of ``OPTIONS`` is the order in which ipvsadm 1.31 complains of options that a command does not
take, or lacks.
"""

from __future__ import annotations

from pyipvsadm.abi import ip_vs
from pyipvsadm.errors import UsageError
from pyipvsadm.ipvs import values
from pyipvsadm.ipvs.names import Names
from pyipvsadm.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final, Literal

    from pyipvsadm.ipvs.values import Reader

    Argument = Literal["none", "optional", "required"]


class Word(Record):
    """What can be typed after a dash: ``long`` after two of them, each letter of ``short`` after one."""

    long: str
    short: str = ""
    metavar: str = ""
    help: str = ""
    read: Reader = values.constant(None)
    to: str = ""
    argument: Argument = "none"


class Verb(Word):
    """A command; ``name`` is what errors call it.

    ``needs`` and ``takes`` are slots of options; of those in ``exclusive`` it takes one. ``operands`` are words that
    are no options, and stand anywhere.
    """

    name: str = ""
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    exclusive: tuple[str, ...] = ()
    operands: str = ""


class Option(Word):
    """An option of commands. Of those that share a ``slot`` one can be given, once; its value goes to the field ``to``.

    An option without a slot can stand anywhere. ``group`` is its section in the help text.
    """

    slot: str = ""
    group: str = ""


_SERVICE: Final = ("service-address",)
_SERVER: Final = ("service-address", "real-server")
_SERVICE_SETTINGS: Final = ("scheduler", "persistent", "netmask", "ops", "pe", "sched-flags")
_TUNNEL: Final = ("tun-type", "tun-port", "tun-nocsum", "tun-csum", "tun-remcsum")
_SERVER_SETTINGS: Final = ("forwarding-method", "weight", "u-threshold", "l-threshold", *_TUNNEL)
_LISTED: Final = ("timeout", "daemon", "stats", "rate", "thresholds", "persistent-conn", "nosort", "exact", "tun-info")
_MULTICAST: Final = ("mcast-interface", "mcast-group", "mcast-port", "mcast-ttl", "sync-maxlen")
_STATES: Final = {"master": "master", "backup": "backup"}
_TUNNEL_TYPES: Final = {"ipip": "ipip", "gue": "gue", "gre": "gre"}
_FORMS: Final = {"classic": "classic", "table": "table", "json": "json"}
_INT_MAX: Final = 0x7FFFFFFF

VERBS: Final = (
    Verb("add-service", "A", name="add-service", needs=_SERVICE, takes=_SERVICE_SETTINGS, help="add a virtual service"),
    Verb("edit-service", "E", name="edit-service", needs=_SERVICE, takes=_SERVICE_SETTINGS,
         help="give a virtual service new settings; those left out return to their defaults"),
    Verb("delete-service", "D", name="delete-service", needs=_SERVICE, help="delete a virtual service and its servers"),
    Verb("clear", "C", name="flush", help="delete everything"),
    Verb("restore", "R", name="restore", help="carry out the commands on standard input, all or none"),
    Verb("save", "S", name="save", takes=("numeric",), help="print the commands that make this table"),
    Verb("add-server", "a", name="add-server", needs=_SERVER, takes=_SERVER_SETTINGS,
         help="add a real server to a virtual service"),
    Verb("edit-server", "e", name="edit-server", needs=_SERVER, takes=_SERVER_SETTINGS,
         help="give a real server new settings; those left out return to their defaults"),
    Verb("delete-server", "d", name="delete-server", needs=_SERVER, help="delete a real server from a virtual service"),
    Verb("list", "Ll", name="list", takes=("numeric", "connection", "service-address", "syncid", *_LISTED),
         exclusive=("connection", "service-address", "timeout", "daemon"),
         help="show the table, one service, connections, timeouts or daemons"),
    Verb("zero", "Z", name="zero", takes=_SERVICE, help="reset the counters of one service, or all counters"),
    Verb("set", name="set", operands="TCP TCPFIN UDP", help="set the timeouts of connections, in seconds; 0 keeps one"),
    Verb("start-daemon", name="start-daemon", metavar="master|backup", argument="required", to="state",
         read=values.choice(_STATES, "illegal start-daemon parameter specified"), takes=("syncid", *_MULTICAST),
         help="start a daemon that synchronises connections"),
    Verb("stop-daemon", name="stop-daemon", metavar="master|backup", argument="required", to="state",
         read=values.choice(_STATES, "illegal start_daemon specified"), takes=("syncid",), help="stop that daemon"),
    Verb("help", "h", name="help", help="print this text"),
    Verb("version", "v", name="version", help="print the version"),
)  # fmt: skip


def _takes(
    long: str, short: str, metavar: str, read: Reader, group: str, text: str, *, to: str = "", slot: str = ""
) -> Option:
    """Declare an option that has an argument."""
    return Option(long, short, metavar, text, read, to or long.replace("-", "_"), "required", slot or long, group)


def _says(
    long: str, short: str, group: str, text: str, *, value: object = True, to: str = "", slot: str = ""
) -> Option:
    """Declare an option that speaks for itself."""
    read = values.constant(value)
    return Option(long, short, "", text, read, to or long.replace("-", "_"), "none", slot or long, group)


# Sections of the help text.
_WHICH: Final = "Virtual service"
_HOW: Final = "Settings of a virtual service"
_WHERE: Final = "Real server"
_SHOW: Final = "Listing"
_SYNC: Final = "Synchronisation"
_OURS: Final = "Not in the original"

OPTIONS: Final = (
    _says("numeric", "n", _SHOW, "show addresses and ports as numbers"),
    _says("connection", "c", _SHOW, "show connections"),
    _takes("tcp-service", "t", "HOST[:PORT]", values.service("tcp"), _WHICH, "a TCP service",
           to="key", slot="service-address"),
    _takes("udp-service", "u", "HOST[:PORT]", values.service("udp"), _WHICH, "a UDP service",
           to="key", slot="service-address"),
    _takes("sctp-service", "", "HOST[:PORT]", values.service("sctp"), _WHICH, "an SCTP service",
           to="key", slot="service-address"),
    _takes("fwmark-service", "f", "MARK", values.mark, _WHICH, "packets with this firewall mark, 1 or more",
           to="key", slot="service-address"),
    Option("ipv6", "6", "", "after -f: the marked packets are IPv6", values.mark_family, "key", group=_WHICH),
    _takes("scheduler", "s", "NAME", values.word(ip_vs.IP_VS_SCHEDNAME_MAXLEN - 1), _HOW,
           "rr, wrr, lc, wlc (default), lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, or another"),
    Option("persistent", "p", "SECONDS", "keep a client with its server, so long after it left (default 360)",
           values.persistence, "timeout", "optional", "persistent", _HOW),
    _takes("netmask", "M", "MASK", values.netmask, _HOW,
           "which clients count as one: a mask, for IPv6 a prefix length"),
    _takes("real-server", "r", "HOST[:PORT]", values.server, _WHERE, "the server; its port defaults to the service's",
           to="server"),
    _says("gatewaying", "g", _WHERE, "route packets to it unchanged (default)",
          value="gateway", to="forward", slot="forwarding-method"),
    _says("ipip", "i", _WHERE, "tunnel packets to it", value="ipip", to="forward", slot="forwarding-method"),
    _says("masquerading", "m", _WHERE, "translate addresses (NAT)",
          value="masq", to="forward", slot="forwarding-method"),
    _takes("weight", "w", "NUMBER", values.number(0, _INT_MAX, "illegal weight specified"), _WHERE,
           "its share of the work (default 1); 0 gives it no new connections"),
    _takes("u-threshold", "x", "NUMBER", values.number(0, _INT_MAX, "illegal u_threshold specified"), _WHERE,
           "connections at which it gets no more; 0 is no limit"),
    _takes("l-threshold", "y", "NUMBER", values.number(0, _INT_MAX, "illegal l_threshold specified"), _WHERE,
           "connections below which it gets some again"),
    _takes("mcast-interface", "", "INTERFACE", values.word(ip_vs.IP_VS_IFNAME_MAXLEN - 1), _SYNC,
           "where to send or listen (default eth0)", to="mcast_ifn"),
    _says("timeout", "", _SHOW, "show the timeouts of connections"),
    _says("daemon", "", _SHOW, "show the daemons that synchronise connections"),
    _says("stats", "", _SHOW, "show what has been counted"),
    _says("rate", "", _SHOW, "show how much it is a second"),
    _says("thresholds", "", _SHOW, "show the servers' limits of connections"),
    _says("persistent-conn", "", _SHOW, "show persistent connections; with -c, what the persistence engine knows"),
    _says("nosort", "", _SHOW, "leave the kernel's order"),
    _takes("syncid", "", "ID", values.number(0, 255, "illegal syncid specified"), _SYNC,
           "which daemons belong together, 0 to 255 (default 0)"),
    _says("exact", "", _SHOW, "print counters in full"),
    _says("ops", "o", _HOW, "schedule each datagram anew; for UDP and marks"),
    _takes("pe", "", "NAME", values.word(ip_vs.IP_VS_PENAME_MAXLEN), _HOW, "persistence engine, such as sip",
           to="pe_name"),
    _takes("sched-flags", "b", "FLAG,...", values.word(_INT_MAX), _HOW,
           "sh-port, sh-fallback, mh-port, mh-fallback, flag-1, flag-2, flag-3"),
    _takes("mcast-group", "", "ADDRESS", values.multicast_group, _SYNC, "multicast address (default 224.0.0.81)"),
    _takes("mcast-port", "", "PORT", values.number(1, 65535, "illegal mcast-port specified"), _SYNC,
           "UDP port (default 8848)"),
    _takes("mcast-ttl", "", "TTL", values.number(1, 255, "illegal mcast-ttl specified"), _SYNC,
           "hops that messages travel (default 1)"),
    _takes("sync-maxlen", "", "BYTES", values.number(1, 65535 - 20 - 8, "illegal sync-maxlen specified"), _SYNC,
           "length of messages (default: what the interface's MTU allows)"),
    _says("tun-info", "", _SHOW, "show how servers' tunnels are made"),
    _takes("tun-type", "", "TYPE", values.choice(_TUNNEL_TYPES, "illegal tunnel type specified"), _WHERE,
           "with -i: ipip (default), gue or gre"),
    _takes("tun-port", "", "PORT", values.number(1, 65535, "illegal tunnel port specified"), _WHERE,
           "port that a gue tunnel leads to"),
    _says("tun-nocsum", "", _WHERE, "no checksums in a gue or gre tunnel (default)",
          value=ip_vs.IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM, to="tun_flags"),
    _says("tun-csum", "", _WHERE, "checksums in a gue or gre tunnel",
          value=ip_vs.IP_VS_TUNNEL_ENCAP_FLAG_CSUM, to="tun_flags"),
    _says("tun-remcsum", "", _WHERE, "remote checksums in a gue tunnel",
          value=ip_vs.IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM, to="tun_flags"),
    Option("sort", "", "", "nothing: it is done anyway", values.constant(None), "sort", group=_SHOW),
)  # fmt: skip

# What ipvsadm 1.31 does not have; read before everything else, see split_own_options.
OWN_OPTIONS: Final = (
    _takes("netns", "", "NAME", values.word(4096), _OURS, "work on the table of this network namespace"),
    _takes("sandbox", "", "FILE", values.word(4096), _OURS, "work on a table kept in this file, not the kernel's"),
    _takes("format", "", "FORM", values.choice(_FORMS, "--format {}: must be classic, table or json"), _OURS,
           "how to list: classic, table or json"),
    _says("no-rollback", "", _OURS, "with -R: go on after a refusal, and keep what was done"),
)  # fmt: skip


def _spellings(words: Sequence[Word]) -> dict[str, Word]:
    spellings = {f"-{letter}": word for word in words for letter in word.short}
    spellings |= {f"--{word.long}": word for word in words}
    return spellings


# Every way to type a command or an option as a word of its own.
WORDS: Final = _spellings(VERBS + OPTIONS)

# A bit for each slot, in the order of complaints; none for options without one.
BITS: Final = {"": 0}
for _option in OPTIONS:
    BITS.setdefault(_option.slot, 1 << len(BITS))


class OwnOptions(Record):
    """The front end's own options; None is for what was not given."""

    netns: str | None = None
    sandbox: str | None = None
    format: Literal["classic", "table", "json"] | None = None
    no_rollback: bool = False


_OWN_WORDS: Final = _spellings(OWN_OPTIONS)


def split_own_options(argv: Sequence[str]) -> tuple[OwnOptions, Sequence[str]]:
    """Take the front end's own options, ``--opt VALUE`` or ``--opt=VALUE``, out of a command line.

    Words that ipvsadm would read as another option's argument, or that follow ``--``, are left alone. Raises
    UsageError.
    """
    if not any(word.partition("=")[0] in _OWN_WORDS for word in argv):
        return OwnOptions(), argv
    found: dict[str, Any] = {}
    rest: list[str] = []
    draft = values.Draft(Names())
    index = 0
    while index < len(argv):
        word = argv[index]
        index += 1
        name, equals, text = word.partition("=")
        own = _OWN_WORDS.get(name)
        if own is None:
            taken = index + (word in WORDS and WORDS[word].argument == "required") if word != "--" else len(argv)
            rest += argv[index - 1 : taken]
            index = taken
            continue
        if own.to in found:
            raise UsageError(f"multiple '{own.long}' options specified")
        if own.argument == "none" and equals:
            raise UsageError(f"{word}: option does not take an argument", exit_status=255)
        if own.argument == "required" and not equals:
            if index == len(argv):
                raise UsageError(f"{word}: missing argument", exit_status=255)
            text = argv[index]
            index += 1
        found[own.to] = own.read(text, draft)
    return OwnOptions(**found), rest
