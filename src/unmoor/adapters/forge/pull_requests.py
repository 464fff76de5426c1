"""Pull requests of one GitHub repository, through its REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from unmoor import advice
from unmoor.adapters.github import GitHubClient, Pace
from unmoor.adapters.github.answers import converted
from unmoor.ports.clock import Clock
from unmoor.ports.pull_requests import PullRequest
from unmoor.ports.world import ForgePlace
from unmoor.util.digests import is_commit
from unmoor.util.text import clean

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession

_PER_PAGE = 30


class _Ref(msgspec.Struct, frozen=True, kw_only=True):
    sha: str
    ref: str


class _Pull(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    state: str
    html_url: str
    head: _Ref
    base: _Ref
    merged_at: str | None = None
    merge_commit_sha: str | None = None


class GitHubPullRequests:
    """Implements `unmoor.ports.pull_requests.PullRequests`."""

    def __init__(self, place: ForgePlace, http: BoundedSession, clock: Clock) -> None:
        token = place.login.secret
        rights = advice.ALLOW_PULL_REQUESTS()
        self._api = GitHubClient(place, http, clock, token=token or None, pace=Pace(place.api, clock), rights=rights)
        self._owner = place.repository.partition("/")[0]
        self._path = f"/repos/{quote(place.repository)}/pulls"

    def of_branch(self, branch: str) -> tuple[PullRequest, ...]:
        """Those that ask to merge a branch, newest first; see the port."""
        head = quote(f"{self._owner}:{branch}", safe="")
        query = f"head={head}&state=all&sort=created&direction=desc&per_page={_PER_PAGE}"
        raw = self._api.read(f"{self._path}?{query}")
        pulls = converted(raw, tuple[_Pull, ...], "a list of pull requests", self._api.where(self._path))
        return tuple(_pull(each) for each in pulls if each.head.ref == branch)

    def create(self, *, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Ask to merge a branch; see the port."""
        fields: dict[str, Any] = {"title": title, "head": branch, "base": base, "body": body}
        raw = self._api.post(self._path, fields)
        return _pull(converted(raw, _Pull, "a pull request", self._api.where(self._path)))

    def update(self, number: int, *, title: str, body: str) -> PullRequest:
        """Replace title and text; see the port."""
        path = f"{self._path}/{number}"
        raw = self._api.patch(path, {"title": title, "body": body})
        return _pull(converted(raw, _Pull, "a pull request", self._api.where(path)))


def _pull(raw: _Pull) -> PullRequest:
    merged = raw.merge_commit_sha if raw.merged_at and is_commit(raw.merge_commit_sha or "") else None
    return PullRequest(
        number=raw.number,
        url=clean(raw.html_url),
        head=raw.head.sha,
        base=clean(raw.base.ref),
        is_open=raw.state == "open",
        merged=merged,
    )
