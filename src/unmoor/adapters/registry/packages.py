"""Packages on the forge, for ghcr.io: a repository of images is a package, and a digest is a version of it.

Uses GitHub's REST API, "packages". Only this API can delete: the registry itself answers 405.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from unmoor import advice
from unmoor.adapters.github import GitHubClient, Pace
from unmoor.adapters.github.answers import NotFound, converted, malformed
from unmoor.artifacts import oci
from unmoor.errors import Rejected
from unmoor.ports.clock import Clock
from unmoor.ports.registry import PackageVersion
from unmoor.ports.world import ForgePlace
from unmoor.util.text import clean

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession

_PER_PAGE = 100
_RIGHTS = advice.ALLOW_PACKAGES()


class _Container(msgspec.Struct, frozen=True):
    tags: tuple[str, ...] = ()


class _Metadata(msgspec.Struct, frozen=True):
    container: _Container = msgspec.field(default_factory=_Container)


class _Version(msgspec.Struct, frozen=True):
    id: int
    name: str
    created_at: str
    metadata: _Metadata
    download_count: int | None = None


class _Package(msgspec.Struct, frozen=True):
    name: str
    visibility: str


class ForgePackages:
    """Implements `unmoor.ports.registry.Packages`. ``repository`` is ``owner/name`` on the registry."""

    def __init__(
        self, place: ForgePlace, repository: str, http: BoundedSession, clock: Clock, pace: Pace | None = None
    ) -> None:
        token = place.login.secret
        pace = pace or Pace(place.api, clock)
        self._api = GitHubClient(place, http, clock, token=token or None, pace=pace, rights=_RIGHTS)
        self._repository = repository
        self._path = ""

    def versions(self) -> tuple[PackageVersion, ...]:
        """Read every version, newest first. Empty if the package does not exist."""
        root = self._root()
        if root is None:
            return ()
        path = f"{root}/versions"
        try:
            rows = self._api.listed(f"{path}?state=active", "versions", size=_PER_PAGE)
        except NotFound:
            return ()
        found = (_version(row, self._api.where(path)) for row in rows)
        unique = {version.id: version for version in found}
        return tuple(sorted(unique.values(), key=lambda version: version.created, reverse=True))

    def delete(self, version: PackageVersion) -> None:
        """Delete one version. It is fine if it does not exist. Raises `Rejected`."""
        root = self._root()
        if root is None:
            return
        try:
            self._api.delete(f"{root}/versions/{version.id}")
        except Rejected as error:
            raise Rejected(
                f"could not delete version {version.id} ({version.digest}): {error.what}",
                where=self._repository,
                next_step=advice.ALLOW_DELETION(),
            ) from error

    def is_public(self) -> bool | None:
        """Whether anyone can pull. ``None`` if the package does not exist."""
        root = self._root()
        package = None if root is None else self._package(root)
        return None if package is None else package.visibility == "public"

    def _root(self) -> str | None:
        """Find the package's path, under an organisation or a user. ``None`` if it is under neither (404)."""
        owner, _, name = self._repository.partition("/")
        for kind in () if self._path else ("orgs", "users"):
            path = f"/{kind}/{quote(owner)}/packages/container/{quote(name, safe='')}"
            if self._package(path) is not None:
                self._path = path
                break
        return self._path or None

    def _package(self, path: str) -> _Package | None:
        """Read the package, ``None`` if it does not exist."""
        try:
            return converted(self._api.read(path), _Package, "a package", self._api.where(path))
        except NotFound:
            return None


def _version(raw: Any, where: str) -> PackageVersion:
    row = converted(raw, _Version, "a version of a package", where)
    tags = row.metadata.container.tags
    if not oci.is_digest(row.name) or not all(map(oci.is_tag, tags)):
        raise malformed("a version of a package with a digest and tags", where)
    return PackageVersion(
        id=row.id, digest=row.name, tags=tags, created=clean(row.created_at, 40), downloads=row.download_count
    )
