"""Deleting what can go, by a forge that refuses, loses its patience, or changed in between."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

import pytest

from unmoor import advice
from unmoor.errors import Denied, Rejected, Unknown, UnmoorError
from unmoor.maintenance.deleting import NOT_TRIED, delete
from unmoor.maintenance.leftovers import LeftoverVerdict, WhyKept
from unmoor.ports.leftovers import Cache, Leftovers, RunArtifact

NOW = datetime(2026, 6, 1, tzinfo=UTC)
STEP = advice.ALLOW_CLEANING()


@dataclass(frozen=True)
class FakeLeftovers:
    """A forge that fails for some ids, and has runs that have not ended."""

    errors: dict[int, UnmoorError] = field(default_factory=dict)
    running: frozenset[int] = frozenset()
    gone: frozenset[int] = frozenset()
    asked: list[int] = field(default_factory=list)

    def is_finished(self, run: int) -> bool | None:
        """Answer, and note that somebody asked. Nobody knows run 7."""
        self.asked.append(run)
        return None if run == 7 else run not in self.running

    def delete_artifact(self, artifact: RunArtifact) -> bool:
        """Delete it, or fail."""
        if artifact.id in self.errors:
            raise self.errors[artifact.id]
        return artifact.id not in self.gone

    def delete_cache(self, cache: Cache) -> bool:
        """Delete it."""
        return cache.id not in self.gone


def verdicts(*runs: int) -> list[LeftoverVerdict]:
    """Artifacts that go, one of each of these runs, numbered from 1."""
    return [
        LeftoverVerdict(leftover=RunArtifact(id=number, name="a", size=1, created=NOW, run=run, ref="main"), why=None)
        for number, run in enumerate(runs, 1)
    ]


@pytest.mark.parametrize(
    ("error", "gone", "second"),
    [
        pytest.param(Rejected("no", next_step=STEP, retryable=False), {1, 3}, f"{WhyKept.FAILED}: no", id="refused"),
        pytest.param(Denied("no", next_step=STEP), {1}, f"{WhyKept.FAILED}: no", id="denied"),
        pytest.param(Unknown("no", next_step=STEP), {1}, f"{WhyKept.FAILED}: no", id="unknown"),
    ],
)
def test_after_an_error_the_rest_stays(error: UnmoorError, gone: set[int], second: str) -> None:
    """One that is refused is spared alone; any other error ends the work, and what was not tried is named."""
    done = delete(cast("Leftovers", FakeLeftovers(errors={2: error})), verdicts(5, 5, 5), say=lambda _text: None)
    assert done.gone == gone
    assert dict(done.spared) == {2: second} | ({} if 3 in gone else {3: NOT_TRIED})
    assert done.error is (None if 3 in gone else error)


def test_a_run_that_began_once_more_keeps_its_artifacts() -> None:
    """Each run is looked up once, right before its first artifact."""
    forge = FakeLeftovers(running=frozenset({6}), gone=frozenset({3}))
    said: list[str] = []
    cache = Cache(id=9, key="k", version="v", ref="refs/heads/main", size=1, used=NOW)
    kept = LeftoverVerdict(leftover=cache, why=WhyKept.NEWEST)
    done = delete(
        cast("Leftovers", forge),
        [*verdicts(5, 6, 5, 7), kept, LeftoverVerdict(leftover=cache, why=None)],
        say=said.append,
    )
    assert done.gone == {1, 3, 9}
    assert dict(done.spared) == {2: "its run has not ended", 4: "the run that made it is unknown"}
    assert forge.asked == [5, 6, 7]
    assert said == ["deleted 1", "3 was gone already", "deleted 9"]
