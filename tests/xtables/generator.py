"""Random command lines and dumps for iptables: right ones, wrong ones, and right ones in a wrong order."""

from __future__ import annotations

import random
import shlex
from typing import TYPE_CHECKING

from support import xtables

if TYPE_CHECKING:
    from collections.abc import Sequence

ADDRESSES = {
    4: ("1.2.3.4", "10.0.0.0/8", "1.2.3.4,5.6.7.8", "10.1.2.3/255.0.255.0", "0/0", "10", "1.2.3.4/33", "x.invalid"),
    6: ("::1", "fe80::/10", "::1,::2", "2001:db8::/ffff::", "::/0", "::1/129", "1.2.3.4"),
}
PROTOCOLS = (
    "tcp", "udp", "icmp", "6", "all", "47", "250", "TCP", "icmpv6", "esp", "nosuch", "0", "300", "sctp", "ipv6-icmp",
)  # fmt: skip
INTERFACES = ("eth0", "eth+", "+", "lo", "a/b", "", "x" * 15, "x" * 16)
CHAINS = ("INPUT", "FORWARD", "OUTPUT", "foo", "bar", "a-b", "nosuch")
ODD_WORDS = (
    "--dport 80", "--sport 1:2", "-v", "-n", "-x", "--line-numbers", "extra", "!", "--", "-w", "-w 2", "-4", "-6",
    "-m nosuch", "-t filter", "--tabl filter", "--proto tcp",
)  # fmt: skip
ODD_LINES = (
    "-V", "--version", "", "-A", "-Q", "--nosuch", "-L -A INPUT", "-t nat -L -n", "-t nope -S", "-S -t mangle", "-t",
)  # fmt: skip


class Generator:
    """Makes lines of one family from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.family = self.random.choice((4, 4, 6))
        self.cases = [
            case.words for path in sorted(xtables.CASES.glob("*/*.txt")) for case in xtables.cases(path)
            if case.family == self.family
        ]  # fmt: skip

    def chance(self, probability: float) -> bool:
        """Return whether to do what is done so often."""
        return self.random.random() < probability

    def pick(self, items: Sequence[str]) -> str:
        """Return one of some words."""
        return self.random.choice(items)

    def _not(self) -> list[str]:
        return ["!"] if self.chance(0.5) else []

    def _header(self) -> list[str]:
        words: list[str] = []
        if self.chance(0.4):
            option = self.pick(("-s", "--source", "-d", "--dst", "--destination", "--src"))
            words += [*self._not(), option, self.pick(ADDRESSES[self.family])]
        if self.chance(0.3):
            words += [*self._not(), "-p", self.pick(PROTOCOLS)]
        for option in ("-i", "-o"):
            if self.chance(0.15):
                words += [*self._not(), option, self.pick(INTERFACES)]
        if self.chance(0.1):
            words += [*self._not(), "-f"]
        if self.chance(0.1):
            words += ["-c", self.pick(("1", "99999", "100000", "123456789", "10000000000000", "x")), "1000000"]
        return words

    def rule(self) -> list[str]:
        """Return the words of a rule."""
        words = self._header()
        if self.chance(0.5):
            words += self.random.choice(self.cases)
        if self.chance(0.4):
            words += ["-j", self.pick(("ACCEPT", "DROP", "RETURN", "QUEUE", "foo", "bar", "LOG", "NOPE", "INPUT", ""))]
        elif self.chance(0.1):
            words += ["-g", self.pick(("foo", "ACCEPT"))]
        if self.chance(0.12):
            words += self.pick(ODD_WORDS).split()
        if self.chance(0.1):
            self.random.shuffle(words)
        return words

    def _numbered(self) -> list[str]:
        return [str(self.random.randint(0, 3))] if self.chance(0.5) else []

    def command(self) -> list[str]:
        """Return a command line."""
        chain = self.pick(CHAINS)
        some = [] if self.chance(0.4) else [chain]
        names = (*CHAINS, "ACCEPT", "LOG", "-x", "!y", "x" * 28, "x" * 29, "with space", "")
        listing = self.pick(("-L", "-nL", "-nvL", "-nvxL", "-vL", "-n --line-numbers -L", "-S", "-vS")).split()
        ways = (
            (35, ["-A", chain, *self.rule()]),
            (7, ["-I", chain, *self._numbered(), *self.rule()]),
            (4, ["-R", chain, *self._numbered(), *self.rule()]),
            (8, ["-D", chain, *(self.rule() if self.chance(0.6) else self._numbered())]),
            (5, ["-C", chain, *self.rule()]),
            (8, ["-N", self.pick(names)]),
            (3, ["-X", *some]),
            (2, ["-F", *some]),
            (3, ["-Z", *some, *(self._numbered() if some else [])]),
            (3, ["-E", chain, *([self.pick(CHAINS)] if self.chance(0.8) else [])]),
            (4, ["-P", chain, *([self.pick(("ACCEPT", "DROP", "foo"))] if self.chance(0.8) else [])]),
            (15, [*listing, *some, *(["-Z"] if self.chance(0.2) else [])]),
            (3, self.pick(ODD_LINES).split()),
        )
        return self.random.choices([words for _, words in ways], [weight for weight, _ in ways])[0]

    def dump(self) -> str:
        """Return a dump of one table, for all of which the C tool and ours do the same."""
        chains = ["OUTPUT", *self.random.sample(("foo", "bar", "a-b"), self.random.randint(0, 3))]
        lines = [f"*{self.pick(('filter', 'mangle', 'raw', 'nat', 'security'))}"]
        lines += [f":{chain} - [{self.random.randint(0, 9)}:7]" for chain in chains[1:]]
        if self.chance(0.3):
            lines.append(f":OUTPUT {self.pick(('ACCEPT', 'DROP', 'FOO'))} [3:7]")
        for _ in range(self.random.randint(0, 6)):
            words = self.command() if self.chance(0.05) else ["-A", self.pick(chains), *self.rule()]
            counters = f"[{self.random.randint(0, 99)}:5] " if self.chance(0.2) else ""
            lines.append(counters + " ".join([_quoted(word) for word in words]))
        if self.chance(0.1):
            lines.append("# a comment")
        return "\n".join([*lines, *(["COMMIT"] if self.chance(0.96) else []), ""])


def _quoted(word: str) -> str:
    if word and not set(word) & set(" \"'\\"):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def shown(words: Sequence[str]) -> str:
    """Return a command line as a shell takes it."""
    return shlex.join(words)
