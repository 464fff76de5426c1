"""Find the heading of a changelog that names a version, and where its section ends, in Markdown or reStructuredText."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from packaging.version import Version

from unmoor.errors import Refused
from unmoor.notes.reading import word_set

_APART = re.compile(r"[\s\[\](){}<>,;:|/\"`*\u2013\u2014]+|==|@")
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}\.\d{1,2}\.\d{4}")
_NOISE = word_set(
    "version versions ver v release releases released changes changelog change news history notes note whats "
    "what's new in for of the to - # ="
)
# Words that may follow the version in a heading that names nothing else.
_AFTER = word_set(
    "yanked unreleased released release date on st nd rd th - january february march april may june july august "
    "september october november december jan feb mar apr jun jul aug sep sept oct nov dec tbd utc"
)
# The most unknown words before a version. They count as the project's name if all top-level headings share them.
_UNKNOWN_WORDS = 3
# The most characters of a heading that are read. Anything longer is prose.
_LONG = 300


@dataclass(frozen=True, kw_only=True)
class Heading:
    """One heading: its plain text, its level (1 is the highest), its first line and the line after it, from 0."""

    text: str
    level: int
    line: int
    body: int


@dataclass(frozen=True, kw_only=True)
class NamedVersion:
    """The version that a heading names.

    ``before`` are the words before it other than the project's name and words such as "version". ``is_bare`` means
    that there are none, and that only a date and similar words follow.
    """

    version: Version
    before: tuple[str, ...]
    is_bare: bool

    @property
    def is_strict(self) -> bool:
        """Whether no unknown words precede the version."""
        return not self.before


@dataclass(frozen=True, kw_only=True)
class Span:
    """The lines of a section without its heading, from ``start`` up to but not including ``end``."""

    heading: Heading
    start: int
    end: int


def version_of(text: str) -> Version | None:
    """Parse a version with or without ``v``. Returns ``None`` if it is invalid."""
    try:
        return Version(text.lower().removeprefix("v."))
    except ValueError:  # InvalidVersion, or a number of thousands of digits
        return None


def version_named(text: str, names: Collection[str]) -> NamedVersion | None:
    """Return the version that a heading names, if any: its first word that is a version."""
    text = text[:_LONG].lower()
    for name in (name.lower() for name in names if " " in name):
        text = text.replace(name, name.replace(" ", "-"))
    parts = [word for word in (part.strip(".!?_") for part in _APART.split(text)) if word]
    own_names = sorted((name.lower().replace(" ", "-") for name in names), key=len, reverse=True)
    before: list[str] = []
    for place, word in enumerate(parts):
        if word == "unreleased":
            return None
        if word in _NOISE or word in own_names or _DATE.fullmatch(word) or not re.search(r"\w", word):
            continue
        alone = all(_is_aside(after) for after in parts[place + 1 :])
        version = version_of(_without_name(word, own_names))
        if version is not None and (alone or not _may_be_a_number(word, parts[place - 1] if place else "")):
            return NamedVersion(version=version, before=tuple(before), is_bare=alone and not before)
        before.append(word)
        if len(before) > _UNKNOWN_WORDS:
            return None
    return None


def find_span(
    headings: Sequence[Heading], *, lines: int, version: str, names: Collection[str], where: str = ""
) -> Span | None:
    """Find the section of a version. ``lines`` is the number of lines in the file.

    Versions compare as in PEP 440: ``1.2`` is ``1.2.0``, and ``1.2.1`` is never ``1.2.10``. Raises
    `Refused` if two headings of the same rank name the version.
    """
    wanted = Version(version)
    candidates = [(heading, name) for heading in headings if (name := version_named(heading.text, names)) is not None]
    if not candidates:
        return None
    ranked = sorted(
        (
            ((not name.is_strict, str(name.version) != str(wanted), heading.level), heading)
            for heading, name in _plausible(candidates)
            if name.version == wanted
        ),
        key=lambda each: (each[0], each[1].line),
    )
    if not ranked:
        return None
    rank, chosen = ranked[0]
    if len(ranked) > 1 and ranked[1][0] == rank:
        raise Refused(
            f"lines {chosen.line + 1} and {ranked[1][1].line + 1} are both headings of version {version}",
            where=where,
            next_step="keep one section for that version in the changelog, and tag that commit",
        )
    end = next((heading.line for heading in headings if _ends(heading, chosen, wanted, names)), lines)
    return Span(heading=chosen, start=chosen.body, end=end)


def _plausible(candidates: Sequence[tuple[Heading, NamedVersion]]) -> list[tuple[Heading, NamedVersion]]:
    """Leave out headings that mention a version in passing, or name another project's.

    Unknown words before a version count as the project's name if every top-level heading that names a version
    starts with the same words.
    """
    top = min(heading.level for heading, _ in candidates)
    firsts = {name.before for heading, name in candidates if heading.level == top}
    alike = len(firsts) == 1
    return [(heading, name) for heading, name in candidates if name.is_strict or (alike and heading.level == top)]


def _ends(heading: Heading, chosen: Heading, wanted: Version, names: Collection[str]) -> bool:
    """Whether a heading ends the section.

    A heading of the same level or above does. So does a deeper one that consists of another version, because some
    generators put patch releases one level below minor ones.
    """
    if heading.line <= chosen.line:
        return False
    if heading.level <= chosen.level:
        return True
    name = version_named(heading.text, names)
    return (
        name is not None
        and name.is_bare
        and len(name.version.release) > 1
        and name.version.base_version != wanted.base_version
    )


def _may_be_a_number(word: str, before: str) -> bool:
    """Whether a word may be just a number, as in ``1. Install`` or ``3 new features``, and not a version."""
    return word.isdecimal() and before not in {"version", "release", "v"}


def _without_name(word: str, own_names: Collection[str]) -> str:
    """Strip the project's name from ``name-1.2.0`` or ``name-v1.2.0``."""
    prefixes = (f"{name}{separator}" for name in own_names if name for separator in "-_")
    return next((word.removeprefix(prefix) for prefix in prefixes if word.startswith(prefix)), word)


def _is_aside(word: str) -> bool:
    return (
        word.lower() in _AFTER
        or not re.search(r"[^\W\d_]", word)
        or re.fullmatch(r"\d+(st|nd|rd|th)", word) is not None
    )
