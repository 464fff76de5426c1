"""Read which version a heading names.

A heading holds numbers that are no version: a day, an issue, a percentage, the version of Python. So `version_named`
recognises whole dates first, then other numbers. Of the numbers that remain it takes the one that begins its part of
the heading (parts are separated by brackets, colons and dashes), then one with ``v``, then the one with the most parts.
`unmoor.notes.sections` compares what headings name, and finds sections.

A date with dots, such as 2024.1.2, may be a version of a project that counts by the calendar. It is one if the version
that is looked for contains a year itself, else a date.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import msgspec
from packaging.version import Version

from unmoor.notes.reading import word_set

# The most characters of a heading that are read. Anything longer is prose.
_LONG = 300
# The most unknown words before a version. They count as the project's name if all top-level headings share them.
_UNKNOWN_WORDS = 3
_FIRST_YEAR, _LAST_YEAR = 1970, 2099

_NOISE = word_set(
    "version versions ver v release releases released changes changelog change news history notes note whats "
    "what's what\u2019s new in for of the to # = "
    "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun"
)
# Words that may follow the version in a heading that names nothing else.
_AFTER = word_set(
    "yanked unreleased released release date on st nd rd th - january february march april may june july august "
    "september october november december jan feb mar apr jun jul aug sep sept oct nov dec tbd tba utc "
    "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun"
)
_MARKS = word_set("version ver v")
# A number after one of these words is never the project's version, unless the word is the project's name.
_FOREIGN = word_set(
    "python pythons cpython pypy py milestone milestones issue issues pr prs pull gh bug bugs ticket tickets phase "
    "sprint step part chapter section pep rfc cve"
)
_UNITS = word_set("% x kb mb gb tb kib mib gib ms s sec seconds minutes hours days weeks months years times bit bits")

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])"
_NTH = rf"{_DAY}(?:st|nd|rd|th)?"
_NUMBER = r"(?:0?[1-9]|1[0-2])"
_YEAR = r"(?:19[7-9][0-9]|20[0-9]{2})"
_TIME = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?: ?(?:am|pm|utc|gmt|z)\b)?(?: ?[+-][0-9]{2}:?[0-9]{2})?"
_BEGIN, _END = r"(?<![\w.+-])", r"(?![\w+-]|\.[0-9])"
# Compiled when the first heading is read, and remembered by `re`: that takes 20 ms.
_DATE = (
    _BEGIN
    + "(?:"
    + "|".join(
        (
            rf"{_YEAR}([-/]){_NUMBER}\1{_DAY}(?:[t ]{_TIME})?",
            rf"{_YEAR}[-/]{_NUMBER}",
            rf"{_YEAR}\u5e74{_NUMBER}\u6708{_DAY}\u65e5",
            rf"{_DAY}([-/]){_DAY}\2{_YEAR}",
            rf"{_DAY}/{_DAY}/[0-9]{{2}}",
            rf"{_YEAR}[-/ ]{_MONTH}(?:[-/ ]{_NTH})?",
            rf"{_NTH}(?: of)?[-/ ]?{_MONTH}(?:,?[-/ ]?{_YEAR})?",
            rf"{_MONTH}[-/ ](?:the )?{_NTH}(?:,? {_YEAR}|[-/]{_YEAR})?",
            rf"{_MONTH},?[-/ ]{_YEAR}",
            _TIME,
        )
    )
    + ")"
    + _END
)
# Dates, unless the project counts its versions by the calendar.
_DOTTED_DATE = re.compile(
    rf"{_BEGIN}(?:{_YEAR}\.{_NUMBER}\.{_DAY}|{_DAY}\.{_DAY}\.{_YEAR}|{_YEAR}\.{_NUMBER}|{_YEAR}[01][0-9][0-3][0-9]|{_YEAR}){_END}"
)
_DATED = " \N{CALENDAR} "
# ``1.2.0 beta 2`` is 1.2.0b2.
_NUMBERED = r"(?<![\w.])(v?[0-9]{1,9}(?:\.[0-9]{1,9}){1,9})"
_PRERELEASE = re.compile(
    rf"{_NUMBERED}[ :,\u2013\u2014-]{{0,3}}\(?"
    r"(alpha|beta|release candidate|candidate|rc|preview|pre|dev|post)[ .-]?([0-9]{1,9})\b|"
    rf"{_NUMBERED} (alpha|beta|release candidate|rc|preview|dev)(?=\s*(?:$|[()\[\],;:|\u2013\u2014]|- ))"
)
# Limits and series, such as ``< 1.2.0``, ``1.2+`` and ``1.2.*``, are no versions.
_LIMIT = re.compile(r"[<>~^\u2264\u2265]=?[ ]?v?(?=[0-9])|(?<=[0-9])\+(?![\w])|(?<=[0-9])\.\*(?!\*)")
_LINK = re.compile(r"<https?:[^<>]*>`?_{0,2}")
_ATTRIBUTES = re.compile(r"(?:##\s*)?\{:?\s*[#.][^{}]*\}\s*$")
# Blanks and quotes separate words. Everything else here separates parts of a heading.
_TOKENS = re.compile(
    r"(?P<blank>(?:[\s\"`'*~\u201c\u201d]|==|@)+)|(?P<apart>[\[\](){}<>,;:|/\\\u2013\u2014\u2192]|-+>)|"
    r"(?P<word>(?:[^\s\"`*~\u201c\u201d=@\[\](){}<>,;:|/\\\u2013\u2014\u2192]|=(?!=))+)"
)


# Another package's name before its version.
_PACKAGE = re.compile(r"(?P<name>[a-z][a-z0-9_.]*(?:-[a-z][a-z0-9_.]*)*)-(?P<version>v?[0-9]+(?:\.[0-9]+)+[a-z0-9.]*)")


class NamedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The version that a heading names.

    ``before`` are the words before it other than the project's name and words such as "version". ``is_last`` means
    that only a date and similar words follow.
    """

    version: Version
    before: tuple[str, ...]
    is_last: bool

    @property
    def is_strict(self) -> bool:
        """Whether no unknown words precede the version."""
        return not self.before

    @property
    def is_bare(self) -> bool:
        """Whether the heading says nothing else."""
        return self.is_last and not self.before

    @property
    def is_another_package(self) -> bool:
        """Whether the heading consists of one unknown word, such as another package's name, and a version."""
        return self.is_last and len(self.before) == 1


