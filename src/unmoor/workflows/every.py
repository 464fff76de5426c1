"""Every file that unmoor writes for a project, and which of their jobs are its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from unmoor.workflows.bench import BENCH_FILE, bench_workflow
from unmoor.workflows.ci import ci_workflow
from unmoor.workflows.dependabot import dependabot_text
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.metrics import METRICS_FILE, metrics_workflow
from unmoor.workflows.model import Workflow
from unmoor.workflows.reading import WorkflowFile, is_ours, read_file
from unmoor.workflows.release import RELEASE, release_workflow
from unmoor.workflows.security import security_workflow
from unmoor.workflows.tests_workflow import build_workflow, tests_workflow
from unmoor.workflows.upkeep import UPKEEP_FILE, upkeep_workflow
from unmoor.workflows.watch import WATCH_FILE, watch_workflow
from unmoor.workflows.yaml_text import text_of

FOLDER = ".github/workflows"
DEPENDABOT = ".github/dependabot.yml"
# Jobs that a release has or had by its settings, such as one for each platform.
_RELEASE_JOBS = re.compile(r"build|test|merge|hold|prove|publish|verify|(?:wheels|image)-[A-Za-z0-9_-]+")

_WRITERS: tuple[Callable[[WorkflowFacts], Workflow], ...] = (
    release_workflow,
    ci_workflow,
    tests_workflow,
    build_workflow,
    security_workflow,
)

_OPTIONAL: Mapping[str, Callable[[WorkflowFacts], Workflow]] = {
    f"{FOLDER}/{BENCH_FILE}": bench_workflow,
    f"{FOLDER}/{METRICS_FILE}": metrics_workflow,
    f"{FOLDER}/{UPKEEP_FILE}": upkeep_workflow,
    f"{FOLDER}/{WATCH_FILE}": watch_workflow,
}
OPTIONAL: tuple[str, ...] = tuple(_OPTIONAL)
"""The paths of the workflows that a project has only if somebody names them."""


@dataclass(frozen=True, kw_only=True)
class ExpectedFile:
    """A file as unmoor writes it. ``workflow`` is its model, ``None`` for the settings of Dependabot."""

    path: str
    text: str
    workflow: Workflow | None = None

    @cached_property
    def file(self) -> WorkflowFile:
        """What the text says. Reading it takes as long as writing it, so only what differs is read."""
        return read_file(self.path, self.text.encode())

    def is_own(self, job: str) -> bool:
        """Whether unmoor writes or wrote the job of that name, so that nobody else's is touched."""
        if any(each.id == job for each in self.file.jobs):
            return True
        releases = self.workflow is not None and f"{self.workflow.name} ".startswith(f"{RELEASE} ")
        return releases and _RELEASE_JOBS.fullmatch(job) is not None


def every_workflow(facts: WorkflowFacts) -> Iterator[Workflow]:
    """Yield every workflow for a project, the release first."""
    for write in _WRITERS:
        if write is not tests_workflow or facts.test is not None:
            yield write(facts)


def expected_files(facts: WorkflowFacts) -> Iterator[ExpectedFile]:
    """Yield every file for a project, ``release.yml`` first."""
    for workflow in every_workflow(facts):
        yield ExpectedFile(path=f"{FOLDER}/{workflow.file}", text=text_of(workflow), workflow=workflow)
    yield ExpectedFile(path=DEPENDABOT, text=dependabot_text(facts))


def optional_file(facts: WorkflowFacts, path: str) -> ExpectedFile:
    """One of the `OPTIONAL` files for a project. Raises `ConfigError` if the settings have nothing for it to do."""
    workflow = _OPTIONAL[path](facts)
    return ExpectedFile(path=path, text=text_of(workflow), workflow=workflow)


def ours_of(facts: WorkflowFacts, read: Callable[[str], bytes | None]) -> tuple[ExpectedFile, ...]:
    """The files that unmoor wrote, of those that it writes for a project, ``release.yml`` first.

    ``read`` returns a file by its path from the top of the repository. Raises as `optional_file` does.
    """
    ours = [each for each in expected_files(facts) if is_ours(read(each.path) or b"")]
    ours += [optional_file(facts, path) for path in OPTIONAL if is_ours(read(path) or b"")]
    return tuple(ours)
