"""The artifacts and caches of a repository, as files of the world say: ``artifacts.json`` and ``caches.json``.

They are in the folder of the forge, each a list. Nothing runs in a local world, so there are none unless somebody
writes the files. Only the lists and the deletions are here, no bytes. Sources:
``/repos/{owner}/{repo}/actions/artifacts`` and ``/actions/caches`` in GitHub's description of its API.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.github.releases import Problem
from unmoor.rehearsal.github.requests import RequestHandler
from unmoor.rehearsal.shared import store

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

ARTIFACTS: Final = "artifacts.json"
CACHES: Final = "caches.json"
_PERMISSION: Final = "actions"


class StoredArtifact(msgspec.Struct, frozen=True, kw_only=True):
    """One artifact, of a run of a branch or tag."""

    id: int
    name: str
    run: int
    branch: str
    created: str
    size: int = 100
    expired: bool = False


class StoredCache(msgspec.Struct, frozen=True, kw_only=True):
    """One cache."""

    id: int
    key: str
    ref: str
    used: str
    version: str = "v"
    size: int = 100


class Leftovers(msgspec.Struct, frozen=True, kw_only=True):
    """The routes of the artifacts and caches."""

    handler: RequestHandler

    async def artifacts(self, request: Request) -> Response:
        """``GET /actions/artifacts``: one page, the newest first."""
        found = [self._artifact(each) for each in await self._read(ARTIFACTS, StoredArtifact)]
        return self._page(request, "artifacts", found)

    async def caches(self, request: Request) -> Response:
        """``GET /actions/caches``: one page."""
        found = [_cache(each) for each in await self._read(CACHES, StoredCache)]
        return self._page(request, "actions_caches", found)

    async def delete_artifact(self, request: Request) -> Response:
        """``DELETE /actions/artifacts/{id}``."""
        return await self._delete(request, ARTIFACTS, StoredArtifact)

    async def delete_cache(self, request: Request) -> Response:
        """``DELETE /actions/caches/{id}``."""
        return await self._delete(request, CACHES, StoredCache)

    def _page(self, request: Request, name: str, found: list[dict[str, Any]]) -> Response:
        self.handler.rights(request, _PERMISSION)
        begin, end = self.handler.page_of(request)
        return JSONResponse({"total_count": len(found), name: found[begin:end]})

    async def _delete(self, request: Request, file: str, kind: type[Any]) -> Response:
        self.handler.push(request, _PERMISSION)
        known = await self._read(file, kind)
        left = [each for each in known if each.id != request.path_params["id"]]
        if len(left) == len(known):
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        await asyncio.to_thread(store.save, self._folder / file, left)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def _read(self, file: str, kind: type[Any]) -> list[Any]:
        return await asyncio.to_thread(store.load, self._folder / file, list[kind]) or []  # type: ignore[valid-type]

    @property
    def _folder(self) -> Path:
        return self.handler.releases.folder

    def _artifact(self, each: StoredArtifact) -> dict[str, Any]:
        here = f"{self.handler.shapes.api}/repos/{self.handler.shapes.repository}/actions/artifacts/{each.id}"
        return {
            "id": each.id,
            "node_id": f"A{each.id}",
            "name": each.name,
            "size_in_bytes": each.size,
            "url": here,
            "archive_download_url": f"{here}/zip",
            "expired": each.expired,
            "created_at": each.created,
            "updated_at": each.created,
            "expires_at": None,
            "workflow_run": {
                "id": each.run,
                "repository_id": 1,
                "head_repository_id": 1,
                "head_branch": each.branch,
                "head_sha": "0" * 40,
            },
        }

    def routes(self) -> list[Route]:
        """The routes below the API's address."""
        actions = "/api/v3/repos/{owner}/{repo}/actions"
        return [
            Route(f"{actions}/artifacts", self.artifacts),
            Route(f"{actions}/artifacts/{{id:int}}", self.delete_artifact, methods=["DELETE"]),
            Route(f"{actions}/caches", self.caches),
            Route(f"{actions}/caches/{{id:int}}", self.delete_cache, methods=["DELETE"]),
        ]


def _cache(each: StoredCache) -> dict[str, Any]:
    return {
        "id": each.id,
        "ref": each.ref,
        "key": each.key,
        "version": each.version,
        "last_accessed_at": each.used,
        "created_at": each.used,
        "size_in_bytes": each.size,
    }
