"""What registries show beside an image comes from annotations; engines push manifests without any.

The annotations are the image's own labels, read from its configuration, so that whoever looks at a
registry can tell what a manifest ought to say: no memory of who pushed it is needed.
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
    """The labels in a configuration, by its digest; none where it is no image's. Raises as the registry does."""
    try:
        told = decode_json(registry.blob(config), _Config)
    except ValueError:
        return {}
    return (told.config.labels or {}) if told.config else {}


def annotated(registry: Registry, manifest: OciManifest, ids: Sequence[str]) -> OciManifest:
    """One image's manifest with its labels as annotations: the very same where it has them.

    ``ids`` are what engines call the image: where one of them is the manifest's own digest, the
    manifest stays as it is, since another one would be another image to that engine.
    """
    document = _read(registry, manifest)
    if not isinstance(document, oci.ImageManifest) or manifest.digest in ids:
        return manifest
    wanted = oci_documents.annotations_of(labels_of(registry, document.config.digest))
    if wanted.items() <= document.annotations.items():
        return manifest
    return _as_manifest(oci_documents.annotated(manifest.data, wanted), oci.OCI_MANIFEST)


def put_annotated(
    registry: Registry, image: Image, tag: str, there: OciManifest, say: Callable[[str], None]
) -> OciManifest:
    """Put the manifest with its annotations under the tag; a registry that refuses it keeps the engine's."""
    whole = annotated(registry, there, [image.id])
    if whole.digest == there.digest:
        return there
    try:
        registry.put(tag, whole)
    except Rejected as error:
        say(f"{registry.name}:{tag} stays as the engine pushed it, without annotations: {error.what}")
        return there
    say(f"{registry.name}:{tag} has its annotations: {whole.digest}")
    return whole


def index_over(registry: Registry, legs: Mapping[str, OciManifest]) -> OciManifest:
    """One index over manifests that are there, by platform, with the annotations that their labels share."""
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
            oci_documents.shared([oci_documents.annotations_of(each) for each in labels]),
        )
    )


def is_annotated(registry: Registry, manifest: OciManifest, ids: Sequence[str]) -> bool:
    """Whether an image, or an index and each image of it, says in annotations what labels say."""
    document = _read(registry, manifest)
    if isinstance(document, oci.ImageManifest):
        return annotated(registry, manifest, ids).digest == manifest.digest
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
