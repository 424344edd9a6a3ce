"""Whether a machine is meant to balance: the files of those who would have it do so.

Read are the rules that ipvsadm's packages restore at boot, and the main files of keepalived and ldirectord.
"""

from __future__ import annotations

import re
from typing import Final

from pyipvsadm.doctor.check import Unknown

_DUMP: Final = r"(ipvsadm\s+)?(-A|--add-service)\s"
_SIGNS: Final = {
    "etc/ipvsadm.rules": _DUMP,
    "etc/sysconfig/ipvsadm": _DUMP,
    "etc/default/ipvsadm": r"DAEMON=[\"']?(master|backup|both)\b",
    "etc/keepalived/keepalived.conf": r"virtual_server\s",
    "etc/ldirectord.cf": r"virtual6?\s*=",
    "etc/ha.d/ldirectord.cf": r"virtual6?\s*=",
}
"""Files, and how a line of one begins that is about virtual servers."""


def to_balance(root: str = "/") -> str | None:
    """Return the first file that wants virtual servers, None where none does. Raises Unknown for what may not be read.

    ``root`` is where the files are below.
    """
    hidden = None
    for name, sign in _SIGNS.items():
        path = f"{root}{name}"
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                if any(re.match(sign, line.lstrip()) for line in file):
                    return path
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as problem:
            hidden = hidden or Unknown(f"{path}, which would say whether IPVS is wanted: {problem.strerror}")
    if hidden:
        raise hidden
    return None
