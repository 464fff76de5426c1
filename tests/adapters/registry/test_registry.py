"""The adapter on real registries, without a login, with a password and with tokens. skopeo checks the results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.real_registries import (
    NO_LOGIN,
    USER,
    RealRegistry,
    index_of,
    make_image,
    put_image,
    put_manifest,
    run_registry,
    write_layout,
)

from unmoor.adapters.http.session import BoundedSession
from unmoor.artifacts import oci
from unmoor.errors import Denied, Rejected
from unmoor.ports.registry import OciManifest
from unmoor.ports.world import Login
from unmoor.util.secret import Secret
from unmoor.util.values import replace

WRONG = Login(username=USER, secret=Secret("wrong"), origin="a wrong place")


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
def basic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A registry with passwords, which a plain client can use as well."""
    with run_registry(tmp_path_factory.mktemp("basic"), auth="basic") as running:
        yield running


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A registry with tokens."""
    with run_registry(tmp_path_factory.mktemp("token"), auth="token") as running:
        yield running


@pytest.mark.parametrize("docker", [False, True], ids=["oci", "docker"])
def test_an_image_from_another_client(
    there: RealRegistry, http: BoundedSession, tmp_path: Path, *, docker: bool
) -> None:
    """An image that skopeo pushed is readable by tag and by digest, with the same bytes and media type."""
    built = make_image("read")
    repository = f"acme/read-{docker}".lower()
    kind = "v2s2" if docker else "oci"
    there.skopeo(
        "copy", "--format", kind, write_layout(tmp_path / "image", built, "one"), f"docker://{{}}/{repository}:one"
    )
    seen = there.open(repository, http)
    digest = json.loads(there.skopeo("inspect", f"docker://{{}}/{repository}:one"))["Digest"]
    assert seen.head("one") == digest
    assert seen.head(digest) == digest
    manifest = seen.manifest("one")
    assert manifest is not None
    assert manifest.digest == oci.digest_of(manifest.data) == digest
    document = oci.read_manifest(manifest.data, manifest.media_type, where="here")
    assert isinstance(document, oci.ImageManifest)
    assert document.config.digest == built.id
    assert seen.blob(built.id) == built.config
    assert seen.tags() == ("one",)


def test_absence(there: RealRegistry, http: BoundedSession) -> None:
    """A missing repository, tag or digest is ``None`` or empty, and no error."""
    seen = there.open("acme/nothing", http)
    assert seen.head("one") is None
    assert seen.manifest("one") is None
    assert seen.head(f"sha256:{'0' * 64}") is None
    assert seen.tags() == ()


def test_the_same_bytes_under_another_tag(there: RealRegistry, http: BoundedSession, tmp_path: Path) -> None:
    """A second tag has the same digest, also according to skopeo."""
    built = make_image("promoted")
    there.skopeo("copy", write_layout(tmp_path / "image", built, "one"), "docker://{}/acme/promoted:sha-1")
    seen = there.open("acme/promoted", http)
    manifest = seen.manifest("sha-1")
    assert manifest is not None
    assert seen.put("1.0", manifest) == manifest.digest
    assert set(seen.tags()) == {"sha-1", "1.0"}
    told = json.loads(there.skopeo("inspect", "docker://{}/acme/promoted:1.0"))
    assert told["Digest"] == manifest.digest


def test_an_index_over_images_that_exist(basic: RealRegistry, http: BoundedSession) -> None:
    """Its bytes do not depend on the order of the images. A client reads the same bytes."""
    legs = [(platform, make_image("leg", platform=platform)) for platform in ("linux/amd64", "linux/386")]
    for _, built in legs:
        put_image(basic, "acme/index", built)
    index = index_of(legs)
    assert index == index_of(legs[::-1])
    assert basic.open("acme/index", http).put("1.0", index) == index.digest
    raw = basic.skopeo("inspect", "--raw", "docker://{}/acme/index:1.0")
    assert raw.encode() == index.data


def test_an_index_over_a_missing_image_is_refused(basic: RealRegistry, http: BoundedSession) -> None:
    """The error has the registry's own message."""
    index = index_of([("linux/amd64", make_image("never pushed"))])
    with pytest.raises(Rejected, match="MANIFEST_BLOB_UNKNOWN"):
        basic.open("acme/index", http).put("2.0", index)


def test_pushing_may_be_probed(there: RealRegistry, http: BoundedSession) -> None:
    """The right login can start an upload. Without a login, nothing is sent."""
    assert there.open("acme/probe", http).may_push() is bool(there.login.secret)
    assert there.open("acme/probe", http).tags() == ()
    assert there.open("acme/probe", http, login=NO_LOGIN).may_push() is False


