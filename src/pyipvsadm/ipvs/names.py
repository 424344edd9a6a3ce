"""Addresses, ports and their names, both ways, as ipvsadm(8) reads and shows them.

Numbers never leave this module's dictionaries; the system is asked (getservbyname(3), gethostbyname(3) and their
reverses) only for what is truly a name, and each question once.
"""

from __future__ import annotations

import _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from pyipvsadm.ipvs.model import Family, Protocol

# strtol(3) skips these, and these alone, before a number.
C_SPACE: Final = " \t\n\v\f\r"

# A cache that has grown to this many answers starts anew: a long-lived program must not grow with its input.
_MOST_ANSWERS: Final = 1 << 17


def to_number(text: str, low: int, high: int) -> int | None:
    """Return the decimal number from low to high that is the whole of ``text``, or None.

    White space and a sign may precede it, as with strtol(3); leading zeros do not make it octal.
    """
    if not (text.isascii() and text.isdigit()):
        text = text.lstrip(C_SPACE)
        digits = text[1:] if text[:1] in ("+", "-") else text
        if not (digits.isascii() and digits.isdigit()):
            return None
    if len(text) > 20:  # int() refuses thousands of digits, and leading zeros are legal
        sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
        text = sign + (digits.lstrip("0") or "0")
        if len(text) > 20:
            return None
    value = int(text)
    return value if low <= value <= high else None


class Numbers:
    """Shows addresses and ports as they are."""

    numeric = True

    def host(self, address: str, family: Family) -> str:  # noqa: ARG002 - only names depend on it
        """Return the address."""
        return address

    def service(self, port: int, protocol: Protocol | None) -> str:  # noqa: ARG002 - same
        """Return the port's number."""
        return str(port)


class Names:
    """Answers what a name stands for, and what a number is called; remembers the answers.

    One is made per run, or per open table, and handed to the parser and to the listings, which ask no one else.
    """

    numeric = False

    def __init__(self) -> None:
        self._endpoints: dict[tuple[str, str | None], tuple[Family, str, int | None]] = {}
        self._hosts: dict[str, str] = {}
        self._services: dict[tuple[int, Protocol | None], str] = {}

    def endpoint(self, text: str, protocol: Protocol | None) -> tuple[Family, str, int | None] | None:
        """Read ``HOST``, ``HOST:PORT``, ``IPV6`` or ``[IPV6]:PORT``; return family, address, port, or None if illegal.

        The address is in the form of inet_ntop(3); the port is None where there is none. A port's name is looked up for
        ``protocol``, and is illegal without one. A bracketed word that is no IPv6 address is read as if the brackets
        and what follows them were not there, as ipvsadm 1.31 does.
        """
        key = (text, protocol)
        answer = self._endpoints.get(key)
        if answer is None:
            answer = self._read_endpoint(text, protocol)
            if answer is not None:
                if len(self._endpoints) >= _MOST_ANSWERS:
                    self._endpoints.clear()
                self._endpoints[key] = answer
        return answer

    def _read_endpoint(self, text: str, protocol: Protocol | None) -> tuple[Family, str, int | None] | None:
        if text[:1] == "[":
            inside, bracket, after = text[1:].partition("]")
            if not bracket or after[:1] != ":":
                return None
            address = ipv6_address(inside)
            if address is not None:
                port = self.port(after[1:], protocol)
                return None if port is None else (6, address, port)
            text = inside
        elif text.isascii() and text.isdigit():
            return None  # a port without a host, though inet_aton(3) would take it
        else:
            address = ipv6_address(text)
            if address is not None:
                return 6, address, None
        host, colon, port_text = text.partition(":")
        address = self.ipv4(host)
        if address is None:
            return None
        if not colon:
            return 4, address, None
        port = self.port(port_text, protocol)
        return None if port is None else (4, address, port)

    def port(self, text: str, protocol: Protocol | None) -> int | None:
        """Return the port that ``text`` numbers or names for ``protocol``, or None."""
        number = to_number(text, 0, 65535)
        if number is not None or protocol is None or not text:
            return number
        return self.ask_port(text, protocol)

    def ipv4(self, host: str) -> str | None:
        """Return the dotted quad of a host: inet_aton(3)'s spellings ("1.2.3", "0x7f.1") or a name; None if neither."""
        try:
            return _socket.inet_ntop(_socket.AF_INET, _socket.inet_aton(_c_string(host)))
        except (OSError, ValueError):
            pass
        return self.ask_host(host) if host else None

    def ask_port(self, name: str, protocol: Protocol) -> int | None:
        """Return the port that the system knows by a name, or None."""
        try:
            return _socket.getservbyname(name, protocol)
        except (OSError, ValueError):
            return None

    def ask_host(self, name: str) -> str | None:
        """Return the IPv4 address that the system knows by a name, or None."""
        encoded: Any = name.encode("utf-8", "surrogateescape")  # as text it would go through the idna codec
        try:  # the first address in the system's own order
            return _socket.gethostbyname_ex(encoded)[2][0]
        except (OSError, ValueError):
            return None

    def host(self, address: str, family: Family) -> str:  # noqa: ARG002 - the address tells it
        """Return the name of an address, or the address where it has none."""
        try:
            return self._hosts[address]
        except KeyError:
            try:
                name = _socket.getnameinfo((address, 0), _socket.NI_NAMEREQD)[0]
            except (OSError, ValueError):
                name = address
            self._hosts[address] = name
            return name

    def service(self, port: int, protocol: Protocol | None) -> str:
        """Return the name of a port of a protocol, or its number where it has none."""
        key = (port, protocol)
        try:
            return self._services[key]
        except KeyError:
            try:
                name = _socket.getservbyport(port, protocol) if protocol else str(port)
            except OSError:
                name = str(port)
            self._services[key] = name
            return name


def ipv6_address(text: str) -> str | None:
    """Return an IPv6 address in the form of inet_ntop(3), or None if ``text`` is none; scopes ("%eth0") are illegal."""
    if text.find(":") == text.rfind(":"):  # the shortest has two
        return None
    try:
        return _socket.inet_ntop(_socket.AF_INET6, _socket.inet_pton(_socket.AF_INET6, text))
    except (OSError, ValueError):
        return None


def _c_string(text: str) -> str:
    """Return text that _socket takes: escaped bytes become Latin-1, which no address has but the junk after one may."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")
