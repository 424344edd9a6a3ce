"""The sandbox refuses what libiptc and the kernel refuse, with the same words, and has the same rules afterwards."""

from __future__ import annotations

import contextlib
import os
import random
from typing import TYPE_CHECKING

import pytest

from pyipvsadm.errors import KernelError, UsageError
from pyipvsadm.xtables import command, entry
from pyipvsadm.xtables.backend.legacy import LegacyBackend
from pyipvsadm.xtables.backend.sandbox import SandboxBackend
from pyipvsadm.xtables.engine import Engine
from pyipvsadm.xtables.model import TABLES
from pyipvsadm.xtables.names import Resolver
from pyipvsadm.xtables.render import Renderer, find
from pyipvsadm.xtables.syntax import RuleParser

if TYPE_CHECKING:
    from pathlib import Path

    from pyipvsadm.xtables.backend.base import Backend, Table
    from pyipvsadm.xtables.model import Kind, Rule
    from pyipvsadm.xtables.options import Family
    from pyipvsadm.xtables.syntax import Command
    from support.netns import Namespace

RUNS = int(os.environ.get("PYIPVSADM_RANDOM_RUNS", "20"))
COMMITS = 60
OWN_CHAINS = ("foo", "bar", "baz", "LOG")  # a chain may have a target's name
HEADERS = ("", "", "", "-p tcp", "-p udp", "! -p tcp", "-p icmp", "-i lo", "-o eth+", "-c 3 4")
MATCHES = (
    "", "", "", "-m tcp --dport 80", "-m tcp --syn", "-m udp --sport 1:2", "-m multiport --dports 1,2",
    "-m mark --mark 1", "-m comment --comment x", "-m owner --uid-owner 0", "-m mac --mac-source 00:11:22:33:44:55",
    "-m realm --realm 1", "-m policy --dir in --pol ipsec", "-m policy --dir out --pol none",
    "-m devgroup --src-group 1", "-m rpfilter", "-m devgroup --dst-group 1", "-m physdev --physdev-out a",
    "-m physdev --physdev-is-bridged --physdev-out a", "-m addrtype --dst-type LOCAL --limit-iface-in",
    "-m addrtype --src-type LOCAL --limit-iface-out", "-m socket", "-m icmp --icmp-type 8",
    "-m conntrack --ctstate NEW", "-m limit --limit 3/s", "-m ecn --ecn-tcp-cwr",
)  # fmt: skip
TARGETS = (
    "-j REJECT", "-j REJECT --reject-with tcp-reset", "-j MASQUERADE", "-j REDIRECT", "-j TRACE", "-j CT --zone 1",
    "-j TCPMSS --clamp-mss-to-pmtu", "-j TCPMSS --set-mss 1400", "-j TPROXY --on-port 80", "-j TOS --set-tos 0",
    "-j CLASSIFY --set-class 1:1", "-j MARK --set-mark 1", "-j LOG", "-j CHECKSUM --checksum-fill", "-j NOTRACK",
    "-j TCPOPTSTRIP --strip-options mss", "-j DNAT --to-destination {address}", "-j SNAT --to-source {address}",
    "-j NETMAP --to {address}", "-j SYNPROXY", "-j CONNSECMARK --save", "-j ECN --ecn-tcp-remove", "-j TTL --ttl-set 1",
    "-j SNPT --src-pfx fd00::/48 --dst-pfx 2001:db8::/48", "-j HL --hl-set 1",
)  # fmt: skip
ADDRESSES = {4: "192.0.2.1", 6: "2001:db8::1"}


