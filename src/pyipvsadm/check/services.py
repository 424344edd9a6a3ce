"""What is wrong with virtual servers: each line or part is carried out in memory, by the kernel's rules."""

from __future__ import annotations

import errno
import re

from pyipvsadm.check.names import OfflineNames
from pyipvsadm.check.text import shown
from pyipvsadm.errors import KernelError, UsageError
from pyipvsadm.ipvs import command
from pyipvsadm.ipvs.command import AddServer, AddService, Change, DeleteServer, DeleteService, EditServer, EditService
from pyipvsadm.ipvs.dump import LONGEST_WORD, DumpParser
from pyipvsadm.ipvs.options import Option
from pyipvsadm.ipvs.syntax import scan
from pyipvsadm.ipvs.table import PERSISTENCE_ENGINES, SCHEDULERS, Table, server_id, service_id
from pyipvsadm.ipvs.values import Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.check.text import Report, Span
    from pyipvsadm.ipvs.model import ServerKey, ServiceKey

    OfServer = AddServer | EditServer | DeleteServer

_WORD: Final = re.compile(r"[^ \t\r\n]+")
_OF_SERVER: Final = (AddServer, EditServer, DeleteServer)
_OF_SERVICE: Final = (AddService, EditService)

# What a refusal is, by operation and errno; "" is any operation.
_REFUSALS: Final = {
    (AddService.operation, errno.EEXIST): "V101",
    (AddServer.operation, errno.EEXIST): "V102",
    (AddServer.operation, errno.ESRCH): "V103",
    (EditServer.operation, errno.ESRCH): "V103",
    (DeleteServer.operation, errno.ESRCH): "V103",
    (EditService.operation, errno.ESRCH): "V103",
    (DeleteService.operation, errno.ESRCH): "V103",
    (command.Zero.operation, errno.ESRCH): "V103",
    (EditServer.operation, errno.ENOENT): "V104",
    (DeleteServer.operation, errno.ENOENT): "V104",
    (AddService.operation, errno.ENOENT): "V105",
    (EditService.operation, errno.ENOENT): "V105",
    (AddServer.operation, errno.ERANGE): "V107",
    (EditServer.operation, errno.ERANGE): "V107",
}


