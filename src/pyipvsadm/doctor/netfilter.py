"""The rules of both worlds, the legacy tables and nf_tables, as far as checks care: where they are, what they do.

The legacy tables are read over libiptc without the xtables lock: the kernel hands out a table whole, and whoever holds
the lock may be what is being looked for. Rules of nf_tables are read over netlink.
"""

from __future__ import annotations

import errno
import os
import struct
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pyipvsadm.abi import nf_tables, nf_tables_compat, nfnetlink
from pyipvsadm.abi.netlink import NETLINK_NETFILTER
from pyipvsadm.doctor.check import Unknown
from pyipvsadm.errors import KernelError, Unsupported
from pyipvsadm.netlink.attrs import iterate
from pyipvsadm.netlink.socket import NetlinkError, NetlinkSocket
from pyipvsadm.record import Record
from pyipvsadm.xtables import entry
from pyipvsadm.xtables.backend.legacy import LegacyBackend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Literal

    World = Literal["legacy", "nf_tables"]

_GENERIC: Final = 4  # struct nfgenmsg: u8 family, u8 version, be16 resource
_FAMILIES: Final[dict[int, tuple[Literal[4, 6], ...]]] = {1: (4, 6), 2: (4,), 10: (6,)}  # NFPROTO_INET, _IPV4, _IPV6
_LISTS: Final[dict[Literal[4, 6], str]] = {
    4: "/proc/thread-self/net/ip_tables_names",
    6: "/proc/thread-self/net/ip6_tables_names",
}
_NO_RIGHT: Final = "the kernel shows rules to root alone"
SOURCE_NAT: Final = frozenset(("MASQUERADE", "SNAT", "NETMAP"))


class SeenRule(Record):
    """A rule: ``uses`` are the names of its matches and of its target, in capitals for source and destination NAT."""

    world: World
    family: Literal[4, 6]
    table: str
    chain: str
    uses: frozenset[str]


class Netfilter:
    """The rules of the calling thread's network namespace; anything may raise Unknown.

    ``has_module`` tells whether the kernel has a module without loading it: asking nf_tables would load it.
    """

    def __init__(self, has_module: Callable[[str], bool]) -> None:
        self._has_module = has_module

    @cached_property
    def legacy(self) -> list[SeenRule]:
        """The rules of the legacy tables of both families; a policy that is not ACCEPT counts as one."""
        return [rule for family in _LISTS for rule in _legacy_rules(family)]

    @cached_property
    def nf_tables(self) -> list[SeenRule]:
        """The rules of nf_tables that see IPv4 or IPv6."""
        if not self._has_module("nf_tables"):
            return []
        try:
            socket = NetlinkSocket(NETLINK_NETFILTER)
        except OSError:  # a kernel without nfnetlink
            return []
        try:
            kind = nfnetlink.NFNL_SUBSYS_NFTABLES << 8 | nf_tables.NFT_MSG_GETRULE
            answers = socket.dump(kind, bytes(_GENERIC))
        except NetlinkError as refusal:
            if refusal.number == errno.EPERM:
                raise Unknown(_NO_RIGHT) from None
            if refusal.number in (errno.EINVAL, errno.EOPNOTSUPP):
                return []
            raise Unknown(f"rules of nf_tables: {os.strerror(refusal.number)}") from None
        finally:
            socket.close()
        return [rule for answer in answers for rule in decode_rule(*answer)]

    def source_nat(self, family: Literal[4, 6]) -> list[SeenRule]:
        """Return the rules that give packets of a family another source."""
        rules = [*self.legacy, *self.nf_tables]
        return [rule for rule in rules if rule.family == family and rule.uses & SOURCE_NAT]


def _legacy_rules(family: Literal[4, 6]) -> Iterator[SeenRule]:
    try:
        with open(_LISTS[family], encoding="ascii", errors="surrogateescape") as file:
            names = file.read().split()
    except FileNotFoundError:  # the tables have never been used
        return
    except PermissionError:
        raise Unknown(_NO_RIGHT) from None
    backend = LegacyBackend(family)
    for name in names:
        try:
            table = backend.open(name)
        except KernelError as error:
            if error.errno in (errno.EPERM, errno.EACCES):
                raise Unknown(_NO_RIGHT) from None
            raise Unknown(f"table {name}: {error}") from None
        except Unsupported as error:
            raise Unknown(str(error)) from None
        try:
            for chain in table.chains():
                if chain.policy not in (None, "ACCEPT"):
                    yield SeenRule("legacy", family, name, chain.name, frozenset())
                for rule in table.rules(chain.name):
                    blocks = [*rule.matches, *([rule.target] if rule.target else [])]
                    uses = frozenset([entry.unpack_extension(block)[0] for block in blocks])
                    yield SeenRule("legacy", family, name, chain.name, uses)
        finally:
            table.close()


def decode_rule(data: bytes, start: int, end: int) -> Iterator[SeenRule]:
    """Yield a rule of nf_tables for each family that it sees.

    Layout: struct nfgenmsg, then NFTA_RULE_*. Raises WireError for lengths that cannot be.
    """
    table = chain = ""
    uses: list[str] = []
    for number, at, to in iterate(data, start + _GENERIC, end, "NFT_MSG_NEWRULE"):
        if number == nf_tables.NFTA_RULE_TABLE:
            table = _text(data, at, to)
        elif number == nf_tables.NFTA_RULE_CHAIN:
            chain = _text(data, at, to)
        elif number == nf_tables.NFTA_RULE_EXPRESSIONS:
            for _, first, last in iterate(data, at, to, "NFTA_RULE_EXPRESSIONS"):
                uses.append(_expression(data, first, last))
    for family in _FAMILIES.get(data[start], ()):
        yield SeenRule("nf_tables", family, table, chain, frozenset(uses))


def _expression(data: bytes, start: int, end: int) -> str:
    """Return what an expression is called, by the name that iptables has for it where it is a match or target."""
    name, inner = "", (0, 0)
    for number, at, to in iterate(data, start, end, "NFTA_LIST_ELEM"):
        if number == nf_tables.NFTA_EXPR_NAME:
            name = _text(data, at, to)
        elif number == nf_tables.NFTA_EXPR_DATA:
            inner = (at, to)
    if name in ("match", "target"):
        wanted = nf_tables_compat.NFTA_MATCH_NAME if name == "match" else nf_tables_compat.NFTA_TARGET_NAME
        found = [_text(data, at, to) for number, at, to in iterate(data, *inner, "NFTA_EXPR_DATA") if number == wanted]
        return found[0] if found else name
    if name == "nat":
        kinds = [at for number, at, _ in iterate(data, *inner, "NFTA_EXPR_DATA") if number == nf_tables.NFTA_NAT_TYPE]
        is_source = kinds and struct.unpack_from(">I", data, kinds[0])[0] == nf_tables.NFT_NAT_SNAT
        return "SNAT" if is_source else "DNAT"
    return {"masq": "MASQUERADE", "redir": "REDIRECT"}.get(name, name)


def _text(data: bytes, start: int, end: int) -> str:
    return data[start:end].rstrip(b"\0").decode("utf-8", "surrogateescape")
