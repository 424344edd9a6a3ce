"""Whether a packet's addresses and ports are in a set of ipset(8).

Structs: ``struct xt_set_info_match_v0`` to ``_v4``, linux/netfilter/xt_set.h; revision 2 has that of revision 1.
Syntax: iptables-extensions(8), "set".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.extensions.directions import MOST, pack_flags, read_set, show_set, unpack_flags
from pyipvsadm.xtables.kinds import U64, number
from pyipvsadm.xtables.layout import Layout, align, u8, u16, u32, u64
from pyipvsadm.xtables.options import BOTH, IPV4, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_set: Final = (u16("index"), u8("dim"), u8("flags"))
LAYOUT_0: Final = Layout("struct xt_set_info_match_v0", u16("index"), u32.array("flags", MOST + 1))
LAYOUT_1: Final = Layout("struct xt_set_info_match_v1", *_set)
LAYOUT_3: Final = Layout(
    "struct xt_set_info_match_v3",
    *_set,
    align(8),
    u8("packets_op"),
    u64("packets"),
    u8("bytes_op"),
    u64("bytes"),
    u32("options"),
)
LAYOUT_4: Final = Layout(
    "struct xt_set_info_match_v4",
    *_set,
    u64("packets"),
    u8("packets_op"),
    align(8),
    u64("bytes"),
    u8("bytes_op"),
    align(8),
    u32("options"),
)
_SRC, _DST, _MATCH_INV = 1, 2, 4  # IPSET_* of revision 0
_INV_MATCH, _RETURN_NOMATCH = 0x01, 0x80  # IPSET_* of struct xt_set_info
_SKIP_COUNTERS, _SKIP_SUBCOUNTERS, _NOMATCH = 0x08, 0x10, 0x80  # IPSET_FLAG_*
_NONE, _EQ, _NE, _LT, _GT = range(5)  # IPSET_COUNTER_*
_OPERATORS: Final = {"eq": (_EQ, _NE), "lt": (_LT,), "gt": (_GT,)}


def _check(draft: Draft) -> None:
    if "match-set" not in draft.seen:
        raise UsageError("You must specify `--match-set' with proper arguments")


# -- the set -----------------------------------------------------------------------------------------------------------


# A "!" before it has no meaning in revision 2.
_return_nomatch_2: Final = Option("return-nomatch", to="flags", bit=_RETURN_NOMATCH, inverts=("flags", 0), repeats=True)


def _read_set_0(text: str, draft: Draft) -> tuple[int, tuple[int, ...]]:
    # The last but one flag must stay 0: it ends the list.
    index, sources = read_set(text, draft, MOST - 1)
    flags = [_SRC if source else _DST for source in sources]
    if draft.inverted:
        flags[0] |= _MATCH_INV
    return index, (*flags, *[0] * (MOST + 1 - len(flags)))


def _write_set_0(value: tuple[int, tuple[int, ...]], _: View) -> str:
    index, flags = value
    return show_set(index, tuple([bool(flag & _SRC) for flag in flags[:MOST] if flag]))


def _read_set(text: str, draft: Draft) -> tuple[int, int, int]:
    index, sources = read_set(text, draft)
    return index, len(sources), draft.values["flags"] | pack_flags(sources)


def _write_set(value: tuple[int, int, int], _: View) -> str:
    index, dim, flags = value
    return show_set(index, unpack_flags(dim, flags))


_PLACEHOLDER: Final = "NAME src|dst[,...]"


class _SetOption(Option):
    """The set of revision 0, whose inversion is in the flags of its first dimension."""

    __slots__ = ()

    def inverted(self, values: Values) -> bool:
        """Whether the set is not to match."""
        return bool(values["flags"][0] & _MATCH_INV)


def _both(make: type[Option], **declared: Any) -> tuple[Option, Option]:
    """Return the option, and the one under its old name."""
    warning = "--set is deprecated: use --match-set"
    return (
        make("match-set", words=2, when=lambda _: True, **declared),
        make("set", words=2, same_as="match-set", warning=warning, **declared),
    )


_match_set: Final = _both(
    Option,
    kind=Kind(_read_set, _write_set, _PLACEHOLDER),
    to=("index", "dim", "flags"),
    inverts=("flags", _INV_MATCH),
)

# -- its counters ------------------------------------------------------------------------------------------------------


class _Counter(Option):
    """A comparison of a counter: ``to`` its value, and its operator, which says too whether it is inverted."""

    __slots__ = ()

    def read(self, text: str | None, draft: Draft) -> None:
        """Take the comparison into a draft. Raises UsageError."""
        counter, _, word = self.name.partition("-")
        operator = f"{counter}_op"
        draft.option = self.name
        operators = _OPERATORS[word]
        if draft.inverted and len(operators) == 1:
            raise UsageError(f"--{self.name} option cannot be inverted")
        if draft.values[operator] != _NONE:
            raise UsageError(f"only one of the --{counter}-[eq|lt|gt] is allowed")
        draft.seen.add(self.name)
        draft.values[counter] = _number.read(text or "", draft)
        draft.values[operator] = operators[draft.inverted]

    def inverted(self, values: Values) -> bool:
        """Whether other values than the one that is given match."""
        return bool(values[f"{self.name.partition('-')[0]}_op"] == _NE)


_number: Final = number(0, U64)


def _counter(counter: str, word: str) -> Option:
    operator = f"{counter}_op"
    return _Counter(
        f"{counter}-{word}",
        kind=Kind(_number.read, lambda value, _: str(value[0]), "NUMBER"),
        to=(counter, operator),
        when=lambda values: values[operator] in _OPERATORS[word],
    )


def _updates(name: str, skip: int) -> Option:
    """Return an option that says what is so anyway, unless a "!" is before it."""
    return Option(name, inverts=("options", skip), repeats=True, when=lambda values: bool(values["options"] & skip))


_counted: Final = (
    *_match_set,
    Option("return-nomatch", to="options", bit=_NOMATCH, repeats=True),
    _updates("update-counters", _SKIP_COUNTERS),
    _updates("update-subcounters", _SKIP_SUBCOUNTERS),
    *[_counter(counter, word) for counter in ("packets", "bytes") for word in _OPERATORS],
)

# -- the revisions -----------------------------------------------------------------------------------------------------


def _revision(revision: int, layout: Layout, *options: Option) -> Extension:
    def show(values: Values, view: View) -> str:
        parts = [option.save(values, view) for option in options if option.is_set(values, layout.defaults)]
        return "".join([part.replace("--", "", 1) for part in parts])

    return Extension(
        "match",
        "set",
        revision,
        BOTH if revision else IPV4,
        layout,
        options,
        summary="addresses and ports in a set of ipset",
        check=_check,
        show=show,
        asks=True,
    )


EXTENSIONS: Final = (
    _revision(
        0,
        LAYOUT_0,
        *_both(
            _SetOption,
            kind=Kind(_read_set_0, _write_set_0, _PLACEHOLDER),
            to=("index", "flags"),
            inverts=("index", 0),
        ),
    ),
    _revision(1, LAYOUT_1, *_match_set),
    _revision(2, LAYOUT_1, *_match_set, _return_nomatch_2),
    _revision(3, LAYOUT_3, *_counted),
    _revision(4, LAYOUT_4, *_counted),
)