@dataclass(kw_only=True)
class _Part:
    """A part of a heading: the unknown words in it so far, and whether a number has been among its words."""

    words: list[str] = field(default_factory=list)
    has_number: bool = False
    foreign: bool = False


class _Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A number that may be the version. ``leads`` means that nothing unknown precedes it in its part."""

    version: Version
    leads: bool
    marked: bool
    before: tuple[str, ...]
    place: int

    @property
    def rank(self) -> tuple[bool, bool, bool, int, int]:
        """Larger is more likely."""
        parts = len(self.version.release)
        return self.leads, parts > 1, self.marked, parts, -self.place


def version_of(text: str) -> Version | None:
    """Parse a version with or without ``v``. Returns ``None`` if it is invalid."""
    try:
        return Version(text.lower().removeprefix("v."))
    except ValueError:  # InvalidVersion, or a number of thousands of digits
        return None


def is_calendar(version: Version) -> bool:
    """Whether a version contains a year or a whole date, as those of projects that count by the calendar do."""
    return any(
        _FIRST_YEAR <= part <= _LAST_YEAR or _FIRST_YEAR * 10_000 <= part <= (_LAST_YEAR + 1) * 10_000
        for part in version.release[:3]
    )


def version_named(text: str, names: Collection[str], *, calendar: bool = False) -> NamedVersion | None:
    """Return the version that a heading names, if any.

    ``names`` are the project's. ``calendar`` says that dates with dots and lone years may be versions.
    """
    words = [*_words(_simplify(text, names, calendar=calendar))]
    own_names = sorted((name.lower().replace(" ", "-") for name in names if name), key=len, reverse=True)
    found = [each for each in _candidates(words, own_names) if len(each.before) <= _UNKNOWN_WORDS]
    if not found:
        return None
    best = max(found, key=lambda each: each.rank)
    rest = [word for word, _ in words[best.place + 1 :]]
    others = any(each is not best and len(each.version.release) > 1 for each in found)
    is_last = not others and all(_is_aside(word) for word in rest)
    return NamedVersion(version=best.version, before=best.before, is_last=is_last)


def _simplify(text: str, names: Collection[str], *, calendar: bool) -> str:
    """Write names as one word, prereleases without blanks, and dates as a sign."""
    text = _LIMIT.sub("x", _LINK.sub(" ", _ATTRIBUTES.sub("", text[:_LONG].lower())))
    for name in (name.lower() for name in names if " " in name):
        text = text.replace(name, name.replace(" ", "-"))
    text = re.sub(_DATE, _DATED, text)
    if not calendar:
        text = _DOTTED_DATE.sub(_DATED, text)
    return _PRERELEASE.sub(_join_prerelease, text)


def _join_prerelease(match: re.Match[str]) -> str:
    version, kind, number = match[1] or match[4], match[2] or match[5], match[3] or "0"
    return f"{version}{'rc' if kind.endswith('candidate') else kind}{number}"


def _words(text: str) -> Iterator[tuple[str, bool]]:
    """Yield every word of a heading, and whether it is the first of its part."""
    first = True
    for match in _TOKENS.finditer(text):
        raw = match["word"] or ""
        word = raw.strip(".!?_'-+")
        if match["apart"] or (raw and not raw.strip("-+")):
            first = True
        elif word:
            yield word, first
            first = False


def _candidates(words: list[tuple[str, bool]], own_names: Collection[str]) -> Iterator[_Candidate]:
    """Yield the numbers that may be the version, until a word that says there is none."""
    earlier: list[str] = []
    part = _Part()
    last = ""
    for place, (word, first) in enumerate(words):
        if first:
            # A part with a number says something else, such as "Python 3.12 support" or "Milestone 3".
            earlier += [] if part.has_number else part.words
            part = _Part()
        if word == "unreleased":
            return
        bare = _without_name(word, own_names)
        if package := _PACKAGE.fullmatch(bare):
            bare = package["version"]
            part.words.append(package["name"])
        version = version_of(bare)
        if word in _NOISE or word in own_names or not re.search(r"\w", word):
            part.has_number |= word == _DATED.strip()
        elif version is None or word.startswith("#") or part.foreign or _is_measure(words, place):
            part.has_number |= re.match(r"#?[0-9]", word) is not None or (version is not None and part.foreign)
            part.foreign = word in _FOREIGN or (part.foreign and version is None)
            part.words.append(bare)
        else:
            alone = all(_is_aside(after) for after, _ in words[place + 1 :])
            marked = bare[0] == "v" or bare != word or last in _MARKS
            if marked or alone or not _may_be_a_number(bare, last):
                # In "Milestone 3 v2.0.0", the sign tells the version from the number.
                apart = bare[0] == "v" and part.has_number
                before = (*earlier, *(() if apart else part.words))
                leads = apart or (not part.words and not part.has_number)
                yield _Candidate(version=version, leads=leads, marked=marked, before=before, place=place)
            else:
                part.words.append(bare)
            part.has_number = True
        last = word


def _is_measure(words: list[tuple[str, bool]], place: int) -> bool:
    """Whether a unit follows a number, as in ``3.5 GB``."""
    return place + 1 < len(words) and words[place + 1][0] in _UNITS and not words[place + 1][1]


def _may_be_a_number(word: str, before: str) -> bool:
    """Whether a word may be just a number, as in ``1. Install`` or ``3 new features``, and not a version."""
    return word.isdecimal() and before != "release"


def _without_name(word: str, own_names: Collection[str]) -> str:
    """Strip the project's name from ``name-1.2.0`` or ``name-v1.2.0``."""
    prefixes = (f"{name}{separator}" for name in own_names for separator in "-_")
    return next((word.removeprefix(prefix) for prefix in prefixes if word.startswith(prefix)), word)


def _is_aside(word: str) -> bool:
    return word in _AFTER or not re.search(r"[^\W\d_]", word) or re.fullmatch(r"\d+(st|nd|rd|th)", word) is not None
