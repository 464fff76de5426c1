"""A fetch reads what is new, stops in time, and the next one goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.past_runs import NOW, Kept, PastForge, hourly, past_run

from unmoor.errors import Unknown
from unmoor.metrics.history.fetching import Remaining
from unmoor.metrics.records import FetchedRecord, ReleasedRecord, RunRecord, UpdateRecord
from unmoor.ports.run_history import PastPull, PastRelease, PastRun
from unmoor.util.values import replace


def ids(kept: Kept) -> set[int]:
    """The runs that are kept."""
    return {each.id for each in kept.of("runs") if isinstance(each, RunRecord)}


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 1000, 1250, 2600])
def test_every_run_is_kept(count: int) -> None:
    """Whatever a query shows of them, each run is kept once, with its job, by one request for it."""
    forge, kept = PastForge(past=hourly(count)), Kept()
    fetched = kept.fetch(forge)
    assert ids(kept) == set(range(1, count + 1))
    assert (fetched.runs, fetched.jobs, fetched.left) == (count, count, None)
    assert sum(each.startswith("jobs") for each in forge.asked) == count
    assert forge.requests - count <= 4 + count // 30


def test_nothing_new_takes_three_requests() -> None:
    """A page of runs, of releases and of pull requests shows that nothing happened, and nothing is written."""
    waiting = [past_run(2000 + each, timedelta(hours=30), status="waiting", conclusion="") for each in range(5)]
    forge, kept = PastForge(past=[*hourly(1200), *waiting]), Kept()
    kept.fetch(forge)
    before = kept.saves
    fetched = kept.fetch(forge, now=NOW + timedelta(days=1))
    assert (fetched.requests, fetched.runs, fetched.unfinished, kept.saves) == (3, 0, 5, before)


def test_new_runs_take_a_request_each() -> None:
    """What is known already is not asked for again, even if the new runs fill more than a page."""
    forge, kept = PastForge(past=hourly(700)), Kept()
    kept.fetch(forge)
    forge.past += [past_run(5000 + each, timedelta(seconds=each)) for each in range(250)]
    fetched = kept.fetch(forge)
    assert fetched.runs == 250
    assert sum(each.startswith("jobs") for each in forge.asked) == 250
    assert len(ids(kept)) == 950


@pytest.mark.parametrize("budget", [1, 3, 4, 60, 150, 333])
def test_a_fetch_stops_in_time_and_the_next_goes_on(budget: int) -> None:
    """It never sends more than it may; what it read is kept, and after some fetches nothing is missing."""
    forge, kept = PastForge(past=hourly(420)), Kept()
    seen = 0
    for _ in range(5 if budget < 5 else 20):
        fetched = kept.fetch(forge, budget=budget)
        assert fetched.requests <= budget
        assert len(ids(kept)) == seen + fetched.runs
        seen += fetched.runs
        if fetched.left is None:
            break
    assert seen == (420 if budget > 4 else 5 if budget == 4 else 0)


def test_what_is_left_is_said() -> None:
    """The first fetch counts exactly how many runs are left, and until when the newest of them was created."""
    forge, kept = PastForge(past=hourly(420)), Kept()
    left = kept.fetch(forge, budget=203, width=1).left
    # Three lists, and one of the gap, whose first run is known already: 100 and 99 runs were read.
    assert left is not None
    assert (left.runs, left.exact, left.reruns) == (420 - len(ids(kept)), True, False)
    assert left.until is not None
    assert left.until == NOW - timedelta(hours=200)


def test_an_inexact_count_is_a_lower_bound() -> None:
    """The forge counts no further than 2,500."""
    left = Kept().fetch(PastForge(past=hourly(4000)), budget=120).left
    assert left is not None
    assert not left.exact
    assert 2300 < left.runs <= 2500


def test_unfinished_runs_are_looked_at_again() -> None:
    """A run that was not completed is kept as soon as it is, even if it is old; a deleted one is forgotten."""
    old = past_run(1, timedelta(days=20), status="waiting", conclusion="")
    gone = past_run(2, timedelta(days=20), status="queued", conclusion="")
    approval = past_run(3, timedelta(days=20), conclusion="action_required")
    forge, kept = PastForge(past=[old, gone, approval, *hourly(150, first=10)]), Kept()
    assert kept.fetch(forge).unfinished == 3
    assert ids(kept) == set(range(10, 160))
    forge.past = [each for each in forge.past if each.id not in {1, 2}]
    forge.past.append(replace(old, status="completed", conclusion="failure"))
    forge.deleted.add(2)
    fetched = kept.fetch(forge)
    assert (fetched.runs, fetched.unfinished) == (1, 1)
    assert 1 in ids(kept)
    assert {"run 1", "run 2", "run 3"} <= set(forge.asked)


def test_many_unfinished_runs_are_listed() -> None:
    """Runs of forks that nobody approves are many, so they are looked at by pages and not one by one."""
    waiting = [past_run(1 + each, timedelta(days=9, minutes=each), conclusion="action_required") for each in range(80)]
    forge, kept = PastForge(past=[*waiting, *hourly(150, first=100)]), Kept()
    assert (kept.fetch(forge).unfinished, kept.saves) == (80, 1)
    fetched = kept.fetch(forge)
    assert (fetched.unfinished, fetched.runs, fetched.requests <= 6, kept.saves) == (80, 0, True, 1)


def test_a_run_that_was_started_again_is_found() -> None:
    """Its date does not change, so that the last 30 days are listed again as soon as anything is new."""
    forge, kept = PastForge(past=hourly(600)), Kept()
    kept.fetch(forge)
    first = next(each for each in forge.past if each.id == 100)
    failed = replace(first, conclusion="failure")
    again = replace(first, attempt=2)
    forge.past = [again if each.id == 100 else each for each in forge.past]
    forge.earlier[100, 1] = failed
    forge.past.append(past_run(7000, timedelta(minutes=1)))
    fetched = kept.fetch(forge)
    assert fetched.runs == 2
    attempts = [each.attempt for each in kept.of("runs") if isinstance(each, RunRecord) and each.id == 100]
    assert sorted(attempts) == [1, 2]
    assert fetched.requests < 15


def test_both_attempts_of_a_new_run_are_kept() -> None:
    """An earlier attempt takes one more request."""
    run = past_run(1, timedelta(hours=3), attempt=3)
    earlier = {(1, number): replace(run, attempt=number, conclusion="failure") for number in (1, 2)}
    forge, kept = PastForge(past=[run], earlier=earlier), Kept()
    assert kept.fetch(forge).runs == 3
    results = [each.conclusion for each in kept.of("runs") if isinstance(each, RunRecord)]
    assert sorted(results) == ["failure", "failure", "success"]
    assert {"run 1 1", "run 1 2"} <= set(forge.asked)


def test_what_was_read_before_a_failure_is_kept() -> None:
    """A failure is raised, after everything complete is kept; the next fetch reads the rest."""
    forge, kept = PastForge(past=hourly(300)), Kept()
    forge.broken[120] = Unknown("the answer is not complete")
    with pytest.raises(Unknown, match="not complete"):
        kept.fetch(forge)
    kept_before = ids(kept)
    assert 120 not in kept_before
    assert set(range(201, 301)) <= kept_before
    jobs = {each.run for each in kept.of("jobs")}  # type: ignore[union-attr]
    assert kept_before <= jobs
    forge.broken.clear()
    assert kept.fetch(forge).left is None
    assert ids(kept) == set(range(1, 301))


def test_a_store_that_fails_is_asked_once() -> None:
    """Nothing more is sent to a store that could not be written, and nothing claims to be kept."""
    forge, kept = PastForge(past=hourly(1200)), Kept()
    calls = []

    def save(records: object) -> None:
        calls.append(records)
        raise Unknown("no store")

    kept.save = save  # type: ignore[method-assign]
    with pytest.raises(Unknown, match="no store"):
        kept.fetch(forge)
    assert len(calls) == 1


def test_a_deleted_run_is_passed_over() -> None:
    """Its jobs are gone, although the list still had it."""
    forge, kept = PastForge(past=hourly(3), deleted={2}), Kept()
    fetched = kept.fetch(forge)
    assert (fetched.runs, fetched.gone, fetched.left) == (2, 1, None)


def test_more_runs_in_a_second_than_a_query_shows() -> None:
    """A second cannot be halved: what a query does not show is counted."""
    forge, kept = PastForge(past=[past_run(each, timedelta(hours=3)) for each in range(1100)]), Kept()
    forge.past.append(past_run(9000, timedelta(hours=1)))
    fetched = kept.fetch(forge)
    assert (fetched.runs, fetched.unreachable) == (1001, 100)


def test_releases_are_kept_together() -> None:
    """All pages are read if the first one has a new release, and only the first one if it has none."""
    forge, kept = PastForge(past=hourly(1)), Kept()
    release = PastRelease(id=0, tag="v0", published=NOW, prerelease=False)
    forge.published = [replace(release, id=number, tag=f"v{number}") for number in range(250)]
    assert kept.fetch(forge).releases == 250
    assert kept.fetch(forge).requests == 3
    forge.published[7] = replace(forge.published[7], prerelease=True)
    assert kept.fetch(forge).releases == 1
    assert sum(isinstance(each, ReleasedRecord) for each in kept.of("releases")) == 250


def test_updates_are_read_until_one_that_did_not_change() -> None:
    """Of all pull requests those of bots are kept, and those that a bot opened and somebody merged since."""
    pull = PastPull(
        number=0,
        title="Bump a",
        author="dependabot[bot]",
        branch="dependabot/uv/a-2",
        labels=(),
        created=NOW - timedelta(days=3),
        updated=NOW,
        closed=None,
        merged=None,
    )
    forge, kept = PastForge(past=hourly(1)), Kept()
    forge.changed = [
        replace(pull, number=n, updated=NOW - timedelta(hours=n), author="a" if n % 2 else pull.author, branch=f"x{n}")
        for n in range(1, 321)
    ]
    assert kept.fetch(forge).updates == 160
    assert kept.fetch(forge).requests == 3
    later = NOW + timedelta(hours=1)
    forge.changed[9] = replace(forge.changed[9], updated=later, closed=later, merged=later)
    fetched = kept.fetch(forge, now=later)
    assert (fetched.updates, forge.asked.count("pulls")) == (1, 1)
    merged = [each for each in kept.of("updates") if isinstance(each, UpdateRecord) and each.merged]
    assert [each.number for each in merged] == [10]


def test_a_fetch_that_could_read_nothing_says_so() -> None:
    """Without a request for the runs, how many are left is unknown."""
    fetched = Kept().fetch(PastForge(past=hourly(5)), budget=2)
    assert fetched.left == Remaining(runs=0, exact=False, until=None, reruns=False)


def test_the_state_names_what_is_covered() -> None:
    """The last record says from when on everything is kept."""
    kept = Kept()
    kept.fetch(PastForge(past=hourly(150)))
    (state,) = kept.of("fetched")
    assert isinstance(state, FetchedRecord)
    ((since, until),) = state.covered
    assert since == NOW - timedelta(days=400)
    assert until == NOW - timedelta(hours=2, seconds=1)


def test_a_page_that_moves_is_read_again() -> None:
    """If a run is deleted meanwhile, the next page lacks one that moved up; so the first one is read again."""

    class Moving(PastForge):
        def jobs(self, run: int) -> object:  # type: ignore[override]
            if run == 230 and any(each.id == 250 for each in self.past):
                self.past = [each for each in self.past if each.id != 250]
            return super().jobs(run)

    forge, kept = Moving(past=hourly(400)), Kept()
    runs: list[PastRun] = list(forge.past)
    kept.fetch(forge, width=1)
    assert ids(kept) >= {each.id for each in runs} - {250}
