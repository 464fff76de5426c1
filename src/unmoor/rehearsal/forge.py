"""The GitHub API of the local world, laid out as GitHub Enterprise does it: ``/api/v3`` and ``/api/uploads``."""

from __future__ import annotations

import asyncio
import hmac
import re
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.http import drain, note
from unmoor.rehearsal.releases import Asset, Change, Git, Problem, Releases, invalid
from unmoor.rehearsal.remote import Remote
from unmoor.rehearsal.shapes import Shapes
from unmoor.rehearsal.store import Digests, Intake

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

BODY_LIMIT = 4 << 20
ASSET_LIMIT = 2 << 30
PAGE = 30
MAX_PAGE = 100


class Rights(IntEnum):
    """What the sender of a request may do."""

    ANONYMOUS = 0
    READ = 1
    PUSH = 2


class Words(msgspec.Struct, kw_only=True):
    """The body of a request that makes or changes a release."""

    tag_name: str | None = None
    target_commitish: str | None = None
    name: str | None = None
    body: str | None = None
    draft: bool | None = None
    prerelease: bool | None = None
    make_latest: Literal["true", "false", "legacy"] | None = None


class AssetWords(msgspec.Struct, kw_only=True):
    """The body of a request that changes an asset."""

    name: str | None = None
    label: str | None = None


