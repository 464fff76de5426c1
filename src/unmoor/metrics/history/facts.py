"""Records of what a forge says: of runs, of their jobs, of releases, and of pull requests that update dependencies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from unmoor.metrics.records import LONGEST, JobRecord, ReleasedRecord, RunRecord, UpdateRecord
from unmoor.ports.run_history import PastJob, PastPull, PastRelease, PastRun
from unmoor.util.text import clean

_UNNAMED: Final = "unnamed"
_BOTS: Final = frozenset({"dependabot[bot]", "dependabot-preview[bot]", "renovate[bot]", "pre-commit-ci[bot]"})
_OURS: Final = "unmoor-deps"
_BRANCHES: Final = ("dependabot/", "renovate/", f"{_OURS}/")
_LABEL: Final = "dependencies"
_DEPENDABOT: Final = "dependabot"
_SECURITY: Final = "security"
_APPROVAL: Final = "action_required"


def is_completed(run: PastRun) -> bool:
    """Whether nothing more happens in this attempt. A run that waits for an approval says that it is completed."""
    return run.status == "completed" and run.conclusion not in {"", _APPROVAL}


def run_record(run: PastRun) -> RunRecord:
    """Make the record of a completed attempt of a run."""
    return RunRecord(
        id=run.id,
        attempt=run.attempt,
        workflow=_name(run.workflow),
        name=_text(run.name),
        event=_name(run.event),
        branch=_text(run.branch),
        commit=run.commit,
        pull_request=run.event.startswith("pull_request"),
        created=run.created,
        started=run.started,
        conclusion=_name(run.conclusion),
        url=_text(run.url),
    )


def job_records(run: PastRun, jobs: Iterable[PastJob]) -> tuple[JobRecord, ...]:
    """Make the records of the completed jobs up to an attempt of a run.

    If only failed jobs are started again, the forge lists copies of the others in the new attempt. They are left out:
    nothing ran.
    """
    found: list[JobRecord] = []
    ran: dict[object, int] = {}
    for job in sorted(jobs, key=lambda each: (each.attempt, each.id)):
        same = (job.name, job.conclusion, job.started, job.completed)
        is_copy = job.started is not None and ran.get(same, job.attempt) < job.attempt
        if not job.conclusion or job.attempt > run.attempt or is_copy:
            continue
        ran.setdefault(same, job.attempt)
        found.append(
            JobRecord(
                id=job.id,
                run=run.id,
                attempt=job.attempt,
                workflow=_name(run.workflow),
                name=_name(job.name),
                commit=job.commit,
                event=_name(run.event),
                created=job.created,
                started=job.started,
                completed=job.completed,
                conclusion=_name(job.conclusion),
            )
        )
    return tuple(found)


def release_record(release: PastRelease) -> ReleasedRecord:
    """Make the record of a release."""
    return ReleasedRecord(id=release.id, tag=_name(release.tag), at=release.published, prerelease=release.prerelease)


def update_record(pull: PastPull) -> UpdateRecord | None:
    """Make the record of a pull request that updates dependencies; ``None`` for any other one."""
    labels = {each.lower() for each in pull.labels}
    if pull.author not in _BOTS and not pull.branch.startswith(_BRANCHES) and _LABEL not in labels:
        return None
    tool, *parts = pull.branch.split("/")
    ecosystem = {_DEPENDABOT: parts[0] if len(parts) > 1 else "", _OURS: "uv"}.get(tool, "")
    is_security = _SECURITY in labels or (tool == _OURS and parts[-1:] == [_SECURITY])
    return UpdateRecord(
        number=pull.number,
        title=_text(pull.title),
        author=_name(pull.author),
        created=pull.created,
        closed=pull.closed,
        merged=pull.merged,
        ecosystem=_text(ecosystem),
        security=is_security or None,  # nobody says of another one that it fixes no vulnerability
    )


def _text(text: str) -> str:
    return clean(text, LONGEST)


def _name(text: str) -> str:
    return clean(text, LONGEST) or _UNNAMED