@pytest.mark.parametrize("kind", ["basic", "token"])
def test_a_wrong_password_fails_at_once(request: pytest.FixtureRequest, http: BoundedSession, kind: str) -> None:
    """The error says where the password comes from, and never quotes it."""
    there: RealRegistry = request.getfixturevalue(kind)
    begun = len(there.asked)
    for _ in range(2):
        with pytest.raises(Denied, match="a wrong place") as caught:
            there.open("acme/wrong", http, login=WRONG).head("one")
        assert "wrong\n" not in str(caught.value)
    if kind == "token":
        assert len(there.asked) == begun + 2


@pytest.mark.parametrize("kind", ["basic", "token"])
def test_without_a_login_only_public_images_are_readable(
    request: pytest.FixtureRequest, http: BoundedSession, kind: str
) -> None:
    """A token server lets anyone pull, a registry with passwords does not. Nobody can push."""
    there: RealRegistry = request.getfixturevalue(kind)
    seen = there.open("acme/public", http, login=NO_LOGIN)
    if kind == "token":
        assert seen.head("one") is None
    else:
        with pytest.raises(Denied, match="requires a login"):
            seen.head("one")
    with pytest.raises(Denied):
        seen.put("one", make_image("not ours").manifest)


def test_a_token_is_reused_only_for_its_scope(token: RealRegistry, http: BoundedSession) -> None:
    """Two reads use one token, a write requests another, and a read without credentials a third."""
    seen = token.open("acme/scopes", http)
    begun = len(token.asked)
    seen.head("one")
    seen.tags()
    assert len(token.asked) == begun + 1
    assert seen.may_push()
    assert len(token.asked) == begun + 2
    assert "pull,push" in token.asked[-1]["scope"][0]
    seen.manifest("one", anonymous=True)
    assert len(token.asked) == begun + 3


def test_a_token_without_the_scope_is_a_denial(token: RealRegistry, http: BoundedSession) -> None:
    """A valid login that may not push is `Denied`."""
    token.denied.add("push")
    try:
        seen = token.open("acme/held", http)
        with pytest.raises(Denied):
            seen.may_push()
    finally:
        token.denied.clear()


def test_a_manifest_is_deleted_with_its_tags(there: RealRegistry, http: BoundedSession, tmp_path: Path) -> None:
    """Deleting by digest removes the tags. Deleting it again is fine."""
    there.skopeo("copy", write_layout(tmp_path / "image", make_image("delete"), "one"), "docker://{}/acme/delete:one")
    seen = there.open("acme/delete", http)
    digest = seen.head("one")
    assert digest is not None
    seen.delete(digest)
    assert seen.head("one") is None
    assert seen.head(digest) is None
    seen.delete(digest)


def test_many_tags_are_all_listed(basic: RealRegistry, http: BoundedSession) -> None:
    """A list of 30 tags is complete."""
    built = make_image("many")
    names = [f"v{number}" for number in range(30)]
    put_image(basic, "acme/many", built, names[0])
    for name in names[1:]:
        put_manifest(basic, "acme/many", built.manifest, name)
    assert set(basic.open("acme/many", http).tags()) == set(names)


def test_an_owner_with_capitals_is_written_small(basic: RealRegistry, http: BoundedSession) -> None:
    """Registries accept only lower case."""
    put_image(basic, "acme/small", make_image("small"), "one")
    seen = basic.open("Acme/Small", http)
    assert seen.name == "ghcr.io/acme/small"
    assert seen.address == f"{basic.url.removeprefix('http://')}/acme/small"
    assert seen.head("one") is not None


@pytest.mark.parametrize("reference", ["../x", "a b", "-x", "", "x" * 129, "sha256:short", "a/b"])
def test_an_invalid_reference_is_never_sent(basic: RealRegistry, http: BoundedSession, reference: str) -> None:
    """Only a tag or a digest becomes part of an address."""
    with pytest.raises(Rejected, match="neither a tag nor a digest"):
        basic.open("acme/small", http).head(reference)


def test_the_address_of_docker_hub(http: BoundedSession) -> None:
    """Its registry has another host. The engine uses the usual name."""
    from unmoor.adapters.registry import OciRegistry
    from unmoor.ports.world import RegistryPlace

    place = RegistryPlace(host="docker.io", address="https://docker.io", login=NO_LOGIN)
    seen = OciRegistry(place, "acme/demo", http)
    assert seen.place.address == "https://registry-1.docker.io"
    assert (seen.name, seen.address) == ("docker.io/acme/demo", "docker.io/acme/demo")
    assert replace(place, host="ghcr.io") is not place


def test_equal_bytes_are_equal_manifests() -> None:
    """Manifests compare by value."""
    one = make_image("same").manifest
    assert one == OciManifest(data=one.data, digest=one.digest, media_type=one.media_type)
