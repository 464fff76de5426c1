"""Assets of the local forge: upload, download, change, remove.

As on GitHub, another server has their bytes: the API and the site redirect to a signed address there, which
refuses requests with credentials.
"""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response

from unmoor.rehearsal.github.releases import Asset, Problem, invalid
from unmoor.rehearsal.github.requests import RequestHandler
from unmoor.rehearsal.shared.http import drain, note
from unmoor.rehearsal.shared.store import Digests, Intake

if TYPE_CHECKING:
    from starlette.requests import Request

ASSET_LIMIT = 2 << 30
LINK_LIFE = 300
PATIENCE = 0.5
"""Seconds to wait for the rest of a body that is refused."""


class AssetBody(msgspec.Struct, kw_only=True):
    """The body of a request that changes an asset."""

    name: str | None = None
    label: str | None = None


@dataclass(frozen=True, kw_only=True)
class Attachments:
    """The routes of assets; ``storage`` is the address of the server that serves their bytes."""

    handler: RequestHandler
    storage: str
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    async def listing(self, request: Request) -> Response:
        """``GET /releases/{id}/assets``."""
        drafts = self.handler.sees_drafts(request)
        release = self.handler.releases.get(request.path_params["id"], drafts=drafts)
        return self.handler.paged(request, release.assets, lambda asset: self.handler.shapes.asset(release, asset))

    async def get(self, request: Request) -> Response:
        """``GET /releases/assets/{id}``: its description, or its bytes with ``Accept: application/octet-stream``."""
        drafts = self.handler.sees_drafts(request)
        release, asset = self.handler.releases.asset(request.path_params["id"], drafts=drafts)
        if "application/octet-stream" in request.headers.get("accept", ""):
            return self._redirect(asset)
        return JSONResponse(self.handler.shapes.asset(release, asset))

    async def attach(self, request: Request) -> Response:
        """``POST {uploads}/repos/…/releases/{id}/assets?name=…``: the body is the file.

        Its length must be known. PyGithub announces both a length and pieces for an empty file, and sends none.
        """
        releases, number = self.handler.releases, request.path_params["id"]
        name = request.query_params.get("name", "")
        note(request, release=number, file=name[:255], outcome="refused")
        if "transfer-encoding" in request.headers or "content-length" not in request.headers:
            await drain(request, patience=PATIENCE)
            return JSONResponse(
                {"message": "Bad Content-Length: ", "request_id": secrets.token_hex(8)},
                HTTPStatus.BAD_REQUEST,
                {"connection": "close"},
            )
        try:
            self.handler.push(request)
            name = releases.check_asset(releases.get(number, drafts=True), name)
        except Problem:
            await drain(request)
            raise
        kind = request.headers.get("content-type", "application/octet-stream")
        words = {"label": request.query_params.get("label"), "content_type": kind}
        intake = Intake(releases.folder / "incoming")
        try:
            digests = await self._receive(request, intake, number, name, words)
            note(request, sha256=digests.sha256)
            asset = releases.attach(number, name, digests, **words)
            intake.keep(releases.path_of(asset))
        finally:
            intake.drop()
        note(request, outcome="stored")
        return JSONResponse(self.handler.shapes.asset(releases.get(number, drafts=True), asset), HTTPStatus.CREATED)

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
            # GitHub keeps an asset without content, which blocks the name.
            note(request, outcome="broken off")
            self.handler.releases.attach(number, name, None, **words)
            raise
        return intake.done()

    async def amend(self, request: Request) -> Response:
        """``PATCH /releases/assets/{id}``."""
        body = await self.handler.body(request, AssetBody)
        release, asset = self.handler.releases.asset(request.path_params["id"], drafts=True)
        changed = self.handler.releases.rename(release, asset, body.name, body.label)
        return JSONResponse(self.handler.shapes.asset(release, changed))

    async def detach(self, request: Request) -> Response:
        """``DELETE /releases/assets/{id}``."""
        self.handler.push(request)
        release, asset = self.handler.releases.asset(request.path_params["id"], drafts=True)
        self.handler.releases.detach(release, asset)
        note(request, release=release.id, removed=asset.name)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def download(self, request: Request) -> Response:
        """``/owner/repo/releases/download/{tag}/{name}``: without credentials, for published releases."""
        params = request.path_params
        release = (
            self.handler.releases.by_tag(params["tag"])
            if self.handler.is_ours(params["owner"], params["repo"])
            else None
        )
        found = next((a for a in release.assets if a.name == params["name"]), None) if release else None
        if found is None:
            return Response("Not Found", HTTPStatus.NOT_FOUND, media_type="text/plain")
        return self._redirect(found)

    def _redirect(self, asset: Asset) -> Response:
        """Redirect to the bytes of an asset."""
        if asset.state != "uploaded":
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        until = int(time.time()) + LINK_LIFE
        address = f"{self.storage}/{asset.id}?until={until}&signature={self._signature(asset.id, str(until))}"
        return RedirectResponse(address, HTTPStatus.FOUND)

    def _signature(self, number: int, until: str) -> str:
        return hmac.new(self.key, f"{number} {until}".encode(), "sha256").hexdigest()

    async def stored(self, request: Request) -> Response:
        """Serve the bytes, on the storage server, for a signed address without credentials."""
        if "authorization" in request.headers:
            return Response("Only one auth mechanism allowed", HTTPStatus.BAD_REQUEST, media_type="text/plain")
        number = request.path_params["id"]
        until = request.query_params.get("until", "")
        signature = request.query_params.get("signature", "")
        if not hmac.compare_digest(signature.encode(), self._signature(number, until).encode()):
            return Response("Signature does not match", HTTPStatus.FORBIDDEN, media_type="text/plain")
        if int(until) < time.time():
            return Response("The address has expired", HTTPStatus.FORBIDDEN, media_type="text/plain")
        path = self.handler.releases.folder / "assets" / str(number)
        if not path.is_file():
            return Response("Not Found", HTTPStatus.NOT_FOUND, media_type="text/plain")
        return FileResponse(path, media_type="application/octet-stream")
