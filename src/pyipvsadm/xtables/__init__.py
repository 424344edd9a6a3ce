"""Netfilter's xtables: the rules of iptables(8) and ip6tables(8)."""
