"""The matches and targets of iptables-extensions(8), a module each."""
