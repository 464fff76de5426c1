"""Referrers on real registries: under a tag where the registry has no API for them, as GHCR, and by the API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.faulty_server import Exchange, run_server
from tests.support.real_registries import (
    NO_LOGIN,
    BuiltImage,
    RealRegistry,
    make_image,
    put_image,
    put_manifest,
    run_registry,
)
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.registry import OciRegistry
from unmoor.artifacts import oci
from unmoor.errors import Conflict, Unknown
from unmoor.images import oci_documents
from unmoor.images.attestations import list_bundles, put_bundle, read_bundle
from unmoor.ports.registry import OciManifest
from unmoor.ports.world import RegistryPlace

KIND = "https://slsa.dev/provenance/v1"
NO_API = {"Docker-Distribution-Api-Version": "registry/2.0"}


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
            registry.put_blob(blob)
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


def about(there: RealRegistry, registry: OciRegistry, subject: BuiltImage, content: str) -> dict[str, Any]:
    """Put a manifest of somebody else about an image, and return its entry, with a field that unmoor does not know."""
    built = make_image(content)
    put_image(there, registry.repository, built)
    document = json.loads(built.manifest.data)
    described = {"mediaType": oci.OCI_MANIFEST, "digest": subject.manifest.digest, "size": len(subject.manifest.data)}
    data = json.dumps(document | {"subject": described, "artifactType": "application/vnd.example.sbom"}).encode()
    manifest = OciManifest(data=data, digest=oci.digest_of(data), media_type=oci.OCI_MANIFEST)
    put_manifest(there, registry.repository, manifest)
    return {
        "mediaType": oci.OCI_MANIFEST,
        "digest": manifest.digest,
        "size": len(data),
        "artifactType": "application/vnd.example.sbom",
        "annotations": {"who": "somebody else"},
        "data": "e30=",
    }


def write_list(there: RealRegistry, registry: OciRegistry, subject: BuiltImage, *entries: Any, **more: Any) -> None:
    """Write the index under the tag of an image by plain HTTP."""
    document = {"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": list(entries), **more}
    data = json.dumps(document).encode()
    index = OciManifest(data=data, digest=oci.digest_of(data), media_type=oci.OCI_INDEX)
    put_manifest(there, registry.repository, index, oci.referrers_tag(subject.manifest.digest))


def read_list(there: RealRegistry, registry: OciRegistry, subject: BuiltImage) -> dict[str, Any]:
    """Read the index under the tag of an image by plain HTTP."""
    path = f"/v2/{registry.repository}/manifests/{oci.referrers_tag(subject.manifest.digest)}"
    found: dict[str, Any] = there.request("GET", path, headers={"Accept": oci.OCI_INDEX}).json()
    return found


def test_what_others_wrote_stays_as_it_is(plain: RealRegistry, http: BoundedSession) -> None:
    """The entries of others, their order, and every field and annotation of the index."""
    registry, built = image_on(plain, http, "others")
    entries = [about(plain, registry, built, content) for content in ("one", "two")]
    more = {"annotations": {"kept": "yes"}, "artifactType": "application/vnd.example"}
    write_list(plain, registry, built, *entries, **more)
    put = put_bundle(registry, built.manifest.digest, b"mine", KIND, created=1)
    found = read_list(plain, registry, built)
    assert found["manifests"][:2] == entries
    assert [each["digest"] for each in found["manifests"][2:]] == [put.digest]
    assert {name: found[name] for name in more} == more
    assert list_bundles(registry, built.manifest.digest) == (put,)


class Racing(BoundedSession):
    """A session during which another client writes the list, right before or right after it is written here."""

    def __init__(self, other: Callable[[], None], when: str) -> None:
        super().__init__()
        self.other, self.when = other, when

    def send(self, method: str, url: str, **more: Any) -> Any:
        """Send the request, with the other client before or after it."""
        is_list = method == "PUT" and "/manifests/sha256-" in url
        if is_list and self.when == "after":
            answer = super().send(method, url, **more)
            self.when = ""
            self.other()
            return answer
        return super().send(method, url, **more)


def test_another_client_that_writes_at_the_same_time(plain: RealRegistry, http: BoundedSession) -> None:
    """It has read the list before, and replaces it: both entries are there in the end."""
    registry, built = image_on(plain, http, "race")
    theirs = about(plain, registry, built, "theirs")
    with Racing(lambda: write_list(plain, registry, built, theirs), "after") as racing:
        mine = plain.open(registry.repository, racing, FakeClock())
        put = put_bundle(mine, built.manifest.digest, b"mine", KIND, created=1)
    assert {each.digest for each in registry.referrers(built.manifest.digest)} == {theirs["digest"], put.digest}


def test_two_writers_of_this_kind_lose_nothing(plain: RealRegistry, http: BoundedSession) -> None:
    """Each writes between the other's read and write, and both entries are there in the end."""
    registry, built = image_on(plain, http, "writers")
    digest = built.manifest.digest
    other = plain.open(registry.repository, http, FakeClock())
    with Racing(lambda: None, "after") as racing:
        racing.other = lambda: put_bundle(other, digest, b"theirs", KIND, created=1)  # type: ignore[assignment]
        put_bundle(plain.open(registry.repository, racing, FakeClock()), digest, b"mine", KIND, created=1)
    assert {read_bundle(registry, digest, each) for each in list_bundles(registry, digest)} == {b"mine", b"theirs"}


