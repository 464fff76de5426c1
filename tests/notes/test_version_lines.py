"""Sections that begin with a line which is no heading, and files named after versions."""

from __future__ import annotations

import pytest

from unmoor.notes import changelog, files

NAMES = ("demo", "de-mo")
VERSION = "1.2.0"

NLTK = """
Version 1.2.0 2026-08-05

* A

Thanks to the contributors to 1.2.0:
Someone

Version 1.1 2026-01-02

* B
"""
BOLD = """\
History
=======

Since 1.1.0, this is **semantic**.

**UNRELEASED**

- C

**1.2.0**

- A

**1.1.1 (2026-01-02)** (redacted)

- B
"""
TERMS = """\
1.2.0 Current release
  * A
    more of 1.1.0
1.1.0
  * B
"""
MIXED = """
2.0.0.dev0 (TBD)

* C

1.2.0 (2026-08-06)

* A

1.1 (2025-01-02)
----------------

* B

1.2.0 is quoted here

0.9 (2024-01-02)
----------------
"""
DIRECTIVES = """\
=============
1.2 Changelog
=============

.. changelog::
    :version: 1.2.1
    :include_notes_from: unreleased_12

.. changelog::
    :version: 1.2.0
    :released: August 3, 2026

    .. change::
        :tags: bug
        :tickets: 4035

        A

.. changelog::
    :version: 1.1.9

    .. change::
        :tags: bug

        B
"""
NEWS = "New in 1.2.0\n\nA\n\n\nNew in 1.1\n\nB\n"

FOUND = {
    "a word and a date": ("ChangeLog", NLTK),
    "bold": ("docs/versionhistory.rst", BOLD),
    "bold in Markdown": ("HISTORY.md", BOLD),
    "terms": ("CHANGELOG.rst", TERMS),
    "the last one, with headings": ("NEWS.md", "# News\n\n**1.2.0**\n\n### Features\n\n- A\n\n## Credits\n\n- B\n"),
    "without blank lines": ("CHANGES", "1.2.0\n- A\nmore of it\n1.1\n- B\n"),
    "above the first heading": ("CHANGES", MIXED),
    "directives": ("changelog_12.rst", DIRECTIVES),
    "words before": ("release-notes", NEWS),
    "words before, in Markdown": ("NEWS.md", f"# News\n\n{NEWS}"),
    "the project's name": ("CHANGES", "demo 1.2.0 (2026)\n\n- A\n\ndemo 1.1\n\n- B\n"),
    "a title of the release": ("CHANGES", "1.2.0 - the big one\n\n- A\n\n1.1 - the small one\n\n- B\n"),
}


@pytest.mark.parametrize(("name", "text"), FOUND.values(), ids=FOUND)
def test_a_line_begins_a_section(name: str, text: str) -> None:
    """A line that consists of a version begins its section, and the next such line ends it."""
    file = changelog.ReadFile.of(name, text, NAMES, calendar=False)
    span = file.span(VERSION, NAMES)
    assert span is not None
    lines = [line.strip(" *-") for line in file.lines[span.start : span.end]]
    assert "A" in lines
    assert not {"B", "C"} & set(lines)


ABSENT = {
    "a line of a paragraph": "# News\n\nAs of version\n1.2.0\nall is new.\n",
    "the end of a paragraph": "It is\nversion 1.2.0\n\n- B\n",
    "a sentence": "1.2.0 is the one to wait for.\n\n- B\n",
    "in a list": "- 1.2.0\n- 1.1\n",
    "code": "    1.2.0\n\n    - B\n",
    "between headings": "1.3\n===\n\n1.2.0 (2026-01-01)\n\nB\n\n1.1\n===\n",
    "another program": "Python 1.2.0\n\n- B\n",
}


@pytest.mark.parametrize("suffix", [".md", ".rst"])
@pytest.mark.parametrize("text", ABSENT.values(), ids=ABSENT)
def test_a_line_in_passing_begins_no_section(text: str, suffix: str) -> None:
    """Prose, lists, code, and whatever is between headings that name versions begin no section."""
    assert changelog.ReadFile.of(f"news{suffix}", text, NAMES, calendar=False).span(VERSION, NAMES) is None


LISTED = (
    "docs/changelog.md",
    "HISTORY.md",
    "NEWS.rst",
    "CHANGES",
    "docs/source/release-notes/1.2.0.rst",
    "docs/source/release-notes/1.2.rst",
    "docs/source/release-notes/1.2.1.rst",
    "doc/whatsnew/v1.2.0.rst",
    "doc/changelog/1.2.0-changelog.rst",
    "doc/source/release/1.2.0-notes.rst",
    "docs/releases/whatsnew_1_2_0.txt",
    "docs/versionhistory.rst",
    "docs/history/demo.md",
    "docs/history/demolition.md",
    "doc/build/changelog/changelog_12.rst",
    "web/news.rst",
    "src/demo/whats_new.md",
    "packages/other/pyproject.toml",
    "packages/other/docs/releases/1.2.0.rst",
    "packages/other/CHANGELOG.md",
    "tests/changelog/1.2.0.rst",
    ".github/release-notes/1.2.0.md",
    "vendor/x/docs/history.md",
    "news/1234.bugfix.rst",
    "news/1.rst",
    "docs/releasing.md",
    "docs/contributing/release_process.md",
    "docs/api/history.py",
    "../docs/history/de-mo.md",
    "../CHANGELOG.md",
    "../docs/releases/1.2.0.md",
)


def test_files_are_chosen_by_their_names() -> None:
    """Usual names come first, then the version's own files, then others in the documentation; the rest is listed."""
    found = files.find_files(LISTED, version=VERSION, names=NAMES)
    assert found.usual == ("CHANGES", "NEWS.rst", "HISTORY.md", "docs/changelog.md")
    assert found.own == (
        "doc/source/release/1.2.0-notes.rst",
        "doc/whatsnew/v1.2.0.rst",
        "docs/releases/whatsnew_1_2_0.txt",
        "docs/source/release-notes/1.2.0.rst",
        "doc/changelog/1.2.0-changelog.rst",
        "docs/source/release-notes/1.2.rst",
    )
    assert found.others == (
        "../docs/history/de-mo.md",
        "docs/history/demo.md",
        "docs/versionhistory.rst",
        "web/news.rst",
        "doc/build/changelog/changelog_12.rst",
    )
    assert found.ignored == ("src/demo/whats_new.md",)


RELATIVE = {
    "": ("a/b/x", "a/y", "z"),
    "a": ("b/x", "y", "../z"),
    "a/b": ("x", "../y", "../../z"),
}


@pytest.mark.parametrize(("path", "wanted"), RELATIVE.items())
def test_files_are_named_from_the_projects_folder(path: str, wanted: tuple[str, ...]) -> None:
    """The files of a repository are named relative to the project's folder."""
    assert set(files.relative_files(("a/b/x", "a/y", "z"), path)) == set(wanted)
