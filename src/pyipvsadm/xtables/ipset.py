"""The sets of ipset(8), which rules have by number: the numbers of names, the names of numbers.

Asked with the getsockopt SO_IP_SET; ``struct ip_set_req_version``, ``ip_set_req_get_set`` and
``ip_set_req_get_set_family`` are in linux/netfilter/ipset/ip_set.h.
"""

from __future__ import annotations

import _socket

from pyipvsadm import clib
from pyipvsadm.errors import UsageError
from pyipvsadm.xtables import names
from pyipvsadm.xtables.layout import Layout, chars, u16, u32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Family

_SO_IP_SET: Final = 83
_GET_BYINDEX, _GET_FNAME, _VERSION = 0x07, 0x08, 0x100  # IP_SET_OP_*
_PROTOCOL: Final = 7  # IPSET_PROTOCOL, what we speak if the kernel does
_INVALID: Final = 65535  # IPSET_INVALID_ID
_FAMILIES: Final = {2: (4, "IPv4"), 10: (6, "IPv6")}  # NFPROTO_*; sets of other things, such as lists, suit both

_VERSIONS: Final = Layout("struct ip_set_req_version", u32("op", _VERSION), u32("version", _PROTOCOL))
# A union: the name is asked for, or the number.
_BY_INDEX: Final = Layout(
    "struct ip_set_req_get_set", u32("op", _GET_BYINDEX), u32("version"), u16("index"), chars("rest", 30)
)
_NAMED: Final = Layout("struct ip_set_req_get_set", u32("op"), u32("version"), chars("name", 32))
_BY_NAME: Final = Layout(
    "struct ip_set_req_get_set_family", u32("op", _GET_FNAME), u32("version"), u32("family"), chars("name", 32)
)
_INDEXED: Final = Layout(
    "struct ip_set_req_get_set_family", u32("op"), u32("version"), u32("family"), u16("index"), chars("rest", 30)
)


def _ask(question: Layout, values: Values, answer: Layout) -> Values:
    """Ask the kernel. Raises UsageError, of status 1, where it cannot be asked."""
    memory = bytearray(question.pack(values))
    size = clib.UInt32(len(memory))
    try:
        handle = _socket.socket(_socket.AF_INET, _socket.SOCK_RAW, _socket.IPPROTO_RAW)
    except OSError:
        raise UsageError("Can't open socket to ipset.", exit_status=1) from None
    try:
        if clib.getsockopt(handle.fileno(), 0, _SO_IP_SET, clib.buffer(memory), clib.by_reference(size)):
            reason = "Kernel module xt_set is not loaded in." if question is _VERSIONS else ""
            problem = reason or f"Problem when communicating with ipset, errno={clib.errno()}."
            raise UsageError(problem, exit_status=1)
    finally:
        handle.close()
    return answer.unpack(bytes(memory))


def _version() -> int:
    return int(_ask(_VERSIONS, {}, _VERSIONS)["version"])


def index_of(name: str, family: Family) -> int:
    """Return the number of a set that suits a family. Raises UsageError."""
    found = _ask(_BY_NAME, {"version": _version(), "name": name}, _INDEXED)
    if found["index"] == _INVALID:
        raise UsageError(f"Set {name} doesn't exist.\n")
    of, called = _FAMILIES.get(found["family"], (family, ""))
    if of != family:
        raise UsageError(f"The protocol family of set {name} is {called}, which is not applicable.\n")
    return int(found["index"])


def name_of(index: int) -> str:
    """Return the name of the set that has a number, or is stood for by it. Raises UsageError, of status 1, for none."""
    stood_for = names.stood_for(index)
    if stood_for is not None:
        return stood_for
    name = str(_ask(_BY_INDEX, {"version": _version(), "index": index}, _NAMED)["name"])
    if not name:
        raise UsageError(f"Set with index {index} in kernel doesn't exist.\n", exit_status=1)
    return name
