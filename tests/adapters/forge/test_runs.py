"""Which workflow runs of a tag are active: from the forge of a local world, and from servers that lie or fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.support.faulty_server import Exchange, Script, run_server
from tests.support.local_forge import LocalForge, place_at, start_forge
from tests.support.sample_values import FakeClock

from unmoor.adapters.forge import GitHubForge
from unmoor.adapters.forge.workflow_runs import GitHubWorkflowRuns
from unmoor.adapters.http.limits import Bounds
from unmoor.adapters.http.session import BoundedSession
from unmoor.errors import Denied, Unknown
from unmoor.ports.workflow_runs import RunApproval

PUBLIC = {"full_name": "acme/demo", "private": False, "archived": False}


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One world for this module."""
    with start_forge(tmp_path_factory.mktemp("runs")) as running:
        yield running


@pytest.fixture
def http() -> Iterator[BoundedSession]:
    """A session that gives up soon."""
    with BoundedSession(Bounds(connect=0.5, stall=0.5, total=1.0)) as session:
        yield session


def run(number: int, **changes: Any) -> dict[str, Any]:
    """A run as GitHub tells it."""
    return {
        "id": number,
        "name": "release",
        "status": "in_progress",
        "head_branch": "v1.0",
        "html_url": f"http://example.org/{number}",
        **changes,
    }


def serving(script: Script) -> Script:
    """A forge with a public repository, whose answers about runs are those of the script."""
    return lambda x: script(x) if "/actions/runs" in x.path else x.json(PUBLIC)


@pytest.mark.parametrize(
    ("runs", "active"),
    [
        ([], []),
        ([{"id": 1, "branch": "v1.0", "status": "completed"}], []),
        ([{"id": 1, "branch": "v1.0"}, {"id": 2, "branch": "main"}, {"id": 3, "branch": "v1.0.1"}], [1]),
        ([{"id": n, "branch": "v1.0", "status": s} for n, s in enumerate(("queued", "waiting", "pending"))], [0, 1, 2]),
        ([{"id": n, "branch": "v1.0", "status": "waiting" if n == 230 else "completed"} for n in range(240)], [230]),
    ],
    ids=["none", "an ended one", "of other refs", "every kind of active", "on the third page"],
)
@pytest.mark.parametrize("token", [None, ""], ids=["with a token", "without"])
def test_the_active_runs_of_a_tag(
    at: LocalForge, runs: list[dict[str, Any]], active: list[int], token: str | None
) -> None:
    """Every run of the tag that has not ended is active, on whichever page of the list it is."""
    (at.world / "forge").mkdir(exist_ok=True)
    (at.world / "forge" / "runs.json").write_text(json.dumps(runs))
    assert [each.id for each in at.forge(token).active_runs("v1.0")] == active


@pytest.mark.parametrize(
    ("script", "error"),
    {
        "500": (lambda x: x.answer(500, "{}", kind="application/json"), Unknown),
        "403": (lambda x: x.answer(403, '{"message": "no"}', kind="application/json"), Denied),
        "404": (lambda x: x.answer(404, '{"message": "no"}', kind="application/json"), Unknown),
        "HTML": (lambda x: x.answer(200, "<html>Sign in</html>", kind="text/html"), Unknown),
        "a time-out": (lambda x: x.hang(), Unknown),
        "a list": (lambda x: x.json([]), Unknown),
        "no runs": (lambda x: x.json({"total_count": 0}), Unknown),
        "no status": (lambda x: x.json({"total_count": 1, "workflow_runs": [run(1, status=None)]}), Unknown),
        "fewer than it says": (lambda x: x.json({"total_count": 7, "workflow_runs": []}), Unknown),
        "no end": (lambda x: x.json({"total_count": 5000, "workflow_runs": [run(1, status="completed")]}), Unknown),
    }.values(),
    ids=["500", "403", "404", "HTML", "a time-out", "a list", "no runs", "no status", "fewer than it says", "no end"],
)
def test_what_cannot_be_told_is_unknown(http: BoundedSession, script: Script, error: type[Exception]) -> None:
    """No fault of the forge means that nothing runs."""
    with run_server(serving(script)) as server, pytest.raises(error):
        GitHubForge(place_at(server.url), http, FakeClock()).active_runs("v1.0")


