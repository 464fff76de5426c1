"""Manifests and indexes as we write them: annotated, over several platforms, or marked. Pure; nothing is sent here.

Blobs are never touched: the same configuration and layers, by the same digests. The same input gives
the same bytes, and so the same digest on every registry.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from unmoor.artifacts.oci import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, plain_platform

PREFIX = "org.opencontainers.image."
"""How the labels of an image begin that say the same as annotations of that name."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
_LAYER, _FOREIGN = "application/vnd.oci.image.layer.v1", "application/vnd.oci.image.layer.nondistributable.v1"
# A part of another type is nothing of Docker's own, and stays what it is.
_OCI_TYPES = {
    "application/vnd.docker.container.image.v1+json": "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar": f"{_LAYER}.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": f"{_LAYER}.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd": f"{_LAYER}.tar+zstd",
    "application/vnd.docker.image.rootfs.foreign.diff.tar": f"{_FOREIGN}.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": f"{_FOREIGN}.tar+gzip",
}


@dataclass(frozen=True, kw_only=True)
class IndexEntry:
    """One platform's image, as an index names it; ``size`` in bytes of the manifest."""

    platform: str
    digest: str
    media_type: str
    size: int


def annotations_of(labels: Mapping[str, str]) -> dict[str, str]:
    """What an image's labels say that annotations may say, too, sorted."""
    return {name: labels[name] for name in sorted(labels) if name.startswith(PREFIX) and labels[name]}


def shared(each: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The annotations on which all images of an index agree."""
    first, *others = each
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def annotated(data: bytes, annotations: Mapping[str, str]) -> bytes:
    """The OCI form of an image's manifest, with these annotations besides its own."""
    document = json.loads(data)
    document |= {
        "mediaType": OCI_MANIFEST,
        "config": _in_oci(document["config"]),
        "layers": [_in_oci(layer) for layer in document.get("layers") or ()],
    }
    return _written(document, annotations)


def _in_oci(part: dict[str, Any]) -> dict[str, Any]:
    return {**part, "mediaType": _OCI_TYPES.get(part["mediaType"], part["mediaType"])}


def index_over(legs: Iterable[IndexEntry], annotations: Mapping[str, str] = _NOTHING) -> tuple[bytes, str]:
    """Write one index over images that are there: its bytes and its media type.

    The same images give the same bytes, in whatever order they come. Docker's own kind is written
    where all of them are Docker's, since old clients expect one with the other; it knows no annotations.
    """
    ordered = sorted(legs, key=lambda leg: plain_platform(leg.platform))
    kind = DOCKER_LIST if all(leg.media_type == DOCKER_MANIFEST for leg in ordered) else OCI_INDEX
    manifests = [
        {"mediaType": leg.media_type, "digest": leg.digest, "size": leg.size, "platform": _platform(leg.platform)}
        for leg in ordered
    ]
    document = {"schemaVersion": 2, "mediaType": kind, "manifests": manifests}
    return _written(document, annotations if kind == OCI_INDEX else _NOTHING), kind


def _platform(text: str) -> dict[str, str]:
    names = ("os", "architecture", "variant")
    values = dict(zip(names, plain_platform(text).split("/"), strict=False))
    return {name: values[name] for name in ("architecture", "os", "variant") if name in values}


def marked(data: bytes, mark: str) -> bytes:
    """The same manifest with one more annotation: other bytes, which nobody else has, over the same parts."""
    return _written(json.loads(data), {"org.unmoor.throw-away": mark})


def _written(document: dict[str, Any], annotations: Mapping[str, str]) -> bytes:
    """A document as bytes, with more annotations; none at all are left out."""
    if every := {**(document.get("annotations") or {}), **annotations}:
        document = {**document, "annotations": dict(sorted(every.items()))}
    return json.dumps(document, separators=(",", ":")).encode()
