"""Which heading names a version, and where its section ends."""

from __future__ import annotations

import pytest

from unmoor.errors import Refused
from unmoor.notes import markdown, sections

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
]


@pytest.mark.parametrize(("text", "version"), NAMED.items())
def test_heading_names_a_version(text: str, version: str) -> None:
    """Headings in all usual formats name their version, with no unknown words before it."""
    name = sections.version_named(text, NAMES)
    assert name is not None
    assert (name.version, name.is_strict) == (sections.version_of(version), True)


@pytest.mark.parametrize("text", NOT_NAMED)
def test_heading_names_no_version(text: str) -> None:
    """Unreleased sections, dates and prose name no version."""
    assert sections.version_named(text, NAMES) is None


def span(text: str, version: str) -> tuple[int, int] | None:
    """The first line of a section in Markdown, and the line after its last."""
    found = sections.find_span(markdown.read(text).headings, lines=text.count("\n") + 1, version=version, names=NAMES)
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
}


@pytest.mark.parametrize(("text", "version"), ABSENT.values(), ids=ABSENT)
def test_section_is_absent(text: str, version: str) -> None:
    """A version that is only mentioned has no section."""
    assert span(text, version) is None


def test_two_sections_are_refused() -> None:
    """Two headings of the same rank for one version are refused, and the error names both lines."""
    with pytest.raises(Refused, match=r"lines 1 and 3 are both headings of version 1\.2"):
        span("## 1.2\na\n## v1.2\nb\n", "1.2")
