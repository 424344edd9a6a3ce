"""The words of a command line, or of a line of a dump, to a command: what ipvsadm decides before it asks the kernel.

Three steps, as there: ``scan`` cuts words into options as popt(3) does; ``parse`` reads their values one after the
other, so that the first mistake is the one reported; ``_Rules`` compare what was given with what the command takes.
"""

from __future__ import annotations

from pyipvsadm.abi import ip_vs
from pyipvsadm.errors import MisplacedOptionError, NoCommandError, UnknownOptionError, UsageError
from pyipvsadm.ipvs import command
from pyipvsadm.ipvs.model import RealServer, SyncDaemon, Timeouts, VirtualService
from pyipvsadm.ipvs.names import to_number
from pyipvsadm.ipvs.options import BITS, VERBS, WORDS, Option, Verb
from pyipvsadm.ipvs.values import LONGEST_TIMEOUT, Draft
from pyipvsadm.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, Final

    from pyipvsadm.ipvs.command import Change, Help, List, Restore, Save, Version
    from pyipvsadm.ipvs.model import ServerKey, ServiceKey
    from pyipvsadm.ipvs.names import Names
    from pyipvsadm.ipvs.options import Word

    Command = Change | Help | List | Restore | Save | Version


class OptionError(UsageError):
    """Options that cannot be told apart; the only mistake in a line of a dump after which ipvsadm 1.31 reads on."""

    def __init__(self, message: str, argument: int) -> None:
        super().__init__(message, exit_status=255, argument=argument)


class UnknownError(OptionError, UnknownOptionError):
    """An option that ipvsadm does not have."""


# -- words to options --------------------------------------------------------------------------------------------------


def scan(words: Sequence[str], rest: list[int]) -> Iterator[tuple[Word, str | None, int]]:
    """Yield each option with its argument, and the index of the last word it is made of.

    The indexes of words that are no options go to ``rest``.

    As popt(3) has it: no abbreviations; letters can share a dash; an argument follows "=", directly after its letter,
    or as the next word whatever that is, only not "-…" where the argument is optional. Raises OptionError when it
    comes to it.
    """
    index, end = 0, len(words)
    while index < end:
        word = words[index]
        index += 1
        option = WORDS.get(word)
        if option is not None:
            if option.argument == "none":
                yield option, None, index - 1
                continue
        elif word[:1] != "-" or word == "-":
            rest.append(index - 1)
            continue
        elif word == "--":
            rest += range(index, end)
            return
        elif word[:2] == "--":
            name, equals, text = word.partition("=")
            option = WORDS.get(name)
            if option is None:
                raise UnknownError(f"{word}: unknown option", index - 1)
            if option.argument == "none":
                raise OptionError(f"{word}: option does not take an argument", index - 1)
            if equals:
                yield option, text, index - 1
                continue
        else:
            for place, letter in enumerate(word[1:], 2):
                option = WORDS.get(f"-{letter}")
                if option is None:
                    raise UnknownError(f"{word}: unknown option", index - 1)
                attached = word[place:]
                if option.argument == "none":
                    if attached[:1] == "=":
                        raise OptionError(f"{word}: option does not take an argument", index - 1)
                    yield option, None, index - 1
                elif attached:
                    yield option, attached.removeprefix("="), index - 1
                    break
            if option is None or option.argument == "none" or attached:
                continue
        # the argument is the next word
        if index < end and (option.argument == "required" or words[index][:1] != "-"):
            index += 1
            yield option, words[index - 1], index - 1
        elif option.argument == "optional":
            yield option, None, index - 1
        else:
            raise OptionError(f"{word}: missing argument", index - 1)


# -- options to a command ----------------------------------------------------------------------------------------------


def parse(argv: Sequence[str], names: Names) -> Command:
    """Return the command that ``argv``, without the program's name, asks for.

    Words may hold any bytes, as sys.argv escapes them. Raises UsageError with ipvsadm's words and exit status: 2 for
    values, and options that do not go together; 255 for options that are none, and for a first one that is no
    command.
    """
    return parse_words(argv, names) if argv else command.List()


def parse_words(words: Sequence[str], names: Names) -> Command:
    """Return the command that words ask for, one at least; see ``parse``."""
    rest: list[int] = []
    options = scan(words, rest)
    try:
        verb, text, place = next(options)
    except (StopIteration, OptionError):
        raise NoCommandError(TRY_HELP, exit_status=255, argument=0) from None
    if not isinstance(verb, Verb):
        raise NoCommandError(TRY_HELP, exit_status=255, argument=0)
    if verb.name == "help":
        return command.Help()
    if verb.name == "version":
        return command.Version()
    places = {"": place}  # by slots, where they were given
    try:
        return _read_command(words, verb, text, options, rest, Draft(names), places)
    except UsageError as error:
        if error.argument is None:
            error.argument = places.get(error.option, place)
        raise


