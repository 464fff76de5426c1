"""Which files are news fragments, by their names."""

from __future__ import annotations

from typing import Any

import pytest

from unmoor.versioning.fragment_names import (
    folders_of,
    ignored_of,
    in_folders,
    is_fragment,
    is_ignored,
    kinds_of,
    looks_like_fragment,
)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({}, ("demo/newsfragments",)),
        ({"package_dir": "src"}, ("src/demo/newsfragments",)),
        ({"directory": "news"}, ("news",)),
        ({"directory": ".", "section": [{"path": "a"}, {"path": ""}, {"path": "a"}]}, ("a", ".")),
    ],
    ids=["package", "src", "directory", "sections"],
)
def test_folders(table: dict[str, Any], expected: tuple[str, ...]) -> None:
    """One for each section, in the package or where the configuration says."""
    assert folders_of(table, "demo") == expected


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({}, {"feature", "bugfix", "doc", "removal", "misc"}),
        ({"type": [{"name": "Change"}, {"name": "Fixes", "directory": "fix"}]}, {"change", "fix"}),
        ({"fragment": {"a": {}}}, {"a"}),
    ],
    ids=["default", "types", "tables"],
)
def test_kinds(table: dict[str, Any], expected: set[str]) -> None:
    """Both ways to configure them, and towncrier's own."""
    assert kinds_of(table) == expected


@pytest.mark.parametrize(
    ("name", "fragment", "meant"),
    [
        ("1.feature.md", True, True),
        ("1.feature.2.md", True, True),
        ("+x.feature", True, True),
        ("1.fature.md", False, True),
        ("12.md", False, True),
        ("notes.md", False, False),
        (".hidden", False, False),
    ],
)
def test_names(name: str, *, fragment: bool, meant: bool) -> None:
    """A type is one of the parts after the first dot; a number alone is meant as a fragment."""
    assert is_fragment(name, {"feature"}) is fragment
    assert looks_like_fragment(name) is meant


def test_what_is_ignored() -> None:
    """The template, what is usually beside fragments, and what the configuration names."""
    ignored = ignored_of({"template": "news/_template.rst.jinja2", "ignore": ["Draft*"]})
    assert all(is_ignored(name, ignored) for name in ("README.md", "_template.rst.jinja2", "draft.1.feature.md"))
    assert not is_ignored("1.feature.md", ignored)


def test_only_what_is_directly_in_a_folder_counts() -> None:
    """The top of a project is written as a dot."""
    names = ("news/1.feature", "news/a/2.feature", "3.feature")
    assert list(in_folders(names, ["news"])) == ["news/1.feature"]
    assert list(in_folders(names, ["."])) == ["3.feature"]
