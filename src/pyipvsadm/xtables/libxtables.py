"""libxtables, the library of iptables' plugins, as python-iptables has opened it.

Of python-iptables this takes the lowest level: the library, the layouts of its structs, the globals it is initialized
with. What it builds upon these is not used: it jumps out of a plugin over frames of the interpreter, writes past an int
(``optind``), leaves the rules between options unchecked, and cuts what a plugin prints after 1024 bytes.

Importing it takes 0.2 s and runs ldconfig. Source: xtables.h of libxtables 12, getopt(3).
"""

from __future__ import annotations

import ctypes
import sys
import warnings

from pyipvsadm import clib
from pyipvsadm.errors import Unsupported
from pyipvsadm.xtables import entry
from pyipvsadm.xtables.model import F_PROTO, INV_PROTO, Header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType
    from typing import Any, Final

    from pyipvsadm.xtables.model import Kind
    from pyipvsadm.xtables.options import Family

    # An option's number, its name, "!", its argument, the words behind that; the rule's protocol, whether all but this.
    Given = tuple[int, str, bool, bytes | None, tuple[bytes, ...], int, bool]

NAME: Final = "\x1f"  # what libxtables calls this program: a message of its begins so
_NFPROTO: Final = {4: 2, 6: 10}  # linux/netfilter.h
_ANY_FAMILY: Final = 0  # NFPROTO_UNSPEC
_TRY_LOAD: Final = 2  # XTF_TRY_LOAD
_NUMERIC: Final = 1  # FMT_NUMERIC
_CAN_INVERT: Final = 1  # XTOPT_INVERT
_HEAD: Final = 32  # bytes of struct xt_entry_match and xt_entry_target before the payload
_NAME_SIZE: Final = 29  # XT_EXTENSION_MAXNAMELEN

_pointer: Final = ctypes.c_void_p
# Functions of plugins, called without letting other threads run: they share the process's standard output.
_INIT: Final = ctypes.PYFUNCTYPE(None, _pointer)
_HELP: Final = ctypes.PYFUNCTYPE(None)
_PRINT: Final = ctypes.PYFUNCTYPE(None, _pointer, _pointer, ctypes.c_int)
_SAVE: Final = ctypes.PYFUNCTYPE(None, _pointer, _pointer)
_ALIAS: Final = ctypes.PYFUNCTYPE(ctypes.c_char_p, _pointer)


def _import_binding() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports distutils, and leaves pipes open
        try:
            from iptc import xtables
        except ModuleNotFoundError as problem:
            if problem.name != "iptc":
                raise
            raise Unsupported("needs python-iptables: pip install 'pyipvsadm[libxtables]'") from None
        except Exception as problem:  # noqa: BLE001  # it stumbles over whatever is not as it expects
            raise Unsupported(f"python-iptables cannot be used: {problem}") from None
    module: ModuleType = xtables
    return module