@dataclass(frozen=True, kw_only=True)
class Forge:
    """One repository on one forge, with a token that may push and one that may only read."""

    shapes: Shapes
    releases: Releases
    remote: Remote
    token: str
    read_token: str

    def rights(self, request: Request) -> Rights:
        """Say who asks, after checking that the address names this repository. Raises a 401 or a 404."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        rights = Rights.ANONYMOUS
        if scheme:
            text = text.strip()
            if hmac.compare_digest(text.encode(), self.token.encode()):
                rights = Rights.PUSH
            elif hmac.compare_digest(text.encode(), self.read_token.encode()):
                rights = Rights.READ
            else:
                raise Problem(401, "Bad credentials")
        asked = request.path_params
        if "owner" in asked and f"{asked['owner']}/{asked['repo']}".lower() != self.shapes.repository.lower():
            raise Problem(404, "Not Found")
        return rights

    def push(self, request: Request) -> None:
        """Refuse who may not write. Raises a 401 or a 403."""
        rights = self.rights(request)
        if rights is Rights.ANONYMOUS:
            raise Problem(401, "Requires authentication")
        if rights is Rights.READ:
            raise Problem(403, "Resource not accessible by integration")

    async def user(self, request: Request) -> Response:
        """``GET /user``."""
        if self.rights(request) is Rights.ANONYMOUS:
            raise Problem(401, "Requires authentication")
        return JSONResponse(self.shapes.viewer("rehearsal"))

    async def repo(self, request: Request) -> Response:
        """``GET /repos/{owner}/{repo}``."""
        rights = self.rights(request)
        branch = await asyncio.to_thread(self.remote.default_branch)
        may = {"admin": False, "maintain": False, "push": rights is Rights.PUSH, "triage": False, "pull": True}
        return JSONResponse(self.shapes.repo(branch=branch, rights=may if rights else None))

    async def ref(self, request: Request) -> Response:
        """``GET /git/ref/{ref}``: exactly that ref."""
        self.rights(request)
        found = await asyncio.to_thread(self.remote.ref, f"refs/{request.path_params['ref']}")
        if found is None:
            raise Problem(404, "Not Found")
        return JSONResponse(self.shapes.ref(found))

    async def matching(self, request: Request) -> Response:
        """``GET /git/matching-refs/{ref}``: every ref whose name begins so."""
        self.rights(request)
        found = await asyncio.to_thread(self.remote.refs, f"refs/{request.path_params['ref']}")
        return self._paged(request, [self.shapes.ref(each) for each in found])

    async def tag(self, request: Request) -> Response:
        """``GET /git/tags/{sha}``: an annotated tag."""
        self.rights(request)
        sha = request.path_params["sha"]
        found = await asyncio.to_thread(self.remote.tag_object, sha)
        if found is None:
            raise Problem(404, "Not Found")
        return JSONResponse(self.shapes.tag(sha, found))

    def _sees_drafts(self, request: Request) -> bool:
        return self.rights(request) is Rights.PUSH

    async def listing(self, request: Request) -> Response:
        """``GET /releases``."""
        releases = self.releases.listed(drafts=self._sees_drafts(request))
        return self._paged(request, [self.shapes.release(release) for release in releases])

    async def latest(self, request: Request) -> Response:
        """``GET /releases/latest``."""
        self.rights(request)
        release = self.releases.latest()
        if release is None:
            raise Problem(404, "Not Found")
        return JSONResponse(self.shapes.release(release))

    async def by_tag(self, request: Request) -> Response:
        """``GET /releases/tags/{tag}``: published releases only, whoever asks."""
        self.rights(request)
        release = self.releases.by_tag(request.path_params["tag"])
        if release is None:
            raise Problem(404, "Not Found")
        return JSONResponse(self.shapes.release(release))

    async def get(self, request: Request) -> Response:
        """``GET /releases/{id}``."""
        drafts = self._sees_drafts(request)
        return JSONResponse(self.shapes.release(self.releases.get(request.path_params["id"], drafts=drafts)))

    async def create(self, request: Request) -> Response:
        """``POST /releases``."""
        change = await self._change(request)
        release = self.releases.create(change)
        note(request, tag=release.tag, draft=release.draft)
        shape = self.shapes.release(release)
        return JSONResponse(shape, 201, {"location": shape["url"]})

    async def update(self, request: Request) -> Response:
        """``PATCH /releases/{id}``."""
        change = await self._change(request)
        before = self.releases.get(request.path_params["id"], drafts=True)
        release = self.releases.update(before, change)
        note(request, tag=release.tag, draft=release.draft)
        return JSONResponse(self.shapes.release(release))

    async def _change(self, request: Request) -> Change:
        said = await self._body(request, Words)
        return Change(
            tag=said.tag_name,
            target=said.target_commitish,
            name=said.name,
            body=said.body,
            draft=said.draft,
            prerelease=said.prerelease,
            make_latest=said.make_latest,
        )

    async def _body(self, request: Request, kind: type[Any]) -> Any:
        data = bytearray()
        async for piece in request.stream():
            data += piece
            if len(data) > BODY_LIMIT:
                await drain(request)
                raise Problem(413, "Payload too large")
        self.push(request)
        try:
            return msgspec.json.decode(bytes(data) or b"{}", type=kind)
        except msgspec.ValidationError as error:
            raise Problem(422, f"Invalid request.\n\n{error}") from None
        except msgspec.DecodeError:
            raise Problem(400, "Problems parsing JSON") from None

    async def delete(self, request: Request) -> Response:
        """``DELETE /releases/{id}``."""
        self.push(request)
        self.releases.delete(self.releases.get(request.path_params["id"], drafts=True))
        return Response(status_code=204)

    async def assets(self, request: Request) -> Response:
        """``GET /releases/{id}/assets``."""
        drafts = self._sees_drafts(request)
        release = self.releases.get(request.path_params["id"], drafts=drafts)
        return self._paged(request, [self.shapes.asset(release, asset) for asset in release.assets])

    async def asset(self, request: Request) -> Response:
        """``GET /releases/assets/{id}``: what it is, or with ``Accept: application/octet-stream`` its bytes."""
        drafts = self._sees_drafts(request)
        release, asset = self.releases.asset(request.path_params["id"], drafts=drafts)
        if "application/octet-stream" in request.headers.get("accept", ""):
            return self._bytes(asset)
        return JSONResponse(self.shapes.asset(release, asset))

    async def attach(self, request: Request) -> Response:
        """``POST {uploads}/repos/…/releases/{id}/assets?name=…``: the body is the file."""
        name = request.query_params.get("name", "")
        note(request, file=name[:255], outcome="refused")
        number = request.path_params["id"]
        try:
            self.push(request)
            name = self.releases.check_asset(self.releases.get(number, drafts=True), name)
        except Problem:
            await drain(request)
            raise
        kind = request.headers.get("content-type", "application/octet-stream")
        words = {"label": request.query_params.get("label"), "content_type": kind}
        intake = Intake(self.releases.folder / "incoming")
        try:
            digests = await self._receive(request, intake, number, name, words)
            asset = self.releases.attach(number, name, digests, **words)
            intake.keep(self.releases.path_of(asset))
        finally:
            intake.drop()
        note(request, sha256=digests.sha256, outcome="stored")
        return JSONResponse(self.shapes.asset(self.releases.get(number, drafts=True), asset), 201)

    async def _receive(
        self, request: Request, intake: Intake, number: int, name: str, words: dict[str, str | None]
    ) -> Digests:
        size = 0
        try:
            async for piece in request.stream():
                size += len(piece)
                if size > ASSET_LIMIT:
                    raise invalid("ReleaseAsset", "custom", "size", "size must be less than 2147483648")
                intake.write(piece)
        except ClientDisconnect:
            # What is left behind on GitHub is an asset that holds nothing and takes up the name.
            self.releases.attach(number, name, None, **words)
            raise
        return intake.done()

    async def amend(self, request: Request) -> Response:
        """``PATCH /releases/assets/{id}``."""
        said = await self._body(request, AssetWords)
        release, asset = self.releases.asset(request.path_params["id"], drafts=True)
        changed = self.releases.rename(release, asset, said.name, said.label)
        return JSONResponse(self.shapes.asset(release, changed))

    async def detach(self, request: Request) -> Response:
        """``DELETE /releases/assets/{id}``."""
        self.push(request)
        self.releases.detach(*self.releases.asset(request.path_params["id"], drafts=True))
        return Response(status_code=204)

    async def download(self, request: Request) -> Response:
        """``/owner/repo/releases/download/{tag}/{name}``: without credentials, for published releases."""
        asked = request.path_params
        release = self.releases.by_tag(asked["tag"])
        found = next((a for a in release.assets if a.name == asked["name"]), None) if release else None
        if found is None or f"{asked['owner']}/{asked['repo']}".lower() != self.shapes.repository.lower():
            return Response("Not Found", 404)
        return self._bytes(found)

    async def page(self, request: Request) -> Response:
        """``/owner/repo/releases/tag/{tag}``: what a person opens, in plain text."""
        release = self.releases.by_tag(request.path_params["tag"])
        if release is None:
            return Response("Not Found", 404)
        names = "\n".join(asset.name for asset in release.assets)
        return Response(f"{release.name or release.tag}\n\n{release.body or ''}\n\n{names}\n", media_type="text/plain")

    def _bytes(self, asset: Asset) -> Response:
        if asset.state != "uploaded":
            raise Problem(404, "Not Found")
        return FileResponse(self.releases.path_of(asset), media_type="application/octet-stream")

    def _paged(self, request: Request, items: list[dict[str, Any]]) -> Response:
        size = _number(request, "per_page", PAGE, MAX_PAGE)
        page = _number(request, "page", 1, 1 << 31)
        last = max(1, -(-len(items) // size))
        address = request.url
        links = {"next": page + 1, "last": last} if page < last else {}
        links |= {"first": 1, "prev": page - 1} if page > 1 else {}
        link = ", ".join(f'<{address.include_query_params(page=at)}>; rel="{rel}"' for rel, at in links.items())
        return JSONResponse(items[(page - 1) * size : page * size], headers={"link": link} if link else None)


def _number(request: Request, name: str, otherwise: int, most: int) -> int:
    text = request.query_params.get(name, "")
    return min(int(text), most) if re.fullmatch(r"[1-9][0-9]{0,9}", text) else otherwise


def _git(remote: Remote) -> Git:
    return Git(
        is_tag_name=remote.is_tag_name,
        has_tag=lambda tag: remote.ref(f"refs/tags/{tag}") is not None,
        commit=remote.commit,
        make_tag=remote.make_tag,
        default_branch=remote.default_branch,
    )


def _routes(forge: Forge) -> list[Route]:
    root = "/api/v3/repos/{owner}/{repo}"
    at = f"{root}/releases"
    return [
        Route("/api/v3/user", forge.user),
        Route(root, forge.repo),
        Route(f"{root}/git/ref/{{ref:path}}", forge.ref),
        Route(f"{root}/git/matching-refs/{{ref:path}}", forge.matching),
        Route(f"{root}/git/tags/{{sha}}", forge.tag),
        Route(at, forge.listing),
        Route(at, forge.create, methods=["POST"]),
        Route(f"{at}/latest", forge.latest),
        Route(f"{at}/tags/{{tag:path}}", forge.by_tag),
        Route(f"{at}/assets/{{id:int}}", forge.asset),
        Route(f"{at}/assets/{{id:int}}", forge.amend, methods=["PATCH"]),
        Route(f"{at}/assets/{{id:int}}", forge.detach, methods=["DELETE"]),
        Route(f"{at}/{{id:int}}", forge.get),
        Route(f"{at}/{{id:int}}", forge.update, methods=["PATCH"]),
        Route(f"{at}/{{id:int}}", forge.delete, methods=["DELETE"]),
        Route(f"{at}/{{id:int}}/assets", forge.assets),
        Route("/api/uploads/repos/{owner}/{repo}/releases/{id:int}/assets", forge.attach, methods=["POST"]),
        Route("/{owner}/{repo}/releases/download/{tag:path}/{name}", forge.download),
        Route("/{owner}/{repo}/releases/tag/{tag:path}", forge.page),
    ]


async def _problem(_request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        error = Problem(error.status_code, error.detail)
    if not isinstance(error, Problem):
        raise error
    answer: dict[str, Any] = {"message": error.message, "documentation_url": "https://docs.github.com/rest"}
    if error.errors:
        answer["errors"] = list(error.errors)
    return JSONResponse({**answer, "status": str(error.status)}, error.status)


def app(folder: Path, *, base: str, repository: str, remote: Remote, token: str, read_token: str) -> Starlette:
    """The forge as an ASGI app; its state lies in ``folder``, ``base`` is its address."""
    forge = Forge(
        shapes=Shapes(api=f"{base}/api/v3", uploads=f"{base}/api/uploads", site=base, repository=repository),
        releases=Releases(folder=folder, git=_git(remote)),
        remote=remote,
        token=token,
        read_token=read_token,
    )
    handlers: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
        Problem: _problem,
        HTTPException: _problem,
    }
    made = Starlette(routes=_routes(forge), exception_handlers=handlers)
    made.router.redirect_slashes = False
    return made