class Commands:
    """Random commands on one table, read as iptables reads them."""

    def __init__(self, seed: int, family: Family, parser: RuleParser) -> None:
        self.random = random.Random(seed)
        self.table = self.random.choice(list(TABLES))
        self._address = ADDRESSES[family]
        self._parser = parser
        self._rules: list[list[str]] = []  # some that may be there

    def next(self) -> Command:
        """Return one that is no mistake of syntax."""
        while True:
            try:
                return self._parser.parse(["-t", self.table, *self._words()])[0]
            except UsageError:
                continue

    def _chain(self) -> str:
        return self.random.choice((*2 * TABLES[self.table], *5 * OWN_CHAINS, "nosuch"))

    def _number(self) -> str:
        return str(self.random.choice((1, 1, 1, 2, 2, 3, 5)))

    def _some_rule(self, chain: str) -> list[str]:
        """Return chain and words of a rule, which may be one that was made before."""
        if self._rules and self.random.random() < 0.7:
            return self.random.choice(self._rules)
        return [chain, *self._rule()]

    def _rule(self) -> list[str]:
        way = self.random.random()
        words = f"{self.random.choice(HEADERS)} "
        if way < 0.3:
            words += f"{self.random.choice(MATCHES)} {self.random.choice(TARGETS).format(address=self._address)}"
        elif way < 0.5:
            words += f"{self.random.choice(MATCHES)} -j {self.random.choice(('ACCEPT', 'DROP', 'RETURN'))}"
        elif way < 0.7:
            words += self.random.choice(MATCHES)
        elif way < 0.95:
            words += f"-j {self.random.choice(('ACCEPT', 'RETURN', *OWN_CHAINS, *OWN_CHAINS, 'INPUT', 'NOPE'))}"
        else:
            words += f"-g {self._chain()}"
        return words.split()

    def _words(self) -> list[str]:
        chain = self._chain()
        some = [chain] if self.random.random() < 0.9 else []
        policy = self.random.choice(("ACCEPT", "DROP", "DROP -c 5 6", "RETURN", "foo")).split()
        ways = (
            (30, ["-A", chain, *self._rule()]),
            (6, ["-I", chain, self._number(), *self._rule()]),
            (4, ["-R", chain, self._number(), *self._rule()]),
            (4, ["-D", *self._some_rule(chain)]),
            (4, ["-D", chain, self._number()]),
            (3, ["-C", *self._some_rule(chain)]),
            (6, ["-N", self.random.choice((*OWN_CHAINS, "ACCEPT", "INPUT"))]),
            (1, ["-X", *some]),
            (2, ["-F", *some]),
            (2, ["-Z", *some, *([self._number()] if some and self.random.random() < 0.5 else [])]),
            (1, ["-E", chain, self.random.choice((*OWN_CHAINS, "qux"))]),
            (2, ["-P", self.random.choice((*3 * TABLES[self.table], chain)), *policy]),
        )
        words = self.random.choices([words for _, words in ways], [weight for weight, _ in ways])[0]
        if words[0] == "-A":
            self._rules = [*self._rules[-5:], words[1:]]
        return words


def outcome(table: Table, renderer: Renderer, asked: Command | None) -> tuple[object, ...]:
    """Carry out a command, or commit (None); return what it printed, and before that why it was refused."""
    printed: list[str] = []
    try:
        if asked is None:
            table.commit()
        else:
            Engine(table, renderer, printed.append, printed.append).run(asked)
    except KernelError as error:
        return error.operation, error.errno, error.reason, printed
    except UsageError as error:
        return str(error), printed
    return (printed,)


def state(table: Table) -> list[tuple[object, ...]]:
    """Return all that can be seen of a table, without the kernel's own members of structs."""
    return [(chain, [visible(rule, table.family) for rule in table.rules(chain.name)]) for chain in table.chains()]


def visible(rule: Rule, family: Family) -> tuple[object, ...]:
    """Return what of a rule comes back from the kernel; behind a name's NUL is what libiptc had in memory before."""
    blocks = []
    kind: Kind = "match"
    for block in (*rule.matches, b"", rule.target):
        if not block:
            kind = "target"
            continue
        name, revision, payload = entry.unpack_extension(block)
        extension = find(kind, name, revision, family)
        assert extension, name
        blocks.append((name, revision, payload[: extension.layout.user_size]))
    return rule.header, blocks, rule.jump, rule.counters


@pytest.mark.parametrize("seed", range(RUNS))
def test_random_commands(netns: Namespace, tmp_path: Path, seed: int) -> None:
    family: Family = 4 if seed % 3 else 6
    with netns.entered(), contextlib.closing(LegacyBackend(family)) as kernel:
        sandbox = SandboxBackend(family, tmp_path / "sandbox" if seed % 2 else None)
        commands = Commands(seed, family, RuleParser(family, Resolver(), kernel))
        renderer = Renderer(family, Resolver())
        run(commands.table, kernel, sandbox, renderer, [command.NewChain(chain) for chain in OWN_CHAINS])
        for _ in range(COMMITS):
            asked = [commands.next() for _ in range(commands.random.choice((1, 1, 2, 6)))]
            run(commands.table, kernel, sandbox, renderer, asked)


