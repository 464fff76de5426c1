"""The pull requests of a repository, stored in ``pulls.json`` in the folder of the forge.

Nobody merges here: a test that needs a merged one writes that into the file.
Source: ``/repos/{owner}/{repo}/pulls`` in GitHub's description of its API.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.github.json_shapes import EPOCH
from unmoor.rehearsal.github.releases import Problem, invalid
from unmoor.rehearsal.github.requests import USER, RequestHandler
from unmoor.rehearsal.shared import store
from unmoor.util.decode import decode_json
from unmoor.util.values import replace

if TYPE_CHECKING:
    from starlette.requests import Request

FILE = "pulls.json"
_PERMISSION = "pull-requests"


class PullBody(msgspec.Struct, kw_only=True):
    """The body of a request that opens one."""

    title: str
    head: str
    base: str
    body: str | None = None
    draft: bool | None = None


class PullChanges(msgspec.Struct, kw_only=True):
    """The body of a request that changes one."""

    title: str | None = None
    body: str | None = None


class StoredPull(msgspec.Struct, frozen=True, kw_only=True):
    """One pull request; ``merged`` is the commit that merging it made, empty before, as is the time ``closed``."""

    number: int
    head: str
    sha: str
    base: str
    title: str
    body: str = ""
    state: str = "open"
    merged: str = ""
    author: str = USER
    labels: tuple[str, ...] = ()
    created: str = EPOCH
    updated: str = EPOCH
    closed: str = ""


class Pulls(msgspec.Struct, frozen=True, kw_only=True):
    """The routes of the pull requests."""

    handler: RequestHandler

    async def listing(self, request: Request) -> Response:
        """``GET /pulls``, newest first, of a branch (``owner:branch``) and a state if the query names them."""
        self.handler.rights(request, _PERMISSION)
        head, state = request.query_params.get("head", ""), request.query_params.get("state", "open")
        owner, _, branch = head.rpartition(":")
        mine = not owner or owner.lower() == self.handler.shapes.repository.partition("/")[0].lower()
        found = [
            each
            for each in reversed(await asyncio.to_thread(self._read))
            if mine and branch in {"", each.head} and state in {"all", each.state}
        ]
        if request.query_params.get("sort") == "updated":
            found.sort(key=lambda each: each.updated, reverse=True)
        return self.handler.paged(request, found, self._shape)

    async def create(self, request: Request) -> Response:
        """``POST /pulls``: both branches must be there, with a difference, and no open request for the same."""
        body = await self.handler.body(request, PullBody, _PERMISSION)
        owner, _, branch = body.head.rpartition(":")
        refs = [await asyncio.to_thread(self.handler.remote.ref, f"refs/heads/{name}") for name in (branch, body.base)]
        for name, ref in zip(("head", "base"), refs, strict=True):
            if ref is None or (owner and owner.lower() != self.handler.shapes.repository.partition("/")[0].lower()):
                raise invalid("PullRequest", "invalid", name)
        head, base = refs
        assert head is not None  # noqa: S101 - looked at above
        assert base is not None  # noqa: S101 - as above
        known = await asyncio.to_thread(self._read)
        if head.sha == base.sha:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"No commits between {body.base} and {branch}")
        if any(each.state == "open" and (each.head, each.base) == (branch, body.base) for each in known):
            what = f"A pull request already exists for {self.handler.shapes.repository.partition('/')[0]}:{branch}."
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, what)
        pull = StoredPull(
            number=len(known) + 1, head=branch, sha=head.sha, base=body.base, title=body.title, body=body.body or ""
        )
        await asyncio.to_thread(self._write, [*known, pull])
        return JSONResponse(self._shape(pull), HTTPStatus.CREATED)

    async def update(self, request: Request) -> Response:
        """``PATCH /pulls/{number}``: another title or text."""
        body = await self.handler.body(request, PullChanges, _PERMISSION)
        known = await asyncio.to_thread(self._read)
        found = next((each for each in known if str(each.number) == request.path_params["number"]), None)
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        changed = replace(
            found,
            title=found.title if body.title is None else body.title,
            body=found.body if body.body is None else body.body,
        )
        await asyncio.to_thread(self._write, [changed if each is found else each for each in known])
        return JSONResponse(self._shape(changed))

    def _shape(self, pull: StoredPull) -> dict[str, Any]:
        shapes = self.handler.shapes
        return {
            "number": pull.number,
            "state": pull.state,
            "title": pull.title,
            "body": pull.body,
            "html_url": f"{shapes.site}/{shapes.repository}/pull/{pull.number}",
            "head": {"ref": pull.head, "sha": pull.sha, "label": f"{shapes.repository.partition('/')[0]}:{pull.head}"},
            "base": {"ref": pull.base, "sha": pull.sha, "label": f"{shapes.repository.partition('/')[0]}:{pull.base}"},
            "user": shapes.user(pull.author),
            "labels": [{"name": each} for each in pull.labels],
            "created_at": pull.created,
            "updated_at": pull.updated,
            "closed_at": pull.closed or (EPOCH if pull.merged else None),
            "merged_at": (pull.closed or EPOCH) if pull.merged else None,
            "merge_commit_sha": pull.merged or None,
        }

    def _read(self) -> list[StoredPull]:
        try:
            data = (self.handler.releases.folder / FILE).read_bytes()
        except FileNotFoundError:
            return []
        return decode_json(data, list[StoredPull])

    def _write(self, pulls: list[StoredPull]) -> None:
        store.save(self.handler.releases.folder / FILE, pulls)

    def routes(self) -> list[Route]:
        """The routes below the API's address."""
        path = "/api/v3/repos/{owner}/{repo}/pulls"
        return [
            Route(path, self.listing),
            Route(path, self.create, methods=["POST"]),
            Route(f"{path}/{{number}}", self.update, methods=["PATCH"]),
        ]
