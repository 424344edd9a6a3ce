"""Rates as documents: what has none yet, what is measured, and what the kernel estimates."""

from __future__ import annotations

from pyipvsadm import iptables, ipvs
from pyipvsadm.rates import of_rules, of_services, rule_counters
from pyipvsadm.ui import top_json
from support.schema import validated

WEB = ipvs.ServiceKey(4, "tcp", "192.0.2.1", 80)
ONE, TWO = (ipvs.ServerKey(4, f"10.0.0.{number}", 80) for number in (1, 2))
RULES = """*filter
:INPUT ACCEPT [1:2]
:WEB - [0:0]
[5:6] -A INPUT -j WEB
[7:8] -A WEB -j DROP
[9:10] -A WEB -j DROP
COMMIT
"""


def state(key: ipvs.ServerKey) -> ipvs.ServerState:
    return ipvs.ServerState(ipvs.RealServer(key, "masq", 3), 7, 8, 9, ipvs.Stats(10, 11, 12, 13, 14, 1, 2, 3, 4, 5))


def test_services() -> None:
    mark = ipvs.ServiceState(ipvs.VirtualService(ipvs.ServiceKey(6, fwmark=7)))
    web = ipvs.ServiceState(ipvs.VirtualService(WEB), (state(TWO), state(ONE)), ipvs.Stats(20, 22, 24, 26, 28))
    assert of_services([web]) == {
        WEB: (20, 22, 24, 26, 28), (WEB, ONE): (10, 11, 12, 13, 14), (WEB, TWO): (10, 11, 12, 13, 14),
    }  # fmt: skip
    rates = {WEB: (0.5, 1.0, 2.0, 3.0, 1 / 3), (WEB, ONE): (0.0,) * 5}
    text = top_json.services([mark, web], rates, time=1234.5678, took=2.00049)
    assert "\n" not in text
    look = validated(text, "top")
    assert {name: look[name] for name in ("version", "kind", "of", "time", "seconds")} == {
        "version": 1, "kind": "top", "of": "ipvs", "time": 1234.568, "seconds": 2.0,
    }  # fmt: skip
    first, second = look["services"]
    assert (first["address"], first["rates"]) == (
        "192.0.2.1", {"cps": 0.5, "inpps": 1.0, "outpps": 2.0, "inbps": 3.0, "outbps": 0.333},
    )  # fmt: skip
    assert [server["address"] for server in first["servers"]] == ["10.0.0.1", "10.0.0.2"]
    one, two = first["servers"]
    assert one["rates"] == dict.fromkeys(("cps", "inpps", "outpps", "inbps", "outbps"), 0.0)
    assert two["rates"] is None
    assert two["estimates"] == {"cps": 1, "inpps": 2, "outpps": 3, "inbps": 4, "outbps": 5}
    assert (two["weight"], two["activeconns"], two["inactconns"], two["persistconns"]) == (3, 7, 8, 9)
    assert (second["family"], second["protocol"], second["fwmark"], second["rates"]) == (6, None, 7, None)


def test_rules() -> None:
    ruleset = iptables.parse(RULES)
    counters = of_rules(rule_counters(ruleset))
    assert [found for found in counters.values() if any(found)] == [(5, 6), (1, 2), (7, 8), (9, 10)]  # each of the same
    look = validated(top_json.rules(ruleset, {[*counters][-1]: (1.5, 2)}, time=0, took=None), "top")
    assert (look["of"], look["seconds"]) == ("iptables", None)
    first, second = [chain for chain in look["chains"] if chain["rules"]]
    assert (first["table"], first["chain"]) == ("filter", "INPUT")
    assert first["policy"] == {"target": "ACCEPT", "packets": 1, "bytes": 2, "rates": None}
    assert first["rules"] == [{"number": 1, "text": "-j WEB", "packets": 5, "bytes": 6, "rates": None}]
    assert (second["chain"], second["policy"]) == ("WEB", None)
    assert [(rule["number"], rule["rates"]) for rule in second["rules"]] == [(1, None), (2, {"pps": 1.5, "bps": 2})]
    assert validated(top_json.rules(iptables.parse(RULES, family=6), {}, time=0, took=1), "top")["of"] == "ip6tables"