def _read_command(
    words: Sequence[str],
    verb: Verb,
    operand: str | None,
    options: Iterator[tuple[Word, str | None, int]],
    rest: list[int],
    draft: Draft,
    places: dict[str, int],
) -> Command:
    """Return the command of a verb and its options, having noted in ``places`` where each stands."""
    given = draft.values
    if verb.to:
        given[verb.to] = verb.read(operand, draft)
    seen = 0
    for option, text, place in options:
        if not isinstance(option, Option):
            raise MisplacedOptionError(f"invalid option `{words[place]}'", argument=place)
        bit = BITS[option.slot]
        if seen & bit:
            raise MisplacedOptionError(f"multiple '{option.slot}' options specified", argument=place)
        seen |= bit
        places[option.slot] = places[""] = place
        given[option.to] = option.read(text, draft)
    if verb.operands:
        given["timeouts"], rest = _timeouts(words, rest), rest[3:]
    if rest:
        raise UsageError(f"unexpected argument {words[rest[0]]}", argument=rest[0])
    if seen & _SCHED_FLAGS:
        given["flags"] = _scheduler_flags(given)
    _RULES[verb.name].check(seen)
    return _BUILD[verb.name](given, seen)


TRY_HELP: Final = "Try `ipvsadm -h' or 'ipvsadm --help' for more information."


def _timeouts(words: Sequence[str], operands: Sequence[int]) -> Timeouts:
    """Read the operands of --set, which stand anywhere among its options."""
    if len(operands) < 3:
        raise UsageError("--set option requires 3 timeout values")
    seconds = []
    for place in operands[:3]:
        value = to_number(words[place], 0, LONGEST_TIMEOUT)
        if value is None:
            raise UsageError(f"invalid timeout value `{words[place]}' specified", argument=place)
        seconds.append(value)
    return Timeouts(*seconds)


# -- options that do not go together -----------------------------------------------------------------------------------

_SCHED_FLAGS: Final = BITS["sched-flags"]


class _Rules(Record):
    """What a command, or a kind of tunnel, takes, as masks of slots; ``where`` is what errors call it."""

    where: str
    illegal: int
    needed: int
    exclusive: int

    def check(self, seen: int) -> None:
        """Raise UsageError for the first slot that is given, or missing, against the rules."""
        clash = seen & self.exclusive
        if not (seen & self.illegal or self.needed & ~seen or clash & (clash - 1)):
            return
        earlier = ""
        for slot, bit in BITS.items():
            if bit & seen & self.illegal:
                raise MisplacedOptionError(f"Illegal '{slot}' option with the {self.where}", option=slot)
            if bit & ~seen & self.needed:
                raise MisplacedOptionError(f"You need to supply the '{slot}' option for the {self.where}", option=slot)
            if bit & clash and earlier:
                raise MisplacedOptionError(
                    f"The option '{slot}' conflicts with the '{earlier}' option in the {self.where}", option=slot
                )
            if bit & clash:
                earlier = slot


def _mask(slots: Iterable[str]) -> int:
    return sum([BITS[slot] for slot in slots])


_ALL: Final = _mask(BITS)
_RULES: Final = {
    verb.name: _Rules(
        f"'{verb.name}' command", _ALL & ~_mask(verb.needs + verb.takes), _mask(verb.needs), _mask(verb.exclusive)
    )
    for verb in VERBS
}

_CHECKSUMS: Final = _mask(("tun-nocsum", "tun-csum", "tun-remcsum"))
_TUNNEL: Final = _mask(("tun-type", "tun-port")) | _CHECKSUMS
_TUNNEL_RULES: Final = {
    "ipip": _Rules("'ipip' tunnel type", BITS["tun-port"] | _CHECKSUMS, 0, 0),
    "gue": _Rules("'gue' tunnel type", 0, BITS["tun-port"], _CHECKSUMS),
    "gre": _Rules("'gre' tunnel type", BITS["tun-port"] | BITS["tun-remcsum"], 0, _CHECKSUMS),
}


_FLAGS: Final = {
    "flag-1": ("", ip_vs.IP_VS_SVC_F_SCHED1),
    "flag-2": ("", ip_vs.IP_VS_SVC_F_SCHED2),
    "flag-3": ("", ip_vs.IP_VS_SVC_F_SCHED3),
    "sh-fallback": ("sh", ip_vs.IP_VS_SVC_F_SCHED_SH_FALLBACK),
    "sh-port": ("sh", ip_vs.IP_VS_SVC_F_SCHED_SH_PORT),
    "mh-fallback": ("mh", ip_vs.IP_VS_SVC_F_SCHED1),
    "mh-port": ("mh", ip_vs.IP_VS_SVC_F_SCHED2),
}


