"""The packages API of the forge, over what the registry stores for GHCR.

A version is a digest with every tag on it, and is deleted as a whole. The versions are read from the registry's
storage, because its API does not list manifests without a tag. The registry itself deletes them.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.filesystem.safe_folder import remove
from unmoor.rehearsal.github.releases import Problem
from unmoor.rehearsal.github.requests import RequestHandler, Rights
from unmoor.rehearsal.registry.rules import Rules, Who
from unmoor.rehearsal.registry.tokens import Access, Signer
from unmoor.rehearsal.registry.upstream import Upstream, nothing
from unmoor.rehearsal.shared.http import note

if TYPE_CHECKING:
    from starlette.requests import Request

_NUMBER_DIGITS = 13


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a package."""

    id: int
    digest: str
    tags: tuple[str, ...]
    created: str


class PackageStore(msgspec.Struct, frozen=True, kw_only=True):
    """The versions in the registry of GHCR, and how to delete them."""

    rules: Rules
    signer: Signer
    upstream: Upstream

    def _folder(self, name: str) -> Path:
        return self.rules.site.repositories / name

    def versions(self, name: str) -> list[Version]:
        """Return every version, the newest first. Raises a 404 if there is no such package."""
        if not self.rules.exists(name):
            raise Problem(HTTPStatus.NOT_FOUND, "Package not found.")
        manifests = self._folder(name) / "_manifests"
        tags: dict[str, list[str]] = {}
        for link in sorted(manifests.glob("tags/*/current/link")):
            tags.setdefault(link.read_text("utf-8").strip(), []).append(link.parts[-3])
        found = []
        for link in manifests.glob("revisions/sha256/*/link"):
            digest = f"sha256:{link.parent.name}"
            # GitHub numbers versions; a number derived from the digest needs no state.
            number = int(link.parent.name[:_NUMBER_DIGITS], 16)
            written = link.stat().st_mtime
            found.append(
                (written, Version(id=number, digest=digest, tags=tuple(tags.get(digest, ())), created=_at(written)))
            )
        return [version for _, version in sorted(found, key=lambda each: (each[0], each[1].id), reverse=True)]

    def version(self, name: str, number: int) -> Version:
        """Return one version. Raises a 404."""
        found = next((version for version in self.versions(name) if version.id == number), None)
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "Package not found.")
        return found

    async def delete_version(self, name: str, version: Version) -> None:
        """Delete a version with all its tags, if GitHub would. Raises a 400, a 403."""
        self._may_delete(name, [version])
        tagged = [each for each in self.versions(name) if each.tags]
        if tagged == [version]:
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                "You cannot delete the last tagged version of a package. You must delete the package instead.",
            )
        await self._delete(name, version)

    async def delete_package(self, name: str) -> None:
        """Delete a package with all its versions, if GitHub would. Raises a 400, a 403."""
        versions = self.versions(name)
        self._may_delete(name, versions)
        for version in versions:
            await self._delete(name, version)
        for part in ("_manifests", "_layers", "_uploads"):
            with suppress(OSError):  # the registry may write there just now
                remove(self._folder(name) / part)

    def _may_delete(self, name: str, versions: list[Version]) -> None:
        if not self.rules.may_administer(name):
            raise Problem(HTTPStatus.FORBIDDEN, "You need admin permissions on this package to delete it.")
        if self.rules.is_public(name) and any(self.rules.is_popular(version.digest) for version in versions):
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                "Publicly visible package versions with more than 5,000 downloads cannot be deleted. "
                "Contact GitHub support for further assistance.",
            )

    async def _delete(self, name: str, version: Version) -> None:
        token = self.signer.token(Who.WRITER, self.rules.site.host, [Access("repository", name, ("delete",))])
        headers = [(b"host", b"registry"), (b"authorization", f"Bearer {token}".encode())]
        target = f"/v2/{name}/manifests/{version.digest}".encode()
        async with self.upstream.ask("DELETE", target, headers, nothing()) as answer:
            if answer.status != HTTPStatus.ACCEPTED:
                raise Problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"The registry answered {answer.status}.")


