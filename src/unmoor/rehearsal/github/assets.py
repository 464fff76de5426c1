"""Assets of the local forge: upload, download, change, remove.

Their bytes are handed out by another server, as GitHub's are: the API and the site redirect to a
signed address there, which refuses whoever brings credentials along.
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


class AssetWords(msgspec.Struct, kw_only=True):
    """The body of a request that changes an asset."""

    name: str | None = None
    label: str | None = None


@dataclass(frozen=True, kw_only=True)
class Attachments:
    """The routes of assets; ``storage`` is the address of the server that holds their bytes."""

    desk: RequestHandler
    storage: str
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    async def listing(self, request: Request) -> Response:
        """``GET /releases/{id}/assets``."""
        drafts = self.desk.sees_drafts(request)
        release = self.desk.releases.get(request.path_params["id"], drafts=drafts)
        return self.desk.paged(request, [self.desk.shapes.asset(release, asset) for asset in release.assets])

    async def get(self, request: Request) -> Response:
        """``GET /releases/assets/{id}``: what it is, or with ``Accept: application/octet-stream`` its bytes."""
        drafts = self.desk.sees_drafts(request)
        release, asset = self.desk.releases.asset(request.path_params["id"], drafts=drafts)
        if "application/octet-stream" in request.headers.get("accept", ""):
            return self._elsewhere(asset)
        return JSONResponse(self.desk.shapes.asset(release, asset))

    async def attach(self, request: Request) -> Response:
        """``POST {uploads}/repos/…/releases/{id}/assets?name=…``: the body is the file."""
        releases, number = self.desk.releases, request.path_params["id"]
        name = request.query_params.get("name", "")
        note(request, file=name[:255], outcome="refused")
        try:
            self.desk.push(request)
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
        return JSONResponse(self.desk.shapes.asset(releases.get(number, drafts=True), asset), HTTPStatus.CREATED)

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
            note(request, outcome="broken off")
            self.desk.releases.attach(number, name, None, **words)
            raise
        return intake.done()

    async def amend(self, request: Request) -> Response:
        """``PATCH /releases/assets/{id}``."""
        said = await self.desk.body(request, AssetWords)
        release, asset = self.desk.releases.asset(request.path_params["id"], drafts=True)
        changed = self.desk.releases.rename(release, asset, said.name, said.label)
        return JSONResponse(self.desk.shapes.asset(release, changed))

    async def detach(self, request: Request) -> Response:
        """``DELETE /releases/assets/{id}``."""
        self.desk.push(request)
        self.desk.releases.detach(*self.desk.releases.asset(request.path_params["id"], drafts=True))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def download(self, request: Request) -> Response:
        """``/owner/repo/releases/download/{tag}/{name}``: without credentials, for published releases."""
        asked = request.path_params
        release = self.desk.releases.by_tag(asked["tag"]) if self.desk.is_ours(asked["owner"], asked["repo"]) else None
        found = next((a for a in release.assets if a.name == asked["name"]), None) if release else None
        if found is None:
            return Response("Not Found", HTTPStatus.NOT_FOUND, media_type="text/plain")
        return self._elsewhere(found)

    def _elsewhere(self, asset: Asset) -> Response:
        """Lead to the bytes of an asset."""
        if asset.state != "uploaded":
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        until = int(time.time()) + LINK_LIFE
        address = f"{self.storage}/{asset.id}?until={until}&signature={self._signature(asset.id, str(until))}"
        return RedirectResponse(address, HTTPStatus.FOUND)

    def _signature(self, number: int, until: str) -> str:
        return hmac.new(self.key, f"{number} {until}".encode(), "sha256").hexdigest()

    async def stored(self, request: Request) -> Response:
        """The bytes, on the storage server, to whoever holds a signed address and nothing besides."""
        if "authorization" in request.headers:
            return Response("Only one auth mechanism allowed", HTTPStatus.BAD_REQUEST, media_type="text/plain")
        number = request.path_params["id"]
        until = request.query_params.get("until", "")
        signature = request.query_params.get("signature", "")
        if not hmac.compare_digest(signature.encode(), self._signature(number, until).encode()):
            return Response("Signature does not match", HTTPStatus.FORBIDDEN, media_type="text/plain")
        if int(until) < time.time():
            return Response("The address has expired", HTTPStatus.FORBIDDEN, media_type="text/plain")
        path = self.desk.releases.folder / "assets" / str(number)
        if not path.is_file():
            return Response("Not Found", HTTPStatus.NOT_FOUND, media_type="text/plain")
        return FileResponse(path, media_type="application/octet-stream")
