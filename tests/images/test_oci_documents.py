"""Manifests and indexes are written as the same bytes each time, over the same parts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.real_registries import make_image

from unmoor.artifacts import oci
from unmoor.images import oci_documents

SAID = {f"{oci_documents.PREFIX}version": "1.0", f"{oci_documents.PREFIX}title": "demo"}


def legs() -> list[oci_documents.IndexEntry]:
    """Three platforms."""
    return [
        oci_documents.IndexEntry(
            platform=platform, digest=f"sha256:{number:064x}", media_type=oci.OCI_MANIFEST, size=number
        )
        for number, platform in enumerate(["linux/arm64/v8", "linux/amd64", "linux/arm/v7"], 1)
    ]


@given(st.permutations(legs()))
def test_an_index_has_the_same_bytes_in_any_order(some: list[oci_documents.IndexEntry]) -> None:
    """The index can be read back, and has the images that it was made of."""
    data, kind = oci_documents.index_over(some)
    assert (data, kind) == oci_documents.index_over(legs())
    document = oci.read_manifest(data, kind, where="here")
    assert isinstance(document, oci.ImageIndex)
    assert document.images == {oci.plain_platform(leg.platform): leg.digest for leg in some}


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([oci.DOCKER_MANIFEST] * 3, oci.DOCKER_LIST),
        ([oci.OCI_MANIFEST] * 3, oci.OCI_INDEX),
        ([oci.DOCKER_MANIFEST, oci.OCI_MANIFEST, oci.OCI_MANIFEST], oci.OCI_INDEX),
    ],
)
def test_an_index_has_the_media_type_family_of_its_images(kinds: list[str], expected: str) -> None:
    """Old clients expect Docker's index type for images of Docker's type."""
    some = [
        oci_documents.IndexEntry(platform=leg.platform, digest=leg.digest, media_type=kind, size=leg.size)
        for leg, kind in zip(legs(), kinds, strict=True)
    ]
    assert oci_documents.index_over(some)[1] == expected


def test_a_mark_makes_a_unique_digest_over_the_same_parts() -> None:
    """A marked manifest has other bytes, and the same configuration and layers."""
    built = make_image("marked").manifest
    one, two = oci_documents.with_mark(built.data, "one"), oci_documents.with_mark(built.data, "two")
    assert len({oci.digest_of(data) for data in (built.data, one, two)}) == 3
    before = oci.read_manifest(built.data, built.media_type, where="here")
    after = oci.read_manifest(one, built.media_type, where="here")
    assert isinstance(before, oci.ImageManifest)
    assert isinstance(after, oci.ImageManifest)
    assert (after.config, after.layers) == (before.config, before.layers)


def test_only_an_oci_index_has_annotations() -> None:
    """They are sorted in OCI's index; Docker's list does not support them."""
    data, kind = oci_documents.index_over(legs(), SAID)
    assert kind == oci.OCI_INDEX
    assert list(json.loads(data)["annotations"].items()) == sorted(SAID.items())
    docker = [
        oci_documents.IndexEntry(platform=leg.platform, digest=leg.digest, media_type=oci.DOCKER_MANIFEST, size=1)
        for leg in legs()
    ]
    assert oci_documents.index_over(docker, SAID) == oci_documents.index_over(docker)


LAYER = "application/vnd.docker.image.rootfs"
TYPES = {
    f"{LAYER}.diff.tar": "application/vnd.oci.image.layer.v1.tar",
    f"{LAYER}.diff.tar.gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    f"{LAYER}.diff.tar.zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
    f"{LAYER}.foreign.diff.tar.gzip": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.example.other": "application/vnd.example.other",
}


@pytest.mark.parametrize(("before", "after"), TYPES.items(), ids=TYPES)
def test_docker_media_types_become_oci_media_types(before: str, after: str) -> None:
    """Manifest, configuration and layers get OCI types; digests, sizes and everything else stay."""
    document: dict[str, Any] = json.loads(make_image("docker", docker=True).manifest.data)
    document["layers"][0] |= {"mediaType": before, "urls": ["https://example.org/layer"]}
    data = oci_documents.annotate(json.dumps(document).encode(), SAID)
    written = json.loads(data)
    assert written["annotations"] == SAID
    assert written["config"] == document["config"] | {"mediaType": "application/vnd.oci.image.config.v1+json"}
    assert written["layers"] == [document["layers"][0] | {"mediaType": after}]
    oci.read_manifest(data, oci.OCI_MANIFEST, where="here")


def test_annotations_are_added_to_existing_ones() -> None:
    """The bytes do not depend on the order; adding them again changes nothing."""
    data = make_image("oci").manifest.data
    own = json.dumps(json.loads(data) | {"annotations": {"com.example.own": "kept"}}).encode()
    once = oci_documents.annotate(own, SAID)
    assert json.loads(once)["annotations"] == {"com.example.own": "kept", **SAID}
    assert once == oci_documents.annotate(own, dict(reversed(SAID.items()))) == oci_documents.annotate(once, SAID)


def test_labels_that_become_annotations() -> None:
    """Only labels with OCI's prefix and a value do."""
    labels = {**SAID, f"{oci_documents.PREFIX}licenses": "", "maintainer": "somebody"}
    assert oci_documents.annotations_of(labels) == dict(sorted(SAID.items()))


def test_an_index_has_the_annotations_that_all_its_images_share() -> None:
    """Annotations that differ between platforms stay on the images only."""
    other = {**SAID, f"{oci_documents.PREFIX}base.digest": "sha256:1"}
    assert oci_documents.shared_annotations([SAID, other, {**other, f"{oci_documents.PREFIX}title": "another"}]) == {
        f"{oci_documents.PREFIX}version": "1.0"
    }
