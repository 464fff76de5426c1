"""The issues of a repository, stored in ``issues.json`` in the folder of the forge.

A test that needs an issue of somebody else writes it into the file.
Source: ``/repos/{owner}/{repo}/issues`` in GitHub's description of its API.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.github.releases import Problem, invalid
from unmoor.rehearsal.github.requests import USER, RequestHandler
from unmoor.rehearsal.shared import store
from unmoor.util.values import replace

if TYPE_CHECKING:
    from starlette.requests import Request

FILE = "issues.json"
ACTIONS = "github-actions[bot]"
_PERMISSION = "issues"
# GitHub numbers issues and pull requests together; here each kind has its own range.
_FIRST = 1001


class IssueBody(msgspec.Struct, kw_only=True):
    """The body of a request that opens or changes one."""

    title: str | None = None
    body: str | None = None
    state: Literal["open", "closed"] | None = None


class StoredIssue(msgspec.Struct, frozen=True, kw_only=True):
    """One issue. ``bot`` says whether an app opened it."""

    number: int
    title: str
    body: str = ""
    state: str = "open"
    author: str = USER
    bot: bool = False
    created: str = "2026-01-01T00:00:00Z"


class IssueRoutes(msgspec.Struct, frozen=True, kw_only=True):
    """The routes of the issues."""

    handler: RequestHandler

    async def listing(self, request: Request) -> Response:
        """``GET /issues``, newest first, of a state and an author if the query names them."""
        self.handler.rights(request, _PERMISSION)
        state, creator = request.query_params.get("state", "open"), request.query_params.get("creator", "")
        found = [
            each
            for each in reversed(await asyncio.to_thread(self._read))
            if state in {"all", each.state} and creator in {"", each.author}
        ]
        return self.handler.paged(request, found, self._shape)

    async def create(self, request: Request) -> Response:
        """``POST /issues``: the token's user is its author."""
        body = await self.handler.body(request, IssueBody, _PERMISSION)
        if not body.title:
            raise invalid("Issue", "missing_field", "title")
        known = await asyncio.to_thread(self._read)
        is_app = self.handler.is_installation(request)
        issue = StoredIssue(
            number=max((each.number + 1 for each in known), default=_FIRST),
            title=body.title,
            body=body.body or "",
            author=ACTIONS if is_app else USER,
            bot=is_app,
            created=store.now(),
        )
        await asyncio.to_thread(self._write, [*known, issue])
        return JSONResponse(self._shape(issue), HTTPStatus.CREATED)

    async def update(self, request: Request) -> Response:
        """``PATCH /issues/{number}``: what is not named stays."""
        body = await self.handler.body(request, IssueBody, _PERMISSION)
        known = {each.number: each for each in await asyncio.to_thread(self._read)}
        before = known.get(request.path_params["number"])
        if before is None:
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        changes = {name: value for name in IssueBody.__struct_fields__ if (value := getattr(body, name)) is not None}
        after = known[before.number] = replace(before, **changes)
        await asyncio.to_thread(self._write, list(known.values()))
        return JSONResponse(self._shape(after))

    def _shape(self, issue: StoredIssue) -> dict[str, Any]:
        shapes = self.handler.shapes
        address = f"{shapes.root}/issues/{issue.number}"
        return {
            "id": issue.number,
            "node_id": f"I_{issue.number}",
            "number": issue.number,
            "url": address,
            "repository_url": shapes.root,
            "labels_url": f"{address}/labels{{/name}}",
            "comments_url": f"{address}/comments",
            "events_url": f"{address}/events",
            "html_url": f"{shapes.site}/{shapes.repository}/issues/{issue.number}",
            "state": issue.state,
            "title": issue.title,
            "body": issue.body,
            "user": shapes.user(issue.author) | ({"type": "Bot"} if issue.bot else {}),
            "labels": [],
            "assignee": None,
            "milestone": None,
            "locked": False,
            "comments": 0,
            "closed_at": None if issue.state == "open" else issue.created,
            "created_at": issue.created,
            "updated_at": issue.created,
            "author_association": "NONE",
        }

    def _read(self) -> list[StoredIssue]:
        return store.load(self.handler.releases.folder / FILE, list[StoredIssue]) or []

    def _write(self, issues: list[StoredIssue]) -> None:
        store.save(self.handler.releases.folder / FILE, issues)

    def routes(self) -> list[Route]:
        """The routes below the API's address."""
        path = "/api/v3/repos/{owner}/{repo}/issues"
        return [
            Route(path, self.listing),
            Route(path, self.create, methods=["POST"]),
            Route(f"{path}/{{number:int}}", self.update, methods=["PATCH"]),
        ]
