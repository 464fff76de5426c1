"""The routes of Read the Docs, with its refusals: bad tokens, unknown tags and versions that are not active."""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import Awaitable, Callable
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.filesystem.files import write_atomic
from unmoor.rehearsal.shared.http import answer_full
from unmoor.rehearsal.shared.remote import Remote
from unmoor.util.decode import decode_json

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

_STATES = ("triggered", "cloning", "building", "finished")
_TAGS = "refs/tags/"


class DocsMood(StrEnum):
    """What is wrong with a project, by the name of a file in the server's folder."""

    UNHEARD = "unheard"  # it learns of tags only when it is asked to look
    INACTIVE = "inactive"  # versions are not built until somebody activates them
    FAILS = "fails"  # builds finish without success
    OTHER_COMMIT = "other-commit"  # builds are of another commit
    STUCK = "stuck"  # builds never finish


class DocsBuildRecord(msgspec.Struct, kw_only=True):
    """One build: the slug of its version, its commit, and how often somebody has looked at it."""

    id: int
    version: str
    commit: str
    looks: int = 0


class DocsRecord(msgspec.Struct, kw_only=True):
    """What the server remembers."""

    builds: list[DocsBuildRecord] = msgspec.field(default_factory=list)
    active: list[str] = msgspec.field(default_factory=list)


def slug_of(tag: str) -> str:
    """The name of a version in addresses, as the service makes it of a tag."""
    return re.sub(r"[^a-z0-9._-]+", "-", tag.lower()).strip("-")


