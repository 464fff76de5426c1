"""Names, digests and manifests of container images, as values without I/O.

Follows the OCI image and distribution specifications 1.1, and Docker's manifest version 2, schema 2,
which engines still push. `unmoor.images.oci_documents` writes manifests; this module only reads them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

import msgspec

from unmoor import advice
from unmoor.errors import Cause, ConfigError, UnmoorError
from unmoor.ports.failure import failure
from unmoor.util.decode import decode_json
from unmoor.util.digests import is_sha256
from unmoor.util.text import clean

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
ACCEPT = f"{OCI_INDEX}, {DOCKER_LIST}, {OCI_MANIFEST}, {DOCKER_MANIFEST}"

DOCKER_HUB = "docker.io"
LIMIT = 4_194_304
"""The size in bytes of the largest manifest that a registry must accept (distribution specification)."""

_HUB = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:]+\])(?::[1-9][0-9]{{0,4}})?")
_LONGEST = 255
_SCHEMA = 2
# Tags about a digest: signatures, attestations, and referrers on registries without the referrers API.
_ABOUT = re.compile(r"sha256-([0-9a-f]{64})(?:\.[a-z0-9.-]+)?")


def digest_of(data: bytes) -> str:
    """The digest of bytes: ``sha256:`` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def is_digest(text: str) -> bool:
    """Whether this is a sha256 digest, the only kind in use here."""
    algorithm, _, digits = text.partition(":")
    return algorithm == "sha256" and is_sha256(digits)


def is_tag(text: str) -> bool:
    """Whether this is a valid tag: up to 128 letters, digits, ``_``, ``.``, ``-``, not starting with ``.`` or ``-``."""
    return _TAG.fullmatch(text) is not None


def referrers_tag(digest: str) -> str:
    """The tag of the list of what is about a digest, on a registry without the referrers API.

    >>> referrers_tag("sha256:" + 64 * "0") == "sha256-" + 64 * "0"
    True
    """
    return digest.replace(":", "-", 1)


def subject_of_tag(tag: str) -> str | None:
    """The digest that a tag such as ``sha256-….sig`` is about, ``None`` for any other tag."""
    found = _ABOUT.fullmatch(tag)
    return f"sha256:{found[1]}" if found else None


class ImageName(msgspec.Struct, frozen=True, kw_only=True):
    """A repository on a registry: ``ghcr.io`` and ``owner/name``."""

    host: str
    repository: str

    @classmethod
    def parse(cls, text: str) -> ImageName:
        """Parse a name as users write it. Lowercases it: registries accept nothing else.

        The first part is a host if it contains a dot or a colon or is ``localhost``; a name without a host
        is on Docker Hub. Raises `ConfigError`.
        """
        host, _, rest = text.strip().lower().partition("/")
        if not rest or not ("." in host or ":" in host or host == "localhost"):
            host, rest = DOCKER_HUB, text.strip().lower()
        if host in _HUB:
            host, rest = DOCKER_HUB, rest if "/" in rest else f"library/{rest}"
        if not _HOST.fullmatch(host) or not _REPOSITORY.fullmatch(rest) or len(host) + len(rest) >= _LONGEST:
            raise ConfigError(
                f"{clean(text, 100)!r} is not the name of an image",
                next_step=advice.WRITE_IMAGE_NAME(),
            )
        return cls(host=host, repository=rest)

    def __str__(self) -> str:
        return f"{self.host}/{self.repository}"


class ImageReference(msgspec.Struct, frozen=True, kw_only=True):
    """``host/owner/name:tag@digest``, the last two each optional."""

    name: ImageName
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> ImageReference:
        """Parse a reference. Raises `ConfigError`."""
        rest, at, digest = text.strip().partition("@")
        head, slash, last = rest.rpartition("/")
        last, colon, tag = last.partition(":")
        if (at and not is_digest(digest)) or (colon and not is_tag(tag)):
            raise ConfigError(
                f"{clean(text, 100)!r} is not an image reference",
                next_step=advice.WRITE_IMAGE_REFERENCE(),
            )
        return cls(name=ImageName.parse(f"{head}{slash}{last}"), tag=tag or None, digest=digest or None)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.name}{tag}{f'@{self.digest}' if self.digest else ''}"


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """The platform of an image, as an index describes it."""

    architecture: str
    os: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))