class Library:
    """libxtables: which revisions plugins have, and what they do. Raises Unsupported where it cannot be used."""

    def __init__(self) -> None:
        module = _import_binding()
        version = module.xtables_version
        self.structs: dict[Kind, Any] = {}
        kinds: tuple[Kind, ...] = ("match", "target")
        for kind in kinds:
            self.structs[kind] = getattr(module, f"_xtables_{kind}_v{version}", None)
            if self.structs[kind] is None:
                raise Unsupported(f"python-iptables does not know libxtables {version}: install a newer one")
        self.entries = {
            "match": ctypes.POINTER(module.xt_entry_match),
            "target": ctypes.POINTER(module.xt_entry_target),
        }
        library = module._lib_xtables  # noqa: SLF001  # it has no other names for these
        self.use = _function(library.xtables_set_nfproto, None, ctypes.c_uint8)
        self.calloc = _function(library.xtables_calloc, _pointer, ctypes.c_size_t, ctypes.c_size_t)
        take = (None, ctypes.c_uint, _pointer, ctypes.c_bool, _pointer, _pointer)
        self.take = {
            "match": _function(library.xtables_option_mpcall, *take),
            "target": _function(library.xtables_option_tpcall, *take),
        }
        self.check = {
            "match": _function(library.xtables_option_mfcall, None, _pointer),
            "target": _function(library.xtables_option_tfcall, None, _pointer),
        }
        self._find_match = _function(library.xtables_find_match, _pointer, ctypes.c_char_p, ctypes.c_int, _pointer)
        self._find_target = _function(library.xtables_find_target, _pointer, ctypes.c_char_p, ctypes.c_int)
        self._first = {
            "match": _pointer.in_dll(library, "xtables_matches"),
            "target": _pointer.in_dll(library, "xtables_targets"),
        }
        process = ctypes.CDLL(None)
        self.free = _function(process.free, None, _pointer)
        self.optarg = _pointer.in_dll(process, "optarg")
        self.optind = ctypes.c_int.in_dll(process, "optind")
        self._asked: set[int] = set()
        self._wanted: int | None = None
        self._globals = module._xt_globals  # noqa: SLF001  # libxtables keeps their address
        self._globals.program_name, self._globals.program_version = NAME.encode(), b""
        self._globals.exit_err = type(self._globals.exit_err)()  # none: libxtables prints an error and exits
        self._globals.compat_rev = type(self._globals.compat_rev)(self._has_revision)
        _function(library.xtables_set_params, ctypes.c_int, _pointer)(ctypes.addressof(self._globals))

    def _has_revision(self, _: bytes, revision: int, __: int) -> int:
        """Say which revisions the kernel has: the one that is wanted, whatever the kernel would say."""
        self._asked.add(revision)
        return int(revision == self._wanted)

    def numbers(self, kind: Kind, name: bytes, family: Family) -> list[int]:
        """Return the revisions that there are under a name, lowest first. Warns on standard error of each."""
        self._asked.clear()
        self._load(kind, name, family, None)
        return sorted(self._asked)

    def load(self, kind: Kind, name: bytes, family: Family, numbers: Sequence[int]) -> list[Registered]:
        """Return revisions of a match or target, the highest first. ``numbers`` are those that there are."""
        # Once it has one, libxtables takes no lower one any more. That of "standard" it takes unasked.
        wanted: list[int | None] = [*sorted(numbers)]
        for number in wanted or [None]:
            self._load(kind, name, family, number)
        found: dict[int, Any] = {}
        for struct in self._registered(kind):
            if struct.name == name and struct.family in (_ANY_FAMILY, _NFPROTO[family]):
                found.setdefault(struct.revision, struct)
        return [Registered(self, kind, family, found[number]) for number in sorted(found, reverse=True)]

    def _load(self, kind: Kind, name: bytes, family: Family, wanted: int | None) -> None:
        self._wanted = wanted
        self.use(_NFPROTO[family])
        if kind == "match":
            self._find_match(name, _TRY_LOAD, None)
        else:
            self._find_target(name, _TRY_LOAD)

    def _registered(self, kind: Kind) -> Iterator[Any]:
        place = self._first[kind].value
        while place:
            struct = self.structs[kind].from_address(place)
            yield struct
            place = struct.next


def _function(function: Any, result: Any, *arguments: Any) -> Any:
    """Return a function of a library with a signature of its own, not the one python-iptables gave it."""
    address = ctypes.cast(function, _pointer).value
    assert address
    return ctypes.PYFUNCTYPE(result, *arguments)(address)


