"""All kinds of findings, each declared once.

The pages in docs/check, ``--explain``, the rules in SARIF and tests of every example come from here. Codes that begin
with S are about any dump, with V about virtual servers, with T about tables of rules.
"""

from __future__ import annotations

from pyipvsadm.check.finding import FindingKind
from pyipvsadm.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_DECLARED: Final = (
    # -- any dump ------------------------------------------------------------------------------------------------------
    FindingKind(
        code="S001",
        slug="syntax",
        severity="error",
        summary="A line is no command, or the dump has not the form of one.",
        explanation=(
            "Nothing can be made of the line: it names no command, quotes are left open, a rule stands outside of "
            "a table, or a table has no COMMIT. The restore commands refuse the whole dump."
        ),
        hint="write the line as the save command does",
        bad=("*filter\n:INPUT ACCEPT [0:0]\nA INPUT -j ACCEPT\nCOMMIT\n"),
        good=("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n"),
    ),
    FindingKind(
        code="S002",
        slug="unknown-option",
        severity="error",
        summary="There is no such option.",
        explanation=(
            "The command has no option of this name, or none of the matches and targets that the line names "
            "before it has it. The options of a protocol's match, such as --dport, need -p or -m before them."
        ),
        hint="mend its name, or name the protocol (-p), match (-m) or target (-j) it belongs to before it",
        bad=("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT --dport 22 -j ACCEPT\nCOMMIT\n"),
        good=("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n"),
    ),
    FindingKind(
        code="S003",
        slug="misplaced-option",
        severity="error",
        summary="An option does not go with the others, or one is missing.",
        explanation=(
            "The option exists, but the command does not take it, it was given before, it cannot be inverted or "
            "does not go with another one; or an option or an argument that must be there is not."
        ),
        hint="leave it out, or give what it needs",
        bad=("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -o eth0 -j ACCEPT\nCOMMIT\n"),
        good=("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i eth0 -j ACCEPT\nCOMMIT\n"),
    ),
    FindingKind(
        code="S004",
        slug="bad-value",
        severity="error",
        summary="An argument is not what its option takes.",
        explanation=(
            "An address, a port, a number or a name cannot be read, or is out of bounds; or a word stands where "
            "no option takes one."
        ),
        hint="mend the argument",
        bad=("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w lots\n"),
        good=("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 100\n"),
    ),
    FindingKind(
        code="S005",
        slug="unknown-code",
        severity="warning",
        summary="A comment for check names a finding that there is none of.",
        explanation=(
            'The comments "# pyipvsadm: ignore CODE,..." (for the next line) and "# pyipvsadm: ignore-file '
            'CODE,..." name findings by code or name. One that does not exist switches nothing off.'
        ),
        hint="mend the code; pyipvsadm check --explain all lists them",
        bad=("# pyipvsadm: ignore T999\n-A -f 1 -s rr\n-a -f 1 -r 10.0.0.1 -g -w 1\n"),
        good=("# pyipvsadm: ignore V201\n-A -f 1 -s rr\n"),
    ),
    FindingKind(
        code="S006",
        slug="no-change",
        severity="warning",
        summary="A command in a dump changes nothing.",
        explanation=(
            "Commands that list, look or help are none of a dump: the restore commands print their output, and -h "
            "or -v end the dump there."
        ),
        hint="leave the line out",
        bad=("-A -f 1 -s rr\n-a -f 1 -r 10.0.0.1 -g -w 1\n-L -n\n"),
        good=("-A -f 1 -s rr\n-a -f 1 -r 10.0.0.1 -g -w 1\n"),
    ),
    FindingKind(
        code="S007",
        slug="host-name",
        severity="note",
        summary="A host is named, not addressed.",
        explanation=(
            "The name is looked up when the dump is restored: at boot there may be nobody to ask, and then the "
            "restore fails. check asks nobody, and does not know what the name stands for."
        ),
        hint="write the address (the save commands do with -n)",
        bad=("-A -t www.example.org:80 -s rr\n-a -t www.example.org:80 -r 10.0.0.1:80 -m -w 1\n"),
        good=("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1\n"),
    ),
    FindingKind(
        code="S008",
        slug="wrong-document",
        severity="error",
        summary="A member of a document cannot be read.",
        explanation=(
            "Documents in JSON or YAML are read strictly: a member that is not known, is missing, or has a value of "
            "another type or out of its range is refused, and so is text that is no JSON or YAML. The commands that "
            "take documents refuse all of it. Of each service, server, chain and rule the first such mistake is told, "
            "and what else is wrong with it is not looked for."
        ),
        hint="write what docs/json.md says, or let pyipvsadm convert write it",
        bad=(
            "version: 1\nkind: ipvs\nservices:\n- family: 4\n  fwmark: 1\n  scheduler: rr\n  servers:\n"
            "  - {family: 4, address: 10.0.0.1, port: 80, forward: masq, wieght: 1}\n"
        ),
        good=(
            "version: 1\nkind: ipvs\nservices:\n- family: 4\n  fwmark: 1\n  scheduler: rr\n  servers:\n"
            "  - {family: 4, address: 10.0.0.1, port: 80, forward: masq, weight: 1}\n"
        ),
    ),
    # -- virtual servers: what the kernel refuses ----------------------------------------------------------------------
    FindingKind(
        code="V101",
        slug="duplicate-service",
        severity="error",
        summary="A service is added twice.",
        explanation=(
            "A service is told from others by protocol, address and port, or by its firewall mark. The kernel "
            "refuses to add it again, whatever its settings."
        ),
        hint="leave one of the lines out, or edit the service with -E",
        bad=("-A -t 192.0.2.1:80 -s rr\n-A -t 192.0.2.1:80 -s wlc\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1\n"),
        good=("-A -t 192.0.2.1:80 -s wlc\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1\n"),
    ),
    FindingKind(
        code="V102",
        slug="duplicate-server",
        severity="error",
        summary="A server is added to a service twice.",
        explanation=(
            "A server is told from others of its service by address and port. The kernel refuses to add it again."
        ),
        hint="leave one of the lines out, or edit the server with -e",
        bad=(
            "-A -t 192.0.2.1:80 -s rr\n"
            "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1\n"
            "-a -t 192.0.2.1:80 -r 10.0.0.1 -m -w 2\n"
        ),
        good=(
            "-A -t 192.0.2.1:80 -s rr\n"
            "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1\n"
            "-a -t 192.0.2.1:80 -r 10.0.0.2 -m -w 2\n"
        ),
    ),
    FindingKind(
        code="V103",
        slug="undefined-service",
        severity="error",
        summary="A line is about a service that no line before it adds.",
        explanation=(
            "Servers can be added to a service only after it: the order of lines counts, and so do protocol and port."
        ),
        hint="add the service before, or mend its address",
        bad=(
            "-A -t 192.0.2.1:80 -s rr\n"
            "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1\n"
            "-a -t 192.0.2.1:443 -r 10.0.0.1:443 -m -w 1\n"
        ),
        good=(
            "-A -t 192.0.2.1:80 -s rr\n"
            "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1\n"
            "-A -t 192.0.2.1:443 -s rr\n"
            "-a -t 192.0.2.1:443 -r 10.0.0.1:443 -m -w 1\n"
        ),
    ),
    FindingKind(
        code="V104",
        slug="undefined-server",
        severity="error",
        summary="A line edits or deletes a server that no line before it adds.",
        explanation="Servers that are edited with -e or deleted with -d must be there, with the same port.",
        hint="add the server with -a",
        bad=(
            "-A -t 192.0.2.1:80 -s rr\n"
            "-e -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1\n"
            "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1\n"
        ),
        good=(
            "-A -t 192.0.2.1:80 -s rr\n"
            "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1\n"
            "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1\n"
        ),
    ),
    FindingKind(
        code="V105",
        slug="unknown-scheduler",
        severity="error",
        summary="Linux has no scheduler, or no persistence engine, of this name.",
        explanation=(
            "The kernel loads the module ip_vs_NAME for a scheduler and ip_vs_pe_NAME for a persistence engine, "
            "and refuses the service where there is none. The names are those of Linux 6.1."
        ),
        hint="mend the name; switch this off where your kernel has a module of its own",
        bad=("-A -t 192.0.2.1:80 -s wcl\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1\n"),
        good=("-A -t 192.0.2.1:80 -s wlc\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1\n"),
    ),
    FindingKind(
        code="V106",
        slug="bad-server-address",
        severity="error",
        summary="The address is none that a real server can have.",
        explanation=(
            "The kernel refuses servers with a multicast or broadcast address, with 0.0.0.0 or ::, and with IPv6 "
            "addresses that are link-local or mapped."
        ),
        hint="give the server's own unicast address",
        bad=(
            "-A -u 192.0.2.1:53 -s rr\n"
            "-a -u 192.0.2.1:53 -r 224.0.0.1:53 -m -w 1\n"
            "-a -u 192.0.2.1:53 -r 10.0.0.1:53 -m -w 1\n"
        ),
        good=(
            "-A -u 192.0.2.1:53 -s rr\n"
            "-a -u 192.0.2.1:53 -r 10.0.0.2:53 -m -w 1\n"
            "-a -u 192.0.2.1:53 -r 10.0.0.1:53 -m -w 1\n"
        ),
    ),
    FindingKind(
        code="V107",
        slug="bad-thresholds",
        severity="error",
        summary="The lower threshold is above the upper one.",
        explanation=(
            "A server gets no more connections from the upper threshold (-x) on until it has fewer than the lower "
            "one (-y). The kernel refuses a lower one that is larger, also where the upper one is 0, no limit."
        ),
        hint="give -x, and -y of at most as much",
        bad=("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1 -x 100 -y 200\n"),
        good=("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1 -x 200 -y 100\n"),
    ),
    FindingKind(
        code="V108",
        slug="kernel-refuses",
        severity="error",
        summary="The kernel refuses the line for another reason.",
        explanation=(
            "What was tried was carried out in memory by the kernel's rules: a daemon that runs already or does "
            "not run, tunnels to another family beside a daemon, timeouts out of bounds."
        ),
        hint="mend what the message says",
        bad=("--start-daemon master --mcast-interface eth0\n--start-daemon master --mcast-interface eth1\n"),
        good=("--start-daemon master --mcast-interface eth0\n--start-daemon backup --mcast-interface eth0\n"),
    ),
    # -- virtual servers: likely mistakes ------------------------------------------------------------------------------
    FindingKind(
        code="V201",
        slug="service-without-servers",
        severity="warning",
        summary="A service has no real server.",
        explanation="Connections to it are refused as long as nobody adds one.",
        hint="add a server with -a, or leave the service out; switch this off where a program adds servers",
        bad="-A -t 192.0.2.1:80 -s rr\n",
        good=("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1\n"),
    ),
    FindingKind(
        code="V202",
        slug="no-weight",
        severity="warning",
        summary="All servers of a service have the weight 0.",
        explanation=(
            "A server with the weight 0 is drained: it gets no new connections. Where all are, the service has "
            "nobody for them."
        ),
        hint="give one of the servers a weight (-w)",
        bad=(
            "-A -t 192.0.2.1:80 -s rr\n"
            "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 0\n"
            "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 0\n"
        ),
        good=(
            "-A -t 192.0.2.1:80 -s rr\n"
            "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 0\n"
            "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1\n"
        ),
    ),
    FindingKind(
        code="V203",
        slug="port-ignored",
        severity="warning",
        summary="A server's port is not the service's, and will be ignored.",
        explanation=(
            "With direct routing (-g, the default) and tunnels (-i) packets come to the server as they were sent, "
            "so its port is the service's: ipvsadm puts that in the place of another one."
        ),
        hint="write the service's port, or translate addresses with -m",
        bad=("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -g -w 1\n"),
        good=("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 1\n"),
    ),
    FindingKind(
        code="V204",
        slug="mark-not-set",
        severity="warning",
        summary="Nothing sets the firewall mark of a service.",
        explanation=(
            "A service by firewall mark gets the packets that a rule of iptables has marked. This is found where "
            "dumps of iptables (ip6tables for services with -6) are checked on the same command line, and no rule "
            "in them can set the mark."
        ),
        hint="mark the packets in the table mangle (-j MARK --set-mark), or mend the mark",
        bad=("-A -f 7 -s rr\n-a -f 7 -r 10.0.0.1 -g -w 1\n"),
        good=("-A -f 8 -s rr\n-a -f 8 -r 10.0.0.1 -g -w 1\n"),
        beside=(
            "*mangle\n"
            ":PREROUTING ACCEPT [0:0]\n"
            "-A PREROUTING -d 192.0.2.1/32 -p tcp -j MARK --set-xmark 0x8/0xffffffff\n"
            "COMMIT\n"
        ),
    ),
    # -- tables of rules: what the restore commands or the kernel refuse -----------------------------------------------
    FindingKind(
        code="T101",
        slug="unknown-table",
        severity="error",
        summary="There is no table of this name.",
        explanation="The tables are filter, nat, mangle, raw and security.",
        hint="mend the name",
        bad=("*fliter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"),
        good=("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"),
    ),
    FindingKind(
        code="T102",
        slug="missing-chain",
        severity="error",
        summary="A line is about a chain that is not there.",
        explanation=(
            'A chain of one\'s own must be made, by ":NAME - [0:0]" or -N, before it gets rules; a table has only '
            "those built-in chains whose hooks it is at."
        ),
        hint='add a line ":NAME - [0:0]", or mend the name',
        bad=("*filter\n:INPUT ACCEPT [0:0]\n-A WEB -p tcp --dport 80 -j ACCEPT\nCOMMIT\n"),
        good=(
            "*filter\n:INPUT ACCEPT [0:0]\n:WEB - [0:0]\n-A INPUT -j WEB\n-A WEB -p tcp --dport 80 -j ACCEPT\nCOMMIT\n"
        ),
    ),
    FindingKind(
        code="T103",
        slug="missing-target",
        severity="error",
        summary="A rule jumps to what is neither a chain nor a target.",
        explanation=(
            "After -j comes ACCEPT, DROP, QUEUE, RETURN, a target or a chain that was made before; after -g a chain."
        ),
        hint='make the chain before (":NAME - [0:0]"), or mend the name',
        bad=("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j WEB\nCOMMIT\n"),
        good=("*filter\n:INPUT ACCEPT [0:0]\n:WEB - [0:0]\n-A INPUT -j WEB\nCOMMIT\n"),
    ),
    FindingKind(
        code="T104",
        slug="jump-to-built-in",
        severity="error",
        summary="A rule jumps to a built-in chain.",
        explanation="Only packets of its hook come to a built-in chain.",
        hint="put the rules that both need into a chain of their own, and jump there from both",
        bad=("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j INPUT\nCOMMIT\n"),
        good=(
            "*filter\n"
            ":INPUT ACCEPT [0:0]\n"
            ":FORWARD ACCEPT [0:0]\n"
            ":BOTH - [0:0]\n"
            "-A INPUT -j BOTH\n"
            "-A FORWARD -j BOTH\n"
            "COMMIT\n"
        ),
    ),
    FindingKind(
        code="T105",
        slug="loop",
        severity="error",
        summary="Packets could go round in a circle of chains.",
        explanation=(
            "The kernel refuses a table in which a packet that comes from a hook could come to a chain again that "
            "it has not left, whatever the rules ask of it."
        ),
        hint="take away one of the jumps",
        bad=(
            "*filter\n"
            ":INPUT ACCEPT [0:0]\n"
            ":A - [0:0]\n"
            ":B - [0:0]\n"
            "-A INPUT -j A\n"
            "-A A -p tcp -j B\n"
            "-A B -p tcp -j A\n"
            "COMMIT\n"
        ),
        good=(
            "*filter\n"
            ":INPUT ACCEPT [0:0]\n"
            ":A - [0:0]\n"
            ":B - [0:0]\n"
            "-A INPUT -j A\n"
            "-A A -p tcp -j B\n"
            "-A B -p tcp -j RETURN\n"
            "COMMIT\n"
        ),
    ),
    FindingKind(
        code="T106",
        slug="duplicate-chain",
        severity="error",
        summary="A chain is made twice.",
        explanation="A table has one chain of a name.",
        hint="leave one of the lines out",
        bad=("*filter\n:INPUT ACCEPT [0:0]\n:WEB - [0:0]\n:WEB - [0:0]\n-A INPUT -j WEB\nCOMMIT\n"),
        good=("*filter\n:INPUT ACCEPT [0:0]\n:WEB - [0:0]\n-A INPUT -j WEB\nCOMMIT\n"),
    ),
    FindingKind(
        code="T107",
        slug="bad-policy",
        severity="error",
        summary="A chain cannot have this policy.",
        explanation="A built-in chain has the policy ACCEPT or DROP, one of your own none (-).",
        hint="write ACCEPT, DROP, or - for a chain of your own; refuse packets with a last rule -j REJECT",
        bad=("*filter\n:INPUT REJECT [0:0]\nCOMMIT\n"),
        good=("*filter\n:INPUT DROP [0:0]\nCOMMIT\n"),
    ),
    FindingKind(
        code="T108",
        slug="wrong-place",
        severity="error",
        summary="A match or target cannot be in this table, at this hook, or in such a rule.",
        explanation=(
            "Targets such as DNAT belong in one table and to some of its hooks, others need a protocol in the "
            "rule. Which packets come to a chain is followed through all jumps."
        ),
        hint="move the rule to where its target works",
        bad=("*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j MASQUERADE\nCOMMIT\n"),
        good=("*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -p tcp -j MASQUERADE\nCOMMIT\n"),
    ),
    FindingKind(
        code="T109",
        slug="command-refused",
        severity="error",
        summary="A command cannot be carried out on the table as it is at that line.",
        explanation=(
            "Rules that are deleted must be there, numbers must be those of rules, chains that are deleted must "
            "be empty and not jumped to."
        ),
        hint="mend the command, or the lines before it",
        bad=("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\n-D INPUT 2\nCOMMIT\n"),
        good=("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\n-A INPUT -j DROP\n-D INPUT 2\nCOMMIT\n"),
    ),
    FindingKind(
        code="T110",
        slug="repeated-table",
        severity="warning",
        summary="A table comes twice.",
        explanation=(
            "iptables-restore empties a table where it begins, so nothing is left of what came first. With "
            "--noflush both stay."
        ),
        hint="put all rules of a table into one",
        bad=("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n*filter\n:INPUT DROP [0:0]\nCOMMIT\n"),
        good=("*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n"),
    ),
    # -- tables of rules: likely mistakes ------------------------------------------------------------------------------
    FindingKind(
        code="T201",
        slug="unused-chain",
        severity="warning",
        summary="No packet can come to a chain.",
        explanation="No rule jumps to it, or only rules of chains to which no packet comes.",
        hint="jump to it from a built-in chain, or leave it out",
        bad=("*filter\n:INPUT ACCEPT [0:0]\n:WEB - [0:0]\n-A WEB -p tcp --dport 80 -j ACCEPT\nCOMMIT\n"),
        good=(
            "*filter\n:INPUT ACCEPT [0:0]\n:WEB - [0:0]\n-A INPUT -j WEB\n-A WEB -p tcp --dport 80 -j ACCEPT\nCOMMIT\n"
        ),
    ),
    FindingKind(
        code="T202",
        slug="shadowed-rule",
        severity="warning",
        summary="A rule never matches: an earlier one takes all its packets.",
        explanation=(
            "An earlier rule of the chain matches every packet that this one asks for, and decides about it. "
            "Addresses, interfaces, protocols, ports, TCP flags and states of connections are compared; other "
            "matches count where they are the same in both rules and give the same answer twice."
        ),
        hint="put the rule before the earlier one, or leave it out",
        bad=(
            "*filter\n"
            ":INPUT DROP [0:0]\n"
            "-A INPUT -s 10.0.0.0/8 -p tcp -j ACCEPT\n"
            "-A INPUT -s 10.1.0.0/16 -p tcp -m tcp --dport 23 -j DROP\n"
            "COMMIT\n"
        ),
        good=(
            "*filter\n"
            ":INPUT DROP [0:0]\n"
            "-A INPUT -s 10.1.0.0/16 -p tcp -m tcp --dport 23 -j DROP\n"
            "-A INPUT -s 10.0.0.0/8 -p tcp -j ACCEPT\n"
            "COMMIT\n"
        ),
    ),
    FindingKind(
        code="T203",
        slug="unreachable-rule",
        severity="warning",
        summary="A rule comes after one that decides about every packet.",
        explanation="The earlier rule asks for nothing and lets no packet go on in its chain.",
        hint="put the rule before it, or leave it out",
        bad=("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n"),
        good=("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\n-A INPUT -j DROP\nCOMMIT\n"),
    ),
    FindingKind(
        code="T204",
        slug="contradiction",
        severity="warning",
        summary="A rule asks for what no packet has.",
        explanation=(
            "Two of its conditions exclude each other, or one cannot be true: ports that have nothing in common, "
            "a mark with bits outside of its mask, ports of fragments, every address excluded."
        ),
        hint="mend one of the conditions",
        bad=(
            "*filter\n"
            ":INPUT ACCEPT [0:0]\n"
            "-A INPUT -p tcp -m tcp --dport 22 -m multiport --dports 80,443 -j DROP\n"
            "COMMIT\n"
        ),
        good=("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m multiport --dports 22,80,443 -j DROP\nCOMMIT\n"),
    ),
    FindingKind(
        code="T205",
        slug="duplicate-rule",
        severity="warning",
        summary="A rule is the same as an earlier one of its chain.",
        explanation="The second adds nothing. Rules that limit, sample or change packets are not compared.",
        hint="leave it out",
        bad=(
            "*filter\n"
            ":INPUT ACCEPT [0:0]\n"
            "-A INPUT -p tcp --dport 22 -j ACCEPT\n"
            "-A INPUT -i lo -j ACCEPT\n"
            "-A INPUT -p tcp --dport 22 -j ACCEPT\n"
            "COMMIT\n"
        ),
        good=("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n"),
    ),
    FindingKind(
        code="T206",
        slug="answers-dropped",
        severity="warning",
        summary="TCP connections may begin, but none goes on.",
        explanation=(
            "The policy is DROP, and a rule accepts new TCP connections by their state. From the second packet on "
            "they are established, and no rule that a packet can come to accepts those."
        ),
        hint="add -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        bad=(
            "*filter\n"
            ":INPUT DROP [0:0]\n"
            "-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT\n"
            "COMMIT\n"
        ),
        good=(
            "*filter\n"
            ":INPUT DROP [0:0]\n"
            "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
            "-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT\n"
            "COMMIT\n"
        ),
    ),
)

# All kinds of findings, by code.
FINDINGS: Final = {kind.code: kind for kind in _DECLARED}
_BY_SLUG: Final = {kind.slug: kind for kind in _DECLARED}


def kind_of(name: str) -> FindingKind | None:
    """Return the kind of a code or a name, None where there is none."""
    return FINDINGS.get(name.upper()) or _BY_SLUG.get(name.lower())


def kinds_of(name: str) -> frozenset[str]:
    """Return the codes that a code, the beginning of one, or a name stands for. Raises UsageError for none."""
    kind = kind_of(name)
    codes = {kind.code} if kind else {code for code in FINDINGS if name and code.startswith(name.upper())}
    if not codes:
        raise UsageError(f"no such finding: {name}: see pyipvsadm check --explain all")
    return frozenset(codes)
