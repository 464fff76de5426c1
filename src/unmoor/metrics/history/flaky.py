"""Jobs that passed and failed for the same code, which is what makes them flaky.

The same code is in the attempts of one run, and in the runs of pushes of one commit. It is not in the runs of a pull
request: they test a merge with a branch that moves, although they name one commit. A cancelled or skipped job says
nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import msgspec

from unmoor.metrics.records import JobRecord

PASSED: Final = frozenset({"success"})
"""Conclusions of what passed."""
FAILED: Final = frozenset({"failure", "timed_out", "startup_failure"})
"""Conclusions of what failed. All others are neither: cancelled, skipped, neutral, stale, action_required."""
_PUSH: Final = "push"


def code_of(*, event: str, commit: str, run: int) -> tuple[str, str | int]:
    """What a job tested: the same value means the same code."""
    return ("commit", commit) if event == _PUSH else ("run", run)


class FlakyJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job of a workflow with both results for the same code.

    ``times`` counts the commits or runs of which that is true, ``run`` is the newest run of them in which it failed.
    """

    workflow: str
    name: str
    times: int
    run: int


def find_flaky(jobs: Iterable[JobRecord]) -> tuple[FlakyJob, ...]:
    """Return the flaky jobs, those first that have both results most often."""
    results: dict[tuple[str, str], dict[tuple[str, str | int], list[JobRecord]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for job in jobs:
        if job.conclusion in PASSED or job.conclusion in FAILED:
            results[job.workflow, job.name][code_of(event=job.event, commit=job.commit, run=job.run)].append(job)
    found = []
    for (workflow, name), codes in results.items():
        failed = [
            max(each.run for each in group if each.conclusion in FAILED)
            for group in codes.values()
            if len({each.conclusion in PASSED for each in group}) > 1
        ]
        if failed:
            found.append(FlakyJob(workflow=workflow, name=name, times=len(failed), run=max(failed)))
    return tuple(sorted(found, key=lambda each: (-each.times, each.workflow, each.name)))
