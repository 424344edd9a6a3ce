"""Netlink for any family: sockets, messages, attributes, generic netlink."""
