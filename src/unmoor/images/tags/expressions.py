"""The expressions in double braces: ``{{branch}}``, ``{{date 'YYYYMMDD' tz='Asia/Tokyo'}}``.

Source: the part of Handlebars' language that docker/metadata-action's rules use: names, quoted arguments,
``key='value'``, comments, and three braces (or ``{{&name}}``) for no escaping. Blocks, partials and
Handlebars' own helpers are refused.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec

from unmoor import advice
from unmoor.images.tags import dates
from unmoor.images.tags.errors import RuleError

_NAME: Final = r"[^\s!\"#%-,./;->@\[-\^`{-~]+"
_TOKEN = re.compile(
    rf"""(?P<key>{_NAME})=
      | "(?P<double>(?:\\"|[^"])*)" | '(?P<single>(?:\\'|[^'])*)'
      | (?P<name>{_NAME}(?:[./]{_NAME})*)""",
    re.VERBOSE,
)
_COMMENT = re.compile(r"\{\{!--.*?--\}\}|\{\{!(?!--).*?\}\}", re.DOTALL)
_OPEN = re.compile(r"\{\{\{|\{\{&?")
_BUILT_IN: Final = frozenset({"if", "unless", "each", "with", "lookup", "log", "else", "this"})
_ESCAPES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;", "`": "&#x60;", "=": "&#x3D;"}
)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One expression: its name, its arguments (``None`` for one without quotes), and its position."""

    name: str
    at: int
    plain: bool
    arguments: tuple[str | None, ...] = ()
    named: Mapping[str, str | None] = msgspec.field(default_factory=dict)


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """The names that expressions can use: texts, and times (``None`` for an unknown one)."""

    texts: Mapping[str, str] = msgspec.field(default_factory=dict)
    times: Mapping[str, datetime | None] = msgspec.field(default_factory=dict)


def render(text: str, names: Names, *, compat: bool = False) -> str:
    """Replace expressions by their values. Raises `RuleError` if an expression cannot be parsed.

    An unknown name, an extra argument, and a date format without quotes are refused. With ``compat`` they
    give the empty text, are ignored, and give ISO 8601. Only ``compat`` escapes characters that are special in
    HTML, as Handlebars does.
    """
    parts = (part if isinstance(part, str) else _value(part, names, compat=compat) for part in parse(text))
    return "".join(parts)


def parse(text: str) -> tuple[str | Call, ...]:
    """Split a text into literal text and expressions. Raises `RuleError` if an expression cannot be parsed."""
    return tuple(_parts(text))


def sole_name(text: str) -> str:
    """Return the name if the whole text is one expression; else the empty text."""
    try:
        parts = parse(text)
    except RuleError:
        return ""
    return parts[0].name if len(parts) == 1 and isinstance(parts[0], Call) else ""


def names_in(text: str) -> frozenset[str]:
    """Return every name that the expressions of a text use. Raises `RuleError` if one cannot be parsed."""
    return frozenset(part.name for part in parse(text) if isinstance(part, Call))


def _parts(text: str) -> Iterator[str | Call]:
    at = 0
    while (start := text.find("{{", at)) >= 0:
        if text[start - 1 : start] == "\\":
            raise RuleError("a backslash before {{ is not supported", at=start - 1)
        if start > at:
            yield text[at:start]
        comment = _COMMENT.match(text, start)
        if comment:
            at = comment.end()
            continue
        call, at = _call(text, start)
        yield call
    if at < len(text):
        yield text[at:]


def _call(text: str, start: int) -> tuple[Call, int]:
    """Parse one expression. Return it, and the position after its braces."""
    opening = _OPEN.match(text, start)
    assert opening is not None  # noqa: S101 - the text has two braces there
    close = "}}}" if opening[0] == "{{{" else "}}"
    at = opening.end()
    words: list[str | None] = []
    named: dict[str, str | None] = {}
    name = ""
    while True:
        at += len(text[at:]) - len(text[at:].lstrip())
        if text.startswith(close, at):
            break
        found = _TOKEN.match(text, at)
        if not found:
            raise _unreadable(text, start, at)
        at = found.end()
        if not name:
            name = found["name"] or ""
            if not name:
                raise _unreadable(text, start, found.start())
        elif found["key"]:
            value = _TOKEN.match(text, at)
            if not value or value["key"]:
                raise _unreadable(text, start, at)
            named[found["key"]] = _literal(value)
            at = value.end()
        else:
            words.append(_literal(found))
    if not name or name in _BUILT_IN:
        raise _unreadable(text, start, start)
    call = Call(name=name, at=start, plain=opening[0] != "{{", arguments=tuple(words), named=named)
    return call, at + len(close)


def _literal(found: re.Match[str]) -> str | None:
    if found["double"] is not None:
        return found["double"].replace('\\"', '"')
    if found["single"] is not None:
        return found["single"].replace("\\'", "'")
    return None


def _unreadable(text: str, start: int, at: int) -> RuleError:
    if "}}" not in text[start:]:
        return RuleError("an expression is not closed", at=start, next_step=advice.CLOSE_EXPRESSION())
    return RuleError(
        "this expression cannot be parsed",
        at=at,
        next_step=advice.WRITE_EXPRESSION(),
    )


def _value(call: Call, names: Names, *, compat: bool) -> str:
    if call.name in names.times:
        value = _time(call, names.times[call.name], compat=compat)
    elif call.name in names.texts and (compat or not (call.arguments or call.named)):
        value = names.texts[call.name]
    elif call.name in names.texts:
        raise RuleError(
            f"{{{{{call.name}}}}} takes no argument",
            at=call.at,
            next_step=advice.WRITE_IT_AS(example=f"{{{{{call.name}}}}}"),
        )
    elif compat and not (call.arguments or call.named):
        value = ""
    else:
        known = sorted({*names.texts, *names.times})
        near = difflib.get_close_matches(call.name, known, n=1)
        raise RuleError(
            f"there is no name {call.name!r} here" + (f"; did you mean {near[0]!r}?" if near else ""),
            at=call.at,
            next_step=advice.USE_ONE_OF(known=", ".join(known)),
        )
    return value if call.plain or not compat else value.translate(_ESCAPES)


def _time(call: Call, moment: datetime | None, *, compat: bool) -> str:
    foreign = sorted(call.named.keys() - {"tz"})
    if foreign:
        raise RuleError(f"a date has no argument {foreign[0]}", at=call.at, next_step=advice.USE_TIME_ZONE_ONLY())
    example = f"{{{{{call.name} 'YYYYMMDD'}}}}"
    if not call.arguments:
        raise RuleError(
            f"{{{{{call.name}}}}} needs a format", at=call.at, next_step=advice.WRITE_IT_AS(example=example)
        )
    if call.arguments[0] is None and not compat:
        raise RuleError("a date format must be in quotes", at=call.at, next_step=advice.WRITE_IT_AS(example=example))
    if len(call.arguments) > 1:
        raise RuleError("a date takes only one format", at=call.at, next_step=advice.WRITE_IT_AS(example=example))
    zone = call.named.get("tz", "UTC")
    if zone is None:
        raise RuleError(
            "a time zone must be in quotes", at=call.at, next_step=advice.WRITE_IT_AS(example="tz='Europe/Paris'")
        )
    if moment is None:
        raise RuleError(
            "the commit's date is unknown: the event does not contain it",
            at=call.at,
            next_step=advice.RUN_IN_CHECKOUT(),
        )
    try:
        return dates.format_date(moment, call.arguments[0], zone)
    except RuleError as wrong:
        raise RuleError(wrong.what, at=call.at, next_step=wrong.next_step) from wrong
