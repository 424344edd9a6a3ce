"""Names without anybody to ask: hosts, sets and programs get stand-ins, each its own.

Ports, protocols and users are looked up on this machine, as the restore commands do.
"""

from __future__ import annotations

import re
from _socket import AF_INET, inet_ntop

from pyipvsadm.ipvs.names import Names
from pyipvsadm.xtables.names import Resolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal

    from pyipvsadm.xtables.options import Family

# A name of a host: letters, digits, dashes and dots; not only digits and dots, which are a wrong address.
_HOST: Final = re.compile(r"(?=.*[A-Za-z_-])[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
_FIRST_STAND_IN: Final = 0xF0000000  # 240.0.0.0/4 is reserved: no dump has it


class _StandIns:
    """Numbers for names in the order in which they come, and which hosts were asked for since that was last said."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._asked: list[str] = []

    def number(self, kind: str, name: str) -> int:
        return self._numbers.setdefault((kind, name), len(self._numbers))

    def host(self, name: str) -> int | None:
        """Return a number for the name of a host, None for what cannot be one."""
        if len(name) > 255 or not _HOST.fullmatch(name):
            return None
        self._asked.append(name)
        return self.number("host", name)

    def asked(self) -> list[str]:
        """Return the hosts that were asked for since the last call."""
        asked, self._asked = self._asked, []
        return asked


class OfflineNames(Names):
    """Names in dumps of ipvsadm-save."""

    def __init__(self) -> None:
        super().__init__()
        self.stand_ins: Final = _StandIns()

    def ask_host(self, name: str) -> str | None:
        """Return a stand-in for a host, None for what cannot be the name of one."""
        number = self.stand_ins.host(name)
        return None if number is None else inet_ntop(AF_INET, (_FIRST_STAND_IN + number).to_bytes(4, "big"))


class OfflineResolver(Resolver):
    """Names in dumps of iptables-save."""

    def __init__(self) -> None:
        super().__init__()
        self.stand_ins: Final = _StandIns()

    def addresses(self, host: str, family: Family) -> list[bytes]:
        """Return a stand-in for a host, [] for what cannot be the name of one."""
        packed = self._ask_numeric(host, family)
        if packed is not None:
            return [packed]
        number = self.stand_ins.host(host)
        return [] if number is None else [(_FIRST_STAND_IN + number).to_bytes(4 if family == 4 else 16, "big")]

    def network(self, name: str, family: Family) -> list[bytes]:  # noqa: ARG002
        """Return []: names of networks are taken for those of hosts."""
        return []

    def number_in_kernel(self, kind: Literal["set", "program"], name: str) -> int | None:
        """Return a stand-in for what the kernel has by number."""
        return self.stand_ins.number(kind, name) & 0xFFFF

    @staticmethod
    def _ask_numeric(host: str, family: Family) -> bytes | None:
        from _socket import AF_INET6, inet_pton

        try:
            return inet_pton(AF_INET if family == 4 else AF_INET6, host)
        except (OSError, ValueError):
            return None
