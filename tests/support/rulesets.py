"""Random sets of tables, from pools so small that they have much in common."""

from __future__ import annotations

from hypothesis import strategies as st

from pyipvsadm import iptables

BUILT_IN = {"filter": ("INPUT", "FORWARD", "OUTPUT"), "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")}
OWN = ("one", "two")
RULES = (
    "",
    "-j ACCEPT",
    "-s 10.0.0.1/32 -p tcp -m tcp --dport 80 -j ACCEPT",
    '-p udp -m comment --comment "a b" -j RETURN',
    "-m mark --mark 0x1",
    "-m limit --limit 5/sec -j ACCEPT",
)


@st.composite
def _table(draw: st.DrawFn, name: str) -> str:
    own = sorted(draw(st.sets(st.sampled_from(OWN))))
    lines = [f"*{name}"]
    policies = ("ACCEPT",) if name == "nat" else ("ACCEPT", "DROP")
    lines += [f":{chain} {draw(st.sampled_from(policies))} [0:0]" for chain in BUILT_IN[name]]
    lines += [f":{chain} - [0:0]" for chain in own]
    for chain in (*BUILT_IN[name][:2], *own):
        jumps = [f"-j {other}" for other in own if other > chain or chain not in OWN]  # no loops
        rules = draw(st.lists(st.sampled_from([*RULES, *jumps]), max_size=6))
        lines += [f"-A {chain} {rule}".rstrip() for rule in rules]
    return "\n".join([*lines, "COMMIT", ""])


dumps = st.one_of(_table("filter"), _table("nat"), st.tuples(_table("filter"), _table("nat")).map("".join), st.just(""))
rulesets = dumps.map(iptables.parse)
