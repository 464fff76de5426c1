"""Where the notes come from, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.support.git_repos import Repo

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.errors import ConfigError, Refused
from unmoor.notes import NotesSettings, notes_for
from unmoor.notes.limit import CLOSING_LINE, LIMIT
from unmoor.ports.shell import Shell
from unmoor.products import Notes, Release
from unmoor.util.values import replace

TOWNCRIER = '[tool.towncrier]\ndirectory = "c"\nfilename = "CHANGELOG.md"\n'
SECTION = "# Changelog\n\n## 1.2.0\n\n- From the section.\n\n## 1.1.0\n\n- Old.\n"
OLD = "# Changelog\n\n## 1.1.0\n\n- Old.\n"

WriteNotes = Callable[..., tuple[Notes, list[str]]]


@pytest.fixture
def write_notes(tmp_path: Path, release: Release, shell: Shell) -> WriteNotes:
    """Write the notes for a repository whose second commit, the release, adds the given files."""

    def write(
        files: Mapping[str, str], settings: NotesSettings | None = None, *, path: str = ""
    ) -> tuple[Notes, list[str]]:
        repo = Repo.new(tmp_path / "demo")
        repo.git("tag", "v1.1.0")
        commit = repo.commit(dict(files), "Do *it* all")
        warnings: list[str] = []
        git = GitCheckout(repo.path, shell, path=path)
        notes = notes_for(repo.path / path, replace(release, commit=commit), git, shell, settings, warn=warnings.append)
        return notes, warnings

    return write


DECISIONS: dict[str, tuple[Mapping[str, str], str, str, list[str]]] = {
    "the section first": (
        {"CHANGELOG.md": SECTION},
        "- From the section.",
        "the section 1.2.0 of CHANGELOG.md",
        [],
    ),
    "the section of a project with towncrier, after its build": (
        {"CHANGELOG.md": SECTION, "towncrier.toml": TOWNCRIER, "c/README.md": "How to."},
        "- From the section.",
        "the section 1.2.0 of CHANGELOG.md",
        [],
    ),
    "then the fragments": (
        {"CHANGELOG.md": OLD, "towncrier.toml": TOWNCRIER, "c/1.feature.md": "New.", "c/2.featur.md": "Lost."},
        "## Features\n\n- New. (#1)",
        "1 towncrier fragment",
        ["towncrier ignores c/2.featur.md: not of a type defined in towncrier.toml"],
    ),
    "then the commits": (
        {"CHANGELOG.md": OLD},
        "- Do \\*it\\* all",
        "the commits since v1.1.0",
        ["there is no section for 1.2.0 in CHANGELOG.md: the notes are the commits since v1.1.0"],
    ),
    "what waits to be released is named and never used": (
        {"CHANGELOG.md": OLD.replace("## 1.1.0", "## Latest Changes\n\n- New.\n\n## 1.1.0")},
        "- Do \\*it\\* all",
        "the commits since v1.1.0",
        [
            "there is no section for 1.2.0 in CHANGELOG.md: the notes are the commits since v1.1.0",
            "line 3 of CHANGELOG.md ('Latest Changes') holds unreleased changes: write 1.2.0 there if they are its own",
        ],
    ),
    "what waits for another version": (
        {"NEWS.rst": "1.3 (unreleased)\n================\n\n- New.\n\n1.1.0\n=====\n\n- Old.\n"},
        "- Do \\*it\\* all",
        "the commits since v1.1.0",
        [
            "there is no section for 1.2.0 in NEWS.rst: the notes are the commits since v1.1.0",
            "line 1 of NEWS.rst ('1.3 (unreleased)') holds unreleased changes: write 1.2.0 there if they are its own",
        ],
    ),
    "an empty section of unreleased changes": (
        {"CHANGELOG.md": OLD.replace("## 1.1.0", "## Unreleased\n\n### Added\n\n## 1.1.0")},
        "- Do \\*it\\* all",
        "the commits since v1.1.0",
        ["there is no section for 1.2.0 in CHANGELOG.md: the notes are the commits since v1.1.0"],
    ),
    "a heading that mentions the version": (
        {"docs/history.md": "## Maintenance release 1.2.0\n\n- New.\n\n## 1.1.0\n\n- Old.\n"},
        "- Do \\*it\\* all",
        "the commits since v1.1.0",
        [
            "there is no section for 1.2.0 in docs/history.md: the notes are the commits since v1.1.0",
            "line 1 of docs/history.md ('Maintenance release 1.2.0') mentions 1.2.0, but begins no section of it",
        ],
    ),
    "a file that is not searched": (
        {"src/demo/CHANGES.md": SECTION},
        "- Do \\*it\\* all",
        "the commits since v1.1.0",
        ["the search leaves out src/demo/CHANGES.md: to use one, name it in the setting 'changelog'"],
    ),
    "a file for the version": (
        {"docs/releases/1.2.0.rst": "Demo 1.2.0\n==========\n\nNew\n---\n\n- *A*.\n", "docs/releases/1.1.0.rst": "Old"},
        "## New\n\n- *A*.",
        "the section 1.2.0 of docs/releases/1.2.0.rst",
        [],
    ),
    "a file for the version without its number": (
        {"docs/releases/v1.2.0.md": "# What is new\n\n- A.\n", "docs/releases/1.1.0.md": "Old"},
        "- A.",
        "the section 1.2.0 of docs/releases/v1.2.0.md",
        [],
    ),
    "not a file for the version that names another": (
        {"docs/releases/v1.2.0.md": "# 1.1.0\n\n- A.\n"},
        "- Do \\*it\\* all",
        "the commits since v1.1.0",
        ["there is no section for 1.2.0 in docs/releases/v1.2.0.md: the notes are the commits since v1.1.0"],
    ),
    "the version in full before a series without text": (
        {"docs/changes.md": "## 1.2\n\n## 1.1\n", "docs/history/demo.md": "## 1.2.0\n\n- A.\n"},
        "- A.",
        "the section 1.2.0 of docs/history/demo.md",
        [],
    ),
    "a mark that the version waits": (
        {"CHANGES.md": "## Version 1.2.0\n\nUnreleased\n\n- A.\n\n## 1.1.0\n"},
        "- A.",
        "the section 1.2.0 of CHANGES.md",
        ["the section 1.2.0 of CHANGES.md still says 'Unreleased': the notes leave that out"],
    ),
    "text after the last section": (
        {"CHANGES.md": "## 1.2.0\n\n- A.\n\n## Credits\n\nAll.\n"},
        "- A.",
        "the section 1.2.0 of CHANGES.md",
        [
            "the notes end before line 5 of CHANGES.md ('Credits'): no version follows, and the rest is left out",
        ],
    ),
    "files without a configuration are not fragments": (
        {"newsfragments/1.feature.md": "New."},
        "- Do \\*it\\* all",
        "the commits since v1.1.0",
        [],
    ),
    "a misspelt fragment beside the section": (
        {"CHANGELOG.md": SECTION, "towncrier.toml": TOWNCRIER, "c/2.featur.md": "Lost."},
        "- From the section.",
        "the section 1.2.0 of CHANGELOG.md",
        ["these files look like fragments, but are not of a configured type: c/2.featur.md"],
    ),
}


@pytest.mark.parametrize(("files", "body", "source", "warned"), DECISIONS.values(), ids=DECISIONS)
def test_first_source_wins(
    write_notes: WriteNotes, *, files: Mapping[str, str], body: str, source: str, warned: list[str]
) -> None:
    """The first of section, fragments and commits that exists is used, with a warning about what was skipped."""
    assert write_notes(files) == (Notes(body=body, full=body, source=source), warned)


REFUSED: dict[str, tuple[Mapping[str, str], str, str]] = {
    "a section beside fragments": (
        {"CHANGELOG.md": SECTION, "towncrier.toml": TOWNCRIER, "c/1.feature.md": "New."},
        r"there is a section for 1\.2\.0, but fragments are left over: c/1\.feature\.md",
        "towncrier build",
    ),
    "nothing but misspelt fragments": (
        {"towncrier.toml": TOWNCRIER, "c/2.featur.md": "Lost."},
        r"not of a configured type: c/2\.featur\.md",
        "name them after a type",
    ),
    "an empty section": (
        {"CHANGELOG.md": "## 1.2.0\n\n### Added\n\n<!-- nothing -->\n\n[x]: https://example.org\n\n## 1.1.0\n\nOld.\n"},
        r"the release notes are empty: the section 1\.2\.0 of CHANGELOG\.md has no content",
        'empty-notes = "allow"',
    ),
}


@pytest.mark.parametrize(("files", "words", "step"), REFUSED.values(), ids=REFUSED)
def test_half_prepared_release_is_refused(
    write_notes: WriteNotes, files: Mapping[str, str], words: str, step: str
) -> None:
    """Notes that would be incomplete or empty stop the release, with a next step."""
    with pytest.raises(Refused, match=words) as refused:
        write_notes(files)
    assert step in refused.value.next_step


def test_empty_notes_can_be_allowed(write_notes: WriteNotes) -> None:
    """If the policy allows empty notes, the page says so, and a warning does."""
    notes, warned = write_notes({"CHANGELOG.md": "## 1.2.0\n\n## 1.1.0\n"}, NotesSettings(empty="allow"))
    assert notes.body == notes.full == "No notable changes."
    assert len(warned) == 1


def test_unknown_policy_is_refused(write_notes: WriteNotes) -> None:
    """A misspelt policy is a mistake in the settings."""
    with pytest.raises(ConfigError, match="'alow' is not a policy"):
        write_notes({}, NotesSettings(empty="alow"))


def test_long_notes_are_cut_and_kept(write_notes: WriteNotes) -> None:
    """The body fits the page, and the full text is kept for the asset."""
    section = "- A line of the notes that is long enough.\n" * 4_000
    notes, _ = write_notes({"CHANGELOG.md": f"## 1.2.0\n\n{section}"})
    assert notes.full == section.strip()
    assert len(notes.body) <= LIMIT
    assert notes.body.endswith(CLOSING_LINE)


_BESIDE = '[tool.towncrier]\ndirectory = "../changes/one"\nfilename = "../docs/one.md"\n'


@pytest.mark.parametrize(
    ("files", "text", "source"),
    [
        pytest.param(
            {"one/CHANGELOG.md": SECTION, "CHANGELOG.md": "## 1.2.0\n\n- Another's.\n"},
            "- From the section.",
            "the section 1.2.0 of CHANGELOG.md",
            id="its own changelog",
        ),
        pytest.param(
            {"one/towncrier.toml": TOWNCRIER, "one/c/1.feature.md": "New.", "c/2.feature.md": "Another's."},
            "## Features\n\n- New. (#1)",
            "1 towncrier fragment",
            id="its own fragments",
        ),
        pytest.param(
            {"one/towncrier.toml": _BESIDE, "changes/one/1.feature.md": "New."},
            "## Features\n\n- New. (#1)",
            "1 towncrier fragment",
            id="fragments beside the folder",
        ),
        pytest.param(
            {"one/towncrier.toml": _BESIDE, "docs/one.md": SECTION},
            "- From the section.",
            "the section 1.2.0 of ../docs/one.md",
            id="a changelog beside the folder",
        ),
        pytest.param(
            {
                "one/towncrier.toml": '[tool.towncrier]\nfilename = "../docs/{version}.md"\nsingle_file = false\n',
                "docs/1.2.0.md": "- A file for each.\n",
            },
            "- A file for each.",
            "the section 1.2.0 of ../docs/1.2.0.md",
            id="a file for each version, beside the folder",
        ),
        pytest.param(
            {
                "one/x": "",
                "docs/history/demo.md": "## 1.2.0\n\nOur own.\n",
                "docs/history/two.md": "## 1.2.0\n\nTheirs.\n",
            },
            "Our own.",
            "the section 1.2.0 of ../docs/history/demo.md",
            id="a file named after it, beside the folder",
        ),
        pytest.param(
            {"one/x": "", "two/CHANGELOG.md": SECTION},
            "- Do \\*it\\* all",
            "the commits since v1.1.0",
            id="its commits",
        ),
    ],
)
def test_notes_of_a_project_in_a_folder(
    write_notes: WriteNotes, files: Mapping[str, str], text: str, source: str
) -> None:
    """Everything is searched from the folder, and towncrier's settings may point elsewhere in the repository."""
    notes, _ = write_notes(files, path="one")
    assert (notes.body, notes.source) == (text, source)


def test_notes_from_outside_of_the_repository_are_refused(write_notes: WriteNotes) -> None:
    """A path that leads out of the repository from a project's folder is refused."""
    configured = '[tool.towncrier]\ndirectory = "../../outside"\n'
    with pytest.raises(Refused, match="it leads out of the repository"):
        write_notes({"one/towncrier.toml": configured}, path="one")
