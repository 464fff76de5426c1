"""A package index: the legacy upload API, the simple index, the JSON API and the files.

It takes and refuses files as PyPI does. Why not pypiserver or devpi: the one accepts
overwrites or refuses with other words and has no JSON index, the other answers differently to the
same bytes sent twice; neither checks names, digests, tags or versions.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from unmoor.rehearsal import checks, pages, store
from unmoor.rehearsal.checks import Offer
from unmoor.rehearsal.http import drain, note, preferred
from unmoor.rehearsal.refusal import Refusal, answer
from unmoor.rehearsal.shelf import Project, Shelf, Stored
from unmoor.rehearsal.store import Digests, Intake

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

USER = "rehearsal"
FIELD_LIMIT = 8 << 20
MAX_FIELDS = 5000


@dataclass(frozen=True, kw_only=True)
class Index:
    """One index: its shelf, its address without a slash at the end, its token, the size limit of a file in bytes."""

    shelf: Shelf
    base: str
    token: str
    limit: int

    def authenticate(self, request: Request) -> None:
        """Refuse a request whose credentials are missing or wrong, as PyPI does: 403 in each case."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(text, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user, password = "", ""
        if scheme.lower() == "basic" and user not in {"__token__", ""}:
            raise Refusal(
                403,
                "Username/Password authentication is no longer supported. Migrate to API Tokens or Trusted "
                f"Publishers instead. See {self.base}/help/#apitoken and {self.base}/help/#trusted-publishers",
            )
        if not hmac.compare_digest(password.encode(), self.token.encode()):
            raise Refusal(
                403,
                "Invalid or non-existent authentication information. "
                f"See {self.base}/help/#invalid-auth for more information.",
            )

    async def upload(self, request: Request) -> Response:
        """The legacy upload API."""
        try:
            self.authenticate(request)
            length = int(request.headers.get("content-length", "0"))
            if length > self.limit + FIELD_LIMIT:
                raise self._too_large("this")
        except Refusal:
            await drain(request)
            raise
        async with request.form(max_files=8, max_fields=MAX_FIELDS, max_part_size=FIELD_LIMIT) as form:
            content = form.get("content")
            fields: dict[str, list[str]] = {}
            for name, value in form.multi_items():
                if isinstance(value, str) and value.strip() and value != "UNKNOWN":
                    fields.setdefault(name, []).append(value)
            sent = content.filename if isinstance(content, UploadFile) else None
            offer = Offer(filename=sent or "", fields=fields)
            note(request, file=offer.filename[:255], outcome="refused")
            metadata = checks.form(offer)
            self._owner(offer, metadata.name)
            if not isinstance(content, UploadFile) or not sent:
                raise Refusal(400, "Upload payload does not have a file.")
            checks.filename(offer)
            if (content.size or 0) > self.limit:
                raise self._too_large(repr(metadata.name))
            intake = Intake(self.shelf.folder / "incoming")
            try:
                found = await asyncio.to_thread(_take, intake, content)
                note(request, sha256=found.sha256)
                checks.digests(offer, found)
                outcome = self._known(offer, found, str(metadata.version))
                if not outcome:
                    raw = await asyncio.to_thread(checks.archive, intake.path, offer, metadata)
                    # Another request may have brought the same name while the archive was read.
                    outcome = self._known(offer, found, str(metadata.version)) or self._keep(intake, offer, found, raw)
            finally:
                intake.drop()
        note(request, outcome=outcome)
        return Response(status_code=200)

    def _too_large(self, project: str) -> Refusal:
        return Refusal(
            400,
            f"File too large. Limit for project {project} is {self.limit // (1 << 20)} MB. "
            f"See {self.base}/help/#file-size-limit for more information.",
        )

    def _owner(self, offer: Offer, name: str) -> None:
        if self.shelf.is_foreign(name):
            raise Refusal(
                403,
                f"The user {USER!r} isn't allowed to upload to project {name!r}. "
                f"See {self.base}/help/#project-name for more information.",
            )
        if self.shelf.get(offer.text("name")) is None:
            checks.project(name)

    def _known(self, offer: Offer, found: Digests, version: str) -> str:
        """Say ``already there`` for the same bytes under the same name; refuse what is taken; empty where it is new."""
        twin = self.shelf.twin(offer.filename, found.blake2)
        if twin and twin.name == offer.filename and twin.digests == found:
            return "already there"
        see = f"See {self.base}/help/#file-name-reuse for more information."
        if twin:
            raise Refusal(
                400, f"File already exists ({twin.name!r}, with blake2_256 hash {twin.digests.blake2!r}). {see}"
            )
        project = self.shelf.get(offer.text("name"))
        if project and offer.filename in project.deleted:
            raise Refusal(
                400,
                "This filename was previously used by a file that has since been deleted. "
                f"Use a different version. {see}",
            )
        kinds = {file.kind for file in project.of(version)} if project else set()
        if offer.text("filetype") == "sdist" and "sdist" in kinds:
            raise Refusal(400, "Only one sdist may be uploaded per release.")
        return ""

    def _keep(self, intake: Intake, offer: Offer, found: Digests, metadata: bytes | None) -> str:
        raw: dict[str, Any] = dict(offer.metadata)
        file = Stored(
            name=offer.filename,
            version=str(Version(offer.text("version"))),
            kind=offer.text("filetype"),
            pyversion=offer.text("pyversion") or "source",
            digests=found,
            uploaded=store.now(),
            requires_python=offer.text("requires_python") or None,
            metadata_sha256=None if metadata is None else hashlib.sha256(metadata).hexdigest(),
        )
        path = self.shelf.bytes_of(file)
        intake.keep(path)
        if metadata is not None:
            path.with_name(f"{path.name}.metadata").write_bytes(metadata)
        self.shelf.add(offer.text("name"), file, raw)
        return "stored"

    def _project(self, request: Request) -> Project:
        project = self.shelf.get(request.path_params["name"])
        if project is None:
            raise Refusal(404, "Not Found")
        return project

    async def simple_root(self, request: Request) -> Response:
        """The list of projects (PEP 503, PEP 691)."""
        return self._simple(request, lambda as_json: pages.root(self.shelf, as_json=as_json), self.shelf.serial)

    async def simple(self, request: Request) -> Response:
        """The files of a project, as installers see them."""
        name = request.path_params["name"]
        if name != canonicalize_name(name) or not request.url.path.endswith("/"):
            return RedirectResponse(f"/simple/{canonicalize_name(name)}/", 301)
        shown = self.shelf.as_installers_see(self._project(request))
        if not shown.files and self._project(request).files:
            raise Refusal(404, "Not Found")
        return self._simple(request, lambda j: pages.project(shown, self.base, as_json=j), shown.serial)

    def _simple(self, request: Request, write: Callable[[bool], str], serial: int) -> Response:
        kind = preferred(request.headers.get("accept", ""), pages.OFFERS)
        if kind is None:
            return Response("Not Acceptable", 406)
        named = {pages.LATEST_JSON: pages.JSON, pages.LATEST_HTML: pages.HTML}.get(kind, kind)
        body = write(named == pages.JSON)
        etag = f'"{hashlib.blake2b(body.encode(), digest_size=16).hexdigest()}"'
        headers = {
            "etag": etag,
            "cache-control": "max-age=600, public",
            "vary": "Accept",
            "x-pypi-last-serial": str(serial),
        }
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=named)

    async def json_project(self, request: Request) -> Response:
        """``/pypi/<name>/json``."""
        project = self._project(request)
        version = pages.newest(project)
        if version is None:
            raise Refusal(404, "Not Found")
        return self._json(request, project, version, whole=True)

    async def json_version(self, request: Request) -> Response:
        """``/pypi/<name>/<version>/json``."""
        project = self._project(request)
        return self._json(request, project, self._version(request, project), whole=False)

    def _version(self, request: Request, project: Project) -> str:
        try:
            version = str(Version(request.path_params["version"]))
        except InvalidVersion:
            raise Refusal(404, "Not Found") from None
        if version not in project.releases or not project.of(version):
            raise Refusal(404, "Not Found")
        return version

    def _json(self, request: Request, project: Project, version: str, *, whole: bool) -> Response:
        name = request.path_params["name"]
        if name != project.normalized:
            return RedirectResponse(request.url.path.replace(f"/{name}/", f"/{project.normalized}/", 1), 301)
        headers = {"x-pypi-last-serial": str(project.serial), "cache-control": "max-age=900, public"}
        return JSONResponse(pages.api(project, version, self.base, whole=whole), headers=headers)

    async def page(self, request: Request) -> Response:
        """``/project/<name>/<version>/``: what a person opens."""
        project = self._project(request)
        return HTMLResponse(pages.person(project, self._version(request, project), self.base))

    async def package(self, request: Request) -> Response:
        """A file's bytes, or the metadata of a wheel (PEP 658)."""
        path: str = request.path_params["path"]
        file = self.shelf.file(path.removesuffix(".metadata"))
        if file is None:
            raise Refusal(404, "Not Found")
        held = self.shelf.bytes_of(file)
        if path.endswith(".metadata"):
            held = held.with_name(f"{held.name}.metadata")
            if file.metadata_sha256 is None:
                raise Refusal(404, "Not Found")
        return FileResponse(held, media_type="application/octet-stream")

    async def manage(self, request: Request) -> Response:
        """What the owner does on the web: DELETE a file for good, POST to yank a release."""
        self.authenticate(request)
        project = self._project(request)
        what = request.path_params["what"]
        if request.method == "POST":
            self.shelf.yank(project, what, request.query_params.get("reason", ""))
            return Response(status_code=204)
        file = next((each for each in project.files if each.name == what), None)
        if file is None:
            raise Refusal(404, "Not Found")
        self.shelf.delete(project, file)
        return Response(status_code=204)


