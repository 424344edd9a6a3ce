"""Who owns the socket that a packet leaves by.

Struct: ``struct xt_owner_match_info``, linux/netfilter/xt_owner.h. Syntax: iptables-extensions(8), "owner".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.kinds import U32, read_number
from pyipvsadm.xtables.layout import Layout, u8, u32
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout(
    "struct xt_owner_match_info",
    u32("uid_min"),
    u32("uid_max"),
    u32("gid_min"),
    u32("gid_max"),
    u8("match"),
    u8("invert"),
)
_UID, _GID, _SOCKET, _SUPPL_GROUPS = 1, 2, 4, 8  # XT_OWNER_*


def _user_id(name: str) -> int | None:
    import pwd

    try:
        return pwd.getpwnam(name).pw_uid
    except (KeyError, ValueError):
        return None


def _group_id(name: str) -> int | None:
    import grp

    try:
        return grp.getgrnam(name).gr_gid
    except (KeyError, ValueError):
        return None


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except (KeyError, OverflowError):
        return str(number)


def _group(number: int) -> str:
    import grp

    try:
        return grp.getgrgid(number).gr_name
    except (KeyError, OverflowError):
        return str(number)


def _write(value: tuple[int, int], _: View) -> str:
    first, last = value
    return str(first) if first == last else f"{first}-{last}"


def _ids(ask: Callable[[str], int | None], bit: int, placeholder: str) -> Kind:
    """Return the kind of a name, which may look like a number, or else a number or a range of them."""

    def read(text: str, draft: Draft) -> tuple[int, int]:
        draft.values["match"] |= bit
        named = ask(text)
        if named is not None:
            return named, named
        first, dash, last = text.replace(":", "-", 1).partition("-")  # either may stand between them
        low = read_number(first, 0, U32 - 1)
        high = read_number(last, 0, U32 - 1) if dash else low
        if low is None or high is None:
            raise draft.bad(text)
        return low, high

    return Kind(read, _write, placeholder)


class _SupplementaryGroups(Option):
    """An option that says more about one that must come before it."""

    __slots__ = ()

    def read(self, text: str | None, draft: Draft) -> None:
        """Take the option into a draft. Raises UsageError."""
        draft.option = self.name
        if "gid-owner" not in draft.seen:
            raise draft.bad("you need to use --gid-owner first")
        super().read(text, draft)


def _check(draft: Draft) -> None:
    if not draft.values["match"]:
        raise UsageError("owner: At least one of --uid-owner, --gid-owner or --socket-exists is required")


def _show_ids(first: int, last: int, view: View, name: Callable[[int], str]) -> str:
    return _write((first, last), view) if view.numeric or first != last else name(first)


def _show(values: Values, view: View) -> str:
    text = ""
    match, invert = values["match"], values["invert"]
    if match & _SOCKET:
        text += f"{' !' if invert & _SOCKET else ''} owner socket exists"
    if match & _UID:
        owner = _show_ids(values["uid_min"], values["uid_max"], view, _user)
        text += f"{' !' if invert & _UID else ''} owner UID match {owner}"
    if match & _GID:
        owner = _show_ids(values["gid_min"], values["gid_max"], view, _group)
        text += f"{' !' if invert & _GID else ''} owner GID match {owner}"
    if match & _SUPPL_GROUPS:
        text += " incl. suppl. groups"
    return text


EXTENSIONS: Final = (
    Extension(
        "match",
        "owner",
        1,
        BOTH,
        LAYOUT,
        (
            Option(
                "socket-exists",
                to="match",
                bit=_SOCKET,
                inverts=("invert", _SOCKET),
            ),
            Option(
                "uid-owner",
                kind=_ids(_user_id, _UID, "USER[-USER]"),
                to=("uid_min", "uid_max"),
                inverts=("invert", _UID),
                when=lambda values: bool(values["match"] & _UID),
            ),
            Option(
                "gid-owner",
                kind=_ids(_group_id, _GID, "GROUP[-GROUP]"),
                to=("gid_min", "gid_max"),
                inverts=("invert", _GID),
                when=lambda values: bool(values["match"] & _GID),
            ),
            _SupplementaryGroups("suppl-groups", to="match", bit=_SUPPL_GROUPS),
        ),
        summary="the user or group a packet comes from",
        hooks=("OUTPUT", "POSTROUTING"),
        check=_check,
        show=_show,
    ),
)
