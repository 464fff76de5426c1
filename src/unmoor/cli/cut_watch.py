"""``unmoor cut --watch``: follow the workflow run of a tag, and start one if none starts.

A tag that a workflow pushes with its own token starts nothing, by a rule of GitHub's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from unmoor import advice
from unmoor.cli.output import err
from unmoor.errors import CheckFailed, Refused, TimedOut
from unmoor.filesystem.commands import join
from unmoor.ports.workflow_runs import WorkflowRunState
from unmoor.util.text import clean

if TYPE_CHECKING:
    from unmoor.ports.clock import Clock
    from unmoor.ports.workflow_runs import WorkflowRuns

PATIENCE: Final = 45.0
"""Seconds in which a run begins after its tag was pushed."""
_EVERY: Final = 5.0


def watch(
    runs: WorkflowRuns,
    clock: Clock,
    tag: str,
    *,
    workflow: Callable[[], str],
    deadline: float,
    patience: float = PATIENCE,
) -> None:
    """Follow every run of a tag until all have ended.

    ``workflow`` returns the path of the workflow to start if none starts, empty if there is none; ``deadline`` is in
    seconds. Raises `CheckFailed` if a run does not succeed, `TimedOut`, and `Refused` if there is nothing to start.
    """
    begin = clock.now()
    shown: dict[int, str] = {}
    dispatched = False
    while True:
        found = runs.of_tag(tag)
        for run in found:
            state = run.conclusion or run.status
            if shown.get(run.id) != state:
                shown[run.id] = state
                err(f"{run.name}: {state}: {run.url}")
        if found and all(run.ended for run in found):
            _require_success(found)
            return
        if not found and not dispatched and clock.now() - begin >= patience:
            _dispatch(runs, tag, workflow())
            dispatched, begin = True, clock.now()
        elif not found and dispatched and clock.now() - begin >= patience:
            raise Refused(
                f"no workflow run of {tag} starts, even after it was dispatched", next_step=advice.SEE_ACTIONS()
            )
        if clock.now() - begin >= deadline:
            raise TimedOut(f"the workflow runs of {tag} have not ended", next_step=advice.SEE_ACTIONS())
        clock.sleep(_EVERY)


def _dispatch(runs: WorkflowRuns, tag: str, path: str) -> None:
    if not path:
        raise Refused(
            f"no workflow run of {tag} starts, and this repository has no release workflow to dispatch",
            next_step=advice.SEE_ACTIONS(),
        )
    name = PurePosixPath(path).name
    err(f"no workflow run of {tag} started, so it is dispatched: {join(['gh', 'workflow', 'run', name, '--ref', tag])}")
    runs.dispatch(name, tag)


def _require_success(found: tuple[WorkflowRunState, ...]) -> None:
    # The newest run of each workflow counts: an earlier one may have been run again.
    newest: dict[str, WorkflowRunState] = {}
    for run in sorted(found, key=lambda each: each.id):
        newest[run.name] = run
    failed = [run for run in newest.values() if run.conclusion not in {"success", "skipped", "neutral"}]
    if failed:
        raise CheckFailed(
            f"the workflow run {clean(failed[0].name)} ended with {failed[0].conclusion}",
            where=failed[0].url,
            next_step=advice.SEE_ACTIONS(),
        )