class Descriptor(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A reference from one document to another: media type, digest, and size in bytes."""

    media_type: str
    digest: str
    size: int
    artifact_type: str = ""
    platform: Platform | None = None
    annotations: Mapping[str, str] | None = None


class _Document(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    schema_version: int
    media_type: str = ""
    artifact_type: str = ""
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[Descriptor, ...] | None = None
    subject: Descriptor | None = None
    annotations: Mapping[str, str] | None = None


class ImageManifest(msgspec.Struct, frozen=True, kw_only=True):
    """One image or other artifact. ``subject`` is the digest of the manifest that it is about, if any.

    ``artifact_type`` is the kind of artifact: for an image, the media type of its configuration.
    """

    artifact_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    subject: str | None
    annotations: Mapping[str, str]


class ImageIndex(msgspec.Struct, frozen=True, kw_only=True):
    """A list of manifests, usually one per platform."""

    manifests: tuple[Descriptor, ...]
    subject: str | None
    annotations: Mapping[str, str]

    @property
    def images(self) -> Mapping[str, str]:
        """The digest of each platform (``linux/amd64``). Skips entries without one, such as attestations."""
        return {
            plain_platform(str(each.platform)): each.digest
            for each in self.manifests
            if each.platform is not None and each.platform.os != "unknown"
        }


def read_manifest(data: bytes, media_type: str, *, where: str) -> ImageManifest | ImageIndex:
    """Parse a manifest. Raises `Unknown` if it cannot be understood."""
    try:
        document = decode_json(data, _Document)
    except ValueError as error:
        raise _unreadable(clean(str(error), 120), where) from error
    if trouble := _trouble(document, media_type):
        raise _unreadable(trouble, where)
    subject = document.subject.digest if document.subject else None
    annotations = document.annotations or {}
    if document.manifests is not None:
        return ImageIndex(manifests=document.manifests, subject=subject, annotations=annotations)
    assert document.config is not None  # noqa: S101 - checked by _trouble
    return ImageManifest(
        artifact_type=document.artifact_type or document.config.media_type,
        config=document.config,
        layers=document.layers,
        subject=subject,
        annotations=annotations,
    )


def _unreadable(trouble: str, where: str) -> UnmoorError:
    return failure(
        Cause.NONSENSE,
        f"cannot read this manifest: {trouble}",
        where=where,
        next_step=advice.CHECK_WHAT_REGISTRY_SERVES(),
        retryable=False,
    )


def _trouble(document: _Document, media_type: str) -> str:
    """Why a document does not match its media type, empty if it does."""
    is_index = document.manifests is not None
    named = (document.config, document.subject, *document.layers, *(document.manifests or ()))
    faults = (
        (media_type not in INDEXES | MANIFESTS, f"its media type is {clean(media_type, 80) or 'not given'}"),
        (document.schema_version != _SCHEMA, f"its schema version is {document.schema_version}"),
        (document.media_type not in {"", media_type}, f"it was served as {clean(media_type, 80)} and says otherwise"),
        (is_index is not (media_type in INDEXES), "its content and its media type disagree on whether it is an index"),
        (is_index is (document.config is not None), "it has both a configuration and manifests, or neither"),
        (
            any(each is not None and not is_digest(each.digest) for each in named),
            "it refers to something without a sha256",
        ),
    )
    return next((words for wrong, words in faults if wrong), "")


def plain_platform(text: str) -> str:
    """Normalize a platform: lowercase, and without a variant that is the only one (``arm64/v8``)."""
    parts = text.strip().lower().split("/")
    return "/".join(parts[:2]) if parts[1:] == ["arm64", "v8"] else "/".join(parts)


def leg_tag(tag: str, platform: str) -> str:
    """The tag of one platform's image: ``sha-0123456789ab-linux-amd64``."""
    return f"{tag}-{plain_platform(platform).replace('/', '-')}"
