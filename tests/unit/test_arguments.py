"""A UsageError tells which word of a command line is wrong, and whether an option is unknown or misplaced."""

from __future__ import annotations

import pytest

from pyipvsadm.errors import MisplacedOptionError, UnknownOptionError, UsageError
from pyipvsadm.ipvs.names import Names
from pyipvsadm.ipvs.syntax import parse as parse_ipvs
from pyipvsadm.xtables.backend.sandbox import SandboxBackend
from pyipvsadm.xtables.names import Resolver
from pyipvsadm.xtables.syntax import RuleParser

# A word that is wrong stands in brackets.
IPVS = [
    ("[-Q] -t 192.0.2.1:80", UsageError),
    ("[x] -t 192.0.2.1:80", UsageError),
    ("-A -t 192.0.2.1:80 [--foo]", UnknownOptionError),
    ("-A -t 192.0.2.1:80 [-nq]", UnknownOptionError),
    ("-A -t [nowhere:80:80] -s rr", UsageError),
    ("-A [--tcp-service=192.0.2.1:x/y] -s rr", UsageError),
    ("-A -t 192.0.2.1:80 [extra] -s rr", UsageError),
    ("-A -t 192.0.2.1:80 -t [192.0.2.2:80]", MisplacedOptionError),
    ("[-A] -s rr", MisplacedOptionError),
    ("-A -t 192.0.2.1:80 -r [10.0.0.1] -s rr", MisplacedOptionError),
    ("-A -t [192.0.2.1:0] -s rr", UsageError),
    ("-A -t 192.0.2.1:80 [-o] -s rr", MisplacedOptionError),
    ("-A -t 192.0.2.1:80 -b [sh-port] -s rr", UsageError),
    ("-a -t 192.0.2.1:80 -r 10.0.0.1 -m -w [-3]", UsageError),
    ("-a -t 192.0.2.1:80 -r [2001:db8::1] -m", UsageError),
    ("-a -t 192.0.2.1:80 -r 10.0.0.1 -i --tun-type gre --tun-port [7]", MisplacedOptionError),
    ("--set 1 [x] 3", UsageError),
]
XTABLES = [
    ("-A INPUT [--foo]", UnknownOptionError),
    ("-A INPUT [-Q]", UnknownOptionError),
    ("-A INPUT [--dport] 80", UnknownOptionError),
    ("-A INPUT -s [192.0.2.0/33] -j DROP", UsageError),
    ("-A INPUT -p [tpc] -j DROP", UsageError),
    ("-A INPUT -p tcp --dport [x/y] -j DROP", UsageError),
    ("-A INPUT -p tcp [--dport=70000] -j DROP", UsageError),
    ("-A INPUT -p tcp --dport 80 [--dport] 81", MisplacedOptionError),
    ("-A INPUT -i lo [-o] eth0", MisplacedOptionError),
    ("-A INPUT -m [nosuch] -j DROP", UsageError),
    ("-A INPUT -m limit --limit 1/s [-m] mark -j DROP", MisplacedOptionError),
    ("-A INPUT -p udp -m multiport --dports 1 [--sports] 2", MisplacedOptionError),
    ("-A INPUT ! [-j] LOG", MisplacedOptionError),
    ("-A INPUT [extra]", UsageError),
    ("-A INPUT -s 192.0.2.1 [-s] 192.0.2.2", MisplacedOptionError),
    ("-N FOO [-s] 192.0.2.1", MisplacedOptionError),
    ("-A INPUT [-j]", MisplacedOptionError),
    ("-A INPUT -j REJECT --reject-with [nothing]", UsageError),
    ("-A INPUT [-t] nat -j ACCEPT", MisplacedOptionError),
]


def _wrong(marked: str) -> tuple[list[str], int]:
    words = marked.split()
    place = next(index for index, word in enumerate(words) if word.startswith("["))
    words[place] = words[place][1:-1]
    return words, place


class Nobody(Names):
    """Knows no host."""

    def ask_host(self, name: str) -> str | None:  # noqa: ARG002
        return None


@pytest.mark.parametrize(("marked", "kind"), IPVS)
def test_of_ipvsadm(marked: str, kind: type[UsageError]) -> None:
    words, place = _wrong(marked)
    with pytest.raises(kind) as caught:
        parse_ipvs(words, Nobody())
    assert (caught.value.argument, words[caught.value.argument or 0]) == (place, words[place])


@pytest.mark.parametrize(("marked", "kind"), XTABLES)
def test_of_iptables(marked: str, kind: type[UsageError]) -> None:
    words, place = _wrong(marked)
    parser = RuleParser(4, Resolver(), SandboxBackend(4))
    with pytest.raises(kind) as caught:
        parser.parse(words, table="filter")
    assert (caught.value.argument, words[caught.value.argument or 0]) == (place, words[place])
