"""A string of bytes anywhere in the packet.

Struct: ``struct xt_string_info``, linux/netfilter/xt_string.h. Syntax: iptables-extensions(8), "string".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.kinds import U16, number, text
from pyipvsadm.xtables.layout import Layout, chars, private, raw, u8, u16
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_PATTERN_SIZE: Final = 128  # XT_STRING_MAX_PATTERN_SIZE
LAYOUT: Final = Layout(
    "struct xt_string_info",
    u16("from_offset"),
    u16("to_offset", U16),
    chars("algo", 16),
    raw("pattern", _PATTERN_SIZE),
    u8("patlen"),
    u8("flags"),  # in revision 0 only whether it is inverted
    private("config"),
)
_INVERT, _IGNORECASE = 1, 2  # XT_STRING_FLAG_*
_PATTERN: Final = ("pattern", "patlen")
_BACKSLASH, _BAR, _SPACE = b"\\| "
_ESCAPED: Final = {ord(letter): f"\\{letter}" for letter in '"\\'}


def _encode(word: str) -> bytes:
    return word.encode("utf-8", "surrogateescape")


def _pattern(data: bytes, word: str, draft: Draft) -> tuple[bytes, int]:
    if len(data) > _PATTERN_SIZE:
        raise draft.bad(word, f"longer than {_PATTERN_SIZE} bytes")
    return data, len(data)


def _read_string(word: str, draft: Draft) -> tuple[bytes, int]:
    return _pattern(_encode(word), word, draft)


def _read_hex_string(word: str, draft: Draft) -> tuple[bytes, int]:
    r"""Read letters that stand for themselves, after a "\" in any case, and hexadecimal digits between bars.

    A byte's two digits have a letter behind them, at least the bar; one space may follow them. A bar that begins the
    digits skips the letter after it if that is a space; the letter after the bar that ends them stands for itself.
    """
    given = _encode(word)
    if not given:
        raise draft.bad(word, "empty")
    data = bytearray()
    at, digits = 0, False
    while at < len(given):
        letter = given[at]
        if digits:
            data.append(_read_digits(word, given, at, draft))
            at += 3 if given[at + 2] == _SPACE else 2
            digits = given[at : at + 1] != b"|"
            if not digits:
                data += given[at + 1 : at + 2]
                at += 2
        elif letter == _BAR:
            digits = True
            at += 2 if given[at + 1 : at + 2] == b" " else 1
        else:
            if letter == _BACKSLASH:
                at += 1
                if at == len(given):
                    raise draft.bad(word, "nothing after the backslash")
            data.append(given[at])
            at += 1
    return _pattern(bytes(data), word, draft)


def _read_digits(word: str, given: bytes, at: int, draft: Draft) -> int:
    pair = given[at : at + 2]
    if len(given) < at + 3 or pair.strip(b"0123456789abcdefABCDEF"):
        raise draft.bad(word, "not two hexadecimal digits")
    return int(pair, 16)


def _text(pattern: tuple[bytes, int]) -> tuple[str, bool]:
    """Return a pattern in quotes, and whether it is in hexadecimal: for what is not printable, or might end badly."""
    data = pattern[0][: pattern[1]]
    if not data.decode("latin-1").isprintable() or not data.isascii() or data.endswith(b"\\"):
        return f'"|{data.hex()}|"', True
    return f'"{data.decode("ascii").translate(_ESCAPED)}"', False


def _write(value: tuple[bytes, int], _: View) -> str:
    return _text(value)[0]


def _is_hex(values: Values) -> bool:
    return _text((values["pattern"], values["patlen"]))[1]


def _check(draft: Draft) -> None:
    if "string" not in draft.seen and "hex-string" not in draft.seen:
        raise UsageError("STRING match: You must specify `--string' or `--hex-string'")


def _show(values: Values, _: View) -> str:
    sign = "!" if values["flags"] & _INVERT else ""
    shown = f" STRING match {sign} {_text((values['pattern'], values['patlen']))[0]} ALGO name {values['algo']}"
    shown += f" FROM {values['from_offset']}" if values["from_offset"] else ""
    shown += f" TO {values['to_offset']}" if values["to_offset"] != U16 else ""
    return shown + (" ICASE" if values["flags"] & _IGNORECASE else "")


_options: Final = (
    Option(
        "string",
        kind=Kind(_read_string, _write, "TEXT"),
        to=_PATTERN,
        inverts=("flags", _INVERT),
        excludes=("hex-string",),
        when=lambda values: not _is_hex(values),
    ),
    Option(
        "hex-string",
        kind=Kind(_read_hex_string, _write, "TEXT|HEX|TEXT"),
        to=_PATTERN,
        inverts=("flags", _INVERT),
        when=_is_hex,
    ),
    Option(
        "algo",
        kind=text(U16, quoted=False, placeholder="bm|kmp"),
        to="algo",
        needed=True,
        when=lambda _: True,
    ),
    Option("from", kind=number(0, U16, placeholder="OFFSET"), to="from_offset"),
    Option("to", kind=number(0, U16, placeholder="OFFSET"), to="to_offset"),
)

EXTENSIONS: Final = tuple(
    [
        Extension(
            "match",
            "string",
            revision,
            BOTH,
            LAYOUT,
            options,
            summary="a string of bytes",
            check=_check,
            show=_show,
        )
        for revision, options in ((0, _options), (1, (*_options, Option("icase", to="flags", bit=_IGNORECASE))))
    ]
)
