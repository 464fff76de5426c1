"""The past of a repository, as the local world's forge and a scripted one answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.support.asgi_thread import serve_in_thread
from tests.support.local_forge import LocalForge, place_at, start_forge
from tests.support.sample_values import FakeClock

from unmoor.adapters.forge.run_history import GitHubRunHistory
from unmoor.adapters.http.session import BoundedSession
from unmoor.errors import Denied, Interrupted, Unknown, UnmoorError
from unmoor.ports.run_history import OutOfRequests
from unmoor.util.secret import Secret
from unmoor.util.values import replace

COMMIT = "c" * 40
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


def stored(number: int, **changes: object) -> dict[str, object]:
    """A run of the world's file, one a minute."""
    created = f"{BEGIN + timedelta(minutes=number):%Y-%m-%dT%H:%M:%SZ}"
    run = {"id": number, "branch": "main", "status": "completed", "name": "ci", "commit": COMMIT, "created": created}
    return {**run, **changes}


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """A world with 1,203 runs, one of them with three attempts and 60 jobs."""
    with start_forge(tmp_path_factory.mktemp("history")) as running:
        runs = [stored(number) for number in range(1203)]
        jobs = [f"test ({number})" for number in range(60)]
        runs[7] = stored(7, attempt=3, earlier=["failure", "timed_out"], jobs=jobs, event="pull_request")
        pulls = [
            {"number": n, "head": f"b{n}", "sha": COMMIT, "base": "main", "title": "t", "author": "renovate[bot]"}
            for n in range(3)
        ]
        (running.world / "forge").mkdir(exist_ok=True)
        (running.world / "forge" / "runs.json").write_text(json.dumps(runs))
        (running.world / "forge" / "pulls.json").write_text(json.dumps(pulls))
        yield running


def history(at: LocalForge, *, budget: int = 1000, token: str | None = None, **place: str) -> GitHubRunHistory:
    """A new adapter."""
    login = at.place.login if token is None else replace(at.place.login, secret=Secret(token))
    return GitHubRunHistory(replace(at.place, login=login, **place), at.http, at.clock, budget=budget)


def test_runs_are_listed_by_page_and_time(at: LocalForge) -> None:
    """A query shows a thousand runs, newest first, and one with times only those of that time."""
    past = history(at)
    first, last, beyond = past.runs(1), past.runs(10), past.runs(11)
    assert (first.total, first.runs[0].id, last.runs[-1].id, beyond.runs) == (1203, 1202, 203, ())
    run = first.runs[0]
    assert (run.workflow, run.commit, run.conclusion) == (".github/workflows/ci.yml", COMMIT, "success")
    some = past.runs(1, since=BEGIN + timedelta(minutes=5), until=BEGIN + timedelta(minutes=9))
    assert (some.total, [each.id for each in some.runs]) == (5, [9, 8, 7, 6, 5])
    assert past.requests == 4


def test_jobs_of_all_attempts_are_read_in_pages(at: LocalForge) -> None:
    """Three attempts of 60 jobs are two pages; a deleted run has none."""
    past = history(at)
    jobs = past.jobs(7)
    assert jobs is not None
    assert len(jobs) == 180
    assert past.requests == 2
    assert {(each.attempt, each.conclusion) for each in jobs if each.name == "test (59)"} == {
        (1, "failure"),
        (2, "timed_out"),
        (3, "success"),
    }
    assert past.jobs(5000) is None


def test_one_run_and_its_attempts(at: LocalForge) -> None:
    """An earlier attempt has its own conclusion; what was deleted is not there."""
    past = history(at)
    found = [past.run(7), past.run(7, attempt=1), past.run(7, attempt=9), past.run(5000)]
    assert [each and (each.attempt, each.conclusion) for each in found] == [(3, "success"), (1, "failure"), None, None]


def test_releases_and_pull_requests(at: LocalForge) -> None:
    """There are no releases, and three pull requests on one page."""
    past = history(at)
    assert past.releases(1) == ((), False)
    pulls, more = past.pulls(1)
    assert ([each.author for each in pulls], more) == (["renovate[bot]"] * 3, False)


def test_it_sends_no_more_than_it_may(at: LocalForge) -> None:
    """The request that would be one too many is not sent."""
    past = history(at, budget=2)
    past.runs(1)
    past.jobs(1)
    with pytest.raises(OutOfRequests):
        past.jobs(2)
    assert past.requests == 2


def test_it_ends_if_it_is_stopped(at: LocalForge) -> None:
    """Each request is preceded by a look whether somebody asked for an end."""

    def check() -> None:
        if past.requests:
            raise Interrupted("the run was stopped")

    past = GitHubRunHistory(at.place, at.http, at.clock, budget=9, check=check)
    past.runs(1)
    with pytest.raises(Interrupted):
        past.jobs(1)
    assert past.requests == 1


