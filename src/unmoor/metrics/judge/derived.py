"""What follows from the jobs: which are flaky, and how long jobs and whole workflows take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from unmoor.metrics.judge.figures import JobFigure
from unmoor.metrics.judge.wording import job_name


class Flakiness(msgspec.Struct, frozen=True, kw_only=True):
    """A job: on how many commits it ended, and on how many of them with both results."""

    workflow: str
    name: str
    groups: int
    flaky: int

    @property
    def subject(self) -> str:
        """The job in messages."""
        return job_name(self.workflow, self.name)

    @property
    def share(self) -> float:
        """The share of the commits with both results."""
        return self.flaky / self.groups if self.groups else 0.0


def flakinesses(jobs: Iterable[JobFigure]) -> tuple[Flakiness, ...]:
    """Count the codes that each job tested, and those of them for which it passed and failed."""
    results: dict[tuple[str, str], dict[tuple[str, str | int], set[bool]]] = defaultdict(lambda: defaultdict(set))
    for job in jobs:
        if job.succeeded is not None:
            results[job.workflow, job.name][job.code].add(job.succeeded)
    return tuple(
        Flakiness(
            workflow=workflow,
            name=name,
            groups=len(groups),
            flaky=sum(len(seen) > 1 for seen in groups.values()),
        )
        for (workflow, name), groups in sorted(results.items())
    )


def durations(jobs: Iterable[JobFigure]) -> dict[tuple[str, str], list[float]]:
    """The seconds of every successful job, by workflow and name, and of every workflow under an empty name.

    A workflow takes as long as at least one of its jobs runs; waiting for a machine is not counted. It counts only if
    all jobs of its first attempt are known and none failed: a second attempt runs only some of them.
    """
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    attempts: dict[tuple[str, int], list[JobFigure]] = defaultdict(list)
    for job in jobs:
        if job.succeeded and job.seconds is not None:
            times[job.workflow, job.name].append(job.seconds)
        if job.attempt == 1:
            attempts[job.workflow, job.run].append(job)
    for (workflow, _), together in attempts.items():
        if (seconds := _time_together(together)) is not None:
            times[workflow, ""].append(seconds)
    return dict(sorted(times.items()))


def _time_together(jobs: Sequence[JobFigure]) -> float | None:
    """The seconds in which at least one of the jobs ran; ``None`` if one failed or its time is unknown."""
    spans = []
    for job in jobs:
        if job.conclusion in {"skipped", "neutral"}:
            continue
        if not job.succeeded or job.begin is None or job.seconds is None:
            return None
        begin = job.begin.timestamp()
        spans.append((begin, begin + job.seconds))
    total, until = 0.0, float("-inf")
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, until))
        until = max(until, end)
    return total if spans else None
