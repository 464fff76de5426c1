"""Unreleased changes get a version, in the style of their file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from unmoor.notes import changelog, next_section, unreleased

Checkout = Callable[[Mapping[str, str | bytes]], Path]
NEW = "1.2.0 (2026-01-01)"

NAMED = {
    "a heading": ("CHANGES.md", "# Log\n\n## Unreleased\n\n- A\n\n## 1.1\n", f"# Log\n\n## {NEW}\n\n- A\n\n## 1.1\n"),
    "a link": ("CHANGES.md", "## [Unreleased][x]\n- A\n\n[x]: y\n", f"## {NEW}\n- A\n\n[x]: y\n"),
    "latest changes": ("docs/release-notes.md", "## Latest Changes\n\n* A\n", f"## {NEW}\n\n* A\n"),
    "underlined": ("NEWS.md", "dev\n---\n\n- A\n", f"{NEW}\n{'-' * 18}\n\n- A\n"),
    "a title": ("CHANGES.rst", "Next\n====\n\n- A\n\n1.1\n===\n", f"{NEW}\n{'=' * 18}\n\n- A\n\n1.1\n===\n"),
    "a title with two lines": ("CHANGES.rst", "======\nmaster\n======\n\nA\n", f"{'=' * 18}\n{NEW}\n{'=' * 18}\n\nA\n"),
    "a line": ("docs/versionhistory.rst", "**UNRELEASED**\n\n- A\n\n**1.1**\n", f"**{NEW}**\n\n- A\n\n**1.1**\n"),
    "Windows' line ends": ("CHANGES.md", "## Unreleased\r\n\r\n- A\r\n", f"## {NEW}\r\n\r\n- A\r\n"),
}


@pytest.mark.parametrize(("name", "before", "after"), NAMED.values(), ids=NAMED)
def test_unreleased_changes_get_the_version(checkout: Checkout, *, name: str, before: str, after: str) -> None:
    """The heading names the version and the day, every other character stays, and the section is found then."""
    named = next_section.name_unreleased(
        checkout({name: before}), [name], version="1.2.0", date="2026-01-01", names=["demo"]
    )
    assert named is not None
    assert (named.file, named.content.decode()) == (name, after)
    file = changelog.ReadFile.of(name, after.replace("\r", ""), ["demo"], calendar=False)
    span = file.span("1.2.0", ["demo"])
    assert span is not None
    assert "A" in " ".join(file.lines[span.start : span.end])


UNCHANGED: dict[str, tuple[dict[str, str | bytes], str]] = {
    "no such section": ({"CHANGES.md": "## 1.1\n\n- A\n"}, ""),
    "an empty one": ({"CHANGES.md": "## Unreleased\n\n### Added\n\n## 1.1\n\n- A\n"}, ""),
    "the version has a section": ({"CHANGES.md": "## Unreleased\n\n- A\n\n## 1.2\n\n- B\n"}, ""),
    "the version has one in another file": (
        {"CHANGES.md": "## Unreleased\n\n- A\n", "docs/history.rst": "1.2.0\n=====\n\n- B\n"},
        "",
    ),
    "another version": ({"CHANGES.md": "## 1.3 (unreleased)\n\n- A\n"}, ""),
    "not the configured file": ({"CHANGES.md": "## Unreleased\n\n- A\n", "log.md": "- B\n"}, "log.md"),
    "not UTF-8": ({"CHANGES.md": b"## Unreleased\n\n- \xe9\n"}, ""),
}


@pytest.mark.parametrize(("files", "setting"), UNCHANGED.values(), ids=UNCHANGED)
def test_nothing_else_gets_the_version(checkout: Checkout, files: dict[str, str | bytes], setting: str) -> None:
    """A section that is empty, or that names a version, stays, and so does a file that is not the changelog."""
    top = checkout(files)
    named = next_section.name_unreleased(
        top, list(files), version="1.2.0", date="2026-01-01", names=["demo"], setting=setting
    )
    assert named is None


TITLES = {
    "Unreleased": True,
    "[UNRELEASED]": True,
    "Unreleased (yyyy-mm-dd)": True,
    "Latest Changes": True,
    "Next release": True,
    "Upcoming version (TBD)": True,
    "master": True,
    "main branch": True,
    "Dev": True,
    "Development version": True,
    "Changes in git master": True,
    "Not yet released": True,
    "In progress": True,
    "Changes": False,
    "Release notes": False,
    "1.2.0 (unreleased)": False,
    "Next steps": False,
    "Development": True,
    "Development guide": False,
    "": False,
    "The future of the project": False,
}


@pytest.mark.parametrize(("text", "wanted"), TITLES.items())
def test_what_says_that_changes_are_not_released(text: str, wanted: bool) -> None:  # noqa: FBT001  # a row of a table
    """Words for what comes next count, unless other words are beside them."""
    assert unreleased.is_unreleased(text) is wanted


MARKS = {
    "Unreleased\n\n- A": ("- A", True),
    "*Unreleased*\n\n- A": ("- A", True),
    "Release date: Unreleased\n\n- A": ("- A", True),
    "Unreleased\n- A": ("Unreleased\n- A", False),
    "Released 2026-01-01\n\n- A": ("Released 2026-01-01\n\n- A", False),
    "Unreleased": ("", True),
    "- A\n\nUnreleased": ("- A\n\nUnreleased", False),
}


@pytest.mark.parametrize(("text", "wanted"), MARKS.items())
def test_a_mark_below_the_version_is_left_out(text: str, wanted: tuple[str, bool]) -> None:
    """A first paragraph that consists of "Unreleased" is no note."""
    assert unreleased.without_unreleased_line(text) == wanted
