"""Values for many tests: a release, and a clock that does not wait."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from unmoor.ports.signer import Identity
from unmoor.products import Release


def sample_release(repository: str = "o/n", project: str = "small-one") -> Release:
    """Return the final release 1.0, which is the highest."""
    return Release(
        repository=repository,
        project=project,
        tag="v1.0",
        version="1.0",
        commit="a" * 40,
        date=0,
        prerelease=False,
        highest=True,
    )


def sample_run(repository: str = "o/n", tag: str = "v1.0") -> Identity:
    """Return the workflow run that releases the tag: ``release.yml``, started by its push."""
    ref = f"refs/tags/{tag}"
    workflow = f"https://github.com/{repository}/.github/workflows/release.yml@{ref}"
    return Identity(
        repository=repository,
        repository_id="2",
        owner_id="1",
        workflow=workflow,
        caller=workflow,
        commit="a" * 40,
        ref=ref,
        run=f"https://github.com/{repository}/actions/runs/7/attempts/1",
        event="push",
        visibility="public",
        runner="github-hosted",
        issuer="https://token.actions.githubusercontent.com",
    )


@dataclass
class FakeClock:
    """A clock that only moves when `sleep` is called, which returns immediately."""

    time: float = 0.0
    slept: list[float] = field(default_factory=list)
    patience: float = math.inf

    def now(self) -> float:
        """Return the time in seconds."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Move the clock forward without waiting."""
        self.slept.append(seconds)
        self.time += seconds