class Services:
    """The virtual servers of a dump, and where each line of them is."""

    def __init__(self, report: Report) -> None:
        self.table = Table()
        self._report = report
        self._names = OfflineNames()
        self._lines: dict[tuple[object, ...], int] = {}  # where services, and servers of services, were added
        self._undefined: dict[tuple[object, ...], tuple[int, Span | None, int]] = {}
        self._tried: set[tuple[object, ...]] = set()  # services of which a line failed
        parser = DumpParser(self._names)
        for number, line in enumerate(report.lines, 1):
            if line[:1] != "#":
                self._read(parser, number, line)
        for number, part in enumerate(report.parts, 1):
            if isinstance(part, Change):
                self._take(number, "", part)
        self._tell_undefined()
        self._look_at_all()

    def marks(self) -> list[tuple[ServiceKey, int]]:
        """Return the services by firewall mark, and their lines."""
        keys = [state.config.key for state in self.table.services()]
        return [(key, self._lines[service_id(key)]) for key in keys if key.fwmark]

    def _read(self, parser: DumpParser, number: int, line: str) -> None:
        try:
            asked = parser.parse(line)
        except UsageError as error:
            self._report.add_usage(number, error, [span for _, span in _words(line)])
            self._note_tried(line)
            asked = None
        self._report.add_hosts(number, self._names.stand_ins.asked())
        if asked is None:
            return
        if not isinstance(asked, Change):
            self._report.add("S006", number, "this command changes nothing")
            return
        self._take(number, line, asked)

    def _take(self, number: int, line: str, asked: Change) -> None:
        """Look at a change and carry it out; ``line`` is "" where it comes from none."""
        if isinstance(asked, (AddServer, EditServer)):
            self._look_at_port(number, line, asked)
        self._apply(number, line, asked)

    def _note_tried(self, line: str) -> None:
        """Note which service a line is about that is wrong."""
        try:
            for option, text, _ in scan([word for word, _ in _words(line)], []):
                if isinstance(option, Option) and option.slot == "service-address":
                    self._tried.add(service_id(option.read(text, Draft(self._names))))
        except UsageError:
            pass

    def _apply(self, number: int, line: str, asked: Change) -> None:
        try:
            self.table.apply(asked)
        except KernelError as error:
            self._refused(number, line, asked, error)
            if isinstance(asked, AddServer):
                self._tried.add(service_id(asked.service))
            return
        if isinstance(asked, AddService):
            self._lines[service_id(asked.service.key)] = number
        elif isinstance(asked, AddServer):
            self._lines[_place(asked.service, asked.server.key)] = number

    def _refused(self, number: int, line: str, asked: Change, error: KernelError) -> None:
        code = _REFUSALS.get((error.operation, error.errno), "V108")
        slot = "real-server" if isinstance(asked, _OF_SERVER) else "service-address"
        message = error.reason
        if code == "V101" and isinstance(asked, AddService):
            message = f"this service is added already in line {self._line(asked.service.key)}"
        elif code == "V102" and isinstance(asked, AddServer):
            message = f"this server is added already in line {self._line(asked.service, asked.server.key)}"
        elif code == "V103":
            self._note_undefined(number, line, asked)
            return
        elif code == "V104":
            message = "no line before adds this server to the service"
        elif code == "V105" and isinstance(asked, _OF_SERVICE):
            self._unknown_module(number, line, asked)
            return
        elif code == "V107":
            message = "the lower threshold (-y) is above the upper one (-x)"
            slot = "l-threshold"
        elif isinstance(asked, AddServer) and asked.server.key.family == asked.service.family:
            code, message = "V106", f"{asked.server.key.address} is no address that a server can have"
        elif isinstance(asked, command.StartDaemon) and error.errno == errno.EINVAL:
            message = "a daemon cannot run beside servers of another family than their service's"
        elif isinstance(asked, (AddServer, EditServer)):
            message = "a server of the other family cannot be reached while a daemon synchronises connections"
        self._report.add(code, number, message, _span(line, slot))

    def _line(self, service: ServiceKey, server: ServerKey | None = None) -> int:
        """Return the line that added a service or server."""
        return self._report.told(self._lines[_place(service, server) if server else service_id(service)])

    def _note_undefined(self, number: int, line: str, asked: Change) -> None:
        key = _service_of(asked)
        if key is None:
            return
        first, span, count = self._undefined.get(service_id(key), (number, _span(line, "service-address"), 0))
        self._undefined[service_id(key)] = first, span, count + 1

    def _tell_undefined(self) -> None:
        for first, span, count in self._undefined.values():
            more = f" ({count} lines are about it)" if count > 1 else ""
            self._report.add("V103", first, f"no line before adds this service{more}", span)

    def _unknown_module(self, number: int, line: str, asked: AddService | EditService) -> None:
        """Tell which name there is no module for, and go on as if there were one."""
        service = asked.service
        for slot, what, name, known in (
            ("scheduler", "scheduler", service.scheduler, SCHEDULERS),
            ("pe", "persistence engine", service.pe_name, PERSISTENCE_ENGINES | {""}),
        ):
            if name not in known:
                self._report.add("V105", number, f"Linux has no {what} {shown(name)!r}", _span(line, slot))
        self._apply(number, line, type(asked)(service.replace(scheduler="wlc", pe_name="")))

    def _look_at_port(self, number: int, line: str, asked: AddServer | EditServer) -> None:
        if asked.server.forward == "masq" or asked.service.fwmark:
            return
        port: int | None = asked.server.key.port
        span = None
        words = _words(line)
        for option, text, place in scan([word for word, _ in words], []):
            if isinstance(option, Option) and option.slot == "real-server" and text is not None:
                endpoint = self._names.endpoint(text, asked.service.protocol)
                self._names.stand_ins.asked()
                port = endpoint[2] if endpoint else None
                span = words[place][1]
        if port not in (None, asked.service.port):
            message = f"the port {port} is ignored: without -m packets go to the service's, {asked.service.port}"
            self._report.add("V203", number, message, span)

    def _look_at_all(self) -> None:
        for state in self.table.services():
            line = self._lines[service_id(state.config.key)]
            if service_id(state.config.key) in self._tried:
                continue
            if not state.servers:
                self._report.add("V201", line, "this service has no real server")
            elif not any(server.config.weight for server in state.servers):
                count = len(state.servers)
                message = f"all {count} servers of this service have" if count > 1 else "the only server has"
                self._report.add("V202", line, f"{message} the weight 0: it takes no new connections")


def _place(service: ServiceKey, server: ServerKey) -> tuple[object, ...]:
    return (*service_id(service), *server_id(server))


def _service_of(asked: Change) -> ServiceKey | None:
    if isinstance(asked, _OF_SERVER):
        return asked.service
    if isinstance(asked, _OF_SERVICE):
        return asked.service.key
    return asked.key if isinstance(asked, (DeleteService, command.Zero)) else None


def _words(line: str) -> list[tuple[str, Span]]:
    """Return the words of a line as the parser counts them, and where they are."""
    return [
        (found[0][start : start + LONGEST_WORD].partition("\0")[0], (found.start() + start, found.end()))
        for found in _WORD.finditer(line)
        if found[0] != "ipvsadm"
        for start in range(0, len(found[0]), LONGEST_WORD)
    ]


def _span(line: str, slot: str) -> Span | None:
    """Return where the argument of an option is, None where the line has no such option."""
    words = _words(line)
    try:
        for option, _, place in scan([word for word, _ in words], []):
            if isinstance(option, Option) and option.slot == slot:
                return words[place][1]
    except UsageError:
        pass
    return None