class DocsServer(msgspec.Struct, frozen=True, kw_only=True):
    """The server: its address, its folder, the repository that it follows, and the token of a maintainer."""

    base: str
    folder: Path
    remote: Remote
    token: str

    def routes(self) -> list[Route]:
        """Every route."""
        api = "/api/v3/projects/{project}"
        return [
            Route(f"{api}/versions/", self._guarded(self.versions)),
            Route(f"{api}/versions/{{slug}}/", self._guarded(self.update), methods=["PATCH"]),
            Route(f"{api}/versions/{{slug}}/builds/", self._guarded(self.builds), methods=["GET", "POST"]),
            Route(f"{api}/builds/{{number:int}}/", self._guarded(self.build)),
            Route(f"{api}/sync-versions/", self._guarded(self.synchronize), methods=["POST"]),
        ]

    def _guarded(self, handle: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            given = request.headers.get("authorization", "").removeprefix("Token ").encode()
            if not hmac.compare_digest(given, self.token.encode()):
                return _refuse(HTTPStatus.UNAUTHORIZED, "Invalid token.")
            return await handle(request)

        return guarded

    def _is(self, mood: DocsMood) -> bool:
        return (self.folder / mood).exists()

    async def versions(self, request: Request) -> Response:
        """``GET versions/?verbose_name=TAG``."""
        tag = request.query_params.get("verbose_name", "")
        found = [] if self._is(DocsMood.UNHEARD) else await self._tags(tag)
        return JSONResponse({"count": len(found), "results": [self._version(request, name) for name in found]})

    async def synchronize(self, _request: Request) -> Response:
        """``POST sync-versions/``: from now on it knows every tag."""
        (self.folder / DocsMood.UNHEARD).unlink(missing_ok=True)
        return JSONResponse({"triggered": True}, HTTPStatus.ACCEPTED)

    async def update(self, request: Request) -> Response:
        """``PATCH versions/SLUG/``: activate a version, which also begins a build of it."""
        slug = request.path_params["slug"]
        commit = await self._commit(slug)
        if commit is None:
            return _refuse(HTTPStatus.NOT_FOUND, "Not found.")
        record = self._read()
        if slug not in record.active:
            record.active.append(slug)
            self._begin(record, slug, commit)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def builds(self, request: Request) -> Response:
        """``GET versions/SLUG/builds/`` lists the builds, the newest first; ``POST`` begins another."""
        slug = request.path_params["slug"]
        commit = await self._commit(slug)
        if commit is None:
            return _refuse(HTTPStatus.NOT_FOUND, "Not found.")
        record = self._read()
        if request.method == "GET":
            own = [each for each in reversed(record.builds) if each.version == slug]
            return JSONResponse({"count": len(own), "results": [self._shape(request, each) for each in own]})
        if self._is(DocsMood.INACTIVE) and slug not in record.active:
            return _refuse(HTTPStatus.BAD_REQUEST, "The version is not active.")
        build = self._begin(record, slug, commit)
        return JSONResponse({"build": self._shape(request, build), "triggered": True}, HTTPStatus.ACCEPTED)

    async def build(self, request: Request) -> Response:
        """``GET builds/ID/``: each look finds it further."""
        record = self._read()
        found = next((each for each in record.builds if each.id == request.path_params["number"]), None)
        if found is None:
            return _refuse(HTTPStatus.NOT_FOUND, "Not found.")
        if not self._is(DocsMood.STUCK) or found.looks + 1 < len(_STATES) - 1:
            found.looks = min(found.looks + 1, len(_STATES) - 1)
        self._write(record)
        return JSONResponse(self._shape(request, found))

    async def _tags(self, tag: str) -> list[str]:
        refs = await asyncio.to_thread(self.remote.refs, _TAGS)
        return [name for ref in refs if (name := ref.name.removeprefix(_TAGS)) and tag in {"", name}]

    async def _commit(self, slug: str) -> str | None:
        name = next((each for each in await self._tags("") if slug_of(each) == slug), None)
        return None if name is None else await asyncio.to_thread(self.remote.commit_of, f"{_TAGS}{name}")

    def _begin(self, record: DocsRecord, slug: str, commit: str) -> DocsBuildRecord:
        of = commit[::-1] if self._is(DocsMood.OTHER_COMMIT) else commit
        build = DocsBuildRecord(id=len(record.builds) + 1, version=slug, commit=of)
        record.builds.append(build)
        self._write(record)
        return build

    def _version(self, request: Request, tag: str) -> dict[str, Any]:
        slug, project = slug_of(tag), request.path_params["project"]
        active = not self._is(DocsMood.INACTIVE) or slug in self._read().active
        return {
            "slug": slug,
            "verbose_name": tag,
            "type": "tag",
            "active": active,
            "urls": {"documentation": f"{self.base}/{project}/en/{slug}/"},
        }

    def _shape(self, request: Request, build: DocsBuildRecord) -> dict[str, Any]:
        code = _STATES[build.looks]
        finished = code == "finished"
        fails = self._is(DocsMood.FAILS)
        return {
            "id": build.id,
            "version": build.version,
            "state": {"code": code, "name": code.title()},
            "success": (not fails) if finished else None,
            "commit": build.commit if code not in {"triggered", "cloning"} else None,
            "error": "sphinx-build ended with 1" if finished and fails else "",
            "urls": {"build": f"{self.base}/projects/{request.path_params['project']}/builds/{build.id}/"},
        }

    def _read(self) -> DocsRecord:
        try:
            return decode_json((self.folder / "record.json").read_bytes(), DocsRecord)
        except FileNotFoundError:
            return DocsRecord()

    def _write(self, record: DocsRecord) -> None:
        write_atomic(self.folder / "record.json", msgspec.json.encode(record), sync=False)


def _refuse(status: HTTPStatus, detail: str) -> Response:
    return JSONResponse({"detail": detail}, status)


def app(folder: Path, *, base: str, token: str) -> ASGIApp:
    """Return the server, which fails as the files in ``folder/faults`` say."""
    server = DocsServer(base=base, folder=folder, remote=Remote(folder.parent / "remote.git"), token=token)
    return Starlette(routes=server.routes(), exception_handlers={OSError: answer_full})
