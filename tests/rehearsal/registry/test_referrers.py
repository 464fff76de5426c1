"""The referrers API of the local registries, and the ones without it: unmoor's adapter and a plain client agree."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.rehearsal.conftest import PLAIN, LocalRegistries
from tests.rehearsal.registry.oci_client import INDEX, RegistryClient, digest_of, error
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.registry import OciRegistry
from unmoor.artifacts import oci
from unmoor.config.worlds import read_world
from unmoor.images import oci_documents
from unmoor.images.attestations import list_bundles, put_bundle, read_bundle
from unmoor.rehearsal.faults import control

KIND = "https://slsa.dev/provenance/v1"
CASES = {"GHCR": ("ghcr.io", False), "with the API": (PLAIN, True), "without the API": (PLAIN, False)}


@pytest.fixture
def http() -> Iterator[BoundedSession]:
    """A session."""
    with BoundedSession() as session:
        yield session


def opened(registries: LocalRegistries, http: BoundedSession, host: str, name: str) -> OciRegistry:
    """The repository on one of the registries."""
    places = {each.host: each for each in read_world(registries.world.world_file, {}).registries}
    return OciRegistry(places[host], f"acme/{name}", http, FakeClock())


@pytest.mark.parametrize("case", CASES)
def test_bundles_are_listed(registries: LocalRegistries, http: BoundedSession, name: str, case: str) -> None:
    """The API lists by itself, and no tag is made; without it there is the tag, with the same entries."""
    host, has_api = CASES[case]
    client, registry = registries.oci(host=host), opened(registries, http, host, name)
    if case == "without the API":
        client.control("no-referrers")
    digest = client.push(f"acme/{name}", b"layer", "1.0")
    assert registry.referrers(digest) == ()
    put = {put_bundle(registry, digest, data, KIND, created=1_700_000_000).digest: data for data in (b"one", b"two")}
    listed = list_bundles(registry, digest)
    assert {each.digest: read_bundle(registry, digest, each) for each in listed} == put
    assert {each.artifact_type for each in listed} == {oci_documents.BUNDLE}
    assert (oci.referrers_tag(digest) in registry.tags()) is not has_api
    put_bundle(registry, digest, b"one", KIND, created=1_700_000_000)
    assert len(registry.referrers(digest)) == 2


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("lost", ["manifests/sha256:", "manifests/sha256-"])
def test_an_answer_that_is_lost(
    registries: LocalRegistries, http: BoundedSession, name: str, case: str, lost: str
) -> None:
    """The manifest or its list is stored, and the answer to it does not arrive: it is looked for, and listed once."""
    host, has_api = CASES[case]
    client, registry = registries.oci(host=host), opened(registries, http, host, name)
    if case == "without the API":
        client.control("no-referrers")
    digest = client.push(f"acme/{name}", b"layer", "1.0")
    service = "registry2" if host == PLAIN else "registry"
    text = f"lost-reply@{service}:PUT =/v2/acme/{name}/{lost}*#1"
    control.inject(registries.world.folder, text)
    put = put_bundle(registry, digest, b"one", KIND, created=1)
    assert registry.referrers(digest) == (put,)
    was_met = any(each.injection == text for each in control.met(registries.world.folder))
    assert was_met is not (has_api and lost.endswith("-"))


def test_what_a_plain_client_sees(registries: LocalRegistries, name: str) -> None:
    """The API has the header, the filter and an empty list; GHCR has a redirect; what is private is refused."""
    client, package = registries.oci(host=PLAIN), f"acme/{name}"
    digest = client.push(package, b"layer", "1.0")
    empty = client.call("GET", f"{package}/referrers/{digest}")
    assert (empty.status_code, empty.headers["content-type"], empty.json()["manifests"]) == (200, INDEX, [])
    put = {}
    for kind in ("a/b", "c/d"):
        manifest = client.image(package, kind.encode())
        manifest |= {"artifactType": kind, "subject": {"mediaType": oci.OCI_MANIFEST, "digest": digest, "size": 1}}
        mine = put[kind] = digest_of(json.dumps(manifest).encode())
        assert client.put(package, mine, manifest).headers["oci-subject"] == digest
    assert "oci-subject" not in client.put(package, "2.0", client.image(package, b"other")).headers
    found = client.call("GET", f"{package}/referrers/{digest}?artifactType=a/b")
    assert found.headers["oci-filters-applied"] == "artifactType"
    assert [each["digest"] for each in found.json()["manifests"]] == [put["a/b"]]
    stranger = registries.oci("", host=PLAIN)
    assert stranger.call("GET", f"{package}/referrers/{digest}").status_code == 200
    assert error(client.call("GET", f"{package}-none/referrers/{digest}"))[:2] == (404, "NAME_UNKNOWN")
    client.control("private", package)
    assert stranger.call("GET", f"{package}/referrers/{digest}").status_code == 401
    _deleted(client, package, put["a/b"])
    left = client.call("GET", f"{package}/referrers/{digest}").json()["manifests"]
    assert [each["digest"] for each in left] == [put["c/d"]]
    ghcr = registries.oci().session.get(
        f"{registries.oci().base}/v2/{package}/referrers/{digest}", allow_redirects=False, timeout=20
    )
    assert ghcr.status_code == 303


def _deleted(client: RegistryClient, package: str, digest: str) -> None:
    token = client.token(f"repository:{package}:delete").json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert client.call("DELETE", f"{package}/manifests/{digest}", headers=headers).status_code == 202