def test_it_leaves_requests_to_others(at: LocalForge) -> None:
    """What the forge says is left lowers the budget, and some of that stays for other jobs with the same token."""
    file = at.world / "forge" / "rate-limit"
    file.write_text("54")
    past = history(at)
    try:
        for number in range(4):
            past.run(number)
        with pytest.raises(OutOfRequests):
            past.run(9)
        assert file.read_text() == "50"
        file.write_text("0")
        with pytest.raises(Unknown, match="rate limit exceeded") as raised:
            history(at).runs(1)
        assert raised.value.wait > 3000
    finally:
        file.unlink()


@pytest.mark.parametrize(
    ("token", "repository", "kind", "advice"),
    [
        ("wrong", "acme/demo", Denied, "renew-forge-token"),
        (None, "acme/other", Denied, "check-repository-name"),
    ],
    ids=["token", "repository"],
)
def test_what_is_refused(
    at: LocalForge, token: str | None, repository: str, kind: type[UnmoorError], advice: str
) -> None:
    """A wrong token and a repository that is not there are told apart."""
    with pytest.raises(kind) as raised:
        history(at, token=token, repository=repository).runs(1)
    assert raised.value.advice_ids == (advice,)


Answer = Callable[[], Response]
RUN = {
    "id": 1,
    "event": "push",
    "status": "completed",
    "head_sha": COMMIT,
    "created_at": "2026-11-01T00:00:00Z",
}


def page(**changes: Any) -> Answer:
    """A page with one run."""
    body = {"total_count": 1, "workflow_runs": [{**RUN, **changes.pop("run", {})}], **changes}
    return lambda: JSONResponse(body)


CUT = b'{"total_count": 1, "workflow_runs": [{"id": 1, "ev'


@pytest.mark.parametrize(
    ("answer", "kind", "words", "advice"),
    [
        (lambda: Response("<html>Log in</html>", 200), Unknown, "not that of the forge's API", "check-forge-address"),
        (lambda: Response(CUT, 200, media_type="application/json"), Unknown, "not that of", "check-forge-address"),
        (page(total_count=3), Unknown, "not a complete page: 2 items", "check-forge-address"),
        (page(run={"head_sha": "main"}), Unknown, "head_sha is no commit id", "check-forge-address"),
        (page(run={"id": -1}), Unknown, "not a list of workflow runs", "check-forge-address"),
        (page(run={"created_at": "yesterday"}), Unknown, "not a list of workflow runs", "check-forge-address"),
        (
            lambda: JSONResponse({"message": "Resource not accessible by integration"}, 403),
            Denied,
            "forbids it: Resource",
            "allow-reading-actions",
        ),
        (
            lambda: JSONResponse({"message": "You have exceeded a secondary rate limit"}, 403, {"retry-after": "600"}),
            Unknown,
            "secondary rate limit",
            "wait",
        ),
        (lambda: JSONResponse({"message": "slow"}, 429, {"retry-after": "600"}), Unknown, "rate limit", "wait"),
        (lambda: JSONResponse({"message": "x"}, 502), Unknown, "answered 502", "check-status-page"),
        (lambda: Response(status_code=301, headers={"location": "/other"}), Unknown, "moved or renamed", "check-rep"),
    ],
    ids=["html", "cut", "short", "commit", "id", "time", "403", "secondary", "429", "502", "moved"],
)
def test_an_answer_that_is_none(answer: Answer, kind: type[UnmoorError], words: str, advice: str) -> None:
    """Whatever is wrong is one error that says what to do; a page that has less than it counts is no page."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer()(scope, receive, send)

    def make(_address: str) -> ASGIApp:
        return app

    with serve_in_thread(make) as address, BoundedSession() as http:
        place = place_at(address, token="t" * 20)
        with pytest.raises(kind, match=words) as raised:
            GitHubRunHistory(place, http, FakeClock(), budget=50).runs(1)
    assert any(each.startswith(advice) for each in raised.value.advice_ids)


def test_a_short_wait_is_waited_for() -> None:
    """A forge that is busy for a moment is asked again after it; each try counts."""
    answers = iter([JSONResponse({"message": "slow"}, 429, {"retry-after": "7"}), page()()])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await next(answers)(scope, receive, send)

    clock = FakeClock()
    with serve_in_thread(lambda _address: app) as address, BoundedSession() as http:
        past = GitHubRunHistory(place_at(address), http, clock, budget=50)
        assert past.runs(1).total == 1
    assert (clock.slept, past.requests) == ([7.0], 2)
