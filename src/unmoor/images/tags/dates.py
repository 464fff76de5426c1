"""Dates in the format language of moment.js: ``YYYYMMDD``, ``YYYY-MM-DD[T]HHmmss``, in English.

Source: the tables of tokens in moment's documentation, under "Display". Weeks are those of its English
locale (they start on Sunday, and the first one contains 1 January); ``W`` and ``G`` are ISO 8601's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Final

from unmoor import advice
from unmoor.images.tags.errors import RuleError

LONGEST_FORMAT: Final = 200

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_TOKENS = re.compile(
    r"(\[[^\[]*\])|(\\)?([Hh]mm(ss)?|Mo|MM?M?M?|Do|DDDo|DD?D?D?|ddd?d?|do?|w[o|w]?|W[o|W]?|Qo?|N{1,5}"
    r"|YYYYYY|YYYYY|YYYY|YY|y{2,4}|yo?|gg(ggg?)?|GG(GGG?)?|e|E|a|A|hh?|HH?|kk?|mm?|ss?|S{1,9}|x|X|zz?|ZZ?|.)"
)
_LONG_TOKENS = re.compile(r"(\[[^\[]*\])|(\\)?(LTS|LT|LL?L?L?|l{1,4})")
_LONG: Final[Mapping[str, str]] = MappingProxyType(
    {
        "LTS": "h:mm:ss A",
        "LT": "h:mm A",
        "L": "MM/DD/YYYY",
        "LL": "MMMM D, YYYY",
        "LLL": "MMMM D, YYYY h:mm A",
        "LLLL": "dddd, MMMM D, YYYY h:mm A",
        "l": "M/D/YYYY",
        "ll": "MMM D, YYYY",
        "lll": "MMM D, YYYY h:mm A",
        "llll": "ddd, MMM D, YYYY h:mm A",
    }
)
_NOON: Final = 12


def iso(moment: datetime) -> str:
    """Format a time as JavaScript's ``toISOString`` does: UTC, with milliseconds, ``2020-01-10T00:30:00.000Z``."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def format_date(moment: datetime, text: str | None, zone: str = "UTC") -> str:
    """Format a time in a time zone of the IANA database.

    Without a format it is ISO 8601 without fractions. Raises `RuleError` for an unknown time zone, and for a
    format that is too long.
    """
    local = moment.astimezone(_zone(zone))
    if not text:
        text = "YYYY-MM-DDTHH:mm:ssZ" if local.utcoffset() else "YYYY-MM-DDTHH:mm:ss[Z]"
    if len(text) > LONGEST_FORMAT:
        raise RuleError(f"the date format has {len(text)} characters, but the limit is {LONGEST_FORMAT}")
    for _ in range(6):
        text = _LONG_TOKENS.sub(lambda found: _LONG.get(found[0], found[0]), text)
    return "".join(_format_token(found[0], local) for found in _TOKENS.finditer(text))


def _zone(name: str) -> tzinfo:
    if name.upper() in {"UTC", "ETC/UTC", "ZULU"}:
        return UTC
    from zoneinfo import ZoneInfo, available_timezones

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        same = [each for each in available_timezones() if each.lower() == name.lower()]
    if not same:
        raise RuleError(f"there is no time zone {name!r}", next_step=advice.USE_IANA_ZONE())
    return ZoneInfo(same[0])


def _format_token(token: str, moment: datetime) -> str:
    """Format one token; other text stands for itself, without its brackets or backslashes."""
    if token in _FUNCTIONS:
        return str(_FUNCTIONS[token](moment))
    if re.match(r"\[[\s\S]", token):
        return token.removeprefix("[").removesuffix("]")
    return token.replace("\\", "")


def _ordinal(number: int) -> str:
    teen = number // 10 % 10 == 1
    return f"{number}" + ("th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th"))


def _sunday(moment: date) -> int:
    """Return the day of the week; Sunday is 0."""
    return moment.isoweekday() % 7


def _week(moment: date) -> tuple[int, int]:
    """Return year and week in the English locale: the first week is the one with 1 January."""
    this = moment.toordinal()

    def first(year: int) -> int:
        day = date(year, 1, 1)
        return day.toordinal() - _sunday(day)

    year = moment.year + 1 if this >= first(moment.year + 1) else moment.year
    return year, (this - first(year)) // 7 + 1


