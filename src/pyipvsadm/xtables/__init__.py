"""Netfilter's xtables: the rules of iptables(8) and ip6tables(8)."""

VERSION = "v1.8.9 (legacy)"  # whose words and bytes these commands have; callers look for what they know
