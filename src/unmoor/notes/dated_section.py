"""Give the unreleased changes of a changelog their version and day, in the way in which the file writes its others.

`next_section` does it for a rehearsal, which needs no more than a heading that is found. Here the file stays in the
project: the new heading is written like the one before it, an empty heading for what comes next stays on top if the
file keeps one, and the links to comparisons follow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import msgspec
from packaging.version import Version

from unmoor.notes.changelog import ReadFile, has_text
from unmoor.notes.files import find_files
from unmoor.notes.headings import is_calendar, version_named
from unmoor.notes.next_section import with_heading
from unmoor.notes.reading import LIMIT, decode, resolve_inside
from unmoor.notes.sections import Heading
from unmoor.notes.unreleased import is_unreleased
from unmoor.versioning import pep440

_MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_SHORT: Final = "|".join(month[:3] for month in _MONTHS)
_LONG: Final = "|".join(_MONTHS)
# How a day is written, and how to write another one like it.
_DAYS: Final[tuple[tuple[str, Callable[[date], str]], ...]] = (
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", lambda day: day.isoformat()),
    (r"[0-9]{4}/[0-9]{2}/[0-9]{2}", lambda day: f"{day:%Y/%m/%d}"),
    (rf"(?:{_LONG}) [0-9]{{1,2}}, [0-9]{{4}}", lambda day: f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"),
    (rf"[0-9]{{1,2}} (?:{_LONG}) [0-9]{{4}}", lambda day: f"{day.day} {_MONTHS[day.month - 1]} {day.year}"),
    (rf"(?:{_SHORT}) [0-9]{{1,2}}, [0-9]{{4}}", lambda day: f"{_MONTHS[day.month - 1][:3]} {day.day}, {day.year}"),
    (rf"[0-9]{{1,2}} (?:{_SHORT}) [0-9]{{4}}", lambda day: f"{day.day} {_MONTHS[day.month - 1][:3]} {day.year}"),
)
_VERSION: Final = re.compile(r"v?[0-9][0-9A-Za-z.!+]*")
_WAITING: Final = re.compile(r"\b(?:unreleased|not (?:yet )?released|in development|tbd|tba)\b", re.IGNORECASE)
# A first line below a heading with the version, as in the changelogs of Pallets.
_WAITING_LINE: Final = re.compile(r"[*_]{0,2}(?P<before>Release date: )?unreleased[*_]{0,2}\.?", re.IGNORECASE)
_YEAR: Final = re.compile(r"\b(?:19|20)[0-9]{2}\b")
_HASHES: Final = re.compile(r"[ ]{0,3}#{1,6}[ \t]+")
_COMPARED: Final = re.compile(r"(/compare/)[^\s)]{1,200}?\.\.\.[^\s)]{1,200}")
_LINK: Final = re.compile(
    r"^(?P<label>\[unreleased\]:[ \t]*)(?P<base>\S{1,500}/compare/)(?P<from>\S{1,200}?)\.\.\.(?P<to>\S{1,200})"
    r"(?P<end>\r?)$",
    re.IGNORECASE | re.MULTILINE,
)


class ReleaseNames(msgspec.Struct, frozen=True, kw_only=True):
    """What a changelog calls a release: its version, day and tag, and the tag before it, empty if it is the first."""

    version: Version
    day: date
    tag: str
    previous: str = ""


class DatedSection(msgspec.Struct, frozen=True, kw_only=True):
    """A changelog whose unreleased changes got a version: its name, its new content, and both headings."""

    file: str
    content: bytes
    before: str
    after: str


class UndatedSection(msgspec.Struct, frozen=True, kw_only=True):
    """There are no unreleased changes to date. ``file`` is the first changelog, empty if there is none.

    ``has_section``: it has a section of this version already.
    """

    file: str = ""
    has_section: bool = False


def date_unreleased(
    checkout: Path, files: Sequence[str], release: ReleaseNames, *, names: Collection[str], setting: str = ""
) -> DatedSection | UndatedSection:
    """Date the unreleased changes of the first changelog that has some.

    ``files`` are those of the commit, ``names`` the project's, and ``setting`` names the only file to look at. Raises
    `Refused` for a changelog that cannot be read.
    """
    version = str(release.version)
    known = find_files(files, version=version, names=names)
    calendar = is_calendar(release.version)
    first = ""
    for name in (setting,) if setting else known.usual:
        path = checkout / name
        if path.is_symlink() or not resolve_inside(checkout, path).is_file():
            continue
        with path.open("rb") as stream:
            content = stream.read(LIMIT + 1)
        decode(content, where=name)
        try:
            source = content.decode("utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8")
        except UnicodeDecodeError:
            continue
        file = ReadFile.of(name, decode(content, where=name), names, calendar=calendar)
        named = [(each, version_named(each.text, names, calendar=calendar)) for each in file.headings]
        waiting = next((place for place, (each, name_) in enumerate(named) if _waits(each, name_ is not None)), None)
        if waiting is not None and has_text(file, waiting):
            changed = _dated(source, file, waiting, release, [each for each, found in named if found is not None])
            mark = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
            return DatedSection(
                file=name, content=mark + changed[0].encode(), before=named[waiting][0].text, after=changed[1]
            )
        section = next((each for each, found in named if found is not None and found.version == release.version), None)
        if section is not None:
            return _with_dated_line(source, file, section, release) or UndatedSection(file=name, has_section=True)
        first = first or name
    return UndatedSection(file=first)


def _waits(heading: Heading, has_version: bool) -> bool:  # noqa: FBT001 - one of two facts about a heading
    """Whether a heading is of changes that wait: "Unreleased", or "1.3 (unreleased)"."""
    return is_unreleased(heading.text) or (has_version and _WAITING.search(heading.text) is not None)


def _with_dated_line(source: str, file: ReadFile, section: Heading, release: ReleaseNames) -> DatedSection | None:
    """Date a section of this version whose first line is "Unreleased". ``None`` if it is another line."""
    parts = re.split(r"(\r\n|\r|\n)", source)
    place = next((line for line in range(section.body, len(parts) // 2 + 1) if parts[line * 2].strip()), None)
    if place is None or not (match := _WAITING_LINE.fullmatch(parts[place * 2].strip())):
        return None
    before, day = parts[place * 2].strip(), release.day.isoformat()
    parts[place * 2] = f"{match['before']}{day}" if match["before"] else f"Released {day}"
    return DatedSection(file=file.name, content="".join(parts).encode(), before=before, after=parts[place * 2])


def _dated(
    source: str, file: ReadFile, place: int, release: ReleaseNames, versions: Sequence[Heading]
) -> tuple[str, str]:
    """Return the text with the new heading, and the heading."""
    heading = file.headings[place]
    lines = re.split(r"\r\n|\r|\n", source)
    before = next((each for each in versions if each.line > heading.line and each.level == heading.level), None)
    title = _title_like(_raw(lines, file, before), release) if before is not None else ""
    if not title:
        bracket = "[" in _raw(lines, file, heading)
        day = release.day.isoformat()
        title = f"[{release.version}] - {day}" if bracket else f"{release.version} ({day})"
    changed = with_heading(source, file, heading, title)
    if not file.is_rst and is_unreleased(heading.text) and _keeps_heading(source):
        end = "\r\n" if "\r\n" in source else "\n"
        at = _offset(changed, heading.line)
        changed = f"{changed[:at]}{lines[heading.line]}{end}{end}{changed[at:]}"
    return _with_links(changed, release), title


def _keeps_heading(source: str) -> bool:
    return "keepachangelog" in source.lower() or _LINK.search(source) is not None


def _raw(lines: Sequence[str], file: ReadFile, heading: Heading) -> str:
    """The title of a heading as the file has it."""
    over = file.is_rst and heading.body - heading.line == 3  # noqa: PLR2004  # a line above the title, and one below
    return _HASHES.sub("", lines[heading.line + (1 if over else 0)]).strip()


def _title_like(example: str, release: ReleaseNames) -> str:
    """The title of a release, written like another one's. Empty if that has a date that is not recognised."""
    days = ((re.search(rf"(?<![\w.-]){pattern}(?![\w-])", example), write) for pattern, write in _DAYS)
    found, write = next(((match, write) for match, write in days if match), (None, None))
    rest = example if found is None else f"{example[: found.start()]}\0{example[found.end() :]}"
    numbers = [match for match in _VERSION.finditer(rest) if pep440.version_in(match[0].rstrip(".:")) is not None]
    if not numbers:
        return ""
    old = numbers[0][0].rstrip(".:")
    if found is None and _YEAR.search(rest.replace(old, "")):
        return ""
    new = f"v{release.version}" if old.startswith("v") else str(release.version)
    title = re.sub(rf"(?<![\w.]){re.escape(old)}(?![\w]|\.[0-9])", new, rest)
    if release.previous:
        title = _COMPARED.sub(lambda match: f"{match[1]}{release.previous}...{release.tag}", title)
    return title.replace("\0", write(release.day) if write is not None else "")


def _with_links(source: str, release: ReleaseNames) -> str:
    """Let the link of the unreleased changes begin at this release, and add the release's own below it."""
    match = _LINK.search(source)
    if match is None:
        return source
    newline = f"{match['end']}\n"
    links = (
        f"{match['label']}{match['base']}{release.tag}...{match['to']}{newline}"
        f"[{release.version}]: {match['base']}{match['from']}...{release.tag}{match['end']}"
    )
    return f"{source[: match.start()]}{links}{source[match.end() :]}"


def _offset(text: str, line: int) -> int:
    """The offset at which a line begins."""
    ends = [match.end() for match in re.finditer(r"\r\n|\r|\n", text)]
    return ([0, *ends])[line]
