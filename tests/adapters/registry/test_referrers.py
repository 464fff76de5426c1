"""Referrers on real registries: under a tag where the registry has no API for them, as GHCR, and by the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.real_registries import BuiltImage, RealRegistry, make_image, put_image, run_registry
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.registry import OciRegistry
from unmoor.artifacts import oci
from unmoor.images import oci_documents
from unmoor.images.attestations import list_bundles, put_bundle, read_bundle

KIND = "https://slsa.dev/provenance/v1"
FOREIGN = {
    "mediaType": oci.OCI_MANIFEST,
    "artifactType": "application/vnd.example.sbom",
    "annotations": {"who": "somebody else"},
    "data": "e30=",
}


@pytest.fixture(scope="module")
def http() -> Iterator[BoundedSession]:
    """One session."""
    with BoundedSession() as session:
        yield session


@pytest.fixture(scope="module", params=["", "basic", "token"], ids=["open", "basic", "token"])
def there(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A registry of each kind of login."""
    with run_registry(tmp_path_factory.mktemp("registry"), auth=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A registry without logins, which a plain client can use as well."""
    with run_registry(tmp_path_factory.mktemp("plain")) as running:
        yield running


def image_on(there: RealRegistry, http: BoundedSession, name: str) -> tuple[OciRegistry, BuiltImage]:
    """Push an image and return its repository."""
    registry = there.open(f"acme/{name}", http, FakeClock())
    built = make_image(name)
    if there.login.secret:
        for blob in (built.config, *built.layers):
            registry._referrers._put_blob(blob)
        registry.put("1.0", built.manifest)
    else:
        put_image(there, registry.repository, built, "1.0")
    return registry, built


def test_a_bundle_beside_an_image(there: RealRegistry, http: BoundedSession) -> None:
    """A bundle is listed with its type and annotations, read back byte for byte, and put only once."""
    registry, built = image_on(there, http, "beside")
    digest = built.manifest.digest
    assert registry.referrers(digest) == ()
    first = put_bundle(registry, digest, b"bundle one", KIND, created=1_700_000_000)
    second = put_bundle(registry, digest, b"bundle two", KIND, created=1_700_000_001)
    assert list_bundles(registry, digest) == (first, second)
    assert (first.artifact_type, first.annotations) == (
        oci_documents.BUNDLE,
        {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": KIND,
            "org.opencontainers.image.created": "2023-11-14T22:13:20Z",
        },
    )
    assert [read_bundle(registry, digest, each) for each in (first, second)] == [b"bundle one", b"bundle two"]
    before = registry.head(oci.referrers_tag(digest))
    assert put_bundle(registry, digest, b"bundle one", KIND, created=1_700_000_000) == first
    assert registry.head(oci.referrers_tag(digest)) == before