class Packages(msgspec.Struct, frozen=True, kw_only=True):
    """The routes of the packages API; ``package_store`` is ``None`` in a world without a registry for GHCR."""

    handler: RequestHandler
    package_store: PackageStore | None

    def routes(self) -> list[Route]:
        """Return every route; the name of a package can contain slashes."""
        root = "/api/v3/{owners}/{login}/packages/container/{name:path}"
        return [
            Route(f"{root}/versions/{{id:int}}", self.version),
            Route(f"{root}/versions/{{id:int}}", self.delete_version, methods=["DELETE"]),
            Route(f"{root}/versions", self.versions),
            Route(root, self.package),
            Route(root, self.delete, methods=["DELETE"]),
        ]

    async def package(self, request: Request) -> Response:
        """``GET /{users,orgs}/{login}/packages/container/{name}``, with its visibility."""
        package_store, name = self._package_of(request)
        versions = package_store.versions(name)
        here = self._address(request)
        return JSONResponse(
            {
                "id": int.from_bytes(name.encode()[:6]),
                "name": request.path_params["name"],
                "package_type": "container",
                "url": here,
                "html_url": self._page(request),
                "version_count": len(versions),
                "visibility": "public" if package_store.rules.is_public(name) else "private",
                "owner": self.handler.owner(),
                "created_at": versions[-1].created,
                "updated_at": versions[0].created,
            }
        )

    async def versions(self, request: Request) -> Response:
        """``GET …/versions``, one page; no version is ever in the state ``deleted``."""
        package_store, name = self._package_of(request)
        found = package_store.versions(name) if request.query_params.get("state", "active") == "active" else []
        return self.handler.paged(request, found, lambda each: self._version(request, each))

    async def version(self, request: Request) -> Response:
        """``GET …/versions/{id}``."""
        package_store, name = self._package_of(request)
        return JSONResponse(self._version(request, package_store.version(name, request.path_params["id"])))

    async def delete_version(self, request: Request) -> Response:
        """``DELETE …/versions/{id}``."""
        package_store, name = self._package_of(request, writes=True)
        version = package_store.version(name, request.path_params["id"])
        await package_store.delete_version(name, version)
        note(request, package=name, digest=version.digest, tags=list(version.tags))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def delete(self, request: Request) -> Response:
        """``DELETE …/packages/container/{name}``."""
        package_store, name = self._package_of(request, writes=True)
        await package_store.delete_package(name)
        note(request, package=name)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _package_of(self, request: Request, *, writes: bool = False) -> tuple[PackageStore, str]:
        """Return the package store, and the package's name in the registry. Raises a 401, a 403, a 404."""
        params = request.path_params
        if writes:
            self.handler.push(request, "packages")
        elif self.handler.rights(request, "packages", always=True) is Rights.ANONYMOUS:
            raise Problem(HTTPStatus.UNAUTHORIZED, "Requires authentication")
        owners = "orgs" if self.handler.is_organisation else "users"
        owner = self.handler.shapes.repository.partition("/")[0].lower()
        if params["owners"] != owners or params["login"].lower() != owner or self.package_store is None:
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        return self.package_store, f"{owner}/{params['name']}"

    def _address(self, request: Request) -> str:
        params = request.path_params
        name = quote(params["name"], safe="")
        return f"{self.handler.shapes.api}/{params['owners']}/{params['login']}/packages/container/{name}"

    def _page(self, request: Request) -> str:
        params = request.path_params
        owner = f"{self.handler.shapes.site}/{params['owners']}/{params['login']}"
        return f"{owner}/packages/container/package/{params['name']}"

    def _version(self, request: Request, version: Version) -> dict[str, Any]:
        return {
            "id": version.id,
            "name": version.digest,
            "url": f"{self._address(request)}/versions/{version.id}",
            "package_html_url": self._page(request),
            "created_at": version.created,
            "updated_at": version.created,
            "html_url": f"{self._page(request)}/{version.id}",
            "metadata": {"package_type": "container", "container": {"tags": list(version.tags)}},
        }


def _at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
