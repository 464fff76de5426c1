"""Which heading names a version, and where its section ends."""

from __future__ import annotations

import pytest

from unmoor.errors import Refused
from unmoor.notes import headings, markdown, rst, sections

NAMES = ("foo-bar", "foo_bar", "foo bar")

NAMED = {
    "1.2.0": "1.2.0",
    "[1.2.0] - 2026-01-01": "1.2.0",
    "v1.2.0 (2026-01-01)": "1.2.0",
    "V1.2.0": "1.2.0",
    "foo-bar 1.2.0 (2026-01-01)": "1.2.0",
    "foo-bar-v1.2.0": "1.2.0",
    "foo_bar==1.2.0": "1.2.0",
    "foo-bar@1.2.0": "1.2.0",
    "Foo Bar 1.2.0": "1.2.0",
    "Version 1.2.0": "1.2.0",
    "Release 1.2.0 (released January 3rd, 2026)": "1.2.0",
    "2026-01-01, Version 1.2.0": "1.2.0",
    "1.2.0 / 2026-01-01": "1.2.0",
    "1.2.0/2026-01-01": "1.2.0",
    "1.2.0\N{EM DASH}the big one": "1.2.0",
    "1.2.0: the big one": "1.2.0",
    "\N{PARTY POPPER} 1.2.0": "1.2.0",
    "What's new in Foo Bar 1.2.0?": "1.2.0",
    "[0.0.5] - 2014-12-13 [YANKED]": "0.0.5",
    "1.2.0-rc.1": "1.2.0rc1",
    "v1.2.0-beta2": "1.2.0b2",
    "1!2.0": "1!2",
    "26.1": "26.1",
    "27 (2026-01-01)": "27",
    "v27: the big one": "27",
    "Version 27, the big one": "27",
    "1.2.0 to 1.2.3": "1.2.0",
    "1.18.0 - 2026-08-11 ## {: #foo-bar-v1.18.0 }": "1.18.0",
    "`1.2.0 <https://example.org/1.1.0>`_ (2026)": "1.2.0",
    # Dates, in many habits, are no versions.
    "3/6/2024: 5.0.0": "5.0.0",
    "3/6/24: 5.0": "5.0",
    "14 February 2024 - 1.0.0": "1.0.0",
    "14-Feb-2024: 1.0.0": "1.0.0",
    "Feb 14th, 2024: 1.0": "1.0",
    "February 2024, 2.1": "2.1",
    "2024-01-02: 5.0.0": "5.0.0",
    "2024/1/2 5.0.0": "5.0.0",
    "2024-01-02T10:11:12+01:00 5.0.0": "5.0.0",
    "2024.01.02: 5.0.0": "5.0.0",
    "14.02.2024: 5.0.0": "5.0.0",
    "20240102 5.0.0": "5.0.0",
    "2024-01: 5.0": "5.0",
    "5.0 (02.01.2024)": "5.0",
    "Released on 14 February 2024 at 10:15 - 1.0.0": "1.0.0",
    "Mon, 3 Jun 2024 - 1.0": "1.0",
    "02Jan2024 1.0.0": "1.0.0",
    "2024\u5e741\u67082\u65e5 1.0.0": "1.0.0",
    "2024.6: 1.0": "1.0",
    "Q3 2024 - 2.1.0": "2.1.0",
    # Nor are the numbers of other things.
    "Milestone 3 v2.0.0": "2.0.0",
    "Week 12: 1.4.0": "1.4.0",
    "1st release: 0.1.0": "0.1.0",
    "Milestone 3: 2.0.0": "2.0.0",
    "Milestone 3.1.4: 2.0": "2.0",
    "Python 3.12 support (v2.0.0)": "2.0.0",
    "3.12 support (v2.0.0)": "2.0.0",
    "Dropped Python 3.7.1: 2.0": "2.0",
    "PEP 639 (1.4.0)": "1.4.0",
    "Issue #369: 1.2.0": "1.2.0",
    "50% faster: 1.2.0": "1.2.0",
    "10 new features (1.2.0)": "1.2.0",
    "1.2.0 (build 345)": "1.2.0",
    "1.2.0 (requires pip v23.0.1)": "1.2.0",
    "1.2: Django 5.0.1 support": "1.2",
    "Release 27 (1.2.0)": "1.2.0",
    # A prerelease written apart.
    "1.2.0 beta 2": "1.2.0b2",
    "1.2.0 Release Candidate 1 (2026-01-01)": "1.2.0rc1",
    "1.2.0 (rc1)": "1.2.0rc1",
    "1.2.0: RC 2": "1.2.0rc2",
    "1.2.0 dev": "1.2.0.dev0",
}

