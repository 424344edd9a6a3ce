"""The control group of the process that a packet comes from or goes to.

Structs: ``struct xt_cgroup_info_v0`` to ``_v2``, linux/netfilter/xt_cgroup.h. Syntax: iptables-extensions(8), "cgroup".
"""

from __future__ import annotations

from pyipvsadm.xtables.extensions.texts import cut_text
from pyipvsadm.xtables.kinds import number, quote
from pyipvsadm.xtables.layout import Layout, private, raw, u8, u32
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_PATH_1, _PATH_2 = 4096, 512  # PATH_MAX, XT_CGROUP_PATH_MAX

_head: Final = (u8("has_path"), u8("has_classid"), u8("invert_path"), u8("invert_classid"))
LAYOUT_0: Final = Layout("struct xt_cgroup_info_v0", u32("id"), u32("invert"))
LAYOUT_1: Final = Layout("struct xt_cgroup_info_v1", *_head, raw("path", _PATH_1), u32("classid"), private("priv"))
LAYOUT_2: Final = Layout("struct xt_cgroup_info_v2", *_head, raw("path", _PATH_2), private("priv"))
_ID: Final = Layout("union of struct xt_cgroup_info_v2", u32("classid"))


def _show_path(path: bytes) -> str:
    return path.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _path(size: int) -> Kind:
    """Return the kind of a path, cut to what a member of ``size`` bytes takes."""
    path = cut_text(size - 1)

    def read(given: str, draft: Draft) -> tuple[int, bytes]:
        return 1, path.read(given, draft).encode("utf-8", "surrogateescape").ljust(size, b"\0")

    return Kind(read, lambda value, _: quote(_show_path(value[1])), "PATH")


def _read_id(given: str, draft: Draft) -> tuple[int, int]:
    return 1, number().read(given, draft)


def _read_id_2(given: str, draft: Draft) -> tuple[int, bytes]:
    # The number is in the place of the path's first bytes: of both, what is said later is there.
    return 1, _ID.pack({"classid": number().read(given, draft)}) + draft.values["path"][_ID.size :]


def _class_id(values: Values) -> int:
    if "classid" in values:
        return int(values["classid"])
    return int(_ID.unpack(values["path"])["classid"])


def _show_0(values: Values, _: View) -> str:
    return f" cgroup{' !' if values['invert'] else ''} {values['id']}"


def _show(values: Values, _: View) -> str:
    text = " cgroup"
    if values["has_path"]:
        text += f"{' !' if values['invert_path'] else ''} {_show_path(values['path'])}"
    if values["has_classid"]:
        text += f"{' !' if values['invert_classid'] else ''} {_class_id(values)}"
    return text


def _path_option(size: int) -> Option:
    return Option(
        "path",
        kind=_path(size),
        to=("has_path", "path"),
        inverts=("invert_path", 1),
        when=lambda values: bool(values["has_path"]),
    )


def _id_option(kind: Kind, member: str) -> Option:
    return Option(
        "cgroup",
        kind=kind,
        to=("has_classid", member),
        inverts=("invert_classid", 1),
        when=lambda values: bool(values["has_classid"]),
    )


_SUMMARY: Final = "the control group a packet belongs to"

EXTENSIONS: Final = (
    Extension(
        "match",
        "cgroup",
        0,
        BOTH,
        LAYOUT_0,
        (Option("cgroup", kind=number(), to="id", inverts=("invert", 1), needed=True, when=lambda _: True),),
        summary=_SUMMARY,
        hooks=("INPUT", "OUTPUT", "POSTROUTING"),
        show=_show_0,
    ),
    Extension(
        "match",
        "cgroup",
        1,
        BOTH,
        LAYOUT_1,
        (
            _path_option(_PATH_1),
            _id_option(Kind(_read_id, lambda value, _: str(value[1]), "CLASSID"), "classid"),
        ),
        summary=_SUMMARY,
        hooks=("INPUT", "OUTPUT", "POSTROUTING"),
        show=_show,
    ),
    Extension(
        "match",
        "cgroup",
        2,
        BOTH,
        LAYOUT_2,
        (
            _path_option(_PATH_2),
            _id_option(Kind(_read_id_2, lambda value, _: str(_ID.unpack(value[1])["classid"]), "CLASSID"), "path"),
        ),
        summary=_SUMMARY,
        hooks=("INPUT", "OUTPUT", "POSTROUTING"),
        show=_show,
    ),
)
