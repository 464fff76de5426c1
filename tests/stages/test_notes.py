"""The stage ``notes``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.shells import shell_for_tests

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.core.stage import Output, Reach, StageContext
from unmoor.errors import Refused
from unmoor.ports.shell import Shell
from unmoor.products import Notes, Release
from unmoor.stages.notes import WriteNotes


@pytest.fixture
def shell() -> Iterator[Shell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


def released(repo: Repo) -> Release:
    """Version 1.2.0 at the checked-out commit."""
    return Release(
        repository="owner/demo",
        project="demo",
        tag="v1.2.0",
        version="1.2.0",
        commit=repo.git("rev-parse", "HEAD"),
        date=1_767_225_599,
        prerelease=False,
        highest=True,
        previous=None,
    )


def stage(repo: Repo, shell: Shell, **settings: str) -> WriteNotes:
    """The stage on a real checkout."""
    git = GitCheckout(repo.path, shell)
    return WriteNotes(name="notes", release=Output("tag"), git=git, shell=shell, **settings)  # type: ignore[arg-type]  # names of str fields


def test_notes_are_of_the_commit(tmp_path: Path, shell: Shell) -> None:
    """The files at the release's commit count, not those of the work tree, which does not change."""
    repo = Repo.new(tmp_path / "demo", {"CHANGELOG.md": "## 1.2.0\n\n- Right.\n"})
    release = released(repo)
    repo.commit({"CHANGELOG.md": "## 1.2.0\n\n- Later.\n"})
    repo.write({"CHANGELOG.md": "## 1.2.0\n\n- Dirty.\n"})
    before = repo.state()
    messages: list[str] = []
    notes = stage(repo, shell).make(StageContext({"tag": release}, say=messages.append))
    wanted = "the section 1.2.0 of CHANGELOG.md"
    assert notes == Notes(body="- Right.", full="- Right.", source=wanted)
    assert messages == [f"took the release notes from {wanted}"]
    assert repo.state() == before


def test_settings_reach_the_notes(tmp_path: Path, shell: Shell) -> None:
    """The stage passes on the configured file, the policy for empty notes, and warnings."""
    repo = Repo.new(tmp_path / "demo", {"CHANGELOG.md": "## 1.2.0\n\n- A.\n", "log.md": "## 1.2.0\n"})
    context = StageContext({"tag": released(repo)}, warn=(warned := list[str]()).append)
    with pytest.raises(Refused, match=r"log\.md has no content"):
        stage(repo, shell, changelog="log.md").make(context)
    assert stage(repo, shell, changelog="log.md", empty="allow").make(context).body == "No notable changes."
    assert len(warned) == 1


def test_the_plan_names_the_file_and_the_stage_only_reads(tmp_path: Path, shell: Shell) -> None:
    """The plan names the configured file, and the stage only reads."""
    repo = Repo.new(tmp_path / "demo")
    assert stage(repo, shell).reach is Reach.READS
    assert "the changelog, else from towncrier's fragments" in stage(repo, shell).plan()
    assert "log.md" in stage(repo, shell, changelog="log.md").plan()
