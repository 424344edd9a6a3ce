"""Matches and targets that no declaration has but a plugin of libxtables, which is called ``libxt_NAME.so`` or so.

A plugin reads options and prints payloads, and where it does not like an option it ends the process. So it reads them
in a child, whose words become an error; a payload with addresses in the part that is the kernel's own (such as geoip's,
whose kernel module fetches a table from there) is then made once more in this process. Nothing of this is imported or
run before a name is asked for that no declaration has, and python-iptables not before there is a plugin of that name.
"""

from __future__ import annotations

import os
import sys

from pyipvsadm.errors import Unsupported, UsageError
from pyipvsadm.xtables.kinds import text
from pyipvsadm.xtables.layout import Layout, raw
from pyipvsadm.xtables.options import Extension, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from pyipvsadm.xtables.libxtables import Given, Library, Registered
    from pyipvsadm.xtables.model import Kind
    from pyipvsadm.xtables.names import Resolver
    from pyipvsadm.xtables.options import Draft, Family, View

_VARIABLE: Final = "XTABLES_LIBDIR"  # libxtables' own: directories with colons between
_PREFIXES: Final = {4: ("libxt_", "libipt_"), 6: ("libxt_", "libip6t_")}
_NO_ARGUMENT, _OPTIONAL_ARGUMENT = 0, 2
_FAULT: Final = 70  # exit status of a child that did not come to its end

_files: dict[str, dict[str, str]] = {}  # by the value of XTABLES_LIBDIR: the paths of all plugins by their files' names
_problems: dict[tuple[Kind, str, Family], str] = {}
_libraries: list[Library] = []
_loaded: dict[str, Family] = {}  # by the paths of plugins: the family for which each was loaded first


def find(kind: Kind, name: str, family: Family) -> list[Extension]:
    """Return the revisions that a plugin has of a match or target, the highest first; [] where there is none.

    So it is where a plugin is there and cannot be used, too: ``problem`` has the reason.
    """
    path = _path(name, family)
    if path is None:
        return []
    try:
        if not _libraries:
            from pyipvsadm.xtables.libxtables import Library

            _libraries.append(Library())
        return _revisions(_libraries[0], kind, name, family, path)
    except Unsupported as error:
        _problems[kind, name, family] = f"{path}: {error}"
        return []


def problem(kind: Kind, name: str, family: Family) -> str:
    """Return why the plugin that a name has cannot be used, "" where there is nothing to say."""
    return _problems.get((kind, name, family), "")


def _path(name: str, family: Family) -> str | None:
    variable = os.environ.get(_VARIABLE, "")
    known = _files.get(variable)
    if known is None:
        known = _files[variable] = {}
        for directory in reversed(variable.split(":") if variable else _directories()):
            try:
                known.update([(file, f"{directory}/{file}") for file in os.listdir(directory)])
            except OSError:
                pass
    return next((known[file] for prefix in _PREFIXES[family] if (file := f"{prefix}{name}.so") in known), None)


def _directories() -> list[str]:
    """Return where distributions have plugins."""
    triplet = getattr(sys.implementation, "_multiarch", "")
    return [f"/usr/{place}/xtables" for place in (f"lib/{triplet}", "lib64", "lib", "local/lib")]


def _revisions(library: Library, kind: Kind, name: str, family: Family, path: str) -> list[Extension]:
    encoded = name.encode()
    first = _loaded.setdefault(path, family)
    status, numbers, complaints = _apart(lambda: bytes(library.numbers(kind, encoded, family)))
    if status:  # what is not made for this libxtables ends or crashes there
        raise Unsupported(_reason(status, complaints))
    found = library.load(kind, encoded, family, list(numbers))
    if not found and first != family:
        raise Unsupported("libxtables has loaded it for the other family, and then has no other target of it")
    return [Plugin(kind, family, path, each) for each in found]


def _apart(do: Callable[[], bytes]) -> tuple[int, bytes, str]:
    """Call a function in a child: how that ended, what the function returned, what was written to standard error."""
    answer, complaints = os.memfd_create("answer"), os.memfd_create("complaints")
    try:
        child = os.fork()
        if not child:
            status = _FAULT
            try:
                os.dup2(complaints, 1)
                os.dup2(complaints, 2)
                os.write(answer, do())
                status = 0
            except SystemExit as request:
                status = request.code if isinstance(request.code, int) else _FAULT
            finally:
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return status, _content(answer), _content(complaints).decode("utf-8", "surrogateescape")
    finally:
        os.close(answer)
        os.close(complaints)