def test_an_entry_with_a_wrong_type_is_found_and_corrected(plain: RealRegistry, http: BoundedSession) -> None:
    """Some clients list a bundle under the type of its empty configuration, without annotations."""
    registry, built = image_on(plain, http, "typed")
    digest = built.manifest.digest
    put = put_bundle(registry, digest, b"mine", KIND, created=1)
    entry = {"mediaType": put.media_type, "digest": put.digest, "size": put.size}
    write_list(plain, registry, built, entry | {"artifactType": oci_documents.EMPTY_CONFIG})
    (found,) = list_bundles(registry, digest)
    assert read_bundle(registry, digest, found) == b"mine"
    assert put_bundle(registry, digest, b"mine", KIND, created=1) == put
    assert registry.referrers(digest) == (put,)


def test_an_entry_whose_manifest_is_gone(plain: RealRegistry, http: BoundedSession) -> None:
    """The registry refuses a list that names it, so that entry is left out; the others stay."""
    registry, built = image_on(plain, http, "dangling")
    gone, kept = (about(plain, registry, built, content) for content in ("gone", "kept"))
    write_list(plain, registry, built, gone, kept)
    registry.delete(gone["digest"])
    put = put_bundle(registry, built.manifest.digest, b"mine", KIND, created=1)
    assert [each.digest for each in registry.referrers(built.manifest.digest)] == [kept["digest"], put.digest]


@pytest.mark.parametrize("what", ["an image", "another index"])
def test_a_tag_that_is_no_list_is_not_replaced(plain: RealRegistry, http: BoundedSession, what: str) -> None:
    """Whatever somebody put under the tag stays there, and nothing counts as absent."""
    registry, built = image_on(plain, http, f"taken-{what[-5:]}")
    tag = oci.referrers_tag(built.manifest.digest)
    if what == "an image":
        put_manifest(plain, registry.repository, built.manifest, tag)
        # Under its own digest it is what some registries make of the tag, and no list.
        assert registry.referrers(built.manifest.digest) == ()
        other = make_image("another one")
        put_image(plain, registry.repository, other, tag)
    else:
        kind = oci.DOCKER_LIST
        data = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": []}).encode()
        put_manifest(
            plain, registry.repository, OciManifest(data=data, digest=oci.digest_of(data), media_type=kind), tag
        )
    before = registry.head(tag)
    with pytest.raises(Conflict, match="and not a list of what is about"):
        registry.referrers(built.manifest.digest)
    with pytest.raises(Conflict, match="and not a list of what is about"):
        put_bundle(registry, built.manifest.digest, b"mine", KIND, created=1)
    assert registry.head(tag) == before


SUBJECT = make_image("subject").manifest
ENTRY = {"mediaType": oci.OCI_MANIFEST, "digest": f"sha256:{64 * 'a'}", "size": 3, "artifactType": "a/b"}
LISTS: dict[str, tuple[Any, type[Exception] | int]] = {
    "one entry": ([ENTRY], 1),
    "the same entry twice": ([ENTRY, ENTRY], 1),
    "nothing": ([], 0),
    "no digest": ([ENTRY | {"digest": "nonsense"}], Unknown),
    "no size": ([{"mediaType": oci.OCI_MANIFEST, "digest": ENTRY["digest"]}], Unknown),
    "no list": ({"a": 1}, Unknown),
    "numbers": ([1, 2], Unknown),
}


@pytest.mark.parametrize("by", ["the API", "the tag", "the tag, as GHCR"])
@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_read_strictly(http: BoundedSession, name: str, by: str) -> None:
    """What is no list is unknown, by the API and by the tag; GHCR's redirect to its website is not followed."""
    manifests, expected = LISTS[name]
    body = json.dumps({"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": manifests})
    followed: list[str] = []

    def serve(it: Exchange) -> None:
        if it.path.startswith("/-/"):
            followed.append(it.path)
            it.answer(429)
        elif "/referrers/" in it.path and by != "the API":
            it.answer(*((303, "") if "GHCR" in by else (404, "")), headers={"Location": "/-/v2/packages"})
        else:
            it.answer(200, body, kind=oci.OCI_INDEX, headers=NO_API)

    with run_server(serve) as server:
        registry = OciRegistry(RegistryPlace(host="ghcr.io", address=server.url, login=NO_LOGIN), "acme/demo", http)
        if isinstance(expected, int):
            assert len(registry.referrers(SUBJECT.digest)) == expected
        else:
            with pytest.raises(expected):
                registry.referrers(SUBJECT.digest)
    assert not followed


def test_pages_of_a_list(http: BoundedSession) -> None:
    """Every page counts, and a page at another address is not followed."""
    path = f"/v2/acme/demo/referrers/{SUBJECT.digest}"
    links = {path: f"<{path}?page=2>; rel=next", f"{path}?page=2": "", f"{path}?page=x": ""}

    def serve(it: Exchange) -> None:
        entry = ENTRY | {"digest": oci.digest_of(it.path.encode())}
        body = json.dumps({"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": [entry]})
        it.answer(200, body, kind=oci.OCI_INDEX, headers={"Link": links[it.path]})

    with run_server(serve) as server:
        registry = OciRegistry(RegistryPlace(host="ghcr.io", address=server.url, login=NO_LOGIN), "acme/demo", http)
        assert len(registry.referrers(SUBJECT.digest)) == 2
        links[path] = "<https://example.org/v2/acme/demo/referrers/x>; rel=next"
        with pytest.raises(Unknown, match="the next page of referrers is at another address"):
            registry.referrers(SUBJECT.digest)
