"""Choose the version of a release, and show the arithmetic. Pure.

In this order: the version that the user names; the parts to raise; the version that the files say already, if nothing
has it; the kinds of the fragments, or of the commits of a project that is set up for Conventional Commits; the day, if
its tags are versions by the calendar. If none of them decides, the user has to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

import msgspec
from packaging.version import Version

from unmoor.util.text import clean, count_of
from unmoor.versioning import pep440
from unmoor.versioning.bump import VersionPart as Part
from unmoor.versioning.bump import bump, bump_all
from unmoor.versioning.calendar import DatedRelease, calendar_units, next_by_calendar

_SUBJECT: Final = re.compile(r"(?P<type>[A-Za-z]{2,20})(?:\([^()\n]{0,100}\))?(?P<breaking>!)?:[ \t]")
_FOOTER: Final = re.compile(r"^BREAKING[ -]CHANGE: ", re.MULTILINE)
_SMALL: Final = (
    Part.DEV,
    Part.ALPHA,
    Part.BETA,
    Part.RC,
    Part.STABLE,
    Part.POST,
)


class VersionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What decides about the next version.

    ``written`` is in the files, ``None`` if the version comes from tags. ``merged`` are the releases that the branch
    contains, ``taken`` those of all branches. ``kinds`` are of the fragments, ``messages`` of the commits since the
    last release, or ``None`` if the project is not set up for Conventional Commits.
    """

    written: Version | None
    merged: tuple[DatedRelease, ...]
    taken: frozenset[Version]
    kinds: tuple[str, ...]
    messages: tuple[str, ...] | None
    today: date

    @property
    def last(self) -> Version | None:
        """The highest release of the branch."""
        return max((each.version for each in self.merged), default=None)


class ChosenVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The version, and the arithmetic in lines."""

    version: Version
    arithmetic: tuple[str, ...]


class InDoubt(msgspec.Struct, frozen=True, kw_only=True):
    """Several versions may be meant: why, and each with what to type for it."""

    why: str
    choices: tuple[tuple[str, Version], ...]


def choose(facts: VersionFacts, *, named: Version | None = None, parts: Sequence[Part] = ()) -> ChosenVersion | InDoubt:
    """Choose the version. Raises ``ValueError`` with the reason for parts that cannot be raised."""
    if named is not None:
        return ChosenVersion(version=named, arithmetic=(f"{named}, as requested",))
    if parts:
        base, source = _base(facts, parts)
        steps = bump_all(base, parts)
        return ChosenVersion(version=steps[-1].after, arithmetic=(f"{base} is {source}", *map(str, steps)))
    begun = _begun(facts)
    if begun is not None:
        return begun
    if facts.written is None and facts.last is None:
        return ChosenVersion(version=pep440.FIRST, arithmetic=(f"{pep440.FIRST}, the first version",))
    base = facts.written or facts.last or pep440.FIRST
    return _after_prerelease(facts, base) if base.is_prerelease else _by_changes(facts, base)


def _base(facts: VersionFacts, parts: Sequence[Part]) -> tuple[Version, str]:
    """The version to count from. The next release comes after the last one, not after a development version."""
    written, last = facts.written, facts.last
    counts_release = any(part not in _SMALL for part in parts)
    if last is not None and (written is None or (written.is_devrelease and counts_release)):
        return last, "the last release"
    if written is not None:
        return written, "the version in the files"
    return Version("0.0.0"), "where counting begins, since there is no release yet"


def _begun(facts: VersionFacts) -> ChosenVersion | InDoubt | None:
    """The version that the files say already, or lead to, unless it is released."""
    if facts.written is None:
        return None
    target = Version(facts.written.public.partition(".dev")[0])
    if target in facts.taken or (facts.last is not None and target < facts.last):
        return None
    final = facts.last is not None and not facts.last.is_prerelease
    by_kinds = pep440.next_version(facts.last, facts.kinds) if facts.kinds and final else None
    if by_kinds is not None and by_kinds > target:
        kind = pep440.deciding_kind(facts.kinds) or facts.kinds[0]
        return InDoubt(
            why=f"the files say {facts.written}, and a fragment of kind {clean(kind, 40)} asks for {by_kinds}",
            choices=((str(by_kinds), by_kinds), (str(target), target)),
        )
    if target == facts.written:
        return ChosenVersion(version=target, arithmetic=(f"{target}, which the files say already",))
    return ChosenVersion(version=target, arithmetic=(f"{facts.written} → {target} (the version under development)",))


def _after_prerelease(facts: VersionFacts, base: Version) -> InDoubt:
    """Several versions may follow one that is released already and is no final one."""
    if base.is_devrelease:
        released = Version(base.public.partition(".dev")[0])
        highest = max(released, facts.last or released)
        why = f"the files say {base}, but there is a release {highest} already"
        return _doubt(why, highest, (Part.MAJOR, Part.MINOR, Part.PATCH), spelt=lambda _, version: str(version))
    kinds = {"a": Part.ALPHA, "b": Part.BETA, "rc": Part.RC}
    return _doubt(f"{base} is a prerelease", base, (kinds[base.pre[0]] if base.pre else Part.PATCH, Part.STABLE))


def _by_changes(facts: VersionFacts, base: Version) -> ChosenVersion | InDoubt:
    if facts.kinds:
        version = pep440.next_version(base, facts.kinds)
        return ChosenVersion(version=version, arithmetic=(f"{base} → {version} ({_kinds(facts.kinds)})",))
    if facts.messages is not None:
        kinds = [kind for message in facts.messages if (kind := _kind_of(message))]
        if kinds:
            version = pep440.next_version(base, kinds)
            word = pep440.deciding_kind(kinds) or "fix"
            of = f"{count_of(len(facts.messages), 'commit')} since {base}, the greatest of kind {word}"
            return ChosenVersion(version=version, arithmetic=(f"{base} → {version} ({of})",))
    if units := calendar_units(facts.merged):
        version = next_by_calendar(units, base, facts.today, facts.taken)
        words = ".".join(units)
        return ChosenVersion(version=version, arithmetic=(f"{base} → {version} (today's, as {words})",))
    return _doubt(
        "no fragment says what kind of changes there are",
        base,
        (Part.MAJOR, Part.MINOR, Part.PATCH),
    )


def _kinds(kinds: Sequence[str]) -> str:
    decisive = pep440.deciding_kind(kinds)
    if decisive:
        return f"a fragment is of kind {clean(decisive, 40)}"
    return f"the fragments are of kind {clean(', '.join(sorted(set(kinds))), 100)}"


def _kind_of(message: str) -> str:
    """The kind of a commit that follows Conventional Commits, in the words of fragments. Empty for any other."""
    match = _SUBJECT.match(message)
    if match is None:
        return ""
    if match["breaking"] or _FOOTER.search(message):
        return "breaking"
    return "feature" if match["type"].lower() == "feat" else "fix"


def _doubt(
    why: str,
    base: Version,
    parts: Sequence[Part],
    spelt: Callable[[Part, Version], str] = lambda part, _: f"--bump {part}",
) -> InDoubt:
    """Offer the parts to raise. ``spelt`` is what to type for one, since ``--bump`` may count from another version."""
    versions = [(part, bump(base, part)) for part in parts]
    return InDoubt(why=why, choices=tuple((spelt(part, version), version) for part, version in versions))
