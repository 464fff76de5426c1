"""Annotate images in a registry: engines push manifests without the annotations that registries display.

The annotations are the image's own labels, read from its configuration. Anyone who reads a registry can
therefore compute what a manifest should say, without knowing who pushed it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from unmoor.artifacts import oci
from unmoor.errors import Rejected
from unmoor.images import oci_documents
from unmoor.ports.registry import OciManifest, Registry
from unmoor.products import Image
from unmoor.util.decode import decode_json


class _Inner(msgspec.Struct, frozen=True):
    labels: dict[str, str] | None = msgspec.field(default=None, name="Labels")


class _Config(msgspec.Struct, frozen=True):
    config: _Inner | None = None


def labels_of(registry: Registry, config: str) -> Mapping[str, str]:
    """Read the labels in a configuration, by its digest; none if it does not belong to an image.

    Raises what the registry raises.
    """
    try:
        document = decode_json(registry.blob(config), _Config)
    except ValueError:
        return {}
    return (document.config.labels or {}) if document.config else {}


def with_annotations(registry: Registry, manifest: OciManifest, ids: Sequence[str]) -> OciManifest:
    """Return one image's manifest with its labels as annotations, or the same object if it has them already.

    ``ids`` are the ids that engines give the image. If one of them is the manifest's own digest, the
    manifest stays as it is: that engine would take a changed manifest for another image.
    """
    document = _read(registry, manifest)
    if not isinstance(document, oci.ImageManifest) or manifest.digest in ids:
        return manifest
    wanted = oci_documents.annotations_of(labels_of(registry, document.config.digest))
    if wanted.items() <= document.annotations.items():
        return manifest
    return _as_manifest(oci_documents.annotate(manifest.data, wanted), oci.OCI_MANIFEST)


def put_annotated(
    registry: Registry, image: Image, tag: str, there: OciManifest, say: Callable[[str], None]
) -> OciManifest:
    """Put the annotated manifest under the tag. If the registry refuses it, the engine's manifest stays."""
    complete = with_annotations(registry, there, [image.id])
    if complete.digest == there.digest:
        return there
    try:
        registry.put(tag, complete)
    except Rejected as error:
        say(f"{registry.name}:{tag} stays as the engine pushed it, without annotations: {error.what}")
        return there
    say(f"{registry.name}:{tag} has its annotations: {complete.digest}")
    return complete


def index_over(registry: Registry, legs: Mapping[str, OciManifest]) -> OciManifest:
    """Make one index over existing manifests, by platform, with the annotations that all their labels share."""
    documents = [_read(registry, each) for each in legs.values()]
    labels = [labels_of(registry, each.config.digest) for each in documents if isinstance(each, oci.ImageManifest)]
    return _as_manifest(
        *oci_documents.index_over(
            (
                oci_documents.IndexEntry(
                    platform=platform, digest=each.digest, media_type=each.media_type, size=len(each.data)
                )
                for platform, each in legs.items()
            ),
            oci_documents.shared_annotations([oci_documents.annotations_of(each) for each in labels]),
        )
    )


def is_annotated(registry: Registry, manifest: OciManifest, ids: Sequence[str]) -> bool:
    """Whether the annotations of an image, or of an index and each of its images, repeat the labels."""
    document = _read(registry, manifest)
    if isinstance(document, oci.ImageManifest):
        return with_annotations(registry, manifest, ids).digest == manifest.digest
    legs = {platform: registry.manifest(digest) for platform, digest in document.images.items()}
    there = {platform: each for platform, each in legs.items() if each is not None}
    if len(there) < len(legs) or not all(is_annotated(registry, each, ids) for each in there.values()):
        return False
    wanted = _read(registry, index_over(registry, there))
    return wanted.annotations.items() <= document.annotations.items()


def _read(registry: Registry, manifest: OciManifest) -> oci.ImageManifest | oci.ImageIndex:
    return oci.read_manifest(manifest.data, manifest.media_type, where=f"{registry.name}, {manifest.digest}")


def _as_manifest(data: bytes, kind: str) -> OciManifest:
    return OciManifest(data=data, digest=oci.digest_of(data), media_type=kind)
