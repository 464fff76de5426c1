"""Find the section of a version among the headings of a changelog, in Markdown or reStructuredText.

A section begins at the heading that names the version, and ends at the next one that names another. Other headings
never end it, at whatever level: generators and people put ``### Bug Fixes`` below ``### 1.2.3``, and a chapter of the
release beside it. After the last version the levels decide, and whatever they leave out is reported.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
from packaging.version import Version

from unmoor import advice
from unmoor.errors import Refused
from unmoor.notes.headings import NamedVersion, is_calendar, version_named
from unmoor.notes.reading import word_set
from unmoor.notes.unreleased import is_unreleased

# The level of a line that begins a section without being a heading, such as ``**1.2.3**``.
LINE_LEVEL = 9
_HIGHEST = 1
# Fewer headings with the same unknown words do not make the words the project's name.
_ALIKE = 2
# Words beside the name of a package in a heading above its versions.
_CHAPTER = word_set("changelog changes change log history release releases notes news for of the in")
# The most characters of a heading that are read.
_LONG = 300
# What a heading inside a section says: the kind of its changes.
_KINDS = word_set(
    "added changed deprecated removed fixed security features feature fixes bugfixes fix bug breaking enhancements "
    "improvements documentation docs performance refactor internal misc miscellaneous highlights reverts chore build"
)


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """One heading: its plain text, its level (1 is the highest), its first line and the line after it, from 0."""

    text: str
    level: int
    line: int
    body: int


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of a section without its heading, from ``start`` up to but not including ``end``.

    ``is_exact`` is whether the heading writes the version as it was asked for, and not ``1.2`` for ``1.2.0``.
    ``left_out`` is the heading that ends the last section of a file, if there is one: nobody knows whether the text
    below it belongs to the version. ``twin`` is a lower heading of the same version elsewhere in the file.
    """

    heading: Heading
    start: int
    end: int
    is_exact: bool
    left_out: Heading | None = None
    twin: Heading | None = None


def find_span(
    headings: Sequence[Heading], *, lines: Sequence[str], version: str, names: Collection[str], where: str = ""
) -> Span | None:
    """Find the section of a version. ``lines`` are those of the file.

    Versions compare as in PEP 440: ``1.2`` is ``1.2.0`` unless another heading writes ``1.2.0`` in full, and ``1.2.1``
    is never ``1.2.10``. Raises `Refused` if two headings of the same rank name the version.
    """
    wanted = Version(version)
    named = _named(headings, names, calendar=is_calendar(wanted))
    found = _in_own_chapters(plausible(named), headings, names)
    ranked = sorted(
        (
            ((str(name.version) != str(wanted), not name.is_strict, not name.is_bare, heading.level), heading)
            for heading, name in found
            if name.version == wanted
        ),
        key=lambda each: (each[0], each[1].line),
    )
    if not ranked:
        return None
    rank, chosen = ranked[0]
    others = {heading.line for heading, name in found if _is_next(heading, name, chosen, wanted)}
    others |= {heading.line for heading, name in named if heading.level <= chosen.level and name.is_another_package}
    end, left_out = _find_end(headings, chosen, others, lines)
    # A title inside the section, such as "1.2.0: highlights", is no second one.
    twins = [(other, heading) for other, heading in ranked[1:] if not chosen.line < heading.line < end]
    if twins and twins[0][0] == rank:
        raise Refused(
            f"lines {chosen.line + 1} and {twins[0][1].line + 1} are both headings of version {version}",
            where=where,
            next_step=advice.KEEP_ONE_SECTION(),
        )
    twin = next((each for other, each in twins if other[:-1] == rank[:-1] and each.level < LINE_LEVEL), None)
    return Span(heading=chosen, start=chosen.body, end=end, is_exact=not rank[0], left_out=left_out, twin=twin)


