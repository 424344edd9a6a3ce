"""xtables-legacy-multi: the commands of iptables in one, by the name that it is called by or by its first argument."""

from __future__ import annotations

import sys

from pyipvsadm.cli.console import complain, program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# Subcommand: its module beside this one, and the function.
SUBCOMMANDS: Final = {
    "iptables": ("iptables", "main"),
    "main4": ("iptables", "main"),
    "iptables-save": ("iptables_save", "main"),
    "save4": ("iptables_save", "main"),
    "iptables-restore": ("iptables_restore", "main"),
    "restore4": ("iptables_restore", "main"),
    "iptables-legacy": ("iptables", "main"),
    "iptables-legacy-save": ("iptables_save", "main"),
    "iptables-legacy-restore": ("iptables_restore", "main"),
    "iptables-xml": ("iptables_xml", "main"),
    "xml": ("iptables_xml", "main"),
    "ip6tables": ("iptables", "main6"),
    "main6": ("iptables", "main6"),
    "ip6tables-save": ("iptables_save", "main6"),
    "save6": ("iptables_save", "main6"),
    "ip6tables-restore": ("iptables_restore", "main6"),
    "restore6": ("iptables_restore", "main6"),
    "ip6tables-legacy": ("iptables", "main6"),
    "ip6tables-legacy-save": ("iptables_save", "main6"),
    "ip6tables-legacy-restore": ("iptables_restore", "main6"),
}


def main(argv: list[str] | None = None) -> int:
    """Run the subcommand that ``argv`` begins with (None: the process's own, its name first); return its exit status.

    A name that is a subcommand, as that of a link to this program may be, comes before the first argument.
    """
    words = [sys.argv[0].rpartition("/")[2], *sys.argv[1:]] if argv is None else ["", *argv]
    for place, name in enumerate(words[:2], 1):
        if name in SUBCOMMANDS:
            module, function = SUBCOMMANDS[name]
            found = __import__(f"pyipvsadm.cli.{module}", fromlist=[function])  # importlib costs a millisecond
            status: int = getattr(found, function)(words[place:])
            return status
    rows = "".join([f" * {name}\n" for name in SUBCOMMANDS])
    complain(f"ERROR: No valid subcommand given.\nValid subcommands:\n{rows}")
    return 1


if __name__ == "__main__":
    program(main)
