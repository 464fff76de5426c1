"""Lists of artifacts, caches and runs that end early, are too long, or are no lists."""

from __future__ import annotations

from typing import Any, cast

import pytest
from tests.support.local_forge import place_at
from tests.support.sample_values import FakeClock

from unmoor.adapters.forge.leftovers import GitHubLeftovers
from unmoor.adapters.http.session import BoundedSession
from unmoor.errors import Unknown
from unmoor.util.announce import announcing_to

ARTIFACT = {"id": 1, "name": "a", "size_in_bytes": 1, "expired": False, "created_at": "2026-01-01T00:00:00Z"}


def adapter(monkeypatch: pytest.MonkeyPatch, *pages: Any) -> GitHubLeftovers:
    """The adapter on a forge that answers with these pages, one after the other."""
    made = GitHubLeftovers(place_at("http://127.0.0.1:1"), cast("BoundedSession", None), FakeClock())
    left = list(pages)
    monkeypatch.setattr(made._api, "read", lambda _path: left.pop(0))
    return made


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        pytest.param(
            [{"total_count": 3, "artifacts": [ARTIFACT]}, {"total_count": 3, "artifacts": []}],
            "after 1",
            id="truncated",
        ),
        pytest.param([{"artifacts": []}], "a count", id="uncounted"),
        pytest.param([[]], "not a list of artifacts", id="no-object"),
        pytest.param([{"total_count": 1, "artifacts": [{"id": 1}]}], "not an artifact", id="no-artifact"),
        pytest.param(
            [{"total_count": 1, "artifacts": [ARTIFACT | {"created_at": "2026-01-01T00:00:00"}]}], "zone", id="no-zone"
        ),
    ],
)
def test_a_list_that_cannot_be_trusted(monkeypatch: pytest.MonkeyPatch, pages: list[Any], said: str) -> None:
    """What is left is unknown then, so that nothing is deleted."""
    with pytest.raises(Unknown, match=said):
        adapter(monkeypatch, *pages).artifacts()


def test_a_list_that_shifts_has_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new artifact moves the others to the next page."""
    other = ARTIFACT | {"id": 2, "workflow_run": {"id": 7, "head_branch": None}}
    pages = [{"total_count": 3, "artifacts": [ARTIFACT, other]}, {"total_count": 3, "artifacts": [other]}]
    found = adapter(monkeypatch, *pages).artifacts()
    assert [(each.id, each.run, each.ref) for each in found] == [(1, None, None), (2, 7, None)]


def test_of_a_very_long_list_the_oldest_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """They can go first: somebody with too many has to be able to delete some, and learns that there are more."""
    asked: list[str] = []

    def answer(path: str) -> Any:
        asked.append(path.rpartition("=")[2])
        number = int(asked[-1])
        items = [ARTIFACT | {"id": number * 100 + each} for each in range(100 if number < 151 else 1)]
        return {"total_count": 15_001, "artifacts": items}

    made = adapter(monkeypatch)
    monkeypatch.setattr(made._api, "read", answer)
    said: list[str] = []
    with announcing_to(said.append):
        found = made.artifacts()
    assert (len(found), asked[0], asked[1], asked[-1]) == (9_901, "1", "52", "151")
    assert "15,001 artifacts: only the oldest" in said[0]


def test_more_runs_than_a_query_shows_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub shows 1,000 runs for a query, so that one that has not ended could be missing."""
    with pytest.raises(Unknown, match="1001 entries"):
        adapter(monkeypatch, {"total_count": 1001, "workflow_runs": []}).unfinished()
