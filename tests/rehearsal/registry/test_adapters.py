"""unmoor's own adapters, with the addresses in the world file, against the local registry and its packages."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.rehearsal.conftest import PLAIN, LocalRegistries
from tests.rehearsal.registry.oci_client import digest_of
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.registry import OciRegistry
from unmoor.adapters.registry.packages import ForgePackages
from unmoor.config.worlds import read_world
from unmoor.errors import Denied, Rejected
from unmoor.ports.registry import OciManifest
from unmoor.ports.world import World
from unmoor.rehearsal.faults import control
from unmoor.util.secret import Secret
from unmoor.util.values import replace


@pytest.fixture
def http() -> Iterator[BoundedSession]:
    """A session."""
    with BoundedSession() as session:
        yield session


@pytest.fixture
def read(registries: LocalRegistries) -> World:
    """The world as unmoor parses it."""
    return read_world(registries.world.world_file, {})


def manifest_of(registries: LocalRegistries, repository: str, data: bytes, host: str = "ghcr.io") -> OciManifest:
    """Push the blobs of an image, and return its manifest."""
    manifest = registries.oci(host=host).image(repository, data)
    encoded = json.dumps(manifest).encode()
    return OciManifest(data=encoded, digest=digest_of(encoded), media_type=manifest["mediaType"])


def test_a_release(registries: LocalRegistries, read: World, http: BoundedSession, name: str) -> None:
    """A manifest is put under several tags, found, and deleted by the forge as one version."""
    place, repository = read.registries[0], f"acme/{name}"
    registry = OciRegistry(place, repository, http)
    packages = ForgePackages(read.forge, repository, http, FakeClock())
    assert (registry.tags(), registry.head("1.0"), packages.versions(), packages.is_public()) == ((), None, (), None)
    assert registry.may_push()
    first, second = (manifest_of(registries, repository, data) for data in (b"first", b"second"))
    for tag in ("1.0", "latest"):
        assert registry.put(tag, first) == first.digest
    registry.put("1.1", second)
    assert sorted(registry.tags()) == ["1.0", "1.1", "latest"]
    assert registry.manifest("latest", anonymous=True) == first
    assert packages.is_public()
    old = next(version for version in packages.versions() if version.digest == first.digest)
    assert sorted(old.tags) == ["1.0", "latest"]
    with pytest.raises(Rejected):
        registry.delete(first.digest)
    packages.delete(old)
    assert registry.tags() == ("1.1",)
    assert registry.head(first.digest) is None
    registries.oci().control("private", repository)
    assert packages.is_public() is False
    with pytest.raises(Denied):
        registry.manifest("1.1", anonymous=True)


def test_too_few_rights(registries: LocalRegistries, read: World, http: BoundedSession, name: str) -> None:
    """A login with read access is refused with GHCR's message, before anything is sent."""
    place = read.registries[0]
    reader = replace(place, login=replace(place.login, secret=Secret(registries.oci("registry_read").password)))
    with pytest.raises(Denied, match="write_package"):
        OciRegistry(reader, f"acme/{name}", http).may_push()


def test_a_reply_that_is_lost(registries: LocalRegistries, read: World, http: BoundedSession, name: str) -> None:
    """A manifest that was stored without an answer is found by a second request."""
    repository = f"acme/{name}"
    manifest = manifest_of(registries, repository, b"layer")
    # The first request has no token.
    control.inject(registries.world.folder, "lost-reply@registry:PUT /v2/{name}/manifests/{reference}#2")
    assert OciRegistry(read.registries[0], repository, http).put("1.0", manifest) == manifest.digest


def test_a_plain_registry(registries: LocalRegistries, read: World, http: BoundedSession, name: str) -> None:
    """A registry other than GHCR deletes by digest, with all tags."""
    place = next(place for place in read.registries if place.host == PLAIN)
    registry = OciRegistry(place, name, http)
    manifest = manifest_of(registries, name, b"layer", PLAIN)
    registry.put("1.0", manifest)
    registry.delete(manifest.digest)
    assert registry.head("1.0") is None
