"""Give the unreleased changes of a changelog their version, as ``towncrier build`` does for fragments.

A rehearsal of the next version does it in its own clone. A release never does: there the heading must be in the commit.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec
from packaging.version import Version

from unmoor.errors import Refused
from unmoor.notes.changelog import ReadFile, has_text
from unmoor.notes.files import find_files
from unmoor.notes.headings import is_calendar, version_named
from unmoor.notes.reading import LIMIT, decode, resolve_inside
from unmoor.notes.sections import LINE_LEVEL, Heading
from unmoor.notes.unreleased import is_unreleased

_LINE_ENDS = re.compile(r"(\r\n|\r|\n)")
_HASHES = re.compile(r"[ ]{0,3}#{1,6}[ \t]+")
_BOLD = re.compile(r"(\*\*|__)?[^*_]*(\*\*|__)?")


class NamedSection(msgspec.Struct, frozen=True, kw_only=True):
    """A changelog whose unreleased changes got a version: its name, its new content, and the old heading."""

    file: str
    content: bytes
    heading: str


def name_unreleased(
    checkout: Path, files: Sequence[str], *, version: str, date: str, names: Collection[str], setting: str = ""
) -> NamedSection | None:
    """Write the version above the unreleased changes of the first changelog that has some.

    ``files`` are those of the commit, ``setting`` names the only one to look at, and ``date`` is in ISO 8601. Returns
    ``None`` if there are no such changes, or if a heading mentions the version already.
    """
    known = find_files(files, version=version, names=names)
    calendar = is_calendar(Version(version))
    best: NamedSection | None = None
    for name in (setting,) if setting else (*known.usual, *known.own, *known.others):
        path = checkout / name
        try:
            if path.is_symlink() or not resolve_inside(checkout, path).is_file():
                continue
            with path.open("rb") as stream:
                content = stream.read(LIMIT + 1)
            text = decode(content, where=name)
            content.decode()
        except (OSError, Refused, UnicodeDecodeError):
            continue
        file = ReadFile.of(name, text, names, calendar=calendar)
        for place, heading in enumerate(file.headings):
            named = version_named(heading.text, names, calendar=calendar)
            if named is not None and named.version == Version(version):
                return None
            if best is None and is_unreleased(heading.text) and has_text(file, place):
                changed = with_heading(content.decode(), file, heading, f"{version} ({date})")
                best = NamedSection(file=name, content=changed.encode(), heading=heading.text)
    return best


def with_heading(source: str, file: ReadFile, heading: Heading, title: str) -> str:
    """Replace a heading in its own style. Every other character stays."""
    parts = _LINE_ENDS.split(source)
    place = heading.line * 2
    if heading.level == LINE_LEVEL:
        marks = _BOLD.match(parts[place])
        parts[place] = f"{marks[1] or ''}{title}{marks[2] or ''}" if marks else title
    elif hashes := _HASHES.match(parts[place]) if not file.is_rst else None:
        parts[place] = f"{hashes[0]}{title}"
    elif heading.body - heading.line == 3:  # noqa: PLR2004  # a line above the title, and one below
        rule = parts[place].rstrip()
        parts[place + 2] = title
        parts[place] = parts[place + 4] = rule[0] * max(len(rule), len(title))
    else:
        rule = parts[place + 2].rstrip()
        parts[place] = title
        parts[place + 2] = rule[:1] * max(len(rule), len(title))
    return "".join(parts)