# Projects that count by the calendar write versions that look like dates.
CALENDAR = {
    "2024.1.2": "2024.1.2",
    "2024.01.02": "2024.1.2",
    "2024.1.2 (2024-01-02)": "2024.1.2",
    "2 January 2024: 2024.1.2": "2024.1.2",
    "1.9.0 (2024.1.2)": "1.9.0",
    "20240102": "20240102",
    "2024": "2024",
    "2024-01-02": None,
    "2 January 2024": None,
}

NOT_NAMED = [
    "Unreleased",
    "[Unreleased]",
    "[Unreleased] - 1.2.0",
    "Changelog",
    "1.2.x",
    "2026-01-01",
    "1. Install",
    "3 new features",
    "",
    "A heading in which five words stand before 1.2.0",
    "2024",
    "2024.01.02",
    "14.02.2024",
    "14 February",
    "May 2",
    "10:15",
    "Python 3.12",
    "Milestone 3",
    "Issue 12.3",
    "3.5 GB limit",
    "Versions < 1.2.0",
    ">=1.2",
    "1.2+",
    "1.2.*",
    "12.5 % faster",
    "#12",
]


@pytest.mark.parametrize(("text", "version"), NAMED.items())
def test_heading_names_a_version(text: str, version: str) -> None:
    """Headings in all usual formats name their version, with no unknown words before it."""
    name = headings.version_named(text, NAMES)
    assert name is not None
    assert (name.version, name.is_strict) == (headings.version_of(version), True)


@pytest.mark.parametrize("text", NOT_NAMED)
def test_heading_names_no_version(text: str) -> None:
    """Unreleased sections, dates and prose name no version."""
    assert headings.version_named(text, NAMES) is None


@pytest.mark.parametrize(("text", "version"), CALENDAR.items())
def test_dates_with_dots_are_versions_of_a_calendar(text: str, version: str | None) -> None:
    """If the wanted version contains a year, dates with dots may be versions. Other dates never are."""
    name = headings.version_named(text, NAMES, calendar=True)
    assert (name and name.version) == (version and headings.version_of(version))


def span(text: str, version: str) -> tuple[int, int] | None:
    """The first line of a section in Markdown, and the line after its last."""
    found = sections.find_span(markdown.read(text).headings, lines=text.split("\n"), version=version, names=NAMES)
    return None if found is None else (found.start, found.end)


