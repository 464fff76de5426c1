"""The workflows that unmoor wrote, compared with what it would write."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.test_workflows_write import PROJECT, RELEASE, repo, write  # noqa: F401 - a fixture
from tests.support.checked import FilesInMemory, result_of
from tests.support.git_repos import Repo

from unmoor._version import __version__
from unmoor.checks.model import CheckState
from unmoor.checks.workflows import CHECK

LIST = ".github/unmoor/requirements.txt"


@pytest.fixture
def written(repo: Repo) -> dict[str, str | bytes]:  # noqa: F811 - the fixture
    """The files of a project with all workflows."""
    assert write() == 0
    paths = [path for path in repo.path.rglob("*") if path.is_file() and ".git" not in path.parts]
    return {path.relative_to(repo.path).as_posix(): path.read_bytes() for path in paths}


def edited(files: dict[str, str | bytes], path: str, old: str, new: str) -> dict[str, str | bytes]:
    """The files with a text in one of them replaced."""
    content = files[path]
    text = content.decode() if isinstance(content, bytes) else content
    assert old in text
    return {**files, path: text.replace(old, new)}


def test_as_written(written: dict[str, str | bytes]) -> None:
    """Nothing is wrong with what was just written."""
    assert result_of(CHECK, written, default_branch=lambda: "main").state is CheckState.PASSED


def test_an_edited_workflow_fails(written: dict[str, str | bytes]) -> None:
    """Each difference has its line, and the command that undoes it."""
    files = edited(written, RELEASE, "contents: read #", "contents: write #")
    result = result_of(CHECK, files)
    assert result.state is CheckState.FAILED
    assert {(each.where, str(each.next_step)[:24]) for each in result.problems} == {
        (RELEASE, "unmoor workflows write; ")
    }
    assert all(each.line for each in result.problems)


def test_what_another_version_wrote_is_a_warning(written: dict[str, str | bytes]) -> None:
    """A newer unmoor on a developer's machine keeps nobody from a commit."""
    files = edited(written, RELEASE, "contents: read #", "contents: write #")
    result = result_of(CHECK, edited(files, LIST, f"unmoor=={__version__}", "unmoor==0.0.1"))
    assert result.state is CheckState.WARNED
    assert result.problems[0].what.endswith(f"(this is unmoor {__version__}, and 0.0.1 runs there)")


@pytest.mark.parametrize(
    ("new", "state"),
    [
        ([RELEASE], CheckState.PASSED),
        (["pyproject.toml"], CheckState.PASSED),
        (["src/demo/__init__.py"], CheckState.SKIPPED),
    ],
    ids=["workflow", "project", "module"],
)
def test_before_a_commit_only_what_matters_is_compared(
    written: dict[str, str | bytes], new: list[str], state: CheckState
) -> None:
    """A commit of a module is not kept waiting."""
    assert result_of(CHECK, FilesInMemory(written, new=new), staged=True).state is state


@pytest.mark.parametrize(
    "files", [{}, {RELEASE: "on: push\n"}, {RELEASE: "# not by unmoor\non: push\n"}], ids=["none", "other", "named"]
)
def test_workflows_of_others_are_not_judged(files: dict[str, str]) -> None:
    """Only what unmoor wrote is its own."""
    assert result_of(CHECK, {"pyproject.toml": PROJECT, **files}).state is CheckState.SKIPPED
    assert Path(RELEASE).name == "release.yml"
