"""Every advice about release notes leads to notes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.advice_walks import Place, Walk, walk
from tests.support.sample_values import sample_release
from tests.support.shells import shell_for_tests

from unmoor.adapters.process.shell import LocalShell
from unmoor.notes import NotesSettings, notes_for
from unmoor.util.values import replace

TOWNCRIER = '[tool.towncrier]\ndirectory = "c"\nfilename = "CHANGELOG.md"\n'
OLD = "# Changelog\n\n## 0.9\n\n- Old.\n"
SECTION = "# Changelog\n\n## 1.0\n\n- New.\n"
FRAGMENT = {"towncrier.toml": TOWNCRIER, "c/1.feature.md": "New."}


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


def _notes(place: Place) -> object:
    commit = place.repo.git("rev-parse", "HEAD")
    release = replace(sample_release("acme/demo", "demo"), commit=commit)
    settings = NotesSettings(**place.kept.get("settings", {}))
    return notes_for(place.repo.path, release, place.git, place.shell, settings)


def row(
    before: dict[str, str], after: dict[str, str] | None = None, *, gone: str = "", **settings: str
) -> Callable[[], Walk]:
    """A commit with the files before, and the next one with those after; ``gone`` is removed."""

    def follow(place: Place, _: str) -> None:
        if gone:
            place.repo.git("rm", "--quiet", "-r", gone)
        place.repo.commit(after or {})

    return lambda: Walk(
        begin=lambda place: (place.new_repo(before), place.kept.update(settings=dict(settings))),
        act=_notes,
        follow=follow,
    )


def setting(before: dict[str, str], change: Callable[[str], dict[str, str]], **settings: str) -> Callable[[], Walk]:
    """A commit with these files, and settings that the advice changes."""
    return lambda: Walk(
        begin=lambda place: (place.new_repo(before), place.kept.update(settings=dict(settings))),
        act=_notes,
        follow=lambda place, text: place.kept.update(settings=change(text)),
    )


EMPTY = {"CHANGELOG.md": "# Changelog\n\n## 1.0\n\n## 0.9\n\n- Old.\n"}
ROWS: dict[str, Callable[[], Walk]] = {
    "describe-changes": row(EMPTY, {"CHANGELOG.md": SECTION}),
    "describe-changes by the setting": setting(EMPTY, lambda text: {"empty": text.split('empty-notes = "')[1][:5]}),
    "use-one-of": setting({"CHANGELOG.md": SECTION}, lambda text: {"empty": text.split("'")[1]}, empty="sometimes"),
    "build-changelog": row(FRAGMENT | {"CHANGELOG.md": SECTION}, {"CHANGELOG.md": SECTION}, gone="c/1.feature.md"),
    "name-fragments": row(
        {"towncrier.toml": TOWNCRIER, "c/2.featur.md": "Lost."}, {"c/2.feature.md": "Found."}, gone="c/2.featur.md"
    ),
    "check-towncrier": row(
        FRAGMENT | {"towncrier.toml": TOWNCRIER + 'template = "c/t.md"\n', "c/t.md": "{% broken"},
        {"towncrier.toml": TOWNCRIER},
        gone="c/t.md",
    ),
    "correct-and-tag": row({"towncrier.toml": "[tool\n", "c/1.feature.md": "New."}, FRAGMENT),
    "set-template": row(
        FRAGMENT | {"towncrier.toml": TOWNCRIER + 'template = "other:t.md"\n'}, {"towncrier.toml": TOWNCRIER}
    ),
    "name-changelog": setting({"CHANGELOG.md": SECTION}, lambda _: {}, changelog="NONE.md"),
    "save-as-utf8": row({"CHANGELOG.md": SECTION + "\x00"}, {"CHANGELOG.md": SECTION}),
    "move-old-versions": row({"CHANGELOG.md": SECTION + "x" * 10_000_001}, {"CHANGELOG.md": SECTION}),
    "keep-one-section": row(
        {"CHANGELOG.md": "# Changelog\n\n## 1.0\n\n- A.\n\n## 1.0\n\n- B.\n"}, {"CHANGELOG.md": SECTION}
    ),
    "use-each-field-once": row(
        FRAGMENT
        | {"towncrier.toml": TOWNCRIER.replace("CHANGELOG.md", "{version}-{version}-{name}-{project_date}.md")},
        {"towncrier.toml": TOWNCRIER},
    ),
}
WALKS = {name: make() for name, make in ROWS.items()}


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path, shell: LocalShell) -> None:
    """The commit or the setting that the advice asks for gives notes, or ends in another error."""
    walk(name, WALKS, Place(folder=tmp_path, shell=shell))
