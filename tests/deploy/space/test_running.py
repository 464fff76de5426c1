"""RUNNING counts if the hub names our commit, or built something after it."""

from __future__ import annotations

import pytest

from unmoor.deploy.space.running import Progress, RunningWatch
from unmoor.ports.space_hub import SpaceRuntime

OURS, OTHER = "a" * 40, "b" * 40

ROWS: dict[str, tuple[list[tuple[str, str]], Progress]] = {
    "named": ([("RUNNING", OURS)], Progress.RUNS),
    "unnamed": ([("RUNNING", "")], Progress.WAITING),
    "stale": ([("RUNNING", OTHER)], Progress.WAITING),
    "built": ([("BUILDING", ""), ("APP_STARTING", ""), ("RUNNING", "")], Progress.RUNS),
    "built-beside": ([("RUNNING_BUILDING", OTHER), ("RUNNING", OTHER)], Progress.WAITING),
    "start-is-no-build": ([("APP_STARTING", ""), ("RUNNING", "")], Progress.WAITING),
    "build-error": ([("BUILDING", ""), ("BUILD_ERROR", "")], Progress.BUILD_FAILED),
    "former-error": ([("BUILD_ERROR", OTHER)], Progress.WAITING),
    "no-app": ([("NO_APP_FILE", OURS)], Progress.BUILD_FAILED),
    "crash": ([("RUNTIME_ERROR", OURS)], Progress.APP_FAILED),
    "paused": ([("PAUSED", OTHER)], Progress.OFF),
    "slept": ([("SLEEPING", OURS)], Progress.RUNS),
    "asleep": ([("SLEEPING", OTHER)], Progress.WAITING),
    "news": ([("QUANTUM", OURS)], Progress.WAITING),
}


@pytest.mark.parametrize("name", ROWS)
def test_progress_by_what_was_seen(name: str) -> None:
    """Each answer is judged with those before it."""
    answers, expected = ROWS[name]
    watch, progress = RunningWatch(commit=OURS), None
    for stage, commit in answers:
        watch, progress = watch.seen(SpaceRuntime(stage=stage, commit=commit))
    assert progress is expected
