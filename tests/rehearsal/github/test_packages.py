"""The packages API of the local forge; each answer is compared with GitHub's OpenAPI description."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from tests.rehearsal.conftest import LocalRegistries
from tests.rehearsal.github.contract import ForgeClient
from tests.rehearsal.registry.oci_client import INDEX, MANIFEST, digest_of

OWNERS = "/api/v3/users/Acme/packages/container"


def ask(forge: ForgeClient, method: str, path: str, owners: str = OWNERS) -> requests.Response:
    """Request packages of the owner."""
    return forge.call(method, f"{forge.base}{owners}/{path}")


def versions(forge: ForgeClient, name: str) -> dict[str, Any]:
    """Return the versions of a package by digest."""
    return {version["name"]: version for version in ask(forge, "GET", f"{name}/versions?per_page=100").json()}


def test_a_package(registries: LocalRegistries, name: str) -> None:
    """A package is public unless it is listed as private, and does not exist before its first version."""
    forge = registries.forge()
    assert ask(forge, "GET", name).status_code == 404
    registries.oci().push(f"acme/{name}", b"layer", "1.0")
    found = ask(forge, "GET", name).json()
    assert (found["name"], found["visibility"], found["version_count"]) == (name, "public", 1)
    assert (found["owner"]["login"], found["owner"]["type"]) == ("Acme", "User")
    registries.oci().control("private", f"acme/{name}")
    assert ask(forge, "GET", name).json()["visibility"] == "private"


def test_versions(registries: LocalRegistries, name: str) -> None:
    """A version is a digest with all its tags, the newest first; each image of an index is its own version."""
    oci, forge = registries.oci(), registries.forge()
    image = oci.push(f"acme/{name}", b"layer", "1.0", "latest")
    size = len(oci.pull(f"acme/{name}", image).content)
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [{"mediaType": MANIFEST, "digest": image, "size": size}],
    }
    oci.put(f"acme/{name}", "latest", index)
    over = oci.pull(f"acme/{name}", "latest").headers["docker-content-digest"]
    found = versions(forge, name)
    assert {digest: version["metadata"]["container"]["tags"] for digest, version in found.items()} == {
        over: ["latest"],
        image: ["1.0"],
    }
    assert ask(forge, "GET", f"{name}/versions/{found[image]['id']}").json() == found[image]
    assert ask(forge, "GET", f"{name}/versions/1").status_code == 404
    assert len(ask(forge, "GET", f"{name}/versions?per_page=1").json()) == 1


def test_a_name_with_a_slash(registries: LocalRegistries, name: str) -> None:
    """The slash in a package's name is escaped as GitHub requires."""
    digest = registries.oci().push(f"acme/{name}/tool", b"layer", "1.0")
    assert list(versions(registries.forge(), f"{name}%2Ftool")) == [digest]
    assert ask(registries.forge(), "GET", name).status_code == 404


def test_deleting_a_version(registries: LocalRegistries, name: str) -> None:
    """A version is deleted with all its tags, and the others stay; the last one with a tag cannot be deleted."""
    oci, forge = registries.oci(), registries.forge()
    old = oci.push(f"acme/{name}", b"old", "1.0", "1")
    new = oci.push(f"acme/{name}", b"new", "1.1")
    found = versions(forge, name)
    assert ask(forge, "DELETE", f"{name}/versions/{found[old]['id']}").status_code == 204
    assert list(versions(forge, name)) == [new]
    assert [oci.pull(f"acme/{name}", what).status_code for what in ("1.0", "1", old, "1.1")] == [404, 404, 404, 200]
    answer = ask(forge, "DELETE", f"{name}/versions/{found[new]['id']}")
    assert (answer.status_code, "last tagged version" in answer.json()["message"]) == (400, True)
    assert ask(forge, "DELETE", f"{name}/versions/{found[old]['id']}").status_code == 404
    assert oci.push(f"acme/{name}", b"old", "1.0") == old
    assert versions(forge, name)[old]["metadata"]["container"]["tags"] == ["1.0"]


def test_deleting_a_package(registries: LocalRegistries, name: str) -> None:
    """A package is deleted with all its versions, one below its name stays, and it can be pushed again."""
    oci, forge = registries.oci(), registries.forge()
    for each in (name, f"{name}/tool"):
        oci.push(f"acme/{each}", b"layer", "1.0")
    assert ask(forge, "DELETE", name).status_code == 204
    assert ask(forge, "GET", name).status_code == 404
    assert ask(forge, "GET", f"{name}%2Ftool").status_code == 200
    assert oci.push(f"acme/{name}", b"layer", "1.0") == digest_of(oci.pull(f"acme/{name}", "1.0").content)


def test_what_cannot_be_deleted(registries: LocalRegistries, name: str) -> None:
    """Popular versions of a public package cannot be deleted, nor can packages of other owners."""
    oci, forge = registries.oci(), registries.forge()
    digest = oci.push(f"acme/{name}", b"layer", "1.0")
    oci.push(f"acme/{name}", b"other", "1.1")
    here = f"{name}/versions/{versions(forge, name)[digest]['id']}"
    popular = oci.control("popular", digest)
    for path in (here, name):
        answer = ask(forge, "DELETE", path)
        assert (answer.status_code, "5,000 downloads" in answer.json()["message"]) == (400, True)
    popular.unlink()
    control = oci.control("no-admin", f"acme/{name}")
    assert ask(forge, "DELETE", here).status_code == 403
    control.unlink()
    oci.control("private", "*")
    oci.control("popular", digest)
    assert ask(forge, "DELETE", here).status_code == 204


def test_who_may(registries: LocalRegistries, name: str) -> None:
    """Without a token nothing can be read, not even a public package; read access cannot delete."""
    registries.oci().push(f"acme/{name}", b"layer", "1.0")
    assert ask(registries.forge(""), "GET", name).status_code == 401
    reader = registries.forge("read")
    assert ask(reader, "GET", name).status_code == 200
    assert ask(reader, "DELETE", name).status_code == 403
    assert ask(registries.forge("installation"), "DELETE", name).status_code == 204


@pytest.mark.parametrize("owners", ["/api/v3/users/somebody", "/api/v3/orgs/Acme", "/api/v3/teams/Acme"])
def test_other_owners(registries: LocalRegistries, name: str, owners: str) -> None:
    """The packages of a user are found only below that user."""
    registries.oci().push(f"acme/{name}", b"layer", "1.0")
    address = f"{registries.forge().base}{owners}/packages/container/{name}"
    headers = {"Authorization": f"Bearer {registries.forge().token}"}
    assert requests.get(address, headers=headers, timeout=20).status_code == 404


def test_an_organisation(registries: LocalRegistries, name: str) -> None:
    """The packages of an organisation are found below it."""
    control = registries.world.folder / "forge" / "organisation"
    control.parent.mkdir(exist_ok=True)
    control.touch()
    try:
        forge = registries.forge()
        digest = registries.oci().push(f"acme/{name}", b"layer", "1.0")
        found = ask(forge, "GET", f"{name}/versions", "/api/v3/orgs/Acme/packages/container").json()
        assert [version["name"] for version in found] == [digest]
        assert ask(forge, "GET", name).status_code == 404
        assert forge.call("GET", "").json()["owner"]["type"] == "Organization"
    finally:
        control.unlink()
