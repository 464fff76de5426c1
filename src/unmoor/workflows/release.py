"""The model of release.yml: what a pushed tag starts. Begin with `release_build`, then `release_publish`."""

from __future__ import annotations

from typing import Final

from packaging.utils import canonicalize_name

from unmoor import advice
from unmoor.errors import ConfigError
from unmoor.util.values import replace
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.model import Concurrency, Scalar, Script, Value, Workflow, WorkflowJob
from unmoor.workflows.release_build import build_jobs
from unmoor.workflows.release_deploy import early_jobs
from unmoor.workflows.release_publish import publish_jobs
from unmoor.workflows.steps import MARK, keep_report

RELEASE: Final = "release"
"""The name of the workflow, which the name of a package follows."""

_FOLDER: Final = ".github/workflows/"
_OTHERS: Final = frozenset(
    {"ci.yml", "tests.yml", "build.yml", "security.yml", "bench.yml", "metrics.yml", "upkeep.yml"}
)
"""The other files that are written, whose jobs run for branches and pull requests too."""
_ENV: Final[dict[str, Scalar]] = {
    "TAG": "${{ github.ref_name }}",
    "UNMOOR_EMERGENCY": "${{ inputs.emergency && (inputs.reason || '-') || '' }}",
    "UNMOOR_WAIVE": "${{ inputs.emergency && inputs.waive || '' }}",
    "UNMOOR_CONFIRM": "${{ inputs.emergency && github.ref_name || '' }}",
}
_INPUTS: Final[dict[str, Value]] = {
    "emergency": {
        "description": "Release although gates of quality fail: give a reason, and name the gates",
        "type": "boolean",
        "default": False,
    },
    "reason": {"description": "Why, which becomes part of the release", "type": "string", "default": ""},
    "waive": {"description": "The gates, such as: tests staging", "type": "string", "default": ""},
    "debug": {
        "description": "Report each machine: system, memory, disk, packages",
        "type": "boolean",
        "default": False,
    },
}


def release_workflow(facts: WorkflowFacts) -> Workflow:
    """The workflow that releases a project.

    Raises `ConfigError` for images of a platform that no runner has, and for the name of a file of other jobs.
    """
    built = (*build_jobs(facts), *early_jobs(facts))
    folder: dict[str, Scalar] = {"UNMOOR_PATH": facts.path} if facts.path else {}
    return Workflow(
        file=release_file(facts),
        name=f"{RELEASE} {facts.project}" if facts.path else RELEASE,
        run_name="Release ${{ github.ref_name }}",
        comment=f"{MARK}\n{_comment(facts)}",
        on={"push": {"tags": list(facts.tags)}, "workflow_dispatch": {"inputs": _INPUTS}},
        concurrency=Concurrency(group="release-${{ github.ref_name }}", queue=True),
        env={**_ENV, **folder},
        jobs=tuple(map(_reported, (*built, *publish_jobs(facts, after=built)))),
    )


def _reported(job: WorkflowJob) -> WorkflowJob:
    """The same job, which keeps the report of its release if it runs one."""
    releases = any(isinstance(step, Script) and step.script.startswith("unmoor release ") for step in job.steps)
    return replace(job, steps=(*job.steps, keep_report(job.id))) if releases else job


def release_file(facts: WorkflowFacts) -> str:
    """The name of the file, which the indexes know as the publisher.

    The setting ``release-workflow`` names it. Otherwise it is ``release.yml``, or for a package in a folder of its
    repository ``release-NAME.yml``, since each package has publishers of its own. Raises `ConfigError` if it is named
    as the file of other jobs.
    """
    named = facts.settings.release_workflow
    if named.startswith(_FOLDER):
        file = named.removeprefix(_FOLDER)
        if is_taken(named):
            raise ConfigError(
                f"{named} is the file of other jobs, which would take the identity of the release",
                where="[tool.unmoor]: release-workflow",
                next_step=advice.NAME_RELEASE_FILE(),
            )
        return file
    return f"release-{canonicalize_name(facts.project)}.yml" if facts.path else "release.yml"


def is_taken(path: str) -> bool:
    """Whether a path in the repository is that of the file of other jobs, so that no release workflow can have it."""
    return path.removeprefix(_FOLDER) in _OTHERS


def _comment(facts: WorkflowFacts) -> str:
    who = f"{facts.project}, in {facts.path}," if facts.path else "the project"
    return f"""\
Releases {who} when a tag of a version is pushed. Settings: [tool.unmoor]. Change jobs there, not here;
"unmoor workflows check" tells what differs, and lets newer pins pass.

Each command first checks what is already done, so a failed job can be repeated alone. To repeat a whole run, or to
release in an emergency, start the workflow on the tag: gh workflow run {release_file(facts)} --ref TAG

The jobs that run code of the project have no credential that can write. They hand on files, images and proofs, which
count only by the sha256 that the job that made them put out. The jobs with write permissions run only unmoor, and
--no-project-code stops them before they build, import or test anything. A digest in ${{NAME:+...}} is that of a proof
which is missing if its stage is advisory or waived, and fails: then the command decides.

Each job leaves a page about what it did, report.html in the artifact report-JOB, also if it failed. No job reads it.

Each tag has its own concurrency group, since a run that waits for an approval holds its group for up to 30 days.
Without "queue: max", a third run of a tag would cancel the second one, which waits."""
