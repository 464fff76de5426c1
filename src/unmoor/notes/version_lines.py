"""Find lines that begin the section of a version without being headings.

People write ``Version 3.9.4 2026-08-05`` or ``**1.2.3**`` on a line, a term with an indented list below it, or the
directive ``changelog`` of Sphinx extensions with an option ``version``. Such lines count only above the first heading
that names a version and below the last one, because between them a line may mention any version.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from unmoor.notes.headings import version_named
from unmoor.notes.sections import LINE_LEVEL, Heading
from unmoor.notes.unreleased import is_unreleased

# The most characters of a line that begins a section.
_LONG = 80
_INDENTED = re.compile(r"[ \t]+\S")
_LIST = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])[ \t]")
_OPTION = re.compile(r"[ \t]+:([a-z][a-z_-]{0,30}):[ \t]*(.{0,200})")
_EMPHASIS = "*_ \t"
_BOLD = re.compile(r"(?:\*\*|__)([^*_]{1,80})(?:\*\*|__)")
_BEGINS = re.compile(r"[\[(]*(?:v|ver\.? |version |release )?[0-9]")


def in_markdown(paragraphs: Iterable[tuple[int, str]], names: Collection[str], *, calendar: bool) -> Iterator[Heading]:
    """Yield the paragraphs at the top level, given as line and text, whose first line consists of a version."""
    for line, text in paragraphs:
        first, _, more = text.partition("\n")
        if _is_version(first, names, calendar=calendar, loose=not more):
            yield _heading(first, line)


def in_rst(lines: Sequence[str], names: Collection[str], *, calendar: bool) -> Iterator[Heading]:
    """Yield the lines at the margin that consist of a version, or begin with one and have indented text below."""
    for place, line in enumerate(lines):
        if not line or line[0] in " \t.-+" or len(line) > _LONG:
            continue
        before = lines[place - 1] if place else ""
        below = lines[place + 1] if place + 1 < len(lines) else ""
        apart = not before.strip() or before[0] in " \t"
        listed = _LIST.match(below) is not None or _INDENTED.match(below) is not None
        # Right below other text, only a line that says nothing else and has a list below it is no prose.
        if (listed or (apart and not below.strip())) and _is_version(line, names, calendar=calendar, loose=apart):
            yield _heading(line, place)


def directives(lines: Sequence[str]) -> Iterator[Heading]:
    """Yield the directives ``changelog`` that give a version."""
    for place, line in enumerate(lines):
        if line.rstrip() != ".. changelog::":
            continue
        options: dict[str, str] = {}
        end = place + 1
        while end < len(lines) and (option := _OPTION.fullmatch(lines[end].rstrip())):
            options[option[1]] = option[2]
            end += 1
        if options.get("version"):
            yield Heading(text=options["version"], level=LINE_LEVEL, line=place, body=end)


def outside(lines: Iterable[Heading], versions: Sequence[Heading]) -> list[Heading]:
    """Keep the lines above the first heading that names a version, and those below the last one."""
    if not versions:
        return list(lines)
    first, last = versions[0].line, versions[-1].body
    return [line for line in lines if line.line < first or line.line >= last]


def _is_version(line: str, names: Collection[str], *, calendar: bool, loose: bool) -> bool:
    """Whether a line consists of a version. If ``loose``, it may also begin with one and end with other words."""
    bold = _BOLD.match(line)
    text = bold[1] if bold else line.strip(_EMPHASIS)
    if not text or len(line) > _LONG or text[-1] in ".,;!?":
        return False
    if is_unreleased(text):
        return bold is not None or "unreleased" in text.lower()
    if not any(char.isdigit() for char in text):
        return False
    named = version_named(text, names, calendar=calendar)
    if named is None or not named.is_strict or len(named.version.release) == 1:
        return False
    return named.is_last or (loose and _begins_with_version(text.lower(), names))


def _begins_with_version(text: str, names: Collection[str]) -> bool:
    name = next((name for name in names if text.startswith(name.lower())), "")
    return _BEGINS.match(text[len(name) :].lstrip(" -=@")) is not None


def _heading(text: str, line: int) -> Heading:
    return Heading(text=text.strip(_EMPHASIS), level=LINE_LEVEL, line=line, body=line + 1)
