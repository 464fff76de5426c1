"""Read from a registry which layers an image has, by the digest of the manifest of each platform."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import msgspec

from unmoor.artifacts import oci
from unmoor.artifacts.oci import Descriptor
from unmoor.errors import Internal, Interrupted, UnmoorError
from unmoor.images.image_plan import manifest_by_digest
from unmoor.ports.registry import Registry
from unmoor.products import PushedImage

_AT_ONCE = 4


class ReadLayers(msgspec.Struct, frozen=True, kw_only=True):
    """The layers by digest of a platform's manifest, and of which images they could not be read, with the error."""

    layers: Mapping[str, tuple[Descriptor, ...]]
    errors: tuple[tuple[PushedImage, UnmoorError], ...] = ()


def read_layers(images: Iterable[PushedImage], registry: Callable[[str], Registry]) -> ReadLayers:
    """Read the layers of pushed images. What cannot be read is an error of its image, and hides no other one."""
    listed = tuple(images)
    if not listed:
        return ReadLayers(layers={})
    with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="layers") as pool:
        results = list(pool.map(partial(_read, registry=registry), listed))
    layers: dict[str, tuple[Descriptor, ...]] = {}
    errors = []
    for image, result in zip(listed, results, strict=True):
        if isinstance(result, UnmoorError):
            errors.append((image, result))
        else:
            layers |= result
    return ReadLayers(layers=layers, errors=tuple(errors))


def _read(
    image: PushedImage, registry: Callable[[str], Registry]
) -> Mapping[str, tuple[Descriptor, ...]] | UnmoorError:
    digests = [digest for _, digest in image.platforms] or [image.digest]
    try:
        return {digest: _layers(registry(image.name), digest) for digest in digests}
    except (Interrupted, Internal):
        raise
    except UnmoorError as error:
        return error


def _layers(registry: Registry, digest: str) -> tuple[Descriptor, ...]:
    manifest = manifest_by_digest(registry, digest)
    document = oci.read_manifest(manifest.data, manifest.media_type, where=f"{registry.name}, {digest}")
    return document.layers if isinstance(document, oci.ImageManifest) else ()
