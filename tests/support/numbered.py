"""Changes of a chain by number, with a list of its rules' texts beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st

from pyipvsadm.errors import KernelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyipvsadm.iptables import Table

CHAIN = "INPUT"
RULES = (
    "",
    "-j ACCEPT",
    "-j WEB",
    "-g WEB",
    "-s 10.0.0.1/32 -p tcp -m tcp --dport 80 -j ACCEPT",
    '-m comment --comment "a b" -j LOG --log-prefix "a b "',
    "-m statistic --mode nth --every 2 --packet 0",
)

Change = tuple[str, str, int]

changes = st.lists(
    st.tuples(
        st.sampled_from(("append", "insert", "insert two", "replace", "delete", "delete it", "zero", "rename")),
        st.sampled_from(RULES),
        st.integers(1, 9),
    ),
    max_size=12,
)


def begin(table: Table, rules: Sequence[str]) -> None:
    """Fill a chain."""
    table.create("WEB")
    for rule in rules:
        table.append(CHAIN, rule)


def change(table: Table, rules: list[str], asked: Sequence[Change]) -> None:
    """Change a chain, and the texts of its rules alike; what is refused changes neither."""
    web = "WEB"
    for what, text, number in asked:
        rule = text.replace("WEB", web)
        there = number <= len(rules)
        if what == "append":
            table.append(CHAIN, rule)
            rules.append(rule)
        elif what in ("insert", "insert two"):
            several = what == "insert two"
            words = f"-s 10.0.0.1,10.0.0.2 {'' if '-s ' in rule else rule}" if several else rule
            if number <= len(rules) + 1:
                table.insert(CHAIN, words, number)
                plain = "" if "-s " in rule else rule
                both = [f"-s 10.0.0.{host}/32 {plain}".rstrip() for host in (2, 1)]
                rules[number - 1 : number - 1] = both if several else [rule]
            else:
                with pytest.raises(KernelError):
                    table.insert(CHAIN, words, number)
        elif what == "rename":
            new = "WEB" if web != "WEB" else "SITE"
            table.rename(web, new)
            rules[:] = [one.replace(web, new) for one in rules]
            web = new
        elif what == "delete it":
            if rule in rules:
                table.delete(CHAIN, rule)
                rules.remove(rule)
        elif not there:
            with pytest.raises(KernelError):
                _at(table, what, rule, number)
        else:
            _at(table, what, rule, number)
            if what != "zero":
                rules[number - 1 : number] = [rule] if what == "replace" else []


def _at(table: Table, what: str, rule: str, number: int) -> None:
    if what == "replace":
        table.replace(CHAIN, number, rule)
    elif what == "delete":
        table.delete(CHAIN, number)
    else:
        table.zero(CHAIN, number)
