"""Comments on pull requests and issues of one GitHub repository, through its REST API.

To GitHub, a pull request is an issue with the same number.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from unmoor import advice
from unmoor.adapters.github import GitHubClient, Pace
from unmoor.adapters.github.answers import converted
from unmoor.adapters.github.author import author_of
from unmoor.ports.clock import Clock
from unmoor.ports.comments import Comment
from unmoor.ports.world import ForgePlace
from unmoor.util.text import clean

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession

_PER_PAGE: Final = 100


class _User(msgspec.Struct, frozen=True, kw_only=True):
    login: str


class _Comment(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    html_url: str
    body: str | None = None
    user: _User | None = None


class GitHubComments:
    """Implements `unmoor.ports.comments.Comments`."""

    def __init__(self, place: ForgePlace, http: BoundedSession, clock: Clock) -> None:
        token = place.login.secret
        rights = advice.ALLOW_COMMENTS()
        self._api = GitHubClient(place, http, clock, token=token or None, pace=Pace(place.api, clock), rights=rights)
        self._path = f"/repos/{quote(place.repository)}/issues"

    @cached_property
    def _author(self) -> str:
        return author_of(self._api)

    def own(self, number: int, marker: str) -> tuple[Comment, ...]:
        """Those with a marker and of the token's user; see the port.

        Anybody can write a comment with the marker, and a token that writes comments may change everybody's.
        """
        path = f"{self._path}/{number}/comments"
        listed = self._api.listed(path, "comments", size=_PER_PAGE)
        found = [converted(raw, _Comment, "a comment", self._api.where(path)) for raw in listed]
        return tuple(
            _comment(each)
            for each in found
            if (each.body or "").startswith(marker) and each.user is not None and each.user.login == self._author
        )

    def create(self, number: int, body: str) -> Comment:
        """Write one; see the port."""
        path = f"{self._path}/{number}/comments"
        return self._read(self._api.post(path, {"body": body}), path)

    def update(self, comment: Comment, body: str) -> Comment:
        """Replace the text of one; see the port."""
        path = f"{self._path}/comments/{comment.id}"
        return self._read(self._api.patch(path, {"body": body}), path)

    def _read(self, raw: Any, path: str) -> Comment:
        return _comment(converted(raw, _Comment, "a comment", self._api.where(path)))


def _comment(raw: _Comment) -> Comment:
    return Comment(id=raw.id, body=raw.body or "", url=clean(raw.html_url))
