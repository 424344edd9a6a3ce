"""The date, the time of day, the day of the week or of the month.

Struct: ``struct xt_time_info``, linux/netfilter/xt_time.h. Syntax: iptables-extensions(8), "time".
"""

from __future__ import annotations

from time import gmtime

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.extensions.scan import split_number
from pyipvsadm.xtables.kinds import U32
from pyipvsadm.xtables.layout import Layout, u8, u32
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

_LOCAL_TZ, _CONTIGUOUS = 1, 2  # XT_TIME_LOCAL_TZ and so on
_ALL_MONTHDAYS, _ALL_WEEKDAYS = 0xFFFFFFFE, 0xFE
_MAX_DAYTIME: Final = 24 * 60 * 60 - 1
_NO_STOP: Final = 0x7FFFFFFF  # what date_stop is where none is given, not the latest that there is

LAYOUT: Final = Layout(
    "struct xt_time_info",
    u32("date_start"),
    u32("date_stop", _NO_STOP),
    u32("daytime_start"),
    u32("daytime_stop", _MAX_DAYTIME),
    u32("monthdays_match", _ALL_MONTHDAYS),
    u8("weekdays_match", _ALL_WEEKDAYS),
    u8("flags"),
)
_TURNED: Final = ("flags", 0)  # "!" turns the days round themselves; there is no flag for it
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_BEFORE_MONTH: Final = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


# -- dates and times ---------------------------------------------------------------------------------------------------


def _seconds(year: int, month: int, day: int) -> int:
    """Return the seconds from 1970 to a day; month 0 is December of the year before, and days may go past a month."""
    if not month:
        year, month = year - 1, 12
    last = year - (month < 3)  # the year whose leap day is the last one before
    leap_days = last // 4 - last // 100 + last // 400 - 477
    return ((year - 1970) * 365 + leap_days + _BEFORE_MONTH[month - 1] + day - 1) * 86400


# What stands before each part of a date, and the least and the most that it is.
_PARTS: Final = (("", 1970, 2038), ("-", 0, 12), ("-", 0, 31), ("T", 0, 23), (":", 0, 59), (":", 0, 59))


def _read_date(text: str, draft: Draft) -> int:
    parts = [0, 1, 1, 0, 0, 0]
    rest = text
    for place, (sign, low, high) in enumerate(_PARTS):
        if place and not rest:
            break
        if not rest.startswith(sign):
            raise draft.bad(text, "not YYYY[-MM[-DD[Thh[:mm[:ss]]]]]")
        value, rest = split_number(rest[len(sign) :])
        parts[place] = value & U32
        if not low <= parts[place] <= high:
            raise draft.bad(text, "not YYYY[-MM[-DD[Thh[:mm[:ss]]]]]")
    if rest:
        raise draft.bad(text, "not YYYY[-MM[-DD[Thh[:mm[:ss]]]]]")
    year, month, day, hour, minute, second = parts
    found = _seconds(year, month, day) + hour * 3600 + minute * 60 + second
    if found < 0:
        raise UsageError(f'time: Bad value for "--{draft.option}" option: "{text}" (before 1970)', exit_status=1)
    return found


def _read_daytime(text: str, draft: Draft) -> int:
    parts = [*text.split(":", 2), "", ""][:3]
    value = 0
    for part, high in zip(parts, (23, 59, 59), strict=True):
        found, rest = split_number(part)
        if rest or found & U32 > high:
            raise draft.bad(text, "not hh:mm[:ss]")
        value = value * 60 + (found & U32)
    if ":" not in text:
        raise draft.bad(text, "not hh:mm[:ss]")
    return value


def _date(value: int, between: str) -> str:
    at = gmtime(value)
    clock = f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
    return f"{at.tm_year}-{at.tm_mon:02}-{at.tm_mday:02}{between}{clock}"


def _daytime(value: int) -> str:
    return f"{value // 3600:02}:{value // 60 % 60:02}:{value % 60:02}"


# -- days --------------------------------------------------------------------------------------------------------------


def _split_days(text: str, longest: int) -> list[str]:
    """Return the days in a list with commas, each cut to its first letters; there is none after the last comma."""
    days = [day[:longest] for day in text.split(",")]
    if not days[-1]:
        days.pop()
    return days


def _read_monthdays(text: str, draft: Draft) -> int:
    value = 0
    for day in _split_days(text, 2):
        number, rest = split_number(day, 0)
        if rest or not 0 <= number <= 31:
            raise draft.bad(text, f"{day!r} is not a day of a month")
        value |= 1 << number
    return value ^ _ALL_MONTHDAYS if draft.inverted else value


