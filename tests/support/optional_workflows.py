"""The optional workflows of a few projects, and what the jobs in them may do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from unmoor.config.bench import BenchSettings
from unmoor.config.settings import Settings
from unmoor.config.workflows import WorkflowSettings
from unmoor.util.values import replace
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.model import Script, Workflow, WorkflowJob

_PLAIN = WorkflowFacts(settings=Settings(bench=BenchSettings()), project="small", uses_uv=True)
PROJECTS = {
    "plain": _PLAIN,
    "private": replace(_PLAIN, settings=replace(_PLAIN.settings, workflows=WorkflowSettings(private=True))),
    "a package": replace(_PLAIN, path="packages/small", pythons=("3.11", "3.12")),
    "unmoor itself": replace(_PLAIN, settings=replace(_PLAIN.settings, workflows=WorkflowSettings(tool="checkout"))),
}


def jobs_of(write: Callable[[WorkflowFacts], Workflow], kind: str = "plain") -> dict[str, WorkflowJob]:
    """The jobs of a workflow of one of these projects, by id."""
    return {job.id: job for job in write(PROJECTS[kind]).jobs if isinstance(job, WorkflowJob)}


def scripts_of(job: WorkflowJob) -> str:
    """The lines of all scripts of a job."""
    return "\n".join(step.script for step in job.steps if isinstance(step, Script))


def may(job: WorkflowJob) -> dict[str, str]:
    """The permissions of a job."""
    return {each.scope: each.access for each in job.permissions}


def commands_of(job: WorkflowJob) -> Iterator[list[str]]:
    """The commands of unmoor in the scripts of a job, as lists of words without ``unmoor``."""
    import shlex

    for line in scripts_of(job).splitlines():
        if line.startswith("unmoor "):
            yield shlex.split(line)[1:]