class Registered:
    """A revision of a match or target, of struct xtables_match or xtables_target: what its plugin says and does.

    ``size`` is that of the payload, ``user_size`` what of it is compared when rules are. ``options`` are numbers and
    names, how many arguments each takes (0, 1, 2: one that may be missing), and whether it can follow a "!".
    """

    def __init__(self, library: Library, kind: Kind, family: Family, struct: Any) -> None:
        self._library = library
        self._kind = kind
        self._family = family
        self._struct = struct
        self.typed_name: str = struct.name.decode()
        self.name: str = (struct.real_name or struct.name).decode()
        self.revision: int = struct.revision
        self.size: int = struct.size
        self.user_size: int = struct.userspacesize
        self.options = list(self._options())

    def _options(self) -> Iterator[tuple[int, str, int, bool]]:
        struct = self._struct
        if struct.x6_parse:
            for row in _rows(struct.x6_options):
                yield row.id, row.name.decode(), int(row.type != 0), bool(row.flags & _CAN_INVERT)
        else:
            for row in _rows(struct.extra_opts):
                yield row.val, row.name.decode(), row.has_arg, True

    def parse(self, given: Sequence[Given]) -> bytes:
        """Return the payload that options make. Where they make none, the plugin says why and ends the process."""
        library, struct = self._library, self._struct
        self._begin()
        for option in given:
            self._take(option)
        library.check[self._kind](ctypes.addressof(struct))
        block = ctypes.cast(getattr(struct, "m" if self._kind == "match" else "t"), _pointer).value or 0
        payload = ctypes.string_at(block + _HEAD, self.size)
        library.free(block)
        return payload

    def count(self, given: Sequence[Given]) -> int:
        """Return how many of the words behind the last option's argument are its own. Ends the process as ``parse``."""
        self._begin()
        taken = [self._take(option) for option in given]
        return taken[-1]

    def _begin(self) -> None:
        library, struct = self._library, self._struct
        library.use(_NFPROTO[self._family])
        block = self._block(bytes(self.size))
        member, flags = ("m", "mflags") if self._kind == "match" else ("t", "tflags")
        setattr(struct, member, ctypes.cast(block, library.entries[self._kind]))
        setattr(struct, flags, 0)
        struct.option_offset = 0
        if struct.udata_size:
            library.free(struct.udata)
            struct.udata = library.calloc(1, struct.udata_size)
        init = _function_of(_INIT, struct.init)
        if init:
            init(block)

    def _take(self, option: Given) -> int:
        """Give the plugin an option as getopt_long(3) would have found it; return how many more words it has read."""
        library = self._library
        number, name, inverted, argument, rest, protocol, all_but = option
        line = (b"", f"--{name}".encode(), *([] if argument is None else [argument]), *rest)
        behind = len(line) - len(rest)
        buffers = [ctypes.create_string_buffer(word) for word in line]  # which plugins write into
        array = (_pointer * (len(line) + 1))(*[ctypes.addressof(buffer) for buffer in buffers], None)
        library.optarg.value = None if argument is None else ctypes.addressof(buffers[behind - 1])
        library.optind.value = behind
        header = self._header(protocol, INV_PROTO if all_but else 0)
        rule = ctypes.create_string_buffer(header, entry.MATCHES_AT[self._family])
        places = [ctypes.addressof(each) for each in (array, self._struct, rule)]
        library.take[self._kind](number, places[0], inverted, *places[1:])
        taken: int = library.optind.value - behind
        return taken

    def save(self, payload: bytes, protocol: int) -> str:
        """Return the options as ``-S`` prints them."""
        return self._printed(_function_of(_SAVE, self._struct.save), payload, protocol)

    def show(self, payload: bytes, protocol: int, *, numeric: bool) -> str:
        """Return the options as ``-L`` prints them."""
        if not self._struct.print and self._kind == "match":
            return f"{self.name} "
        return self._printed(_function_of(_PRINT, self._struct.print), payload, protocol, _NUMERIC if numeric else 0)

    def alias(self, payload: bytes) -> str:
        """Return the name that ``-S`` prints."""
        alias = _function_of(_ALIAS, self._struct.alias)
        if not alias:
            return self.name
        block = self._block(payload)
        name: bytes = alias(block)
        self._library.free(block)
        return name.decode()

    def help(self) -> str:
        """Return what the plugin says about its options."""
        show = _function_of(_HELP, self._struct.help)
        return _decode(clib.printed(show)) if show else ""

    def _printed(self, function: Any, payload: bytes, protocol: int, *more: int) -> str:
        if not function:
            return ""
        self._library.use(_NFPROTO[self._family])
        block = self._block(payload)
        header = ctypes.create_string_buffer(self._header(protocol))
        text = clib.printed(function, ctypes.addressof(header), block, *more)
        self._library.free(block)
        return _decode(text)

    def _block(self, payload: bytes) -> int:
        """Return the address of a struct xt_entry_match or xt_entry_target with a payload, to be freed."""
        name = self.name.encode()[: _NAME_SIZE - 1].ljust(_NAME_SIZE, b"\0")
        data = (_HEAD + self.size).to_bytes(2, sys.byteorder) + name + bytes([self.revision]) + payload
        block: int = self._library.calloc(1, _HEAD + self.size)
        ctypes.memmove(block, data, min(len(data), _HEAD + self.size))
        return block

    def _header(self, protocol: int, invflags: int = 0) -> bytes:
        """Return the header of a rule that is for a protocol, 0 for any: what else it asks plugins do not look at."""
        address = bytes(4 if self._family == 4 else 16)
        flags = F_PROTO if self._family == 6 and protocol else 0
        header = Header(address, address, address, address, "", "", protocol, flags, invflags)
        return entry.pack_header(header, self._family)


def _rows(table: Any) -> Iterator[Any]:
    """Yield the rows of a table of options, which one without a name ends."""
    place = 0
    while table and table[place].name:
        yield table[place]
        place += 1


def _function_of(prototype: Any, pointer: Any) -> Any:
    """Return a function of a plugin, None where it has none."""
    address = ctypes.cast(pointer, _pointer).value
    return prototype(address) if address else None


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")