FOUND = {
    "never by its first characters": ("## 1.2.10\na\n## 1.2.1\nb\n", "1.2.1", "b"),
    "nor the other way round": ("## 1.2.1\na\n## 1.2.10\nb\n", "1.2.10", "b"),
    "trailing zeros do not count": ("## 1.3\na\n## 1.2\nb\n", "1.2.0", "b"),
    "the same spelling comes first": ("# Version 2\n## 2.1\na\n## 2.0.0\nb\n", "2.0.0", "b"),
    "a candidate is another version": ("## 1.2.0rc1\na\n## 1.2.0\nb\n", "1.2.0", "b"),
    "a candidate in another spelling": ("## 1.2.0\na\n## 1.2.0-rc.1\nb\n", "1.2.0rc1", "b"),
    "the last section ends with the file": ("## 1.2\na\n\n### More\nb\n", "1.2", "a\n\n### More\nb\n"),
    "patch releases one level below": ("# 1.2.0\na\n## 1.1.9\nb\n", "1.2.0", "a"),
    "candidates below their final": ("# 1.2.0\na\n## 1.2.0rc1\nb\n# 1.1\n", "1.2.0", "a\n## 1.2.0rc1\nb"),
    "versions in passing are prose": (
        "## 2.7\n### Dropped Python 3.6\na\n## 2.6\n",
        "2.7",
        "### Dropped Python 3.6\na",
    ),
    "an unknown name that all share": ("# Display 1.2\na\n# Display 1.1\nb\n", "1.1", "b\n"),
    "under its date": ("## 3/6/2024: 5.0.0\na\n## 5/5/2024: 4.9.0\nb\n", "5.0.0", "a"),
    "not a day": ("## 5/5/2024: 5.0.1\na\n## 4/5/2024: 5.0\nb\n", "5.0.0", "b"),
    "after a milestone": ("## Milestone 3: 2.0.0\na\n## Milestone 2: 1.0.0\nb\n", "2.0.0", "a"),
    "after another program's version": (
        "## Python 3.12 support (v2.0.0)\na\n## Python 2.0 support (v1.0.0)\nb\n",
        "2.0.0",
        "a",
    ),
    "written in full": ("## 5.0\na\n## 5.0.0\nb\n## 4.9\n", "5.0.0", "b"),
    "written in short": ("## 5.0.0\na\n## 5.0\nb\n## 4.9\n", "5.0", "b"),
    "written in full under a series": ("# 5.0\na\n## 5.0.1\nb\n## 5.0.0\nc\n# 4.0\n", "5.0.0", "c"),
    "a final beside its candidate in words": ("## 1.2.0 beta 2\na\n## 1.2.0\nb\n## 1.1\n", "1.2.0", "b"),
    "titles at its own level": (
        "### [1.2.3](x) (2024-01-02)\n\n### Bug Fixes\n\n* a\n\n## [1.2.0](y)\nb\n",
        "1.2.3",
        "### Bug Fixes\n\n* a",
    ),
    "titles above its level": ("### 1.2.3\n## Bug Fixes\na\n### 1.2.2\nb\n", "1.2.3", "## Bug Fixes\na"),
    "a chapter beside it": (
        "## 1.6.4\na\n## Model catalog\nb\n## 1.6.3\nc\n",
        "1.6.4",
        "a\n## Model catalog\nb",
    ),
    "a kind of changes beside the last one": ("### 1.0.0\n### Bug Fixes\n* a\n", "1.0.0", "### Bug Fixes\n* a"),
    "titles over older versions": ("## 1.2\na\n# 2023\n## 1.1\nb\n# The 0.x series\n## 0.9\n", "1.2", "a"),
    "before another package": ("## foo-bar 1.2\na\n## other 3.4\nb\n## foo-bar 1.1\n", "1.2", "a"),
    "before what is not released": ("## 1.1\na\n## 1.2\nb\n## Unreleased\nc\n", "1.2", "b"),
    "below the project's name": (
        "# History\n## Other\n### 1.2.0\na\n## **Foo Bar**\n### 1.2.0\nb\n### 1.1\nc\n",
        "1.2.0",
        "b",
    ),
    "the last one below the project's name": (
        "# History\n## foo-bar changelog\n### 1.2.0\na\n## Other\n### 1.3\nb\n",
        "1.2.0",
        "a",
    ),
    "an outline of the same version": (
        "## 1.2.0\na\n### 1.2.0: highlights\nb\n## 1.1\n",
        "1.2.0",
        "a\n### 1.2.0: highlights\nb",
    ),
}


@pytest.mark.parametrize(("text", "version", "wanted"), FOUND.values(), ids=FOUND)
def test_section_is_found(text: str, version: str, wanted: str) -> None:
    """The section of a version is found by PEP 440, and ends where the next one starts."""
    found = span(text, version)
    assert found is not None
    assert "\n".join(text.split("\n")[slice(*found)]).strip("\n") == wanted.strip("\n")


