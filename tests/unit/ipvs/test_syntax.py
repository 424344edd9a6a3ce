"""Command lines and dumps: the peer's decisions from golden/ipvs/syntax.jsonl, and what must hold for any input."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyipvsadm.errors import UsageError
from pyipvsadm.ipvs import command
from pyipvsadm.ipvs.command import AddServer, AddService, EditService, List
from pyipvsadm.ipvs.dump import LONGEST_LINE, LONGEST_WORD, DumpParser, parse_dump
from pyipvsadm.ipvs.model import (
    FORWARD_FLAGS,
    PROTOCOL_NUMBERS,
    TUNNEL_TYPES,
    WHOLE_NETMASK,
    RealServer,
    ServerKey,
    ServiceKey,
    SyncDaemon,
    VirtualService,
)
from pyipvsadm.ipvs.names import Names, Numbers
from pyipvsadm.ipvs.options import OPTIONS, OWN_OPTIONS, VERBS, OwnOptions, split_own_options
from pyipvsadm.ipvs.render import save
from pyipvsadm.ipvs.syntax import OptionError, parse
from pyipvsadm.ipvs.usage import usage

if TYPE_CHECKING:
    from pyipvsadm.ipvs.model import Protocol
    from pyipvsadm.ipvs.syntax import Command

GOLDEN = Path(__file__).parents[2] / "golden" / "ipvs" / "syntax.jsonl"
ROWS = [json.loads(line) for line in GOLDEN.read_text().splitlines()[1:]]


class Few(Names):
    """Knows the names of the golden rows, as /etc/hosts and /etc/services of the machine that made them do."""

    PORTS: ClassVar = {
        ("http", "tcp"): 80, ("ssh", "tcp"): 22, ("domain", "tcp"): 53, ("domain", "udp"): 53,
        ("tftp", "udp"): 69, ("ntp", "udp"): 123, ("echo", "tcp"): 7, ("echo", "udp"): 7,
    }  # fmt: skip

    def ask_port(self, name: str, protocol: Protocol) -> int | None:
        return self.PORTS.get((name, protocol))

    def ask_host(self, name: str) -> str | None:
        return "127.0.0.1" if name == "localhost" else None


NAMES = Few()
PARSER = DumpParser(NAMES)


# -- a command in the words of the golden rows -------------------------------------------------------------------------


def _service(key: ServiceKey, *settings: str, netmask: int | None = None) -> str:
    words = [f"af={_af(key.family)}"]
    if key.fwmark:
        words += [f"fwmark={key.fwmark}"]
    else:
        assert key.protocol
        words += [f"protocol={PROTOCOL_NUMBERS[key.protocol]}", f"addr={key.address}", f"port={key.port}"]
    mask = WHOLE_NETMASK[key.family] if netmask is None else netmask
    words += settings or ["sched= flags=0 timeout=0"]
    return " ".join([*words, f"netmask={mask if key.family == 6 else '.'.join(map(str, mask.to_bytes(4, 'big')))}"])


def _af(family: int) -> int:
    return {4: 2, 6: 10}[family]


def _settings(service: VirtualService) -> str:
    engine = [f"pe={service.pe_name}"] if service.pe_name else []
    numbers = [f"flags={service.flags}", f"timeout={service.timeout}"]
    return _service(service.key, f"sched={service.scheduler}", *engine, *numbers, netmask=service.netmask)


def _server(server: RealServer) -> str:
    key = server.key
    return (
        f"af={_af(key.family)} addr={key.address} port={key.port} fwd={FORWARD_FLAGS[server.forward]} "
        f"weight={server.weight} tun_type={TUNNEL_TYPES[server.tun_type]} tun_port={server.tun_port} "
        f"tun_flags={server.tun_flags} u={server.u_threshold} l={server.l_threshold}"
    )


def _daemon(daemon: SyncDaemon) -> str:
    group = "group6" if ":" in daemon.mcast_group else "group"
    optional = {"maxlen": daemon.sync_maxlen, "mcast_port": daemon.mcast_port, "ttl": daemon.mcast_ttl,
                group: daemon.mcast_group}  # fmt: skip
    state = {"master": 1, "backup": 2}[daemon.state]
    return " ".join(
        [f"state={state} ifn={daemon.mcast_ifn} syncid={daemon.syncid}"]
        + [f"{name}={value}" for name, value in optional.items() if value]
    )


def requests(asked: Command) -> list[str]:
    """Return what the peer would send to the kernel for a command; a listing's requests tell only part of it."""
    match asked:
        case AddService(service=service):
            return [f"new service {_settings(service)}"]
        case EditService(service=service):
            return [f"set service {_settings(service)}"]
        case command.DeleteService(key=key):
            return [f"del service {_service(key)}"]
        case AddServer(service=key, server=server):
            return [f"new dest {_service(key)} {_server(server)}"]
        case command.EditServer(service=key, server=server):
            return [f"set dest {_service(key)} {_server(server)}"]
        case command.DeleteServer(service=key, server=server):
            return [f"del dest {_service(key)} {_server(RealServer(server))}"]
        case command.Flush():
            return ["flush"]
        case command.Zero(key=key):
            return [f"zero {_service(key)}" if key else "zero"]
        case command.SetTimeouts(timeouts=times):
            return [f"set config 4={times.tcp} 5={times.tcp_fin} 6={times.udp}"]
        case command.StartDaemon(daemon=daemon):
            return [f"new daemon {_daemon(daemon)}"]
        case command.StopDaemon(daemon=daemon):
            return [f"del daemon {_daemon(daemon)}"]
        case command.Save():
            return ["get service*"]
        case List(connection=False, timeout=True):
            return ["get config"]
        case List(connection=False, daemon=True):
            return ["get daemon*"]
        case List(connection=False, key=key):
            return [f"get service {_service(key, netmask=0)}" if key else "get service*"]
        case _:
            return []