def _content(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)


def _reason(status: int, complaints: str) -> str:
    """Return why a plugin ended the process, in its words if it had any."""
    from pyipvsadm.xtables.libxtables import NAME

    before, sign, message = complaints.partition(f"{NAME} v: ")
    message = before + message.partition(f"\nTry `{NAME}")[0] if sign else complaints.replace(NAME, "libxtables")
    return message.strip("\n") or (f"it crashed with signal {-status}" if status < 0 else f"it ended with {status}")


def _encode(word: str) -> bytes:
    return word.encode("utf-8", "surrogateescape")


class _PluginOption(Option):
    """An option of a plugin: what was given is kept as it is until the plugin reads it.

    ``count(given)`` returns how many of the words behind the last one's argument are its own too.
    """

    def __init__(
        self, number: int, name: str, arguments: int, *, inverts: bool, count: Callable[[list[Given]], int] | None
    ) -> None:
        super().__init__(
            name,
            kind=None if arguments == _NO_ARGUMENT else text(0),
            to="given",
            inverts=("given", 0) if inverts else None,
            optional=arguments == _OPTIONAL_ARGUMENT,
        )
        self.number = number
        self.count = count
        self.open_ended = count is not None

    def read(self, text: str | None, draft: Draft) -> None:
        """Keep the option and its argument."""
        given: list[Given] = draft.values["given"]
        option = (self.number, self.name, draft.inverted, None if text is None else _encode(text))
        protocol = (draft.stated, draft.protocol != draft.stated)
        rest = tuple([_encode(word) for word in draft.rest])
        draft.taken = self.count([*given, (*option, rest, *protocol)]) if self.count and rest else 0
        given.append((*option, rest[: draft.taken], *protocol))


class Plugin(Extension):
    """A revision of a match or target that a plugin knows. Its plugin alone knows what the payload means."""

    def __init__(self, kind: Kind, family: Family, path: str, registered: Registered) -> None:
        layout = Layout(f"the payload of {registered.name}", raw("payload", registered.size))
        layout.user_size = registered.user_size
        with open(path, "rb") as file:
            count = self._count if b"optind" in file.read() else None  # how getopt(3) counts words
        super().__init__(
            kind,
            registered.name,
            registered.revision,
            (family,),
            layout,
            tuple([_PluginOption(*option[:3], inverts=option[3], count=count) for option in registered.options]),
            alias=registered.typed_name if registered.typed_name != registered.name else "",
            summary=f"by {path}",
            asks=True,
        )
        self._path = path
        self._registered = registered

    def draft(self, family: Family, names: Resolver, protocol: int = 0) -> Draft:
        """Begin to read the options of one."""
        draft = super().draft(family, names, protocol)
        draft.values = {"given": []}
        return draft

    def finish(self, draft: Draft) -> bytes:
        """Return the payload that the plugin makes of the options. Raises UsageError with its words and status."""
        given: list[Given] = draft.values["given"]
        payload, complaints = self._ask(lambda: self._registered.parse(given))
        draft.warnings += complaints.splitlines()
        if any(payload[self.layout.user_size :]):
            payload = self._registered.parse(given)
        return payload.ljust(self.size, b"\0")

    def _count(self, given: list[Given]) -> int:
        answer, _ = self._ask(lambda: bytes([self._registered.count(given)]))
        return answer[0]

    def _ask(self, do: Callable[[], bytes]) -> tuple[bytes, str]:
        """Have the plugin do something in a child; return its answer, and what it said beside. Raises UsageError."""
        status, answer, complaints = _apart(do)
        if status:
            reason = _reason(status, complaints)
            raise UsageError(reason if status > 0 else f"{self._path}: {reason}", exit_status=max(status, 1))
        return answer, complaints

    def typed_name(self, data: bytes) -> str:
        """Return the name that ``-S`` prints after -m or -j."""
        return self._registered.alias(data)

    def save(self, data: bytes, view: View) -> str:
        """Return the options as the plugin prints them for ``-S``. Raises WireError."""
        self.layout.unpack(data)
        return self._registered.save(data, view.protocol)

    def show(self, data: bytes, view: View) -> str:
        """Return the options as the plugin prints them for ``-L``. Raises WireError."""
        self.layout.unpack(data)
        return self._registered.show(data, view.protocol, numeric=view.numeric)

    def help(self) -> str:
        """Return what the plugin says about its options."""
        return self._registered.help()
