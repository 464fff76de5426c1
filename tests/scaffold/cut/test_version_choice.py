"""Choose the version of a release by what there is."""

from __future__ import annotations

from datetime import date

import pytest
from packaging.version import Version

from unmoor.scaffold.cut.version_choice import ChosenVersion, InDoubt, VersionFacts, choose
from unmoor.versioning.bump import VersionPart
from unmoor.versioning.calendar import DatedRelease

TODAY = date(2026, 11, 29)


def facts(
    written: str = "", merged: str = "", *, taken: str = "", kinds: str = "", messages: tuple[str, ...] | None = None
) -> VersionFacts:
    """The facts of a project; versions are separated by spaces, and released on the day that they name, or today."""
    releases = tuple(DatedRelease(version=Version(each), day=_day(Version(each))) for each in merged.split())
    return VersionFacts(
        written=Version(written) if written else None,
        merged=releases,
        taken=frozenset(map(Version, [*merged.split(), *taken.split()])),
        kinds=tuple(kinds.split()),
        messages=messages,
        today=TODAY,
    )


def _day(version: Version) -> date:
    year, month, day = (*version.release, 1, 1, 1)[:3]
    year = year if year > 2000 else 2000 + year
    return date(year if 2015 < year < 2030 else 2026, month if 1 <= month <= 12 else 1, day if 1 <= day <= 28 else 1)


@pytest.mark.parametrize(
    ("given", "version", "why"),
    [
        (facts("1.2.3", "1.2.3", kinds="feature"), "1.3.0", "1.2.3 → 1.3.0 (a fragment is of kind feature)"),
        (facts("1.2.3", "1.2.3", kinds="bugfix doc"), "1.2.4", "1.2.3 → 1.2.4 (the fragments are of kind bugfix, doc)"),
        (facts("1.2.3", "1.2.3", kinds="breaking"), "2.0.0", "1.2.3 → 2.0.0 (a fragment is of kind breaking)"),
        (facts("", "1.2.3", kinds="feature"), "1.3.0", "1.2.3 → 1.3.0 (a fragment is of kind feature)"),
        (facts("1.3.0", "1.2.3"), "1.3.0", "1.3.0, which the files say already"),
        (facts("1.3.0.dev0", "1.2.3"), "1.3.0", "1.3.0.dev0 → 1.3.0 (the version under development)"),
        (facts("1.3.0.dev0", "1.2.3", kinds="bugfix"), "1.3.0", "1.3.0.dev0 → 1.3.0 (the version under development)"),
        (facts("0.1.0"), "0.1.0", "0.1.0, which the files say already"),
        (facts(), "0.1.0", "0.1.0, the first version"),
        (
            facts("1.2.3", "1.2.3", messages=("fix: x", "feat(cli): y", "Merge z")),
            "1.3.0",
            "1.2.3 → 1.3.0 (3 commits since 1.2.3, the greatest of kind feature)",
        ),
        (
            facts("1.2.3", "1.2.3", messages=("fix: x\n\nBREAKING CHANGE: y",)),
            "2.0.0",
            "1.2.3 → 2.0.0 (1 commit since 1.2.3, the greatest of kind breaking)",
        ),
        (facts("2026.10.3", "2026.9.1 2026.10.3"), "2026.11.29", "2026.10.3 → 2026.11.29 (today's, as year.month.day)"),
        (facts("1.2.4.dev0", "1.2.3", taken="2.0.0"), "1.2.4", "1.2.4.dev0 → 1.2.4"),
    ],
)
def test_the_facts_decide(given: VersionFacts, version: str, why: str) -> None:
    """The first source that says something decides, and the arithmetic says which."""
    chosen = choose(given)
    assert isinstance(chosen, ChosenVersion)
    assert str(chosen.version) == version
    assert chosen.arithmetic[-1].startswith(why)


@pytest.mark.parametrize(
    ("given", "choices"),
    [
        (facts("1.2.3", "1.2.3"), "--bump major=2.0.0 --bump minor=1.3.0 --bump patch=1.2.4"),
        (
            facts("1.2.3", "1.2.3", messages=("Merge", "Update")),
            "--bump major=2.0.0 --bump minor=1.3.0 --bump patch=1.2.4",
        ),
        (facts("2.0.0rc1", "1.2.3 2.0.0rc1"), "--bump rc=2.0.0rc2 --bump stable=2.0.0"),
        (facts("1.3.0.dev0", "1.2.3", kinds="breaking"), "2.0.0=2.0.0 1.3.0=1.3.0"),
        (facts("1.3.0.dev0", "1.2.3", taken="1.3.0"), "2.0.0=2.0.0 1.4.0=1.4.0 1.3.1=1.3.1"),
    ],
)
def test_in_doubt_the_choices_are_named(given: VersionFacts, choices: str) -> None:
    """Each choice is what to type, with the version that it gives."""
    doubt = choose(given)
    assert isinstance(doubt, InDoubt)
    assert " ".join(f"{words}={version}" for words, version in doubt.choices) == choices


@pytest.mark.parametrize(
    ("given", "parts", "version"),
    [
        (facts("1.3.0.dev0", "1.2.3"), "minor", "1.3.0"),
        (facts("1.3.0.dev0", "1.2.3"), "rc", "1.3.0rc1"),
        (facts("1.2.3", "1.2.3"), "minor rc", "1.3.0rc1"),
        (facts("", "1.2.3"), "patch", "1.2.4"),
        (facts(), "minor", "0.1.0"),
        (facts("2.0.0rc1", "2.0.0rc1"), "stable", "2.0.0"),
    ],
)
def test_parts_count_from_the_last_release(given: VersionFacts, parts: str, version: str) -> None:
    """A development version is no release to count from, except for a prerelease of it."""
    chosen = choose(given, parts=[VersionPart(part) for part in parts.split()])
    assert isinstance(chosen, ChosenVersion)
    assert str(chosen.version) == version


def test_a_named_version_is_taken_as_it_is() -> None:
    """Whatever else says another one."""
    chosen = choose(facts("1.2.3", "1.2.3", kinds="feature"), named=Version("7.0"))
    assert isinstance(chosen, ChosenVersion)
    assert str(chosen.version) == "7.0"
