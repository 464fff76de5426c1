"""What holds for every job of the optional workflows: who has a credential, and that the commands are there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from tests.support.optional_workflows import PROJECTS, commands_of, jobs_of, may, scripts_of

from unmoor.cli.app import LazyGroup
from unmoor.workflows.bench import bench_workflow
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.metrics import metrics_workflow
from unmoor.workflows.model import Script, Uses, Workflow
from unmoor.workflows.optional_parts import daily, weekly
from unmoor.workflows.upkeep import upkeep_workflow
from unmoor.workflows.watch import watch_workflow

EVERY = pytest.mark.parametrize("write", [bench_workflow, metrics_workflow, upkeep_workflow, watch_workflow])
KINDS = pytest.mark.parametrize("kind", PROJECTS)
PROJECT_CODE = {"compare", "update", "tool"}
"""The jobs that build, import or test the project."""


@EVERY
@KINDS
def test_no_credential_is_where_project_code_runs(write: Callable[[WorkflowFacts], Workflow], kind: str) -> None:
    """Such a job may only read, and no step of it has the token; what it puts out is named by a digest."""
    for job in jobs_of(write, kind).values():
        granted = may(job)
        token = [step for step in job.steps if "github.token" in str(step.env)]
        if job.id in PROJECT_CODE:
            assert granted == {"contents": "read"}
            assert token == []
        else:
            assert "write" in granted.values() or token
            assert not re.search(r"bench compare|deps update|pip install (?!.*require-hashes)", scripts_of(job))
        assert "secrets." not in str(job)


@EVERY
@KINDS
def test_what_is_handed_over_counts_by_its_digest(write: Callable[[WorkflowFacts], Workflow], kind: str) -> None:
    """A job takes over only what one that it needs made, and compares the digest before anything reads it."""
    jobs = jobs_of(write, kind)
    made_by = {
        step.inputs["name"]: job.id
        for job in jobs.values()
        for step in job.steps
        if isinstance(step, Uses) and step.action == "actions/upload-artifact"
    }
    for job in jobs.values():
        for step in job.steps:
            if isinstance(step, Uses) and step.action == "actions/download-artifact":
                maker = made_by[step.inputs["name"]]
                assert maker in job.needs
                assert f"needs.{maker}.outputs." in str(job.steps)
        for step in job.steps:
            found = re.search(r"needs\.([a-z]+)\.outputs\.([a-z0-9-]+)", str(step.env))
            if found:
                assert found[2] in jobs[found[1]].outputs
                assert isinstance(step, Script)
                assert step.script.startswith(("echo", ".ci/install-tool"))


@EVERY
@KINDS
def test_every_command_is_one_of_this_version(
    write: Callable[[WorkflowFacts], Workflow], kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command parses with its options, and a package in a folder is named wherever a command takes one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "handed").mkdir()
    for name in ("report.json", "updates.json"):
        (tmp_path / "handed" / name).touch()
    for job in jobs_of(write, kind).values():
        for words in commands_of(job):
            _parse(LazyGroup("unmoor"), words)
            assert ("--path" in words) == (kind == "a package" and words[:2] != ["bench", "comment"])


def _parse(group: click.Group, words: list[str]) -> None:
    context = click.Context(group, info_name="unmoor")
    command = group.get_command(context, words[0])
    assert command is not None, words
    if isinstance(command, click.Group):
        _parse(command, words[1:])
    else:
        command.make_context(words[0], words[1:], parent=context, resilient_parsing=False)


def test_times_differ_between_projects() -> None:
    """Never the full hour, at which GitHub drops runs."""
    assert len({daily(str(number)) for number in range(20)}) > 10
    for number in range(50):
        assert re.fullmatch(r"[1-9][0-9]? [0-5] \* \* \*", daily(str(number)))
        assert weekly(str(number)) == f"{daily(str(number))[:-1]}1"
