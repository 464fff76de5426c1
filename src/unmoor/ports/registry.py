"""An OCI registry: one repository's manifests, by tag and by digest (OCI distribution specification 1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from unmoor.ports.index import Credential
from unmoor.ports.world import Login


@dataclass(frozen=True, kw_only=True)
class OciManifest:
    """A manifest or an index as the registry holds it: the very bytes, their digest (``sha256:…``) and media type."""

    data: bytes
    digest: str
    media_type: str


@dataclass(frozen=True, kw_only=True)
class PackageVersion:
    """One version of a package on GHCR: a digest with every tag on it; ``downloads`` is ``None`` where unknown."""

    id: int
    digest: str
    tags: tuple[str, ...]
    created: str
    downloads: int | None = None


class Registry(Protocol):
    """One repository on one registry."""

    @property
    def name(self) -> str:
        """As users write it: ``ghcr.io/owner/name``."""

    @property
    def address(self) -> str:
        """As the engine has to write it in this world: ``host:port/owner/name``."""

    @property
    def page(self) -> str:
        """Where a person would change the package's settings."""

    @property
    def login(self) -> Login:
        """The login itself, for an engine that pushes and pulls with it."""

    def credential(self) -> Credential:
        """Say whether there is a login. Never sends anything."""

    def head(self, reference: str) -> str | None:
        """The digest behind a tag or digest, ``None`` where it is not there. Raises `Denied`, `Unknown`."""

    def manifest(self, reference: str, *, anonymous: bool = False) -> OciManifest | None:
        """Read a manifest; its digest is computed and compared. Raises `Denied`, `Unknown`, `Conflict`."""

    def put(self, tag: str, manifest: OciManifest) -> str:
        """Put these very bytes under a tag and return the digest, read back. Raises `Rejected`, `Denied`, `Unknown`."""

    def tags(self) -> tuple[str, ...]:
        """Every tag, empty where the repository does not exist yet. Raises `Denied`, `Unknown`."""

    def blob(self, digest: str) -> bytes:
        """Read a small blob by its digest, such as an image's configuration. Raises as `manifest` does."""

    def may_push(self) -> bool:
        """Whether a push would be let in: an upload session is opened and left unused.

        False, and nothing is sent, where there is no login. Raises `Denied`, in the registry's own
        words, where it says no, and `Unknown`.
        """

    def delete(self, digest: str) -> None:
        """Delete a manifest by digest, with every tag on it. Raises `Rejected` where the registry does not allow it."""


class Packages(Protocol):
    """GHCR's other side: the forge's package versions. A version is a digest; deleting it removes all its tags."""

    def versions(self) -> tuple[PackageVersion, ...]:
        """Every version, newest first. Raises `Denied`, `Unknown`."""

    def delete(self, version: PackageVersion) -> None:
        """Delete one version. Raises `Rejected`, `Denied`, `Unknown`."""

    def is_public(self) -> bool | None:
        """Whether everybody may pull; ``None`` where the package does not exist yet."""
