"""Rules made of their parts: whether options say all of a match or target is the same with short cuts and without."""

from __future__ import annotations

import pytest

from pyipvsadm import iptables
from pyipvsadm.xtables import registry

RULES = """*nat
-A PREROUTING -m comment --comment plain
-A PREROUTING -m comment --comment "several words"
-A PREROUTING -m comment --comment "a \\"quote\\" and a \\\\"
-A PREROUTING -m comment --comment "--comment"
-A PREROUTING -m comment --comment "-"
-A PREROUTING -m comment --comment "!"
-A PREROUTING -m comment --comment "! --comment x"
-A PREROUTING -m comment --comment "--"
-A PREROUTING -m comment --comment "-m"
-A PREROUTING -m comment --comment "\u00e9\u3000"
-A PREROUTING -m comment --comment "two  blanks "
-A PREROUTING -m comment --comment ""
-A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1:80
-A PREROUTING -p udp -j DNAT --to-destination 10.0.0.1:80
-A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1-10.0.0.9:80-90
-A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1:80-90/5 --random --persistent
-A PREROUTING -j DNAT --to-destination 10.0.0.1
COMMIT
"""


@pytest.mark.parametrize(("kind", "name"), [("match", "comment"), ("target", "DNAT")])
def test_a_short_cut_changes_nothing(monkeypatch: pytest.MonkeyPatch, kind: registry.Kind, name: str) -> None:
    read = iptables.parse(RULES)
    short = iptables.data_of(read)
    quick = [extension for extension in registry.revisions(kind, name, 4) if extension.quick and extension.quick_save]
    assert quick
    for extension in quick:
        monkeypatch.setattr(extension, "quick", None)
    assert short == iptables.data_of(read)
    assert short == read  # their options say all of these
