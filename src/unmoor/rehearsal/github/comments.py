"""The comments on the pull requests of a repository, stored in ``comments.json`` in the folder of the forge.

Source: ``/repos/{owner}/{repo}/issues/{issue_number}/comments`` in GitHub's description of its API.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.github import pulls
from unmoor.rehearsal.github.releases import Problem, invalid
from unmoor.rehearsal.github.requests import USER, RequestHandler
from unmoor.rehearsal.shared import store
from unmoor.util.values import replace

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

FILE: Final = "comments.json"
WORKFLOW: Final = "github-actions[bot]"
"""The author of what a job writes."""
_PERMISSION: Final = "pull-requests"
_LONGEST: Final = 65_536
_EPOCH: Final = "2026-01-01T00:00:00Z"


class CommentBody(msgspec.Struct, kw_only=True):
    """The body of a request that writes one."""

    body: str


class StoredComment(msgspec.Struct, frozen=True, kw_only=True):
    """One comment, on the pull request with this number."""

    id: int
    number: int
    author: str
    body: str


class Comments(msgspec.Struct, frozen=True, kw_only=True):
    """The routes of the comments."""

    handler: RequestHandler

    async def listing(self, request: Request) -> Response:
        """``GET /issues/{number}/comments``, oldest first."""
        self.handler.rights(request, _PERMISSION)
        number = await self._number(request)
        found = [each for each in await asyncio.to_thread(self._read) if each.number == number]
        return self.handler.paged(request, found, self._shape)

    async def create(self, request: Request) -> Response:
        """``POST /issues/{number}/comments``."""
        body = await self._body(request)
        number = await self._number(request)
        known = await asyncio.to_thread(self._read)
        author = WORKFLOW if self.handler.is_installation(request) else USER
        comment = StoredComment(id=len(known) + 1, number=number, author=author, body=body)
        await asyncio.to_thread(store.save, self._folder / FILE, [*known, comment])
        return JSONResponse(self._shape(comment), HTTPStatus.CREATED)

    async def update(self, request: Request) -> Response:
        """``PATCH /issues/comments/{id}``."""
        body = await self._body(request)
        known = await asyncio.to_thread(self._read)
        for at, each in enumerate(known):
            if each.id == request.path_params["id"]:
                known[at] = replace(each, body=body)
                await asyncio.to_thread(store.save, self._folder / FILE, known)
                return JSONResponse(self._shape(known[at]))
        raise Problem(HTTPStatus.NOT_FOUND, "Not Found")

    async def _body(self, request: Request) -> str:
        body: CommentBody = await self.handler.body(request, CommentBody, _PERMISSION)
        if not body.body.strip() or len(body.body) > _LONGEST:
            raise invalid("IssueComment", "unprocessable", "data")
        return body.body

    async def _number(self, request: Request) -> int:
        number: int = request.path_params["number"]
        known = await asyncio.to_thread(store.load, self._folder / pulls.FILE, list[pulls.StoredPull]) or []
        if all(each.number != number for each in known):
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        return number

    def _read(self) -> list[StoredComment]:
        return store.load(self._folder / FILE, list[StoredComment]) or []

    @property
    def _folder(self) -> Path:
        return self.handler.releases.folder

    def _shape(self, comment: StoredComment) -> dict[str, Any]:
        shapes = self.handler.shapes
        root = f"{shapes.api}/repos/{shapes.repository}/issues"
        return {
            "id": comment.id,
            "node_id": f"IC{comment.id}",
            "url": f"{root}/comments/{comment.id}",
            "html_url": f"{shapes.site}/{shapes.repository}/pull/{comment.number}#issuecomment-{comment.id}",
            "issue_url": f"{root}/{comment.number}",
            "user": shapes.user(comment.author),
            "author_association": "NONE",
            "body": comment.body,
            "created_at": _EPOCH,
            "updated_at": _EPOCH,
        }

    def routes(self) -> list[Route]:
        """The routes below the API's address."""
        issues = "/api/v3/repos/{owner}/{repo}/issues"
        return [
            Route(f"{issues}/{{number:int}}/comments", self.listing),
            Route(f"{issues}/{{number:int}}/comments", self.create, methods=["POST"]),
            Route(f"{issues}/comments/{{id:int}}", self.update, methods=["PATCH"]),
        ]
