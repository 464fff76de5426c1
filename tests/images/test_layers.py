"""The layers of pushed images: what a registry says, and what hides nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from unmoor.artifacts import oci
from unmoor.errors import Unknown
from unmoor.images.layers import read_layers
from unmoor.ports.registry import OciManifest, Registry
from unmoor.products import PushedImage

LEGS = {name: f"sha256:{digit * 64}" for name, digit in {"a": "a", "b": "b", "gone": "c", "odd": "d"}.items()}


def manifest_of(sizes: tuple[int, ...]) -> bytes:
    """Return the manifest of an image with layers of these sizes."""
    part: dict[str, Any] = {"mediaType": "x", "digest": f"sha256:{'e' * 64}"}
    layers = [{**part, "size": size} for size in sizes]
    document = {"schemaVersion": 2, "mediaType": oci.OCI_MANIFEST, "config": {**part, "size": 2}, "layers": layers}
    return json.dumps(document).encode()


class FakeRegistry:
    """A registry that holds these manifests by digest."""

    name = "ghcr.io/acme/demo"

    def __init__(self, held: Mapping[str, bytes]) -> None:
        self.held = held

    def manifest(self, reference: str) -> OciManifest | None:
        """Return what is held."""
        data = self.held.get(reference)
        return OciManifest(data=data, digest=reference, media_type=oci.OCI_MANIFEST) if data is not None else None


def image(*legs: str, digest: str = "") -> PushedImage:
    """Return an image with a platform for each leg."""
    platforms = tuple((f"linux/{leg}", LEGS[leg]) for leg in legs)
    return PushedImage(name=FakeRegistry.name, target="", tag="t", digest=digest, platforms=platforms)


def test_layers_are_read_by_platform_and_errors_by_image() -> None:
    """An image of one manifest has its own digest. One that is gone or broken is an error, and the others stay."""
    held = {LEGS["a"]: manifest_of((5, 6)), LEGS["b"]: manifest_of((7,)), LEGS["odd"]: b"[]"}
    registry = cast("Registry", FakeRegistry(held))
    images = [image("a", "b"), image(digest=LEGS["b"]), image("gone"), image("odd")]
    read = read_layers(images, lambda _name: registry)
    assert {digest: [each.size for each in layers] for digest, layers in read.layers.items()} == {
        LEGS["a"]: [5, 6],
        LEGS["b"]: [7],
    }
    assert [failed for failed, _ in read.errors] == images[2:]
    assert all(isinstance(error, Unknown) for _, error in read.errors)


def test_nothing_is_asked_for_no_images() -> None:
    """No registry is opened."""

    def refuse(name: str) -> Registry:
        raise AssertionError(name)

    assert read_layers((), refuse).layers == {}
