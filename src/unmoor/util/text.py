"""Untrusted text, made safe for a terminal, a log or an error message: one line without control characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_ANSI = re.compile(
    r"""
      (?:\x1b\[|\x9b) [0-?]* [ -/]* [@-~]?                      # CSI: colours, cursor
    | (?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]) [^\x07\x1b\x9c]* (?:\x07|\x9c|\x1b\\)?   # OSC and its kin: titles, links
    | \x1b [ -/]* [0-~]?                                         # any other escape
    """,
    re.VERBOSE,
)
# Cc control, Cf format (bidirectional overrides, zero-width), Cs lone surrogates, Co private, Zl and Zp line ends.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# What .NET, in which GitHub's runner is written, does not see when it compares texts: controls, and Unicode's property
# Default_Ignorable_Code_Point (soft hyphens, zero-width characters and others).
_IGNORED = (
    r"\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# The two forms of a workflow command: ``::`` after blanks at the start of a line, and ``##[`` anywhere.
_COMMAND = re.compile(
    rf"(?:\A|(?<=[\r\n]))(?P<blanks>(?:(?![\r\n])[\s{_IGNORED}])*):(?=[{_IGNORED}]*:)"
    rf"|#(?=[{_IGNORED}]*#[{_IGNORED}]*\[)"
)
# Text from a server can be long; the rest is ignored.
_LOOKED_AT = 20_000
_DEEPEST = 40
_KILO = 1000


def clean(text: str, limit: int = 300) -> str:
    """Make one printable line of untrusted text, at most ``limit`` characters (``limit`` >= 1).

    Drops escape sequences and invisible characters, folds white space, and ends a text that is too long
    with an ellipsis. Cleaning a clean text changes nothing.
    """
    if len(text) <= limit and text.isascii() and text.isprintable():  # most are, and there may be thousands
        return " ".join(text.split())
    plain = _ANSI.sub(" ", text[:_LOOKED_AT])
    seen = "".join(" " if unicodedata.category(char) in _UNSEEN else char for char in plain)
    line = " ".join(seen.split())
    if len(line) > limit or len(text) > _LOOKED_AT:
        line = line[: limit - 1].rstrip() + "…"
    return line


def printable(line: str, limit: int = 2000) -> str:
    r"""Make a line of untrusted text printable and keep its blanks and tabs, as in a diff that is applied again.

    >>> printable("+\tif x:\x1b[0m  y")
    '+\tif x:\\x1b[0m  y'
    """
    shown = (
        char if char == "\t" or unicodedata.category(char) not in _UNSEEN else char.encode("unicode-escape").decode()
        for char in line[:limit]
    )
    return "".join(shown) + ("…" if len(line) > limit else "")


def indented(line: str, limit: int = 300) -> str:
    r"""Like `clean`, but keep the indentation, up to 40 blanks: for lines of a program's output.

    >>> indented("\tif x:\x1b[0m  y")
    '        if x: y'
    """
    body = clean(line, limit)
    start = line[:_LOOKED_AT].expandtabs()
    return " " * min(len(start) - len(start.lstrip(" ")), _DEEPEST) + body if body else ""


def without_commands(text: str) -> str:
    r"""Break everything that GitHub Actions would take for a workflow command in a log. Other text stays as it is.

    The first character of a command becomes its escape in JSON, so a JSON document keeps its meaning.

    >>> without_commands("  ::set-output name=a::b\n##[group]c")
    '  \\u003a:set-output name=a::b\n\\u0023#[group]c'
    """
    return _COMMAND.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return "\\u0023" if found["blanks"] is None else f"{found['blanks']}\\u003a"


def duration(seconds: float) -> str:
    """Format a number of seconds, rounded up: ``40 s``, ``3 min``, ``2 h 5 min``.

    >>> duration(0.2), duration(61), duration(7200), duration(86399)
    ('1 s', '2 min', '2 h', '24 h')
    """
    whole = int(-(-seconds // 1))
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{whole} s"
    hours, minutes = divmod(-(-whole // 60), 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)


def size(count: int) -> str:
    """Format a number of bytes: ``512 B``, ``34.0 kB``, ``1.2 GB``."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < _KILO or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= _KILO
    raise AssertionError


def count_of(count: int, noun: str) -> str:
    """Write ``1 file`` or ``2 files``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def list_some(names: Sequence[str], most: int = 10) -> str:
    """Write at most that many names, and count the others: ``a, b and 2 more``."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
