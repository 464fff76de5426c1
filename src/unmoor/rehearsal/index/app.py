"""A package index: the legacy upload API, the simple index, the JSON API and the files.

It accepts and refuses files as PyPI does. pypiserver and devpi do not: pypiserver accepts overwrites or refuses
them with other messages, and has no JSON index; devpi answers differently to the same bytes sent twice; neither
checks names, digests, tags or versions.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name
from packaging.version import Version
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.index import attestations, pages
from unmoor.rehearsal.index.refusal import Refusal, answer
from unmoor.rehearsal.index.store import QUARANTINED, Project, ProjectStore
from unmoor.rehearsal.index.trusted_publishing import Minting
from unmoor.rehearsal.index.upload_api import NO_ATTESTATIONS, Tokens, Uploads
from unmoor.rehearsal.shared.http import answer_full, answer_gone, preferred
from unmoor.rehearsal.shared.oidc import Issuer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request


@dataclass(frozen=True, kw_only=True)
class Index:
    """The pages of one index: its projects, its address without a slash at the end, and its uploads."""

    project_store: ProjectStore
    base: str
    uploads: Uploads
    _written: dict[tuple[str, bool], tuple[Project, str, str]] = field(default_factory=dict, init=False, repr=False)

    def _project(self, request: Request) -> Project:
        project = self.project_store.get(request.path_params["name"])
        if project is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "Not Found")
        return project

    def _offered(self, request: Request) -> Project:
        """Return the project of a request, unless it is quarantined: then only the simple index has a page."""
        project = self._project(request)
        if self.project_store.status(project) == QUARANTINED:
            raise Refusal(HTTPStatus.NOT_FOUND, "Not Found")
        return project

    async def simple_root(self, request: Request) -> Response:
        """The list of projects (PEP 503, PEP 691)."""
        return self._simple(
            request, lambda as_json: pages.root(self.project_store, as_json=as_json), self.project_store.serial
        )

    async def simple(self, request: Request) -> Response:
        """The files of a project that installers see (PEP 503, PEP 691)."""
        name = request.path_params["name"]
        if name != canonicalize_name(name) or not request.url.path.endswith("/"):
            return RedirectResponse(f"/simple/{canonicalize_name(name)}/", HTTPStatus.MOVED_PERMANENTLY)
        project = self._project(request)
        visible, status = self.project_store.as_installers_see(project), self.project_store.status(project)
        if not visible.files and project.files and status != QUARANTINED:
            raise Refusal(HTTPStatus.NOT_FOUND, "Not Found")
        return self._simple(request, lambda as_json: self._page(visible, status, as_json=as_json), visible.serial)

    def _page(self, project: Project, status: str, *, as_json: bool) -> str:
        """Write the page of a project, once until it changes: it may have hundreds of files."""
        key = (project.normalized, as_json)
        known = self._written.get(key)
        if known is None or known[0] is not project or known[1] != status:
            text = pages.project(project, self.base, status=status, as_json=as_json)
            known = self._written[key] = project, status, text
        return known[2]

    def _simple(self, request: Request, write: Callable[[bool], str], serial: int) -> Response:
        kind = preferred(request.headers.get("accept", ""), pages.OFFERS)
        if kind is None:
            return Response("Not Acceptable", HTTPStatus.NOT_ACCEPTABLE)
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
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(body, headers=headers, media_type=named)

    async def json_project(self, request: Request) -> Response:
        """``/pypi/<name>/json``."""
        project = self._offered(request)
        version = pages.newest(project)
        if version is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "Not Found")
        return self._json(request, project, version, whole=True)

    async def json_version(self, request: Request) -> Response:
        """``/pypi/<name>/<version>/json``."""
        project = self._offered(request)
        return self._json(request, project, self._version(request, project), whole=False)

    def _version(self, request: Request, project: Project) -> str:
        try:
            version = str(Version(request.path_params["version"]))
        except ValueError:  # InvalidVersion, or a number of thousands of digits
            raise Refusal(HTTPStatus.NOT_FOUND, "Not Found") from None
        if version not in project.releases or not project.of(version):
            raise Refusal(HTTPStatus.NOT_FOUND, "Not Found")
        return version

    def _json(self, request: Request, project: Project, version: str, *, whole: bool) -> Response:
        name = request.path_params["name"]
        if name != project.normalized:
            return RedirectResponse(
                request.url.path.replace(f"/{name}/", f"/{project.normalized}/", 1), HTTPStatus.MOVED_PERMANENTLY
            )
        headers = {"x-pypi-last-serial": str(project.serial), "cache-control": "max-age=900, public"}
        return JSONResponse(pages.api(project, version, self.base, whole=whole), headers=headers)

    async def page(self, request: Request) -> Response:
        """``/project/<name>/<version>/``: the web page of a release."""
        project = self._offered(request)
        return HTMLResponse(pages.person(project, self._version(request, project), self.base))

    async def package(self, request: Request) -> Response:
        """A file's bytes, or the metadata of a wheel (PEP 658)."""
        path: str = request.path_params["path"]
        file = self.project_store.file(path.removesuffix(".metadata"))
        if file is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "Not Found")
        held = self.project_store.bytes_of(file)
        if path.endswith(".metadata"):
            held = held.with_name(f"{held.name}.metadata")
            if file.metadata_sha256 is None:
                raise Refusal(HTTPStatus.NOT_FOUND, "Not Found")
        return FileResponse(held, media_type="application/octet-stream")

    async def provenance(self, request: Request) -> Response:
        """``/integrity/<name>/<version>/<file>/provenance`` (PEP 740)."""
        project = self._offered(request)
        version, name = self._version(request, project), request.path_params["file"]
        file = next((each for each in project.of(version) if each.name == name), None)
        if file is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "Not Found")
        kind = preferred(request.headers.get("accept", ""), attestations.OFFERS)
        if kind is None:
            return JSONResponse({"message": "Request not acceptable"}, HTTPStatus.NOT_ACCEPTABLE)
        if (self.project_store.folder / NO_ATTESTATIONS).exists():
            return JSONResponse({"message": "Attestations temporarily disabled"}, HTTPStatus.FORBIDDEN)
        if not file.has_provenance:
            message = f"No provenance available for {file.name}"
            return JSONResponse({"message": message}, HTTPStatus.NOT_FOUND)
        held = self.project_store.bytes_of(file)
        headers = {"vary": "Accept", "cache-control": "max-age=600, public"}
        return FileResponse(held.with_name(f"{held.name}.provenance"), headers=headers, media_type=kind)

    async def manage(self, request: Request) -> Response:
        """The owner's actions on the web: DELETE a file for good, POST to yank a release."""
        self.uploads.authenticate(request)
        project = self._project(request)
        what = request.path_params["what"]
        if request.method == "POST":
            self.project_store.yank(project, what, request.query_params.get("reason", ""))
            return Response(status_code=HTTPStatus.NO_CONTENT)
        file = next((each for each in project.files if each.name == what), None)
        if file is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "Not Found")
        self.project_store.delete(project, file)
        return Response(status_code=HTTPStatus.NO_CONTENT)