def plausible(named: Sequence[tuple[Heading, NamedVersion]]) -> list[tuple[Heading, NamedVersion]]:
    """Leave out headings that mention a version in passing, or name another project's.

    Unknown words before a version count as the project's name if every top-level heading that names a version
    starts with the same words, and there are several.
    """
    top = min((heading.level for heading, _ in named), default=_HIGHEST)
    firsts = [name.before for heading, name in named if heading.level == top]
    alike = len(firsts) >= _ALIKE and len(set(firsts)) == 1
    return [(heading, name) for heading, name in named if name.is_strict or (alike and heading.level == top)]


def _in_own_chapters(
    found: list[tuple[Heading, NamedVersion]], headings: Sequence[Heading], names: Collection[str]
) -> list[tuple[Heading, NamedVersion]]:
    """If the versions of several packages are below headings with their names, keep those of the project."""
    own: set[int] = set()
    open_since: Heading | None = None
    for heading in headings:
        if open_since is not None and heading.level <= open_since.level:
            open_since = None
        if open_since is not None:
            own.add(heading.line)
        elif _is_chapter(heading.text, names):
            open_since = heading
    inside = [each for each in found if each[0].line in own]
    return inside or found


def _is_chapter(text: str, names: Collection[str]) -> bool:
    """Whether a heading consists of the project's name, and words such as "history"."""
    words = "-".join(word for word in text[:_LONG].lower().split() if word not in _CHAPTER)
    return words in {name.lower().replace(" ", "-") for name in names}


def _named(
    headings: Sequence[Heading], names: Collection[str], *, calendar: bool
) -> list[tuple[Heading, NamedVersion]]:
    each = ((heading, version_named(heading.text, names, calendar=calendar)) for heading in headings)
    return [(heading, name) for heading, name in each if name is not None]


def _find_end(
    headings: Sequence[Heading], chosen: Heading, others: Collection[int], lines: Sequence[str]
) -> tuple[int, Heading | None]:
    """Return the line after a section, and the heading at which it was cut although no other version follows."""
    later = [heading for heading in headings if heading.line > chosen.line]
    for place, heading in enumerate(later):
        if heading.line in others or (heading.level <= chosen.level and is_unreleased(heading.text)):
            return _without_empty_tail(later[:place], chosen, heading.line, lines), None
    firsts = {heading.level: heading for heading in reversed(later)}
    last = next((heading for heading in later if _ends_last(heading, chosen, firsts)), None)
    return (len(lines), None) if last is None else (last.line, last)


def _is_next(heading: Heading, name: NamedVersion, chosen: Heading, wanted: Version) -> bool:
    """Whether a heading that names a version begins the next section.

    A deeper heading does if it consists of another version with several parts, because some generators put patch
    releases one level below minor ones. It does not for a prerelease of the same version.
    """
    if heading.level <= chosen.level or heading.level == LINE_LEVEL:
        return name.version != wanted or name.is_bare
    return name.is_bare and len(name.version.release) > 1 and name.version.base_version != wanted.base_version


def _without_empty_tail(later: Sequence[Heading], chosen: Heading, end: int, lines: Sequence[str]) -> int:
    """Leave out a title over older versions, such as "2023" or "The 1.x series", right before the next section."""
    for heading in reversed(later):
        if heading.level > chosen.level or any(_is_text(line) for line in lines[heading.body : end]):
            break
        end = heading.line
    return end


def _is_text(line: str) -> bool:
    """Whether a line shows something: not a blank one, nor the label of the title below."""
    return bool(line.strip()) and not line.startswith((".. _", "<a name", "<a id"))


def _ends_last(heading: Heading, chosen: Heading, firsts: Mapping[int, Heading]) -> bool:
    """Whether a heading ends the last section of a file.

    One above its level does. One of its level does, unless the first heading of that level says what kind of changes
    follow, as in ``### Bug Fixes`` below ``### 1.2.3``. A line that is no heading has no level.
    """
    if chosen.level not in {heading.level, LINE_LEVEL}:
        return heading.level < chosen.level
    return not _is_kind(firsts[heading.level])


def _is_kind(heading: Heading) -> bool:
    words = heading.text[:_LONG].lower().split()
    return any(word.strip(" :.!?,&*()[]") in _KINDS for word in words[:3])