ABSENT = {
    "mentioned below another": ("## 1.0\n### Dropped Python 2.7\na\n", "2.7"),
    "a part of the project's name": ("## foo 1.2\na\n## 1.1\nb\n", "1.2"),
    "of another package": ("## other 1.2\na\n## foo-bar 1.1\nb\n", "1.2"),
    "in code": ("```\n## 1.2\n```\n", "1.2"),
    "in a quote": ("> ## 1.2\n", "1.2"),
    "unreleased": ("## Unreleased\na\n## 1.1\n", "1.2"),
    "a day": ("## 9/9/2024: 5.0.0\na\n## 5/5/2024: 4.9.0\nb\n", "9"),
    "a milestone": ("## Milestone 3: 2.0.0\na\n## Milestone 2: 1.9\nb\n", "3.0.0"),
    "another program's": ("## Python 3.12 support (v2.0.0)\na\n## Python 3.11 support (v1.0)\nb\n", "3.12"),
    "every heading is another program's": ("## Python 3.12\na\n## Python 3.11\nb\n", "3.12"),
    "a size": ("## 3.5 GB at most\na\n## 3.4\n", "3.5"),
    "a candidate in words": ("## 1.2.0 beta 2\na\n## 1.1\nb\n", "1.2.0"),
    "of another package, after a colon": ("## other: 1.2\na\n## foo-bar 1.1\nb\n", "1.2"),
    "of another package, after a hyphen": ("## other-1.2\na\n## foo-bar 1.1\nb\n", "1.2"),
    "below another package's name": ("## foo-bar\n### 1.1\na\n## Other\n### 1.2\nb\n", "1.2"),
    "in a single title with unknown words": ("# Introduction to API 1.2\na\n", "1.2"),
}


@pytest.mark.parametrize(("text", "version"), ABSENT.values(), ids=ABSENT)
def test_section_is_absent(text: str, version: str) -> None:
    """A version that is only mentioned has no section."""
    assert span(text, version) is None


def test_two_sections_are_refused() -> None:
    """Two headings of the same rank for one version are refused, and the error names both lines."""
    with pytest.raises(Refused, match=r"lines 1 and 3 are both headings of version 1\.2"):
        span("## 1.2\na\n## v1.2\nb\n", "1.2")


def test_a_second_section_deeper_in_the_file_is_reported() -> None:
    """The higher one of two headings of a version counts, and the other one is named."""
    text = "## 1.2\na\n## 1.1\nb\n# Details\n### 1.2\nc\n"
    found = sections.find_span(markdown.read(text).headings, lines=text.split("\n"), version="1.2", names=NAMES)
    assert found is not None
    assert (found.start, found.end, found.twin and found.twin.line) == (1, 2, 5)


LEFT_OUT = {
    "## 1.1\na\n## 1.0\nb\n## Credits\nc\n": "Credits",
    "## 1.1\na\n## 1.0\nb\n# Licence\nc\n": "Licence",
    "## 1.1\na\n## 1.0\nb\n### Fixes\nc\n": None,
    "## 1.0\na\n## Credits\nb\n## 0.9\nc\n": None,
}


@pytest.mark.parametrize(("text", "title"), LEFT_OUT.items())
def test_what_the_last_section_leaves_out_is_reported(text: str, title: str | None) -> None:
    """Where no other version follows, levels decide, and the heading that ends the section is named."""
    lines = text.split("\n")
    found = sections.find_span(markdown.read(text).headings, lines=lines, version="1.0", names=NAMES)
    assert found is not None
    assert (found.left_out and found.left_out.text) == title


RST_SPANS = {
    "1.6.4\n=====\n\na\n\nModel catalog\n=============\n\nb\n\n1.6.3\n=====\n\nc\n": "1.6.4",
    "3/6/2024: 1.6.4\n===============\n\na\n\nMore\n----\n\nb\n\n3/5/2024: 1.6.3\n---------------\n": "1.6.4",
}


@pytest.mark.parametrize(("text", "version"), RST_SPANS.items())
def test_only_a_version_ends_a_section_of_restructuredtext(text: str, version: str) -> None:
    """The same holds for reStructuredText."""
    found = sections.find_span(rst.headings(text), lines=text.split("\n"), version=version, names=NAMES)
    assert found is not None
    body = text.split("\n")[found.start : found.end]
    assert "b" in body
    assert not any("1.6.3" in line for line in body)