def app(
    folder: Path,
    *,
    base: str,
    tokens: Tokens,
    limit: int,
    issuer: Issuer,
    trust: Callable[[], Path],
    any_platform: bool = False,
) -> Starlette:
    """Return the index as an ASGI app; its state is in ``folder``. It trusts the ID tokens of one issuer.

    ``limit`` is the largest file in bytes. ``trust`` returns the client trust config of the Sigstore instance that
    attestations must come from. With ``any_platform`` the index takes wheels for platforms that PyPI refuses.
    """
    project_store = ProjectStore(folder)
    minting = Minting(project_store=project_store, issuer=issuer, location=base.partition("://")[2])
    uploads = Uploads(
        project_store=project_store,
        base=base,
        tokens=tokens,
        limit=limit,
        attestations=attestations.Attestations(trust=trust),
        minting=minting,
        any_platform=any_platform,
    )
    index = Index(project_store=project_store, base=base, uploads=uploads)
    routes = [
        Route("/legacy/", uploads.upload, methods=["POST"]),
        Route("/simple/", index.simple_root),
        Route("/simple/{name}/", index.simple),
        Route("/simple/{name}", index.simple),
        Route("/pypi/{name}/json", index.json_project),
        Route("/pypi/{name}/{version}/json", index.json_version),
        Route("/project/{name}/{version}/", index.page),
        Route("/packages/{path:path}", index.package),
        Route("/integrity/{name}/{version}/{file}/provenance", index.provenance),
        Route("/manage/{name}/{what}", index.manage, methods=["POST", "DELETE"]),
        *minting.routes(),
    ]

    async def refused(request: Request, error: Exception) -> Response:
        if not isinstance(error, Refusal):
            raise error
        if error.status == HTTPStatus.NOT_FOUND and not request.url.path.startswith("/simple/"):
            return JSONResponse({"message": "Not Found"}, HTTPStatus.NOT_FOUND)
        return answer(request, error)

    handlers: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
        Refusal: refused,
        ClientDisconnect: answer_gone,
        OSError: answer_full,
    }
    made = Starlette(routes=routes, exception_handlers=handlers)
    made.router.redirect_slashes = False
    return made
