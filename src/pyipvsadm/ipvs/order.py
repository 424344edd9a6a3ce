"""The order in which ipvsadm(8) lists virtual services and real servers.

The peer sorts with qsort(3) and a comparison that subtracts unsigned 32-bit numbers and looks at the sign, so an
address half the number space above another counts as below it: 200.0.0.1 comes before 10.0.0.1 but after 100.0.0.1.
Where numbers lie all around that circle the result depends on the algorithm: the peer's C library has a merge sort.
"""

from __future__ import annotations

from _socket import AF_INET6, inet_aton, inet_pton
from struct import unpack

from pyipvsadm.ipvs.model import PROTOCOL_NUMBERS
from pyipvsadm.memo import remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final, TypeVar

    from pyipvsadm.ipvs.model import ServerKey, ServerState, ServiceKey, ServiceState

    Key = tuple[int, ...]
    T = TypeVar("T")

_HALF: Final = 1 << 31
_MASK: Final = 0xFFFFFFFF
_ADDRESS: Final = _MASK << 16  # of a service's number


def _ipv4_number(address: str) -> int:
    return int.from_bytes(inet_aton(address))  # big-endian


_ipv4: Final = remembered(_ipv4_number)
_protocol: Final[Callable[[Any], int]] = PROTOCOL_NUMBERS.__getitem__  # KeyError for the None of a mark


def sort_services(services: Sequence[ServiceState]) -> list[ServiceState]:
    """Sort by firewall mark (none first), family, protocol, address, port; equal ones keep their order."""
    keys = [service.config.key for service in services]
    try:
        numbers = [_protocol(key.protocol) << 48 | _ipv4(key.address) << 16 | key.port for key in keys]
    except (KeyError, OSError):  # a mark, IPv6
        pass
    else:
        addresses = [number & _ADDRESS for number in numbers]
        if addresses and max(addresses) - min(addresses) < _HALF << 16:  # as in nearly every table
            return [services[i] for i in sorted(range(len(services)), key=numbers.__getitem__)]
    return _sort(services, [_service_key(key) for key in keys])


def sort_servers(servers: Sequence[ServerState]) -> Sequence[ServerState]:
    """Sort by address and port; equal ones keep their order."""
    places = in_order([(server_key(server.config.key), place) for place, server in enumerate(servers)])
    return [servers[place] for place in places]


def server_key(key: ServerKey) -> int | Key:
    """Return what ``in_order`` sorts a server by: address and port as one number, for IPv6 as several."""
    try:
        return _ipv4(key.address) << 16 | key.port
    except OSError:
        return (*_words(key.address), key.port)


def in_order(entries: list[tuple[int | Key, T]]) -> list[T]:
    """Return what stands beside the keys of one service's servers, sorted by the keys."""
    if len(entries) > 1:
        try:
            ordered: list[tuple[Any, T]] = sorted(entries)
        except TypeError:  # both families
            pass
        else:
            first, last = ordered[0][0], ordered[-1][0]
            if type(first) is int and (last >> 16) - (first >> 16) < _HALF:  # as in nearly every service
                return [value for _, value in ordered]
        keys = [divmod(key, 1 << 16) if isinstance(key, int) else key for key, _ in entries]
        return _sort([value for _, value in entries], keys)
    return [value for _, value in entries]


def _service_key(key: ServiceKey) -> Key:
    if key.protocol is None:
        return (key.fwmark, key.family, 0, 0, 0, 0, 0, 0)
    words = _words(key.address)
    if key.family == 4:
        words += (0, 0, 0)
    return (0, key.family, PROTOCOL_NUMBERS[key.protocol], *words, key.port)


def _words(address: str) -> Key:
    """Return an address as the numbers that are compared: one for IPv4, four for IPv6."""
    if ":" in address:
        return unpack("!4I", inet_pton(AF_INET6, address))
    return (_ipv4(address),)


def _sort(items: Sequence[T], keys: list[Key]) -> list[T]:
    columns = _unwind(keys)
    if columns is not None:
        straight = list(zip(*columns, strict=True))
        return [items[i] for i in sorted(range(len(items)), key=straight.__getitem__)]
    return [items[i] for i in _merge_sort(keys, range(len(items)))]


def _unwind(keys: list[Key]) -> list[Sequence[int]] | None:
    """Return columns of numbers whose natural order is the peer's, or None where there is no such thing."""
    if len({len(key) for key in keys}) != 1:
        return None  # both families among the servers of one service
    columns: list[Sequence[int]] = []
    for column in zip(*keys, strict=True):
        offsets: Sequence[int] = column
        if max(column) - min(column) >= _HALF:
            offsets = [_difference(value, column[0]) for value in column]
            if max(offsets) - min(offsets) >= _HALF:
                return None
        columns.append(offsets)
    return columns


def _difference(a: int, b: int) -> int:
    """Return a - b as C does when it stores it in an int."""
    return ((a - b + _HALF) & _MASK) - _HALF


def _compare(a: Key, b: Key) -> int:
    """Compare as the peer does: the family of the first address decides how much of both counts."""
    last = len(a) - 1
    for x, y in zip(a[:last], (*b[:-1], 0, 0, 0), strict=False):
        if x != y:
            return _difference(x, y)
    return a[-1] - b[-1]


def _merge_sort(keys: list[Key], indices: Sequence[int]) -> list[int]:
    """Sort indices by their keys, dividing and comparing in the same places as qsort(3) of glibc."""
    if len(indices) < 2:
        return list(indices)
    half = len(indices) // 2
    left, right = _merge_sort(keys, indices[:half]), _merge_sort(keys, indices[half:])
    merged: list[int] = []
    i = j = 0
    while i < len(left) and j < len(right):
        if _compare(keys[left[i]], keys[right[j]]) <= 0:
            merged.append(left[i])
            i += 1
        else:
            merged.append(right[j])
            j += 1
    return merged + left[i:] + right[j:]
