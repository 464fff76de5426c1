"""Write manifests and indexes: annotated, over several platforms, or marked. Pure; sends nothing.

The configuration and layers keep their digests. The same input gives the same bytes, and therefore the
same digest on every registry.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import msgspec

from unmoor import advice
from unmoor.artifacts.oci import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    digest_of,
    plain_platform,
)
from unmoor.errors import Unknown
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
"""The media type of a Sigstore bundle, and the artifact type of a manifest that holds one."""
EMPTY_CONFIG = "application/vnd.oci.empty.v1+json"
"""The media type of the configuration of an artifact that has none: ``{}``."""
PREDICATE_TYPE = "dev.sigstore.bundle.predicateType"
"""The annotation that names the type of statement in a bundle."""
_EMPTY = b"{}"
PREFIX = "org.opencontainers.image."
"""The prefix of labels that are also annotations."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
_LAYER, _FOREIGN = "application/vnd.oci.image.layer.v1", "application/vnd.oci.image.layer.nondistributable.v1"
# Docker's media types to OCI's. A part of any other type keeps it.
_OCI_TYPES = {
    "application/vnd.docker.container.image.v1+json": "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar": f"{_LAYER}.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": f"{_LAYER}.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd": f"{_LAYER}.tar+zstd",
    "application/vnd.docker.image.rootfs.foreign.diff.tar": f"{_FOREIGN}.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": f"{_FOREIGN}.tar+gzip",
}


class IndexEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One platform's image, as an index names it; ``size`` in bytes of the manifest."""

    platform: str
    digest: str
    media_type: str
    size: int


def annotations_of(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of an image that are also annotations, sorted."""
    return {name: labels[name] for name in sorted(labels) if name.startswith(PREFIX) and labels[name]}


def shared_annotations(annotations: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the annotations that are the same for all images of an index."""
    first, *others = annotations
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def annotate(data: bytes, annotations: Mapping[str, str]) -> bytes:
    """Write an image's manifest in OCI form, with these annotations added."""
    document = _decode(data)
    document |= {
        "mediaType": OCI_MANIFEST,
        "config": _in_oci(document["config"]),
        "layers": [_in_oci(layer) for layer in document.get("layers") or ()],
    }
    return _encode(document, annotations)


def _in_oci(part: dict[str, Any]) -> dict[str, Any]:
    return {**part, "mediaType": _OCI_TYPES.get(part["mediaType"], part["mediaType"])}


def index_over(legs: Iterable[IndexEntry], annotations: Mapping[str, str] = _NOTHING) -> tuple[bytes, str]:
    """Write one index over existing images. Return its bytes and its media type.

    The same images give the same bytes in any order. If all images have Docker's media type, so does the
    index, because old clients expect that; it has no annotations.
    """
    ordered = sorted(legs, key=lambda leg: plain_platform(leg.platform))
    kind = DOCKER_LIST if all(leg.media_type == DOCKER_MANIFEST for leg in ordered) else OCI_INDEX
    manifests = [
        {"mediaType": leg.media_type, "digest": leg.digest, "size": leg.size, "platform": _platform(leg.platform)}
        for leg in ordered
    ]
    document = {"schemaVersion": 2, "mediaType": kind, "manifests": manifests}
    return _encode(document, annotations if kind == OCI_INDEX else _NOTHING), kind


def _platform(text: str) -> dict[str, str]:
    names = ("os", "architecture", "variant")
    values = dict(zip(names, plain_platform(text).split("/"), strict=False))
    return {name: values[name] for name in ("architecture", "os", "variant") if name in values}


def bundle_manifest(
    subject: Descriptor, bundle: bytes, predicate_type: str, *, created: int
) -> tuple[bytes, tuple[bytes, ...]]:
    """Write the manifest of a Sigstore bundle about an image. Return it, and the blobs that it names.

    ``created`` is in seconds since 1970. Source: the referrers that cosign 3 and GitHub's action ``attest`` push.
    """

    def part(kind: str, data: bytes) -> dict[str, Any]:
        return {"mediaType": kind, "digest": digest_of(data), "size": len(data)}

    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": BUNDLE,
        "config": part(EMPTY_CONFIG, _EMPTY),
        "layers": [part(BUNDLE, bundle)],
        "subject": {"mediaType": subject.media_type, "digest": subject.digest, "size": subject.size},
    }
    annotations = {
        "dev.sigstore.bundle.content": "dsse-envelope",
        PREDICATE_TYPE: predicate_type,
        f"{PREFIX}created": datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return _encode(document, annotations), (_EMPTY, bundle)


def with_mark(data: bytes, mark: str) -> bytes:
    """Add an annotation to a manifest that makes its bytes unique; its parts stay the same."""
    return _encode(_decode(data), {"org.unmoor.throw-away": mark})


def _decode(data: bytes) -> dict[str, Any]:
    """Decode a manifest, all of it: `unmoor.artifacts.oci` skips what it does not know. Raises `Unknown`."""
    try:
        return decode_json(data, dict[str, Any])
    except ValueError as error:
        raise Unknown(
            f"cannot read this manifest: {clean(str(error), 120)}",
            next_step=advice.CHECK_WHAT_REGISTRY_SERVES(),
            retryable=False,
        ) from error


def _encode(document: dict[str, Any], annotations: Mapping[str, str]) -> bytes:
    """Encode a document with annotations added; without any, there is no ``annotations`` key."""
    if merged := {**(document.get("annotations") or {}), **annotations}:
        document = {**document, "annotations": dict(sorted(merged.items()))}
    return json.dumps(document, separators=(",", ":")).encode()
