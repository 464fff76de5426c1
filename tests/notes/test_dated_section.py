"""Date the unreleased changes of a changelog, as the file writes its others."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from packaging.version import Version

from unmoor.notes.dated_section import DatedSection, ReleaseNames, UndatedSection, date_unreleased

RELEASE = ReleaseNames(version=Version("1.3.0"), day=date(2026, 11, 29), tag="v1.3.0", previous="v1.2.0")


LINKED = (
    "## [Unreleased](https://f/o/r/compare/v1.2.0...HEAD)\n\n- x\n\n"
    "## [1.2.0](https://f/o/r/compare/v1.1.0...v1.2.0) - 2025-01-02\n"
)


def dated(tmp_path: Path, name: str, text: str) -> DatedSection | UndatedSection:
    """Date a changelog of a repository."""
    (tmp_path / ".git").mkdir()
    (tmp_path / name).write_text(text, "utf-8", newline="")
    return date_unreleased(tmp_path, [name], RELEASE, names=["demo"])


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("CHANGES.md", "## Unreleased\n\n- x\n\n## 1.2.0 (2025-01-02)\n", "## 1.3.0 (2026-11-29)\n"),
        ("CHANGES.md", "## Unreleased\n\n- x\n\n## v1.2.0 - January 2, 2025\n", "## v1.3.0 - November 29, 2026\n"),
        ("CHANGES.md", "## Unreleased\n\n- x\n\n## 1.2.0\n", "## 1.3.0\n"),
        ("CHANGES.md", "## Unreleased\n\n- x\n\n## demo 1.2.0 / 2 Jan 2025\n", "## demo 1.3.0 / 29 Nov 2026\n"),
        ("CHANGES.md", "## Unreleased\n\n- x\n", "## 1.3.0 (2026-11-29)\n"),
        ("CHANGES.md", "## [Unreleased]\n\n- x\n", "## [1.3.0] - 2026-11-29\n"),
        ("CHANGES.md", "## 1.3.0 (unreleased)\n\n- x\n\n## 1.2.0 (2025-01-02)\n", "## 1.3.0 (2026-11-29)\n"),
        ("CHANGES.md", "## 1.2.1 (unreleased)\n\n- x\n\n## 1.2.0 (2025-01-02)\n", "## 1.3.0 (2026-11-29)\n"),
        (
            "CHANGES.md",
            LINKED,
            "## [1.3.0](https://f/o/r/compare/v1.2.0...v1.3.0) - 2026-11-29\n",
        ),
        ("CHANGES.rst", "1.3.0 (TBD)\n-----------\n\n- x\n\n1.2.0 (2025-01-02)\n------------------\n\n- y\n", None),
        (
            "CHANGES.rst",
            "Version 1.3.0\n-------------\n\nUnreleased\n\n-   x\n\nVersion 1.2.0\n-------------\n\n-   y\n",
            "Released 2026-11-29\n",
        ),
    ],
)
def test_the_heading_is_written_like_the_one_before(tmp_path: Path, name: str, before: str, after: str | None) -> None:
    """Version, day and link have the form that the file gives them; every other line stays."""
    found = dated(tmp_path, name, before)
    assert isinstance(found, DatedSection)
    text = found.content.decode()
    wanted = after if after is not None else "1.3.0 (2026-11-29)\n------------------\n"
    assert wanted in text
    assert text.count("x\n") == 1
    kept = set(before.splitlines()[2:]) - {"Unreleased"}
    assert kept <= set(text.splitlines())


def test_line_ends_and_a_mark_stay(tmp_path: Path) -> None:
    """A file of Windows keeps its line ends, and the mark at its beginning."""
    found = dated(tmp_path, "CHANGES.md", "\ufeff# Changes\r\n\r\n## Unreleased\r\n\r\n- x\r\n")
    assert isinstance(found, DatedSection)
    assert found.content.decode() == "\ufeff# Changes\r\n\r\n## 1.3.0 (2026-11-29)\r\n\r\n- x\r\n"


def test_a_changelog_that_is_kept_keeps_its_heading_and_links(tmp_path: Path) -> None:
    """The form of Keep a Changelog: an empty heading stays on top, and the comparisons follow."""
    text = (
        "Format: https://keepachangelog.com\n\n## [Unreleased]\n\n- x\n\n## [1.2.0] - 2025-01-02\n\n- y\n\n"
        "[Unreleased]: https://f/o/r/compare/v1.2.0...HEAD\n[1.2.0]: https://f/o/r/releases/tag/v1.2.0\n"
    )
    found = dated(tmp_path, "CHANGELOG.md", text)
    assert isinstance(found, DatedSection)
    assert found.content.decode() == (
        "Format: https://keepachangelog.com\n\n## [Unreleased]\n\n## [1.3.0] - 2026-11-29\n\n- x\n\n"
        "## [1.2.0] - 2025-01-02\n\n- y\n\n"
        "[Unreleased]: https://f/o/r/compare/v1.3.0...HEAD\n[1.3.0]: https://f/o/r/compare/v1.2.0...v1.3.0\n"
        "[1.2.0]: https://f/o/r/releases/tag/v1.2.0\n"
    )


@pytest.mark.parametrize(
    ("text", "has_section"),
    [
        ("## Unreleased\n\n## 1.2.0\n\n- y\n", False),
        ("## 1.2.0\n\n- y\n", False),
        ("## 1.3.0 (2026-11-28)\n\n- x\n", True),
    ],
)
def test_nothing_is_dated_if_nothing_waits(tmp_path: Path, text: str, *, has_section: bool) -> None:
    """An empty heading waits for nothing, and a section of this version is there already."""
    found = dated(tmp_path, "CHANGES.md", text)
    assert found == UndatedSection(file="CHANGES.md", has_section=has_section)
