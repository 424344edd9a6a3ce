"""pyipvsadm check on what iptables-legacy-save prints: all of it is read, and only true mistakes are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.xtables import dump
from pyipvsadm import check
from support import xtables

if TYPE_CHECKING:
    from support.netns import Namespace
    from xtables.conftest import Pair

# As people write them: a host, a router with address translation, a balancer that marks, one with ipset.
HOST = """*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:LOGDROP - [0:0]
:SSH - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -m conntrack --ctstate INVALID -j DROP
-A INPUT -p icmp -m icmp --icmp-type 8 -m limit --limit 5/s -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j SSH
-A INPUT -p tcp -m multiport --dports 80,443 -m comment --comment "the web" -j ACCEPT
-A INPUT -j LOGDROP
-A LOGDROP -m limit --limit 3/min -j LOG --log-prefix "dropped: "
-A LOGDROP -j DROP
-A SSH -m recent --name ssh --set
-A SSH -m recent --name ssh --update --seconds 60 --hitcount 5 -j DROP
-A SSH -j ACCEPT
COMMIT
"""
ROUTER = """*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.5:80
-A PREROUTING -i eth1 -p udp -m udp --dport 53 -j REDIRECT --to-ports 5353
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
COMMIT
*mangle
:PREROUTING ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
-A PREROUTING -d 192.0.2.1/32 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x1/0xffffffff
-A PREROUTING -m mark --mark 0x1 -j CONNMARK --save-mark
-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
COMMIT
*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i eth1 -o eth0 -j ACCEPT
-A FORWARD -i eth0 -o eth1 -m conntrack --ctstate DNAT -j ACCEPT
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
COMMIT
"""
HOST6 = """*filter
:INPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -m hl --hl-eq 255 -j ACCEPT
-A INPUT -s fe80::/10 -p udp -m udp --sport 547 --dport 546 -j ACCEPT
-A INPUT -s 2001:db8::/32 -p tcp -m tcp --dport 22 --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT
-A INPUT -j REJECT --reject-with icmp6-adm-prohibited
COMMIT
"""


@pytest.mark.parametrize(
    ("tool", "text"), [("iptables", HOST), ("iptables", ROUTER), ("iptables", dump(20)), ("ip6tables", HOST6)]
)
def test_saved_tables_are_clean(pair: Pair, tool: str, text: str) -> None:
    restored = pair.peer(f"{tool}-restore", stdin=text)
    assert (restored.status, restored.stderr) == (0, "")
    saved = pair.peer(f"{tool}-save", "-c").stdout
    assert len(saved) > len(text) // 2
    assert check.detect(saved) == tool
    assert check.run(saved) == []


def test_every_case_that_the_peer_saves_is_read(netns: Namespace) -> None:
    """All cases of all extensions, as iptables-legacy prints them: what is found is what its own restore refuses.

    Quotes that are left open are the exception: iptables-legacy-restore takes what follows them.
    """
    wrong = []
    with netns.entered():
        xtables.make_sets()
        for path in sorted(xtables.CASES.glob("*/*.txt")):
            xtables.prepare(path)
            for case in xtables.cases(path):
                rule = xtables.peer(case)
                if rule.status:
                    continue
                text = f"*{case.table}\n:{case.chain} ACCEPT [0:0]\n{rule.saved}\nCOMMIT\n"
                kind: check.DumpKind = "iptables" if case.family == 4 else "ip6tables"
                found = check.run(text, kind=kind, select=["S", "T1"], ignore=["S007"])
                restore = [f"{xtables.TOOL[case.family]}-restore", "-t"]
                if found and "quote" not in found[0].message and not netns.run(restore, text, xtables.LOCK).status:
                    wrong.append((case.place, rule.saved, found))
    assert wrong == []
