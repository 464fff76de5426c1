"""Which files unmoor writes for a project."""

from __future__ import annotations

import pytest

from unmoor.config.settings import Settings
from unmoor.workflows.commands import Commands
from unmoor.workflows.every import expected_files
from unmoor.workflows.facts import WorkflowFacts


def test_every_file_is_written_that_a_project_needs() -> None:
    """The release first; tests.yml only if there are tests; the settings of Dependabot have no model."""
    names = ["release.yml", "ci.yml", "tests.yml", "build.yml", "security.yml", "dependabot.yml"]
    tested = Commands(why="a test", run=("python -m pytest",))
    for test in (tested, None):
        files = list(expected_files(WorkflowFacts(settings=Settings(), project="small", test=test)))
        found = [each.path.rpartition("/")[2] for each in files]
        assert found == [name for name in names if test or name != "tests.yml"]
        assert [each.workflow is None for each in files] == [name == "dependabot.yml" for name in found]


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        (Settings(), ""),
        (Settings(), "packages/small"),
        (Settings(release_workflow=".github/workflows/publish.yml"), ""),
    ],
)
def test_jobs_of_a_release_are_its_own_whatever_its_file(settings: Settings, path: str) -> None:
    """A platform that is gone from the settings leaves a job behind, which is not somebody else's; others are."""
    release, ci, *_ = expected_files(WorkflowFacts(settings=settings, project="small", path=path))
    for job in ("image-linux-arm64", "wheels-windows", "merge", "prove"):
        assert release.is_own(job)
        assert not ci.is_own(job)
    assert not release.is_own("deploy")