def test_a_server_that_ignores_the_query_is_filtered_here(http: BoundedSession) -> None:
    """Runs of other branches do not count, a run whose branch is not told does; the name of the tag is escaped."""
    asked: list[str] = []

    def script(exchange: Exchange) -> None:
        asked.append(parse_qs(urlsplit(exchange.path).query)["branch"][0])
        runs = [run(1, head_branch="main"), run(2, head_branch=None, name=None), run(3, name="a\x1b[31mb")]
        exchange.json({"total_count": 3, "workflow_runs": runs})

    with run_server(serving(script)) as server:
        found = GitHubForge(place_at(server.url), http, FakeClock()).active_runs("pkg/v1.0&x")
    assert [(each.id, each.name) for each in found] == [(2, "")]
    assert asked == ["pkg/v1.0&x"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"login": "octocat"}, "octocat"),
        ({"login": ""}, None),
        ({"login": "a\nb"}, None),
        ({}, None),
        ([], None),
    ],
    ids=str,
)
def test_the_user_of_a_token(http: BoundedSession, answer: Any, expected: str | None) -> None:
    """A name that is no name is unknown."""
    with run_server(lambda x: x.json(answer)) as server:
        forge = GitHubForge(place_at(server.url, token="ghp_x"), http, FakeClock())
        if expected is None:
            with pytest.raises(Unknown):
                forge.login()
        else:
            assert forge.login() == expected


def test_the_user_of_a_local_token(at: LocalForge) -> None:
    """The token of a user has a name; that of a workflow has none."""
    assert at.forge().login() == "rehearsal"
    tokens = json.loads((at.world / "credentials.json").read_text())
    with pytest.raises(Denied):
        at.forge(tokens["installation"]).login()


def reviews(url: str, session: BoundedSession) -> tuple[RunApproval, ...]:
    """Read who approved jobs of run 7 at a forge."""
    return GitHubWorkflowRuns(place_at(url), session, FakeClock()).approvals(7)


def test_who_approved_a_run_is_read(at: LocalForge, http: BoundedSession) -> None:
    """Each review with its environment; a run without any has none, and one that is not there is denied."""
    listed = [["pypi", "approved", "grace", "go"], ["pypi", "rejected", "eve", ""]]
    (at.world / "forge").mkdir(exist_ok=True)
    (at.world / "forge" / "runs.json").write_text(
        json.dumps([{"id": 7, "branch": "v1.0", "approvals": listed}, {"id": 8, "branch": "v1.0"}]), "utf-8"
    )
    client = GitHubWorkflowRuns(at.place, http, FakeClock())
    assert [(*each.environments, each.state, each.who, each.comment) for each in client.approvals(7)] == [
        ("pypi", "approved", "grace", "go"),
        ("pypi", "rejected", "eve", ""),
    ]
    assert client.approvals(8) == ()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, {"message": "Resource not accessible by integration"}, Denied),
        (404, {"message": "Not Found"}, Denied),
        (200, {"no": "list"}, Unknown),
        (200, [{"state": 5}], Unknown),
    ],
    ids=["forbidden", "hidden", "object", "wrong-type"],
)
def test_what_a_forge_does_not_tell_of_approvals_is_an_error(
    status: int, body: Any, error: type[Exception], http: BoundedSession
) -> None:
    """It is never taken for a run that nobody approved."""
    script: Script = lambda x: x.answer(status, json.dumps(body), kind="application/json")  # noqa: E731
    with run_server(script) as server, pytest.raises(error):
        reviews(server.url, http)