def _offset(moment: datetime, colon: str) -> str:
    minutes = int((moment.utcoffset() or timedelta()).total_seconds() // 60)
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f"{sign}{minutes // 60:02}{colon}{minutes % 60:02}"


def _fraction(digits: int) -> Callable[[datetime], str]:
    """Format fractions of a second; digits after milliseconds are zeros, because a JavaScript time has none."""
    return lambda moment: f"{moment.microsecond // 1000:03}".ljust(digits, "0")[:digits]


def _hour(moment: datetime) -> int:
    return moment.hour % _NOON or _NOON


_FUNCTIONS: Final[Mapping[str, Callable[[datetime], str | int]]] = MappingProxyType(
    {
        "Y": lambda m: f"{m.year:04}",
        "YY": lambda m: f"{m.year % 100:02}",
        "YYYY": lambda m: f"{m.year:04}",
        "YYYYY": lambda m: f"{m.year:05}",
        "YYYYYY": lambda m: f"+{m.year:06}",
        "y": lambda m: m.year,
        "yy": lambda m: f"{m.year:02}",
        "yyy": lambda m: f"{m.year:03}",
        "yyyy": lambda m: f"{m.year:04}",
        "yo": lambda m: _ordinal(m.year),
        **dict.fromkeys(("N", "NN", "NNN", "NNNNN"), lambda _: "AD"),
        "NNNN": lambda _: "Anno Domini",
        "Q": lambda m: (m.month + 2) // 3,
        "Qo": lambda m: _ordinal((m.month + 2) // 3),
        "M": lambda m: m.month,
        "Mo": lambda m: _ordinal(m.month),
        "MM": lambda m: f"{m.month:02}",
        "MMM": lambda m: _MONTHS[m.month - 1][:3],
        "MMMM": lambda m: _MONTHS[m.month - 1],
        "D": lambda m: m.day,
        "Do": lambda m: _ordinal(m.day),
        "DD": lambda m: f"{m.day:02}",
        "DDD": lambda m: m.timetuple().tm_yday,
        "DDDo": lambda m: _ordinal(m.timetuple().tm_yday),
        "DDDD": lambda m: f"{m.timetuple().tm_yday:03}",
        "d": _sunday,
        "do": lambda m: _ordinal(_sunday(m)),
        "dd": lambda m: _DAYS[_sunday(m)][:2],
        "ddd": lambda m: _DAYS[_sunday(m)][:3],
        "dddd": lambda m: _DAYS[_sunday(m)],
        "e": _sunday,
        "E": lambda m: m.isoweekday(),
        "w": lambda m: _week(m)[1],
        "wo": lambda m: _ordinal(_week(m)[1]),
        "ww": lambda m: f"{_week(m)[1]:02}",
        "W": lambda m: m.isocalendar().week,
        "Wo": lambda m: _ordinal(m.isocalendar().week),
        "WW": lambda m: f"{m.isocalendar().week:02}",
        "gg": lambda m: f"{_week(m)[0] % 100:02}",
        "gggg": lambda m: f"{_week(m)[0]:04}",
        "ggggg": lambda m: f"{_week(m)[0]:05}",
        "GG": lambda m: f"{m.isocalendar().year % 100:02}",
        "GGGG": lambda m: f"{m.isocalendar().year:04}",
        "GGGGG": lambda m: f"{m.isocalendar().year:05}",
        "a": lambda m: "am" if m.hour < _NOON else "pm",
        "A": lambda m: "AM" if m.hour < _NOON else "PM",
        "H": lambda m: m.hour,
        "HH": lambda m: f"{m.hour:02}",
        "h": _hour,
        "hh": lambda m: f"{_hour(m):02}",
        "k": lambda m: m.hour or 24,
        "kk": lambda m: f"{m.hour or 24:02}",
        "Hmm": lambda m: f"{m.hour}{m.minute:02}",
        "Hmmss": lambda m: f"{m.hour}{m.minute:02}{m.second:02}",
        "hmm": lambda m: f"{_hour(m)}{m.minute:02}",
        "hmmss": lambda m: f"{_hour(m)}{m.minute:02}{m.second:02}",
        "m": lambda m: m.minute,
        "mm": lambda m: f"{m.minute:02}",
        "s": lambda m: m.second,
        "ss": lambda m: f"{m.second:02}",
        **{"S" * digits: _fraction(digits) for digits in range(1, 10)},
        "X": lambda m: int(m.timestamp()),
        "x": lambda m: int(m.timestamp()) * 1000 + m.microsecond // 1000,
        "z": lambda m: m.tzname() or "",
        "zz": lambda m: m.tzname() or "",
        "Z": lambda m: _offset(m, ":"),
        "ZZ": lambda m: _offset(m, ""),
    }
)