def _take(intake: Intake, content: UploadFile) -> Digests:
    content.file.seek(0)
    for piece in store.pieces(content.file):
        intake.write(piece)
    return intake.done()


def app(folder: Path, *, base: str, token: str, limit: int) -> Starlette:
    """The index as an ASGI app; its state lies in ``folder``."""
    index = Index(shelf=Shelf(folder), base=base, token=token, limit=limit)
    routes = [
        Route("/legacy/", index.upload, methods=["POST"]),
        Route("/simple/", index.simple_root),
        Route("/simple/{name}/", index.simple),
        Route("/simple/{name}", index.simple),
        Route("/pypi/{name}/json", index.json_project),
        Route("/pypi/{name}/{version}/json", index.json_version),
        Route("/project/{name}/{version}/", index.page),
        Route("/packages/{path:path}", index.package),
        Route("/manage/{name}/{what}", index.manage, methods=["POST", "DELETE"]),
    ]

    async def refused(request: Request, error: Exception) -> Response:
        if not isinstance(error, Refusal):
            raise error
        if error.status == 404 and not request.url.path.startswith("/simple/"):  # noqa: PLR2004 - the status
            return JSONResponse({"message": "Not Found"}, 404)
        return answer(request, error)

    handlers: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {Refusal: refused}
    made = Starlette(routes=routes, exception_handlers=handlers)
    made.router.redirect_slashes = False
    return made