def _read_weekdays(text: str, draft: Draft) -> int:
    value = 0
    for day in _split_days(text, 3):
        named = [place for place, name in enumerate(_WEEKDAYS, 1) if day[:2] == name[:2]]
        number, rest = (named[0], "") if named else split_number(day, 0)
        if rest or not number:
            raise draft.bad(text, f"{day!r} is not a day of the week")
        value |= 1 << (number & 31)  # which forgets days past the seventh, but not the 33rd
    value &= 0xFF
    return value ^ _ALL_WEEKDAYS if draft.inverted else value


def _weekdays(value: int) -> str:
    return ",".join([name for day, name in enumerate(_WEEKDAYS, 1) if value >> day & 1])


def _monthdays(value: int) -> list[int]:
    return [day for day in range(1, 32) if value >> day & 1]


def _ordinal(day: int) -> str:
    return f"{day}{('th', 'st', 'nd', 'rd', 'th', 'th', 'th', 'th', 'th', 'th')[day % 10]}"


# -- texts -------------------------------------------------------------------------------------------------------------


def _whole_day(values: Values) -> bool:
    return (values["daytime_start"], values["daytime_stop"]) == (0, _MAX_DAYTIME)


def _check(draft: Draft) -> None:
    values = draft.values
    if values["flags"] & _CONTIGUOUS and values["daytime_start"] < values["daytime_stop"]:
        raise UsageError("time: --contiguous only makes sense when stoptime is smaller than starttime")


def _show(values: Values, _: View) -> str:
    text = " TIME"
    if not _whole_day(values):
        text += f" from {_daytime(values['daytime_start'])} to {_daytime(values['daytime_stop'])}"
    if values["weekdays_match"] != _ALL_WEEKDAYS:
        text += f" on {_weekdays(values['weekdays_match'])}"
    if values["monthdays_match"] != _ALL_MONTHDAYS:
        text += f" on {','.join([_ordinal(day) for day in _monthdays(values['monthdays_match'])])}"
    if values["date_start"]:
        text += f" starting from {_date(values['date_start'], ' ')}"
    if values["date_stop"] != _NO_STOP:
        text += " until date"
        text += f" {_date(values['date_stop'], ' ')}" if values["date_stop"] else ""
    text += "" if values["flags"] & _LOCAL_TZ else " UTC"
    return text + (" contiguous" if values["flags"] & _CONTIGUOUS else "")


_date_kind: Final = Kind(_read_date, lambda value, _: _date(value, "T"), "YYYY[-MM[-DD[Thh[:mm[:ss]]]]]")
_daytime_kind: Final = Kind(_read_daytime, lambda value, _: _daytime(value), "hh:mm[:ss]")

EXTENSIONS: Final = (
    Extension(
        "match",
        "time",
        0,
        BOTH,
        LAYOUT,
        (
            Option("timestart", kind=_daytime_kind, to="daytime_start", when=lambda values: not _whole_day(values)),
            Option("timestop", kind=_daytime_kind, to="daytime_stop", when=lambda values: not _whole_day(values)),
            Option(
                "monthdays",
                kind=Kind(
                    _read_monthdays, lambda value, _: ",".join([str(day) for day in _monthdays(value)]), "DAY[,DAY...]"
                ),
                to="monthdays_match",
                inverts=_TURNED,
            ),
            Option(
                "weekdays",
                kind=Kind(_read_weekdays, lambda value, _: _weekdays(value), "DAY[,DAY...]"),
                to="weekdays_match",
                inverts=_TURNED,
            ),
            Option("datestart", kind=_date_kind, to="date_start"),
            Option("datestop", kind=_date_kind, to="date_stop", when=lambda values: bool(values["date_stop"])),
            Option("utc", to="flags", excludes=("kerneltz", "localtz")),
            Option("kerneltz", to="flags", bit=_LOCAL_TZ),
            Option(
                "localtz",
                to="flags",
                bit=_LOCAL_TZ,
                when=lambda _: False,
                warning="WARNING: --localtz is an old name of --kerneltz: the kernel's time zone is what counts, which "
                "may not be yours.",
            ),
            Option("contiguous", to="flags", bit=_CONTIGUOUS),
        ),
        summary="the date and the time of day",
        check=_check,
        show=_show,
    ),
)