def shows(asked: Command) -> str | None:
    match asked:
        case command.Help():
            return "help"
        case command.Version():
            return "version"
        case List(connection=True):
            return "connections"
        case List(timeout=True):
            return "timeouts"
        case List(daemon=True):
            return None
        case List():
            forms = {"stats": asked.stats, "rate": asked.rate, "thresholds": asked.thresholds,
                     "persistent": asked.persistent_conn, "tunnels": asked.tun_info}  # fmt: skip
            return next((form for form, chosen in forms.items() if chosen), "list")
        case _:
            return None


def outcome(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row that we would have written: a dump goes on after what popt refuses, and stops at all else."""
    made: dict[str, Any] = {"status": 0, "requests": []}
    lines = row["dump"].split("\n") if "dump" in row else [None]
    for line in lines:
        try:
            asked = parse(row["argv"], NAMES) if line is None else PARSER.parse(line)
        except UsageError as error:
            made["status"] = error.exit_status
            made.setdefault("stderr", error.message)
            if isinstance(error, OptionError):
                continue
            break
        if asked is None:
            continue
        made["status"] = 0
        made["requests"] += requests(asked)
        if line is None and shows(asked):
            made["shows"] = shows(asked)
        if isinstance(asked, command.Help | command.Version):
            break
    return made


@pytest.mark.parametrize("start", range(0, len(ROWS), 100))
def test_as_the_peer(start: int) -> None:
    for row in ROWS[start : start + 100]:
        made = outcome(row)
        if row["status"] == 139:  # the peer crashes at a list of commas
            assert (made["status"], made["stderr"]) == (2, "invalid scheduler flag `'"), row
            continue
        expected = {"requests": []} | {key: row[key] for key in row.keys() - {"argv", "dump"}}
        assert made == expected, row


def test_the_golden_rows_are_many_and_of_both_kinds() -> None:
    assert len(ROWS) > 1000
    assert {row["status"] for row in ROWS} == {0, 2, 139, 255}
    assert sum("dump" in row for row in ROWS) > 50


def test_every_command_and_option_is_in_a_golden_row() -> None:
    words = {word.partition("=")[0] for row in ROWS for word in row.get("argv", ())}
    for option in (*VERBS, *OPTIONS):
        assert {f"--{option.long}", *[f"-{letter}" for letter in option.short]} & words, option.long


# -- any input ---------------------------------------------------------------------------------------------------------

junk = st.binary(max_size=30).map(lambda data: os.fsdecode(data.replace(b"\0", b"")))
typed = st.sampled_from([
    *[f"--{option.long}" for option in (*VERBS, *OPTIONS)],
    *[f"-{letter}" for option in (*VERBS, *OPTIONS) for letter in option.short],
    "1.2.3.4:80", "[::1]:80", "::1", "localhost:http", "1.2.3.4", "0", "1", "300", "-1", "rr", "sh", "flag-1,sh-port",
    "master", "gue", "224.0.0.1", "ff02::1", "--", "-", "-p30", "-Ln", "--weight=5", "255.255.0.0", "64", "ipvsadm",
])  # fmt: skip
argvs = st.lists(st.one_of(typed, typed, typed, junk), max_size=9)


@given(argvs)
def test_any_words_are_a_command_or_a_usage_error(argv: list[str]) -> None:
    made = outcome({"argv": argv})
    assert made["status"] in (0, 2, 255)
    assert (made["status"] == 0) == ("stderr" not in made)
    assert made.get("stderr") != ""


@given(st.binary(max_size=200))
def test_any_bytes_are_a_line_or_a_usage_error(data: bytes) -> None:
    made = outcome({"dump": os.fsdecode(data)})
    assert made["status"] in (0, 2, 255)
    assert made.get("stderr") != ""


@given(argvs)
def test_a_line_means_what_its_words_mean(argv: list[str]) -> None:
    words = [word for word in argv if word and not set(word) & set(" \t\r\n\0") and word != "ipvsadm"]
    by_words: object
    by_line: object
    try:
        by_words = parse(words, NAMES)
    except UsageError as error:
        by_words = error.message
    try:
        by_line = PARSER.parse("\t ".join(words) + "\r\n")
    except UsageError as error:
        by_line = error.message
    if words and by_words != command.Restore():
        assert by_words == by_line


services = st.builds(
    lambda key, scheduler, flags, timeout, mask: VirtualService(
        key,
        scheduler,
        flags | (timeout > 0),
        timeout or 0,
        mask if timeout and mask != WHOLE_NETMASK[key.family] else None,
    ),
    st.sampled_from([
        ServiceKey(4, "tcp", "10.0.0.1", 80), ServiceKey(6, "tcp", "2001:db8::1", 443),
        ServiceKey(4, "sctp", "10.0.0.2", 99), ServiceKey(6, fwmark=7), ServiceKey(4, fwmark=0x7FFFFFFF),
    ]),
    st.sampled_from(["rr", "sh", "mh", "wlc"]),
    st.sampled_from([0, 8, 16, 24]),
    st.sampled_from([0, 1, 360, 2678400]),
    st.sampled_from([None, 1, 64, 128]),
)  # fmt: skip


@given(services, st.integers(0, 2**31 - 1), st.sampled_from(["masq", "gateway", "ipip"]))
def test_what_is_saved_is_read_again(service: VirtualService, weight: int, forward: Any) -> None:
    from pyipvsadm.ipvs.model import ServerState, ServiceState

    port = 8080 if forward == "masq" or service.key.fwmark else service.key.port
    address = "10.9.9.9" if service.key.family == 4 else "fd00::9"
    server = RealServer(ServerKey(service.key.family, address, port), forward, weight)
    text = save([ServiceState(service, (ServerState(server),))], Numbers())
    again = [asked for _, asked in parse_dump(text.splitlines(keepends=True), NAMES)]
    assert again == [AddService(service), AddServer(service.key, server)]


# -- what the golden rows do not show ----------------------------------------------------------------------------------


def test_a_dump_numbers_its_lines() -> None:
    lines = ["-C\n", "\n", "-A -t 1.2.3.4:80\n"]
    assert [number for number, _ in parse_dump(lines, NAMES)] == [1, 3]
    with pytest.raises(UsageError) as caught:
        list(parse_dump([*lines, "-A -t 1.2.3.4\n"], NAMES))
    assert caught.value.line == 4


def test_a_nul_hides_the_rest_of_its_word_and_a_long_word_is_cut() -> None:
    plain = PARSER.parse("-A -f 5 -s rr")
    assert PARSER.parse("-A\0x -f 5\0\0 -s rr\0wlc\n") == plain
    assert PARSER.parse("-A -f " + "5".rjust(LONGEST_WORD, "0") + " -s rr") == plain
    with pytest.raises(UsageError, match="unexpected argument 5"):
        PARSER.parse("-A -f 1 " + "-s" + "r" * (LONGEST_WORD - 2) + "5")


def test_a_line_is_bounded() -> None:
    with pytest.raises(UsageError, match="not a dump"):
        PARSER.parse("-C" + " " * LONGEST_LINE)


@pytest.mark.parametrize(
    ("argv", "own", "rest"),
    [
        (["-Ln"], OwnOptions(), ["-Ln"]),
        (["--netns", "blue", "-Ln"], OwnOptions(netns="blue"), ["-Ln"]),
        (["-Ln", "--format=json", "--sandbox", "f"], OwnOptions(format="json", sandbox="f"), ["-Ln"]),
        (["-R", "--no-rollback"], OwnOptions(no_rollback=True), ["-R"]),
        (["-A", "-s", "--netns", "-t", "a"], OwnOptions(), ["-A", "-s", "--netns", "-t", "a"]),
        (["-L", "--", "--netns"], OwnOptions(), ["-L", "--", "--netns"]),
    ],
)
def test_own_options_are_taken_out(argv: list[str], own: OwnOptions, rest: list[str]) -> None:
    assert split_own_options(argv) == (own, rest)


@pytest.mark.parametrize(
    "argv",
    [["--netns"], ["--format", "xml"], ["--no-rollback=1"], ["--netns=a", "--netns=b"], ["-L", "--sandbox"]],
)
def test_own_options_are_checked(argv: list[str]) -> None:
    with pytest.raises(UsageError):
        split_own_options(argv)


def test_own_options_are_none_of_a_dump() -> None:
    with pytest.raises(OptionError):
        PARSER.parse("-C --netns blue")


def test_help_names_everything() -> None:
    text = usage()
    for word in (*VERBS, *OPTIONS, *OWN_OPTIONS):
        assert f"--{word.long}" in text
        assert word.help
        assert word.help in text
    assert max(map(len, text.splitlines())) <= 120