def run(name: str, kernel: Backend, sandbox: Backend, renderer: Renderer, commands: list[Command]) -> None:
    """Carry out commands in one commit, or until one is refused, which undoes them all."""
    theirs, ours = kernel.open(name), sandbox.open(name)
    for asked in (*commands, None):
        result = outcome(theirs, renderer, asked)
        assert outcome(ours, renderer, asked) == result, (asked, commands)
        if len(result) > 1:
            break
    theirs.close()
    theirs, ours = kernel.open(name), sandbox.open(name)
    assert state(ours) == state(theirs), commands
    theirs.close()


# Tables and commits, each of commands: what random commands seldom come to.
ODD: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("filter", ("-A foo -j ACCEPT; -A foo -j foo; -A INPUT -j foo", "-D foo 1", "-I foo 1 -p tcp -j ACCEPT")),
    ("filter", ("-A INPUT -j foo; -A foo -j bar; -A bar -g foo", "-A INPUT -j DROP; -A INPUT -j foo; -A foo -j foo")),
    ("filter", ("-A foo -j bar; -A bar -j foo", "-A INPUT -g foo", "-A OUTPUT -j foo", "-N qux; -A qux -j foo")),
    ("filter", ("-A INPUT -j ACCEPT; -A INPUT -m owner --uid-owner 0", "-I INPUT 1 -m owner --uid-owner 0")),
    ("nat", ("-A INPUT -j ACCEPT; -A INPUT -j MASQUERADE", "-D INPUT 1")),
    ("mangle", ("-A INPUT -j foo; -A foo -m mac --mac-source 0:0:0:0:0:1", "-A OUTPUT -j foo", "-A FORWARD -j foo")),
    ("mangle", ("-A OUTPUT -j foo; -A FORWARD -j foo; -A foo -m mac --mac-source 0:0:0:0:0:1", "-A foo -j TRACE")),
    ("filter", ("-A INPUT -j foo; -R INPUT 1 -j bar; -X foo", "-X bar", "-D INPUT -j LOG", "-D INPUT -j bar; -X bar")),
    ("filter", ("-A INPUT -j foo; -A INPUT -j bar; -D INPUT -j bar", "-E foo x", "-D INPUT -j foo", "-D INPUT -j x")),
    ("filter", ("-A INPUT -c 3 4; -Z", "-A INPUT -c 5 6; -Z INPUT 1", "-Z", "-P INPUT DROP -c 7 8; -Z", "-N qux")),
    ("filter", ("-X LOG; -A INPUT -j LOG; -E foo LOG; -A INPUT -j LOG", "-D INPUT -j LOG; -D INPUT -j LOG", "-X LOG")),
    ("filter", ("-A INPUT -j foo; -F INPUT; -X foo", "-A INPUT -j bar; -D INPUT 1; -X bar", "-X", "-A INPUT -j foo")),
)  # fmt: skip


@pytest.mark.parametrize(("table", "commits"), ODD)
def test_odd_commands(netns: Namespace, table: str, commits: tuple[str, ...]) -> None:
    with netns.entered(), contextlib.closing(LegacyBackend(4)) as kernel:
        sandbox, renderer = SandboxBackend(4), Renderer(4, Resolver())
        parser = RuleParser(4, Resolver(), kernel)
        run(table, kernel, sandbox, renderer, [command.NewChain(chain) for chain in OWN_CHAINS])
        for lines in commits:
            asked = [parser.parse(["-t", table, *line.split()])[0] for line in lines.split(";")]
            run(table, kernel, sandbox, renderer, asked)


PLACES = [(table, hook) for table, hooks in TABLES.items() for hook in hooks]


@pytest.mark.parametrize("family", [4, 6])
def test_extensions_are_refused_in_the_same_places(netns: Namespace, family: Family) -> None:
    with netns.entered(), contextlib.closing(LegacyBackend(family)) as kernel:
        sandbox = SandboxBackend(family)
        parser = RuleParser(family, Resolver(), kernel)
        renderer = Renderer(family, Resolver())
        taken = refused = 0
        for words in [*MATCHES, *(target.format(address=ADDRESSES[family]) for target in TARGETS)]:
            for header in ("", "-p tcp", "-p udp", "! -p tcp", "-p tcp -m tcp --syn"):
                for table, hook in PLACES:
                    try:
                        asked, _ = parser.parse(["-t", table, "-A", hook, *header.split(), *words.split()])
                    except UsageError:
                        continue
                    theirs, ours = kernel.open(table), sandbox.open(table)
                    for step in (asked, None):
                        result = outcome(theirs, renderer, step)
                        assert outcome(ours, renderer, step) == result, (table, hook, header, words)
                    theirs.close()
                    taken += len(result) == 1
                    refused += len(result) > 1
        assert taken > 1000
        assert refused > 1000
