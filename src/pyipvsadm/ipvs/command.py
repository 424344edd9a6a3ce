"""What can be asked of a virtual server table: every action of ipvsadm(8) as a frozen value.

A ``Change`` is what a backend carries out; a dump is a sequence of changes. The other commands look, or drive the tool.
"""

from __future__ import annotations

from pyipvsadm.ipvs.model import RealServer, ServerKey, ServiceKey, SyncDaemon, Timeouts, VirtualService
from pyipvsadm.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar


class Change(Record):
    """Base of the commands that change the table; ``operation`` names it in errors."""

    operation: ClassVar[str]


class AddService(Change):
    """-A"""

    operation: ClassVar[str] = "add service"
    service: VirtualService


class EditService(Change):
    """-E: every setting is given anew."""

    operation: ClassVar[str] = "edit service"
    service: VirtualService


class DeleteService(Change):
    """-D: with its real servers."""

    operation: ClassVar[str] = "delete service"
    key: ServiceKey


class AddServer(Change):
    """-a"""

    operation: ClassVar[str] = "add server"
    service: ServiceKey
    server: RealServer


class EditServer(Change):
    """-e: every setting is given anew."""

    operation: ClassVar[str] = "edit server"
    service: ServiceKey
    server: RealServer


class DeleteServer(Change):
    """-d"""

    operation: ClassVar[str] = "delete server"
    service: ServiceKey
    server: ServerKey


class Flush(Change):
    """-C"""

    operation: ClassVar[str] = "clear"


class Zero(Change):
    """-Z: the counters of one service and its servers, or of all."""

    operation: ClassVar[str] = "zero counters"
    key: ServiceKey | None = None


class SetTimeouts(Change):
    """--set"""

    operation: ClassVar[str] = "set timeouts"
    timeouts: Timeouts


class StartDaemon(Change):
    """--start-daemon"""

    operation: ClassVar[str] = "start daemon"
    daemon: SyncDaemon


class StopDaemon(Change):
    """--stop-daemon; of the daemon, ``state`` and ``syncid`` matter."""

    operation: ClassVar[str] = "stop daemon"
    daemon: SyncDaemon


class List(Record):
    """-L of one service or of all, and how to show it; the fields are ipvsadm(8)'s options."""

    key: ServiceKey | None = None
    numeric: bool = False
    connection: bool = False
    timeout: bool = False
    daemon: bool = False
    stats: bool = False
    rate: bool = False
    exact: bool = False
    thresholds: bool = False
    persistent_conn: bool = False
    tun_info: bool = False
    nosort: bool = False


class Save(Record):
    """-S"""

    numeric: bool = False


class Restore(Record):
    """-R"""


class Help(Record):
    """-h"""


class Version(Record):
    """-v"""