def _scheduler_flags(given: dict[str, Any]) -> int:
    """Read the list after -b, which depends on the scheduler wherever that stands; commas alone crash ipvsadm 1.31."""
    flags = 0
    words = given["sched_flags"].split(",")
    for word in [word for word in words if word] or (words if len(words) > 1 else ()):
        if word not in _FLAGS:
            raise UsageError(f"invalid scheduler flag `{word}'", option="sched-flags")
        scheduler, flag = _FLAGS[word]
        if scheduler and scheduler != given.get("scheduler"):
            raise UsageError(f"incompatible scheduler flag `{word}'", option="sched-flags")
        flags |= flag
    return flags


# -- values to a command -----------------------------------------------------------------------------------------------


def _virtual_service(given: dict[str, Any]) -> VirtualService:
    key = given["key"]
    flags = given.get("flags", 0)
    timeout = given.get("timeout", 0)
    if timeout:
        flags |= ip_vs.IP_VS_SVC_F_PERSISTENT
    elif not key.port and not key.fwmark:
        raise UsageError("Zero port specified for non-persistent service", option="service-address")
    if "ops" in given:
        if not (key.protocol == "udp" or key.fwmark):
            raise MisplacedOptionError("One-Packet Scheduling is only for UDP virtual services", option="ops")
        flags |= ip_vs.IP_VS_SVC_F_ONEPACKET
    return VirtualService(
        key, given.get("scheduler") or "wlc", flags, timeout, given.get("netmask"), given.get("pe_name", "")
    )


def _real_server(given: dict[str, Any], seen: int) -> RealServer:
    forward = given.get("forward", "gateway")
    settings = RealServer(
        given["server"],
        forward,
        given.get("weight", 1),
        given.get("u_threshold", 0),
        given.get("l_threshold", 0),
        given.get("tun_type", "ipip"),
        given.get("tun_port", 0),
        given.get("tun_flags", 0),
    )
    server = placed(given["key"], settings.key, settings)
    if seen & _TUNNEL:
        if forward != "ipip":
            raise MisplacedOptionError("Tunnel options conflict with forward method", option="tun-type")
        _TUNNEL_RULES[settings.tun_type].check(seen)
    return server


def placed(service: ServiceKey, server: ServerKey, settings: RealServer) -> RealServer:
    """Return a server with the settings of another, for a service; the rules that know both ends are here."""
    if settings.forward != "ipip" and server.family != service.family:
        raise UsageError("Different address family is allowed only for tunneling servers", option="real-server")
    if settings.forward != "masq" and not service.fwmark and server.port != service.port:
        server = server.replace(port=service.port)  # packets reach the server as they came
    return RealServer.make((server, *settings[2:]))


def _list(given: dict[str, Any]) -> List:
    counted = given.keys() & {"stats", "rate", "thresholds"}
    alone = given.keys() & {"timeout", "daemon"}
    if (counted and ("connection" in given or alone)) or (alone and "persistent_conn" in given):
        raise MisplacedOptionError("options conflicts in the list command")
    return command.List(**{field: given[field] for field in command.List.__fields__ if field in given})


def _daemon(given: dict[str, Any]) -> SyncDaemon:
    return SyncDaemon(**{field: given[field] for field in SyncDaemon.__fields__ if field in given})


_BUILD: Final[dict[str, Callable[[dict[str, Any], int], Command]]] = {
    "add-service": lambda given, seen: command.AddService(_virtual_service(given)),
    "edit-service": lambda given, seen: command.EditService(_virtual_service(given)),
    "add-server": lambda given, seen: command.AddServer(given["key"], _real_server(given, seen)),
    "edit-server": lambda given, seen: command.EditServer(given["key"], _real_server(given, seen)),
    "delete-service": lambda given, seen: command.DeleteService(given["key"]),
    "delete-server": lambda given, seen: command.DeleteServer(given["key"], given["server"]),
    "flush": lambda given, seen: command.Flush(),
    "zero": lambda given, seen: command.Zero(given.get("key")),
    "set": lambda given, seen: command.SetTimeouts(given["timeouts"]),
    "start-daemon": lambda given, seen: command.StartDaemon(
        _daemon({**given, "mcast_ifn": given.get("mcast_ifn") or "eth0"})
    ),
    "stop-daemon": lambda given, seen: command.StopDaemon(_daemon(given)),
    "list": lambda given, seen: _list(given),
    "save": lambda given, seen: command.Save("numeric" in given),
    "restore": lambda given, seen: command.Restore(),
}
