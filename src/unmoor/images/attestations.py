"""Sigstore bundles about images: put one beside its image on a registry, and read those that are there.

A bundle is the only layer of a manifest whose subject is the image, a referrer (OCI distribution specification 1.1).
"""

from __future__ import annotations

from unmoor import advice
from unmoor.artifacts import oci
from unmoor.errors import BadSignature, Unknown
from unmoor.images import oci_documents
from unmoor.ports.registry import OciManifest, Referrer, Registry
from unmoor.ports.signer import MAX_BUNDLE, Bundle
from unmoor.util.text import clean

_ANY_BUNDLE = "application/vnd.dev.sigstore.bundle"


def list_bundles(registry: Registry, digest: str) -> tuple[Referrer, ...]:
    """List the Sigstore bundles about an image, of any version of the format.

    Some clients list a bundle with the type of its empty configuration, so the manifest of such an entry is read.
    Raises as `Registry.referrers`, and `Denied` and `Unknown` if that manifest cannot be read.
    """
    return tuple(
        each
        for each in registry.referrers(digest)
        if each.artifact_type.startswith(_ANY_BUNDLE)
        or oci_documents.PREDICATE_TYPE in each.annotations
        or (each.artifact_type in {"", oci_documents.EMPTY_CONFIG} and _is_bundle(registry, each))
    )


def _is_bundle(registry: Registry, referrer: Referrer) -> bool:
    manifest = registry.manifest(referrer.digest)
    if manifest is None or manifest.media_type != oci.OCI_MANIFEST:
        return False
    document = oci.read_manifest(manifest.data, manifest.media_type, where=registry.name)
    return isinstance(document, oci.ImageManifest) and document.artifact_type.startswith(_ANY_BUNDLE)


def read_bundle(registry: Registry, digest: str, referrer: Referrer) -> Bundle:
    """Read the bundle of a referrer of an image. Does not check the signature.

    Raises `BadSignature` if the list names something that is gone, about another digest or no bundle, `Conflict` if the
    bytes do not match their digest, and `Denied` and `Unknown`.
    """
    where = f"{registry.name}@{referrer.digest}"
    manifest = registry.manifest(referrer.digest)
    if manifest is None:
        raise _no_bundle("it is listed, but not there", where)
    document = oci.read_manifest(manifest.data, manifest.media_type, where=where)
    if not isinstance(document, oci.ImageManifest) or not document.artifact_type.startswith(_ANY_BUNDLE):
        kind = "an index" if isinstance(document, oci.ImageIndex) else clean(document.artifact_type, 100)
        raise _no_bundle(f"it is {kind}, and no Sigstore bundle", where)
    if document.subject != digest:
        raise _no_bundle(f"it is about {document.subject or 'nothing'}, and not about {digest}", where)
    if len(document.layers) != 1:
        raise _no_bundle(f"it has {len(document.layers)} layers, and not one", where)
    (layer,) = document.layers
    if layer.size > MAX_BUNDLE:
        raise _no_bundle(f"its bundle has {layer.size} bytes, more than {MAX_BUNDLE}", where)
    return registry.blob(layer.digest)


def put_bundle(registry: Registry, digest: str, bundle: Bundle, predicate_type: str, *, created: int) -> Referrer:
    """Put a bundle beside an image. The same bundle gives the same referrer. Raises as `Registry.put_referrer`.

    ``created`` is in seconds since 1970, such as the time at which the log recorded it.
    """
    subject = registry.manifest(digest)
    if subject is None:
        raise Unknown(f"{digest} is not there, so nothing can be put beside it", where=registry.name)
    data, blobs = oci_documents.bundle_manifest(
        oci.Descriptor(media_type=subject.media_type, digest=digest, size=len(subject.data)),
        bundle,
        predicate_type,
        created=created,
    )
    manifest = OciManifest(data=data, digest=oci.digest_of(data), media_type=oci.OCI_MANIFEST)
    return registry.put_referrer(manifest, blobs)


def _no_bundle(what: str, where: str) -> BadSignature:
    return BadSignature(what, where=where, next_step=advice.REJECT_SIGNATURE())
