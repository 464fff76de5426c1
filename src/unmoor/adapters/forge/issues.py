"""Issues of one GitHub repository, through its REST API."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from unmoor import advice
from unmoor.adapters.github import GitHubClient, Pace
from unmoor.adapters.github.answers import converted
from unmoor.adapters.github.author import WORKFLOW, GitHubUser
from unmoor.errors import Denied
from unmoor.ports.clock import Clock
from unmoor.ports.issues import Issue
from unmoor.ports.world import ForgePlace
from unmoor.util.text import clean

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession

_PER_PAGE = 100


class _Issue(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    html_url: str
    title: str
    state: str
    user: GitHubUser | None
    body: str | None = None
    pull_request: Any = None


class GitHubIssues:
    """Implements `unmoor.ports.issues.Issues`."""

    def __init__(self, place: ForgePlace, http: BoundedSession, clock: Clock) -> None:
        token = place.login.secret
        self._api = GitHubClient(
            place, http, clock, token=token or None, pace=Pace(place.api, clock), rights=advice.ALLOW_ISSUES()
        )
        self._path = f"/repos/{quote(place.repository)}/issues"

    @cached_property
    def _login(self) -> str:
        """The token's user; empty for an app, whose name only what it wrote says."""
        try:
            return converted(self._api.read("/user"), GitHubUser, "a user", self._api.where("/user")).login
        except Denied as error:
            if error.next_step == advice.RENEW_FORGE_TOKEN():
                raise
            return ""

    def own(self, marker: str) -> tuple[Issue, ...]:
        """Those that the token's own user opened and whose text begins with a marker; see the port."""
        author = self._login
        found = self._listed(marker, f"&state=all&creator={quote(author or WORKFLOW, safe='')}")
        if not author and not found:
            # The token of another app than Actions: only a bot's issue can be its own.
            found = self._listed(marker, "&state=open")
        return found

    def _listed(self, marker: str, query: str) -> tuple[Issue, ...]:
        """The newest of those that a query finds and whose text begins with a marker."""
        raw = self._api.read(f"{self._path}?per_page={_PER_PAGE}&sort=created&direction=desc{query}")
        issues = converted(raw, tuple[_Issue, ...], "a list of issues", self._api.where(self._path))
        return tuple(
            _issue(each)
            for each in issues
            if each.pull_request is None and self._is_own(each) and (each.body or "").startswith(marker)
        )

    def _is_own(self, issue: _Issue) -> bool:
        if issue.user is None:
            return False
        return issue.user.login == self._login if self._login else issue.user.type == "Bot"

    def create(self, *, title: str, body: str) -> Issue:
        """Open an issue; see the port."""
        raw = self._api.post(self._path, {"title": title, "body": body})
        return _issue(converted(raw, _Issue, "an issue", self._api.where(self._path)))

    def update(self, number: int, *, title: str, body: str, is_open: bool) -> Issue:
        """Replace title and text, and open or close it; see the port."""
        path = f"{self._path}/{number}"
        fields = {"title": title, "body": body, "state": "open" if is_open else "closed"}
        return _issue(converted(self._api.patch(path, fields), _Issue, "an issue", self._api.where(path)))


def _issue(raw: _Issue) -> Issue:
    return Issue(
        number=raw.number,
        url=clean(raw.html_url),
        title=raw.title,
        # GitHub stores what was sent with other ends of lines if someone edits it on its page.
        body=(raw.body or "").replace("\r\n", "\n"),
        is_open=raw.state == "open",
    )
