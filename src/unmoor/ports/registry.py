"""An OCI registry: one repository's manifests, by tag and by digest (OCI distribution specification 1.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from unmoor.ports.index import Credential
from unmoor.ports.world import Login


class OciManifest(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest or an index exactly as the registry holds it: bytes, digest (``sha256:…``), media type."""

    data: bytes
    digest: str
    media_type: str


class Referrer(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the list of referrers of a digest: a manifest that says that it is about that digest.

    The list may be anybody's: what an entry says is true only if the manifest says it, too. ``size`` is in bytes.
    """

    digest: str
    media_type: str
    size: int
    artifact_type: str
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)


class PackageVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a package on GHCR: a digest with all its tags. ``downloads`` is ``None`` if unknown."""

    id: int
    digest: str
    tags: tuple[str, ...]
    created: str
    downloads: int | None = None


class Registry(Protocol):
    """One repository on one registry."""

    @property
    def name(self) -> str:
        """The name that users write: ``ghcr.io/owner/name``."""

    @property
    def address(self) -> str:
        """The name that the engine uses in this world: ``host:port/owner/name``."""

    @property
    def page(self) -> str:
        """The web address of the package's settings."""

    @property
    def login(self) -> Login:
        """The login, for an engine to push and pull with."""

    def credential(self) -> Credential:
        """Say whether there is a login. Sends nothing."""

    def head(self, reference: str) -> str | None:
        """The digest behind a tag or digest, ``None`` if it is absent. Raises `Denied`, `Unknown`."""

    def manifest(self, reference: str, *, anonymous: bool = False) -> OciManifest | None:
        """Read a manifest and check its digest. Raises `Denied`, `Unknown`, `Conflict`."""

    def put(self, tag: str, manifest: OciManifest) -> str:
        """Put exactly these bytes under a tag and return the digest. Raises `Rejected`, `Denied`, `Unknown`."""

    def tags(self) -> tuple[str, ...]:
        """Every tag; empty if the repository does not exist yet. Raises `Denied`, `Unknown`."""

    def blob(self, digest: str) -> bytes:
        """Read a small blob by digest, such as an image's configuration. Raises `Denied`, `Unknown`, `Conflict`."""

    def referrers(self, digest: str) -> tuple[Referrer, ...]:
        """List what is about a digest, such as its signatures; empty if nothing is.

        Reads the referrers API, or on a registry without it the index under the tag ``sha256-…`` (distribution
        specification 1.1, "Unavailable Referrers API"). Raises `Denied`, `Unknown`, and `Conflict` if that tag points
        at something else than a list.
        """

    def put_referrer(self, manifest: OciManifest, blobs: Sequence[bytes]) -> Referrer:
        """Put a manifest with a subject by its digest, after its blobs, and read back that its subject lists it.

        On a registry without the referrers API, adds it to the index under the subject's tag, and keeps every entry
        there, also one that another client adds at the same time. Repeating it changes nothing. Raises `Rejected`,
        `Denied`, `Unknown`, `Conflict`.
        """

    def may_push(self) -> bool:
        """Whether a push would be accepted: opens an upload session and does not use it.

        False, without a request, if there is no login. Raises `Denied` with the registry's message if it
        refuses, and `Unknown`.
        """

    def delete(self, digest: str) -> None:
        """Delete a manifest by digest, with all its tags. Raises `Rejected` if the registry does not allow it."""


class Packages(Protocol):
    """The forge's view of GHCR: package versions. A version is a digest; deleting it removes all its tags."""

    def versions(self) -> tuple[PackageVersion, ...]:
        """Every version, newest first. Raises `Denied`, `Unknown`."""

    def delete(self, version: PackageVersion) -> None:
        """Delete one version. Raises `Rejected`, `Denied`, `Unknown`."""

    def is_public(self) -> bool | None:
        """Whether anyone may pull; ``None`` if the package does not exist yet."""
